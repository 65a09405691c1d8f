//! With real weights.

use std::path::Path;

use super::model::{MARGIN, window};
use super::*;
use crate::testing::weight;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn recognizer(name: &str) -> Result<WhisperRecognizer, AsrError> {
    WhisperModel::load(&weight(name), WhisperSettings::default())?.recognizer()
}

/// "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better."
fn recording() -> Result<Vec<f32>, hound::Error> {
    hound::WavReader::open(weight("beckett"))?.samples::<i16>().map(|s| Ok(f32::from(s?) / 32768.0)).collect()
}

fn any() -> Languages {
    Languages::any(Language::ENGLISH)
}

/// What a recogniser hears in `pcm`, without hints.
fn heard(recognizer: &mut WhisperRecognizer, pcm: &[f32], languages: &Languages) -> Result<Transcript, AsrError> {
    let (hints, cancelled) = (Hints::default(), AtomicBool::new(false));
    recognizer.transcribe(&AsrRequest { pcm, languages, hints: &hints, awaited: true, cancelled: &cancelled })
}

#[test]
fn a_recording_becomes_its_words_and_its_language_is_found() -> Outcome {
    let pcm = recording()?;
    for (name, languages) in [("whisper-tiny-en", any()), ("whisper-base", Languages::among(&["zh", "en"])?)] {
        let said = heard(&mut recognizer(name)?, &pcm, &languages)?;
        let words = said.text.to_lowercase();
        for part in ["ever tried", "ever failed", "no matter", "try again", "fail again", "fail better"] {
            assert!(words.contains(part), "{name}: {part:?} in {words:?}");
        }
        assert_eq!(said.language, "en");
        assert!((said.seconds - 9.96).abs() < 0.01, "{said:?}");
    }
    Ok(())
}

#[test]
fn an_utterance_is_recognised_in_the_language_that_is_chosen_for_it() -> Outcome {
    let (pcm, mut recognizer) = (recording()?, recognizer("whisper-base")?);
    let mut languages = Languages::among(&["zh", "en"])?;
    languages.spoken("zh", 3.0, true);
    // Chinese it is not, but a part of the same utterance is said to have been.
    let said = heard(&mut recognizer, &pcm, &languages)?;
    assert_eq!(said.language, "zh");
    languages.dropped();
    assert_eq!(heard(&mut recognizer, &pcm, &languages)?.language, "en");
    Ok(())
}

#[test]
fn hints_are_words_that_may_be_heard_and_are_not_written_over_silence() -> Outcome {
    let (pcm, silence) = (recording()?, vec![0.0; 32_000]);
    let mut hints = Hints::default();
    hints.list(hints::Source::Settings, ["Everett Ryde", "Noam Atter"]);
    for name in ["whisper-tiny-en", "whisper-base"] {
        let mut recognizer = recognizer(name)?;
        let (languages, cancelled) = (Languages::only("en")?, AtomicBool::new(false));
        let mut heard = |pcm| {
            let request =
                AsrRequest { pcm, languages: &languages, hints: &hints, awaited: true, cancelled: &cancelled };
            Ok::<_, AsrError>(recognizer.transcribe(&request)?.text.to_lowercase())
        };
        assert!(heard(&pcm)?.contains("fail better"), "{name}");
        assert_eq!(heard(&silence)?, "", "{name}");
    }
    Ok(())
}

#[test]
fn weights_that_know_english_alone_say_so() -> Outcome {
    let mut english = recognizer("whisper-tiny-en")?;
    let refused = heard(&mut english, &[0.0; 16_000], &Languages::only("zh-CN")?).map(drop);
    let said = refused.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(said.contains("chinese") && said.contains("whisper-base"), "{said}");
    assert!(english.model.knows(&Languages::among(&["zh", "en"])?).is_ok());
    assert_eq!(english.model.languages(), 0);
    assert_eq!(recognizer("whisper-base")?.model.languages(), 99);
    Ok(())
}

#[test]
fn languages_have_the_places_that_the_engine_gives_them() {
    for index in 0..Language::COUNT {
        let code = Language::nth(index).map(Language::code);
        assert_eq!(code, whisper_rs::get_lang_str(index as c_int));
    }
}

#[test]
fn silence_and_noise_have_no_words() -> Outcome {
    let mut recognizer = recognizer("whisper-tiny-en")?;
    assert_eq!(heard(&mut recognizer, &[], &any())?.text, "");
    assert_eq!(heard(&mut recognizer, &[0.0; 20_000], &any())?.text, "");
    let mut seed = 1_u32;
    let hiss: Vec<f32> = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 16) as f32 / 65_536.0 * 0.002
    })
    .take(30_000)
    .collect();
    assert_eq!(heard(&mut recognizer, &hiss, &any())?.text, "");
    Ok(())
}

#[test]
fn work_that_nobody_wants_ends_early_and_the_next_is_done() -> Outcome {
    let (pcm, mut recognizer) = (recording()?, recognizer("whisper-tiny-en")?);
    // Set from the start, so what ends it must be looked at inside the run as well as before it.
    let cancelled = AtomicBool::new(true);
    let (languages, hints) = (any(), Hints::default());
    let window = recognizer.model.window(pcm.len());
    let ended = recognizer.encode(&pcm, window, &cancelled);
    assert!(matches!(ended, Err(AsrError::Cancelled)), "{ended:?}");
    let task = recognizer.model.task(Language::ENGLISH);
    let ended = recognizer.decode(task, false, pcm.len(), &cancelled).map(drop);
    assert!(matches!(ended, Err(AsrError::Cancelled)), "{ended:?}");
    let request = AsrRequest { pcm: &pcm, languages: &languages, hints: &hints, awaited: true, cancelled: &cancelled };
    let ended = recognizer.transcribe(&request);
    assert!(matches!(ended, Err(AsrError::Cancelled)), "{ended:?}");
    assert!(!heard(&mut recognizer, &pcm, &languages)?.text.is_empty());
    Ok(())
}

#[test]
fn a_missing_or_damaged_file_is_named() -> Outcome {
    let missing = WhisperModel::load(Path::new("/nowhere/ggml.bin"), WhisperSettings::default()).map(drop);
    assert!(missing.is_err_and(|error| error.to_string().contains("/nowhere/ggml.bin is missing")));
    let damaged = WhisperModel::load(&weight("beckett"), WhisperSettings::default()).map(drop);
    assert!(damaged.is_err_and(|error| error.to_string().contains("visavis models verify")));
    Ok(())
}

#[test]
fn the_window_covers_the_sound_and_never_more_than_the_model_has() {
    assert_eq!(window(16_000, 0), 50 + MARGIN);
    assert_eq!(window(16_000, 384), 384);
    assert_eq!(window(LONGEST, 0), FULL_WINDOW);
}
