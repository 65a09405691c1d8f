//! From IPA to the fifteen visemes (the set of the Oculus lip-sync SDK) and each viseme's mouth.
//!
//! Covers what espeak-ng writes for English, Mandarin and most other languages; an unknown letter is taken for
//! a neutral vowel or passed over, never an error. When a mouth does what is the matter of [`crate::face::Lips`].

use crate::face::Mouth;

/// A group of sounds that look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Viseme {
    /// Silence.
    Sil,
    /// p b m
    PP,
    /// f v
    FF,
    /// th
    TH,
    /// t d
    DD,
    /// k g
    KK,
    /// ch j sh
    CH,
    /// s z
    SS,
    /// n l
    NN,
    /// r
    RR,
    /// a as in father
    AA,
    /// e as in bed
    E,
    /// i as in see
    IH,
    /// o as in saw
    OH,
    /// u as in you, and w
    OU,
}

impl Viseme {
    pub const ALL: [Self; 15] = [
        Self::Sil,
        Self::PP,
        Self::FF,
        Self::TH,
        Self::DD,
        Self::KK,
        Self::CH,
        Self::SS,
        Self::NN,
        Self::RR,
        Self::AA,
        Self::E,
        Self::IH,
        Self::OH,
        Self::OU,
    ];

    /// The name that the visemes go by in the literature.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sil => "sil",
            Self::PP => "PP",
            Self::FF => "FF",
            Self::TH => "TH",
            Self::DD => "DD",
            Self::KK => "kk",
            Self::CH => "CH",
            Self::SS => "SS",
            Self::NN => "nn",
            Self::RR => "RR",
            Self::AA => "aa",
            Self::E => "E",
            Self::IH => "ih",
            Self::OH => "oh",
            Self::OU => "ou",
        }
    }

    /// The mouth of the sound held alone and clearly, at normal loudness. Close vowels (IH, OU) have a quarter of the gap
    /// of open ones, consonants about as much: `make bench-lips` holds that to the vowel that is heard.
    pub fn mouth(self) -> Mouth {
        let [jaw, open, width, round, press, tuck, teeth, tongue] = match self {
            //           jaw   open  width round press tuck  teeth tongue
            Self::Sil => [0.00, 0.00, 0.50, 0.00, 0.00, 0.00, 0.00, 0.00],
            Self::PP => [0.02, 0.00, 0.46, 0.05, 1.00, 0.00, 0.00, 0.00],
            Self::FF => [0.10, 0.14, 0.54, 0.00, 0.00, 1.00, 0.90, 0.00],
            Self::TH => [0.20, 0.26, 0.54, 0.00, 0.00, 0.00, 0.60, 1.00],
            Self::DD => [0.18, 0.22, 0.58, 0.00, 0.00, 0.00, 0.75, 0.70],
            Self::KK => [0.26, 0.28, 0.54, 0.00, 0.00, 0.00, 0.35, 0.15],
            Self::CH => [0.14, 0.24, 0.30, 0.62, 0.00, 0.00, 0.95, 0.10],
            Self::SS => [0.05, 0.15, 0.72, 0.00, 0.00, 0.00, 1.00, 0.10],
            Self::NN => [0.22, 0.24, 0.56, 0.00, 0.00, 0.00, 0.50, 0.80],
            Self::RR => [0.20, 0.24, 0.34, 0.48, 0.00, 0.00, 0.35, 0.30],
            Self::AA => [0.92, 0.95, 0.54, 0.00, 0.00, 0.00, 0.55, 0.15],
            Self::E => [0.48, 0.55, 0.76, 0.00, 0.00, 0.00, 0.75, 0.20],
            Self::IH => [0.18, 0.25, 0.88, 0.00, 0.00, 0.00, 0.90, 0.25],
            Self::OH => [0.62, 0.70, 0.24, 0.70, 0.00, 0.00, 0.15, 0.05],
            Self::OU => [0.20, 0.20, 0.06, 1.00, 0.00, 0.00, 0.00, 0.00],
        };
        Mouth { jaw, open, width, round, press, tuck, teeth, tongue, stress: 0.0 }
    }

    /// True for the five vowels.
    pub fn is_vowel(self) -> bool {
        matches!(self, Self::AA | Self::E | Self::IH | Self::OH | Self::OU)
    }
}

/// One mouth movement of a phoneme: its viseme, and how much of the viseme's shape the sound takes
/// (a schwa is a small `E`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Gesture {
    pub viseme: Viseme,
    /// 0 to 1.
    pub reach: f32,
}

/// The viseme of an IPA symbol; of a diphthong, its first part. Silence for pauses and lone marks.
pub fn viseme_of(ipa: &str) -> Viseme {
    gestures_of(ipa).next().map_or(Viseme::Sil, |g| g.viseme)
}

/// The gestures of an IPA symbol in their order: two for a diphthong, one for an affricate, none for a pause
/// or for a mark that stands alone (length, tone).
pub(super) fn gestures_of(ipa: &str) -> impl Iterator<Item = Gesture> + '_ {
    let mut rest = ipa;
    std::iter::from_fn(move || {
        loop {
            let (gesture, length) = next_gesture(rest)?;
            rest = &rest[length..];
            if gesture.is_some() {
                return gesture;
            }
        }
    })
}

/// True if there is nothing to say but a mark that prolongs or colours the sound before.
pub(super) fn is_mark(ipa: &str) -> bool {
    !ipa.is_empty()
        && ipa.chars().all(
            |c| matches!(c, 'ː' | 'ˑ' | '\u{200d}' | '0'..='9' | 'ʰ' | 'ʲ' | 'ʷ' | '\u{300}'..='\u{36f}' | '˥'..='˩'),
        )
}

/// The first gesture of `ipa` and the bytes it takes; no gesture for a mark. None at the end.
fn next_gesture(ipa: &str) -> Option<(Option<Gesture>, usize)> {
    let first = ipa.chars().next()?;
    let after = &ipa[first.len_utf8()..];
    let (joined, tail) = match after.strip_prefix(['\u{200d}', '\u{361}', '\u{35c}']) {
        Some(tail) => (after.len() - tail.len(), tail),
        None => (0, after),
    };
    // Affricates look like their second half; espeak writes retroflexes with a dot.
    if let ('t' | 'd' | 'ʈ' | 'ɖ', Some(second)) = (first, tail.chars().next())
        && let Some(viseme) = fricative(second)
    {
        let length = first.len_utf8() + joined + second.len_utf8();
        let dotted = ipa[length..].starts_with('.');
        let viseme = if dotted { Viseme::CH } else { viseme };
        return Some((Some(Gesture { viseme, reach: 1.0 }), length + usize::from(dotted)));
    }
    if matches!(first, 's' | 'z') && after.starts_with('.') {
        return Some((Some(Gesture { viseme: Viseme::CH, reach: 0.9 }), first.len_utf8() + 1));
    }
    Some((letter(first), first.len_utf8()))
}

fn fricative(letter: char) -> Option<Viseme> {
    match letter {
        's' | 'z' => Some(Viseme::SS),
        'ʃ' | 'ʒ' | 'ɕ' | 'ʑ' | 'ʂ' | 'ʐ' => Some(Viseme::CH),
        _ => None,
    }
}

fn letter(letter: char) -> Option<Gesture> {
    use Viseme::{AA, CH, DD, E, FF, IH, KK, NN, OH, OU, PP, RR, SS, TH};
    let (viseme, reach) = match letter {
        'p' | 'b' | 'm' | 'ɓ' | 'ʙ' => (PP, 1.0),
        'f' | 'v' | 'ʋ' | 'ɱ' | 'ⱱ' => (FF, 1.0),
        'ɸ' | 'β' => (OU, 0.6),
        'θ' | 'ð' => (TH, 1.0),
        't' | 'd' | 'ʈ' | 'ɖ' | 'ɗ' => (DD, 1.0),
        'ɾ' => (DD, 0.7),
        'k' | 'ɡ' | 'g' | 'x' | 'ɣ' | 'q' | 'ɢ' | 'χ' | 'ʁ' | 'ŋ' | 'ɴ' | 'ɠ' => (KK, 1.0),
        'c' | 'ɟ' | 'ç' | 'ʝ' => (IH, 0.7),
        'ʃ' | 'ʒ' | 'ʂ' | 'ʐ' => (CH, 1.0),
        'ɕ' | 'ʑ' => (CH, 0.6),
        's' | 'z' => (SS, 1.0),
        'n' | 'l' | 'ɲ' | 'ɳ' | 'ɭ' | 'ʎ' | 'ɬ' | 'ɮ' => (NN, 1.0),
        'ɫ' => (NN, 0.8),
        'r' | 'ɹ' | 'ɻ' | 'ɽ' | 'ʀ' | 'ɺ' => (RR, 1.0),
        'ɝ' | 'ɚ' | 'ɜ' | 'ɵ' => (RR, 0.9),
        'a' | 'ɑ' | 'æ' | 'ɐ' | 'ä' => (AA, 1.0),
        'ʌ' | 'ɶ' => (AA, 0.7),
        'e' | 'ɛ' | 'œ' | 'ø' => (E, 1.0),
        'ə' | 'ɘ' | 'ɤ' | 'ɞ' => (E, 0.6),
        'i' | 'j' => (IH, 1.0),
        'ɪ' | 'ɨ' | 'ᵻ' | 'ɿ' | 'ʅ' => (IH, 0.8),
        'ɔ' | 'ɒ' => (OH, 1.0),
        // Close-mid: half way to u.
        'o' => (OH, 0.7),
        'u' | 'w' | 'y' | 'ɥ' | 'ʍ' | 'ʏ' => (OU, 1.0),
        'ʊ' | 'ʉ' => (OU, 0.8),
        'ɯ' => (IH, 0.5),
        'h' | 'ɦ' | 'ħ' | 'ʔ' | 'ʕ' => (E, 0.45),
        _ if letter.is_alphabetic() && !is_mark(letter.encode_utf8(&mut [0; 4])) && !letter.is_ascii_uppercase() => {
            (E, 0.5)
        }
        _ => return None,
    };
    Some(Gesture { viseme, reach })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visemes(ipa: &str) -> Vec<Viseme> {
        gestures_of(ipa).map(|g| g.viseme).collect()
    }

    #[test]
    fn english_sounds_find_their_visemes() {
        use Viseme::{AA, CH, DD, E, FF, IH, KK, NN, OH, OU, PP, RR, SS, Sil, TH};
        for (ipa, viseme) in [
            ("p", PP),
            ("m", PP),
            ("v", FF),
            ("θ", TH),
            ("d", DD),
            ("ɡ", KK),
            ("t\u{200d}ʃ", CH),
            ("dʒ", CH),
            ("z", SS),
            ("l", NN),
            ("ɹ", RR),
            ("ɑː", AA),
            ("ɛ", E),
            ("iː", IH),
            ("ɔː", OH),
            ("uː", OU),
            ("w", OU),
            ("", Sil),
            (" ", Sil),
        ] {
            assert_eq!(viseme_of(ipa), viseme, "{ipa}");
        }
        assert_eq!(visemes("a\u{200d}ʊ"), [AA, OU]);
        assert_eq!(visemes("aɪ"), [AA, IH]);
        assert_eq!(visemes("ə\u{200d}l"), [E, NN]);
    }

    #[test]
    fn mandarin_sounds_find_their_visemes() {
        use Viseme::{AA, CH, KK, OU, SS};
        assert_eq!(visemes("t\u{200d}s.\u{200d}h")[0], CH);
        assert_eq!(visemes("tɕ"), [CH]);
        assert_eq!(visemes("ts"), [SS]);
        assert_eq!(visemes("s."), [CH]);
        assert_eq!(visemes("y2"), [OU]);
        assert_eq!(visemes("χ"), [KK]);
        assert_eq!(visemes("ɑu5"), [AA, OU]);
    }

    #[test]
    fn marks_alone_move_nothing() {
        for mark in ["ː", "5", "\u{303}", "ʰ"] {
            assert!(is_mark(mark) && visemes(mark).is_empty(), "{mark}");
        }
    }
}
