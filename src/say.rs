//! `visavis say`: hear a voice without a call, as a WAV file; and which voices there are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;

use crate::config::Config;
use crate::engines::speakers;
use crate::engines::voices::Voices;
use crate::engines::whole::{self, Manner};
use crate::media::{MEDIA_HZ, Speech};
use crate::metrics::Metrics;
use crate::models::Store;
use crate::onnx::Runtime;

#[derive(Debug, Args)]
pub struct SayArgs {
    /// What to say.
    #[arg(required_unless_present = "list")]
    text: Option<String>,
    /// Name of a voice; without it the configuration's.
    #[arg(long, value_name = "NAME")]
    voice: Option<String>,
    /// 0.25 to 4; 1 is the voice's own pace.
    #[arg(long, default_value_t = 1.0)]
    speed: f32,
    /// The sound, 48 kHz mono.
    #[arg(long, value_name = "FILE", default_value = "said.wav")]
    out: PathBuf,
    /// Settings; without it the defaults hold.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Name the voices that are here, with their languages.
    #[arg(long)]
    list: bool,
}

/// Speaks to the end, or says why not.
pub async fn main(args: SayArgs) -> anyhow::Result<()> {
    let mut config = args.config.as_deref().map_or_else(|| Ok(Config::default()), Config::load)?;
    if let Some(voice) = args.voice {
        config.tts.voice = voice;
    }
    let folder = config.models.folder.as_path();
    let store = Store::open((!folder.as_os_str().is_empty()).then_some(folder))?;
    if args.list {
        for voice in voices(&config, &store)?.list() {
            println!("{:<24} {}", voice.name, voice.language);
        }
    }
    let Some(text) = args.text else { return Ok(()) };
    let Speech { pcm, .. } = speech(&config, &store, text, args.speed).await?;
    write(&args.out, &pcm)?;
    println!("{}: {:.2} s", args.out.display(), pcm.len() as f32 / MEDIA_HZ as f32);
    Ok(())
}

fn voices(config: &Config, store: &Store) -> anyhow::Result<Arc<Voices>> {
    let runtime = Runtime::load(&store.path("onnxruntime")?)?;
    Ok(Arc::new(speakers::start(config, store, &runtime, &Arc::new(Metrics::new()))?))
}

/// A text as the configuration's voice says it.
pub async fn speech(config: &Config, store: &Store, text: String, speed: f32) -> anyhow::Result<Speech> {
    let voices = voices(config, store)?;
    let name = &config.tts.voice;
    let loaded = voices.load(name).with_context(|| format!("no voice is called {name}; --list names them"))??;
    loaded.await.context("the voice's thread ended")?.map_err(anyhow::Error::from_boxed)?;
    let manner = Manner { by: [name.as_str().into()].into(), speed, language: config.language.clone() };
    Ok(whole::say(&voices, &text, &manner).await?)
}

fn write(path: &Path, pcm: &[i16]) -> anyhow::Result<()> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: MEDIA_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec).with_context(|| format!("writing {}", path.display()))?;
    pcm.iter().try_for_each(|sample| file.write_sample(*sample))?;
    file.finalize().with_context(|| format!("writing {}", path.display()))
}
