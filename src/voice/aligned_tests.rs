//! Whether the times that voices tell fit their sound: it is loud where they tell vowels, and not where they tell stops
//! and pauses. With the weights that the server ships.

use super::{Kokoro, PhoneticVoice, Piper, Voice, VoiceError, VoiceStyle, whole};
use crate::media::{Clause, MEDIA_HZ, Speech, TurnId};
use crate::onnx::Runtime;
use crate::testing::weight;

type Outcome = Result<(), VoiceError>;

/// Ticks of a step, 5 ms.
const STEP: usize = MEDIA_HZ as usize / 200;
/// Furthest shift that is looked for, in steps.
const REACH: isize = 24;
/// Less than the networks' own lengths are off. So few sentences tell it to some ten milliseconds, halves of them to
/// some more; Piper says none twice alike.
const MOST_MILLIS: f64 = 20.0;
const MOST_MILLIS_OF_HALF: f64 = 32.0;

const ENGLISH: &[&str] = &[
    "The capital of the country is a beautiful old city on a broad river.",
    "Could you take two packets to the back door before it gets dark?",
    "I put a cup of tea on the table, but nobody touched it all day.",
    "We talked about big cats and little dogs, and then we started to cook.",
];
const CHINESE: &[&str] = &[
    "大家都在等他打电话，可是他到现在还没来。",
    "他把茶杯放在桌子上，然后慢慢地走到大门口。",
    "北京的地铁又快又便宜，到处都可以坐。",
];

/// Milliseconds from the told times to the sound, below zero if it comes earlier, of what begins in that part of each.
fn shift(spoken: &[Speech], part: std::ops::Range<f32>) -> f64 {
    let mut fits = [0.0_f64; 2 * REACH as usize + 1];
    for speech in spoken {
        let power = |pcm: &[i16]| pcm.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / pcm.len() as f64;
        let levels: Vec<f64> = speech.pcm.chunks_exact(STEP).map(|pcm| (power(pcm) + 100.0).log10()).collect();
        let mean = levels.iter().sum::<f64>() / levels.len() as f64;
        for phoneme in &speech.phonemes {
            let wanted = match phoneme.ipa.chars().next() {
                None => -1.0,
                Some(first) if "ptkbdɡ".contains(first) => -1.0,
                Some(first) if super::timing::is_vowel(first) => 1.0,
                Some(_) => continue,
            };
            if !part.contains(&(phoneme.start as f32 / speech.pcm.len() as f32)) {
                continue;
            }
            let step = |tick: u64| (tick as f64 / STEP as f64).round() as isize;
            for (fit, shift) in fits.iter_mut().zip(-REACH..) {
                let steps = step(phoneme.start) + shift..step(phoneme.end) + shift;
                let here = steps.filter_map(|at| levels.get(usize::try_from(at).ok()?));
                *fit += wanted * here.map(|level| level - mean).sum::<f64>();
            }
        }
    }
    let best = (0..fits.len()).max_by(|a, b| fits[*a].total_cmp(&fits[*b])).unwrap_or(0).clamp(1, fits.len() - 2);
    // The top of the parabola through the three.
    let [left, top, right] = [fits[best - 1], fits[best], fits[best + 1]];
    let beside = 0.5 * (left - right) / (left - 2.0 * top + right);
    (best as f64 - REACH as f64 + beside) * 5.0
}

fn fits_its_sound(voice: &mut dyn Voice, texts: &[&str], speaker: &str, speed: f32) -> Outcome {
    let style = VoiceStyle { speed, speaker: speaker.into() };
    let say = |text: &&str| whole(voice, &Clause { turn: TurnId(1), index: 1, text: (*text).to_owned() }, &style);
    let spoken: Vec<Speech> = texts.iter().map(say).collect::<Result<_, _>>()?;
    let halves = [("first half", 0.0..0.5, MOST_MILLIS_OF_HALF), ("second half", 0.5..2.0, MOST_MILLIS_OF_HALF)];
    for (name, part, most) in [("all", 0.0..2.0, MOST_MILLIS)].into_iter().chain(halves) {
        let shift = shift(&spoken, part);
        assert!(shift.abs() <= most, "{} {speaker}, speed {speed}, {name}: {shift:.1} ms", voice.name());
    }
    // Words go with their phonemes.
    for word in spoken.iter().flat_map(|speech| speech.words.iter().map(move |word| (speech, word))) {
        let (speech, word) = word;
        let begins = speech.phonemes.iter().any(|phoneme| !phoneme.ipa.is_empty() && phoneme.start == word.start);
        assert!(begins, "{:?} at {}: {:?}", &speech.text[word.text.clone()], word.start, speech.phonemes);
    }
    Ok(())
}

#[test]
fn pipers_phonemes_and_words_lie_where_they_sound() -> Outcome {
    let runtime = Runtime::load(&weight("onnxruntime"))?;
    let joe = Piper::load(&runtime, &weight("piper-joe"), &weight("piper-joe-config"), 1)?;
    let mut joe = PhoneticVoice::new(joe);
    fits_its_sound(&mut joe, ENGLISH, "", 1.0)
}

#[test]
fn kokoros_phonemes_and_words_lie_where_they_sound() -> Outcome {
    let runtime = Runtime::load(&weight("onnxruntime"))?;
    let voices = weight("kokoro-voices");
    let Some(folder) = voices.parent() else { panic!("{}", voices.display()) };
    let mut kokoro = PhoneticVoice::new(Kokoro::load(&runtime, &weight("kokoro"), folder, 2)?);
    fits_its_sound(&mut kokoro, ENGLISH, "am_michael", 1.0)?;
    fits_its_sound(&mut kokoro, CHINESE, "zf_xiaobei", 1.25)
}
