//! The classes that the network tells apart: the fifteen visemes, and the neutral vowel, which is a small `E`.
//!
//! Also what it should have told of phonemes whose times are known: for training and scoring.

use crate::face::Viseme;
use crate::face::visemes::{gestures_of, is_mark};
use crate::media::TimedPhoneme;

/// Classes; the first fifteen are [`Viseme::ALL`], the last is the neutral vowel.
pub const COUNT: usize = 16;
/// The IPA symbol that stands for each class.
pub const IPA: [&str; COUNT] = ["", "p", "f", "θ", "t", "k", "ʃ", "s", "n", "ɹ", "a", "ɛ", "i", "ɔ", "u", "ə"];
pub const SILENCE: usize = 0;
/// Sounds of closed lips.
pub const CLOSED: usize = 1;
/// The neutral vowel.
pub const NEUTRAL: usize = 15;
/// An `E` that reaches less than this is the neutral vowel.
const NEUTRAL_REACH: f32 = 0.75;

/// The viseme of a class.
pub fn viseme(class: usize) -> Viseme {
    Viseme::ALL.get(class).copied().unwrap_or(Viseme::E)
}

/// How far a class opens the mouth: closed, narrow, open.
pub fn opening(class: usize) -> usize {
    match viseme(class) {
        Viseme::Sil | Viseme::PP => 0,
        Viseme::E if class == NEUTRAL => 1,
        Viseme::AA | Viseme::E | Viseme::OH => 2,
        _ => 1,
    }
}

/// One class for a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    pub class: usize,
    /// In the ticks of the phonemes.
    pub start: f64,
    pub end: f64,
    pub stressed: bool,
}

/// The classes of `phonemes`, cut as [`Lips`](crate::face::Lips) cuts them, in order.
pub fn spans(phonemes: &[TimedPhoneme]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for phoneme in phonemes {
        let (start, end) = (phoneme.start as f64, phoneme.end as f64);
        let gestures: Vec<_> = gestures_of(&phoneme.ipa).collect();
        match spans.last_mut() {
            Some(last) if is_mark(&phoneme.ipa) => {
                last.end = end;
                continue;
            }
            _ if gestures.is_empty() => {
                spans.push(Span { class: SILENCE, start, end, stressed: false });
                continue;
            }
            _ => {}
        }
        let part = (end - start) / gestures.len() as f64;
        for (i, gesture) in gestures.iter().enumerate() {
            let own = Viseme::ALL.iter().position(|viseme| *viseme == gesture.viseme).unwrap_or(SILENCE);
            let neutral = gesture.viseme == Viseme::E && gesture.reach < NEUTRAL_REACH;
            let class = if neutral { NEUTRAL } else { own };
            let start = start + part * i as f64;
            spans.push(Span { class, start, end: start + part, stressed: phoneme.stressed });
        }
    }
    spans
}

/// The span at `at`; silence where there is none.
pub fn at(spans: &[Span], at: f64) -> Span {
    let after = spans.partition_point(|span| span.end <= at);
    let silence = Span { class: SILENCE, start: at, end: at, stressed: false };
    spans.get(after).copied().filter(|span| span.start <= at).unwrap_or(silence)
}
