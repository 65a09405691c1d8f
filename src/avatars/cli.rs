//! `visavis avatar list | add | remove | preview`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use clap::Subcommand;

use super::{Avatars, Kind, Listed, Look, clip, describe, is_name, list, portrait_of};
use crate::config::Config;
use crate::face::portrait::{MAX_FILE_BYTES, Vision};
use crate::face::preview::contact_sheet;
use crate::face::wav2lip;
use crate::metrics::Metrics;
use crate::models::Store;
use crate::onnx::Runtime;
use crate::say;
use crate::video::mp4;

/// What the clip says unless something else is asked for: all lips close, round and spread.
const SENTENCE: &str =
    "Hello, nice to meet you! My name is not important, but people put up with my jokes. Shall we go?";

/// What there is to know of Wav2Lip's weights.
const LICENCE: &str = "visavis ships no network of Wav2Lip. The published ones were trained on LRS2 and may not be used \
                       commercially; whoever names one as avatar.wav2lip.model answers for its licence \
                       (models/wav2lip/README.md).";
const PERSON: &str = "A face belongs to a person: use it only if that person agrees, and say that it is artificial.";

/// Looks after the faces that can be seen.
#[derive(Clone, Debug, Subcommand)]
pub enum AvatarCommand {
    /// Names the avatars that are here.
    List {
        /// Settings; without it the defaults hold.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Makes an avatar of a photo (JPEG, PNG or WebP) of one person who looks into the camera.
    Add {
        /// By which it is asked for: letters a to z, digits, - and _.
        name: String,
        #[arg(value_name = "PHOTO")]
        footage: PathBuf,
        /// For a network of your own (avatar.wav2lip.model): also takes an MP4 video with H.264, or a folder of photos.
        #[arg(long)]
        wav2lip: bool,
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Removes one of your own avatars.
    Remove {
        name: String,
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Writes a sheet of all that an avatar can do (NAME.png) and a clip with sound (NAME.mp4).
    Preview {
        name: String,
        /// Where they go.
        #[arg(long, value_name = "FOLDER", default_value = ".")]
        out: PathBuf,
        /// What it says.
        #[arg(long, default_value = SENTENCE)]
        text: String,
        /// Who speaks; without it the configuration's voice.
        #[arg(long, value_name = "NAME")]
        voice: Option<String>,
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

impl AvatarCommand {
    pub async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::List { config } => {
                let (_, _, folder) = setting(config.as_deref())?;
                list(&folder).iter().for_each(show);
            }
            Self::Add { name, footage, wav2lip, config } => {
                let (config, store, folder) = setting(config.as_deref())?;
                let runtime = Runtime::load(&store.path("onnxruntime")?)?;
                if wav2lip {
                    add_wav2lip(&name, &footage, &runtime, &folder, &config)?;
                } else {
                    add(&name, &footage, &runtime, &folder)?;
                }
            }
            Self::Remove { name, config } => {
                let (_, _, folder) = setting(config.as_deref())?;
                let known = list(&folder).into_iter().any(|listed| listed.name == name && !listed.built_in);
                ensure!(known, "none of your own avatars is called \"{name}\"; `visavis avatar list` names them");
                let own = folder.join(&name);
                std::fs::remove_dir_all(&own).with_context(|| format!("removing {}", own.display()))?;
                eprintln!("{name} is gone");
            }
            Self::Preview { name, out, text, voice, config } => {
                let (mut config, store, folder) = setting(config.as_deref())?;
                if let Some(voice) = voice {
                    config.tts.voice = voice;
                }
                let runtime = Runtime::load(&store.path("onnxruntime")?)?;
                let (video, wav2lip) = (config.video.encoder(config.avatar.mark), config.avatar.wav2lip.clone());
                let avatars = Avatars::new(folder.clone(), video.clone(), wav2lip, runtime, Arc::new(Metrics::new()));
                let mut face = avatars.face(&Look::of(&name))?;
                std::fs::create_dir_all(&out).with_context(|| format!("making {}", out.display()))?;
                // Only sound moves the face of the other kind.
                if describe(&folder, &name).map_or(Kind::Drawn, |own| own.kind) != Kind::Wav2Lip {
                    let sheet = contact_sheet(&mut *face);
                    let path = out.join(format!("{name}.png"));
                    let (width, height) = (sheet.width as u32, sheet.height as u32);
                    image::save_buffer(&path, &sheet.data, width, height, image::ExtendedColorType::Rgba8)
                        .with_context(|| format!("writing {}", path.display()))?;
                    println!("{}", path.display());
                }
                let speech = say::speech(&config, &store, text, 1.0).await?;
                let pictures = clip::pictures(&mut *face, &speech, &video, clip::PREVIEW)?;
                let packets = clip::sound(&speech, clip::PREVIEW)?;
                let path = out.join(format!("{name}.mp4"));
                mp4::write(&path, face.size(), &pictures, &packets)?;
                println!("{}", path.display());
            }
        }
        Ok(())
    }
}

fn setting(config: Option<&Path>) -> anyhow::Result<(Config, Store, PathBuf)> {
    let config = config.map_or_else(|| Ok(Config::default()), Config::load)?;
    let weights = config.models.folder.as_path();
    let store = Store::open((!weights.as_os_str().is_empty()).then_some(weights))?;
    let folder = config.avatar.folder(store.folder());
    Ok((config, store, folder))
}

fn add(name: &str, photo: &Path, runtime: &Runtime, folder: &Path) -> anyhow::Result<()> {
    ensure!(!photo.is_dir(), "{} is a folder; with --wav2lip an avatar can be made of it", photo.display());
    let size = std::fs::metadata(photo).with_context(|| photo.display().to_string())?.len();
    ensure!(
        size <= MAX_FILE_BYTES,
        "{} has {size} bytes; a picture may have at most {MAX_FILE_BYTES}",
        photo.display()
    );
    let bytes = std::fs::read(photo).with_context(|| photo.display().to_string())?;
    ensure!(
        bytes.get(4..8) != Some(b"ftyp"),
        "{} is a video; with --wav2lip an avatar can be made of it",
        photo.display()
    );
    let report = portrait_of(runtime, &bytes, name, folder)?;
    eprintln!("{name} is ready; see it with `visavis avatar preview {name}`");
    for advice in report.advice {
        eprintln!("It works, but: {advice}.");
    }
    eprintln!("{PERSON}");
    Ok(())
}

fn add_wav2lip(name: &str, footage: &Path, runtime: &Runtime, folder: &Path, config: &Config) -> anyhow::Result<()> {
    ensure!(is_name(name), "\"{name}\" cannot be a name: use up to 64 of the letters a to z, digits, - and _");
    wav2lip::add(&mut Vision::load(runtime)?, footage, &folder.join(name))?;
    eprintln!("{name} is ready; see it with `visavis avatar preview {name}`");
    if config.avatar.wav2lip.model.as_os_str().is_empty() {
        eprintln!("It cannot speak yet: name a network as avatar.wav2lip.model in the configuration.");
    }
    eprintln!("{LICENCE}");
    eprintln!("{PERSON}");
    Ok(())
}

fn show(listed: &Listed) {
    let Listed { name, kind, title, licence, built_in, .. } = listed;
    let origin = if *built_in { "built in" } else { "your own" };
    // A reader that has gone away, as in `| head`, is no error.
    let _ = writeln!(io::stdout(), "{name:16} {:10} {title:20} {licence:12} {origin}", kind.name());
}
