//! Writes the speech that the lips are trained on: for each voice of `voices.tsv` that the server itself can speak
//! with (Kokoro, Piper), sound and phoneme times of its sentences.
//!
//! Gives `OUT/SET/VOICE-NNN.wav` (48 kHz mono) and `.tsv` beside it (start and end in samples, stressed or not, IPA).
//! What is there already stays. Every fifth sentence of a language is kept for the sets dev and test.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use visavis::media::{Clause, MEDIA_HZ, Speech, TurnId};
use visavis::onnx::Runtime;
use visavis::voice::{Kokoro, PhoneticVoice, Piper, Voice, VoiceStyle, whole};

/// So that the network hears slow and hasty speech.
const SPEEDS: [f32; 5] = [1.0, 0.85, 1.15, 1.0, 1.3];

/// `arguments`: folder of the weights, of the recipe, where to write, and which set alone.
pub fn run(arguments: &[PathBuf]) -> anyhow::Result<()> {
    let (Some([models, recipe, out]), only) = (arguments.first_chunk(), arguments.get(3)) else {
        bail!("usage: lips speak MODELS RECIPE OUT [SET]")
    };
    let library = fs::read_dir(models.join("onnxruntime"))?.next().context("no ONNX Runtime")??.path();
    let runtime = Runtime::load(&library)?;
    let kokoro = || -> anyhow::Result<Box<dyn Voice>> {
        let (model, voices) = (models.join("kokoro/kokoro-82m-int8.onnx"), models.join("kokoro-voices"));
        Ok(Box::new(PhoneticVoice::new(Kokoro::load(&runtime, &model, &voices, 1)?)))
    };
    let piper = || -> anyhow::Result<Box<dyn Voice>> {
        let model = models.join("piper-joe/en_US-joe-medium.onnx");
        Ok(Box::new(PhoneticVoice::new(Piper::load(&runtime, &model, &model.with_extension("onnx.json"), 1)?)))
    };
    let (mut kokoro, mut piper) = (kokoro()?, piper()?);
    let plan = fs::read_to_string(recipe.join("voices.tsv"))?;
    for (row, line) in plan.lines().filter(|line| !line.starts_with('#')).enumerate() {
        let [set, engine, voice, language, count] = line.split('\t').collect::<Vec<_>>()[..] else {
            bail!("voices.tsv: five columns are wanted in {line:?}")
        };
        if only.is_some_and(|only| only.as_os_str() != set) {
            continue;
        }
        let speaker: &mut dyn Voice = match engine {
            "kokoro" => &mut *kokoro,
            "piper" => &mut *piper,
            _ => continue,
        };
        let sentences = fs::read_to_string(recipe.join(format!("sentences/{language}.txt")))?;
        let sentences: Vec<&str> = sentences.lines().collect();
        let own = sentences.iter().enumerate().filter(|(index, _)| (index % 5 == 4) == (set != "train"));
        let own: Vec<(usize, &str)> = own.map(|(index, text)| (index, *text)).collect();
        fs::create_dir_all(out.join(set))?;
        for take in 0..count.parse()? {
            // Voices begin at different sentences.
            let (index, text) = own[(row * 7 + take) % own.len()];
            let to = out.join(set).join(format!("{voice}-{index:03}"));
            if to.with_extension("tsv").exists() {
                continue;
            }
            let speed = if set == "train" { SPEEDS[take % SPEEDS.len()] } else { 1.0 };
            let style = VoiceStyle { speed, speaker: voice.into() };
            let clause = Clause { turn: TurnId(1), index: 0, text: text.to_owned() };
            write(&to, &whole(speaker, &clause, &style)?)?;
        }
        println!("{set} {voice}");
    }
    Ok(())
}

/// The table last, so that where it is, all is.
fn write(to: &Path, speech: &Speech) -> anyhow::Result<()> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: MEDIA_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(to.with_extension("wav"), spec)?;
    speech.pcm.iter().try_for_each(|sample| file.write_sample(*sample))?;
    file.finalize()?;
    let rows = speech.phonemes.iter().map(|p| format!("{}\t{}\t{}\t{}\n", p.start, p.end, u8::from(p.stressed), p.ipa));
    Ok(fs::write(to.with_extension("tsv"), rows.collect::<String>())?)
}
