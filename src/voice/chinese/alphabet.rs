//! The sounds of a syllable in the characters that the Kokoro voice (version 1.0) was trained on. Pure.
//!
//! They are IPA with four affricates in one character each, an arrow for the tone after the vowel that bears it, and
//! none for the neutral tone: the alphabet of the package misaki in its older form (Apache-2.0), which builds on
//! pinyin-to-ipa (MIT). Facts of both, the phonetics after Duanmu, The Phonology of Standard Chinese (2007), and Lin,
//! The Sounds of Chinese (2007).

use super::syllable::Syllable;

/// Arrows of the tones 1 to 4.
const TONES: [char; 4] = ['→', '↗', '↓', '↘'];

/// The characters for `syllable`; none if it is no syllable of Mandarin.
pub fn symbols(syllable: Syllable) -> impl Iterator<Item = char> {
    let (initial, rest) = syllable.split();
    let (onset, vowel, coda) = match (hum(syllable.letters), vowel(initial, rest)) {
        (Some(hum), _) => ("", hum, ""),
        (None, Some((vowel, coda))) => (consonant(initial), vowel, coda),
        (None, None) => ("", "", ""),
    };
    let tone = usize::from(syllable.tone).checked_sub(1).and_then(|tone| TONES.get(tone)).filter(|_| !vowel.is_empty());
    onset.chars().chain(vowel.chars()).chain(tone.copied()).chain(coda.chars())
}

/// Interjections without a vowel.
fn hum(letters: &str) -> Option<&'static str> {
    Some(match letters {
        "m" => "m",
        "n" => "n",
        "ng" => "ŋ",
        "hm" => "hm",
        "hng" => "hŋ",
        _ => return None,
    })
}

fn consonant(initial: &str) -> &'static str {
    match initial {
        "b" => "p",
        "p" => "pʰ",
        "m" => "m",
        "f" => "f",
        "d" => "t",
        "t" => "tʰ",
        "n" => "n",
        "l" => "l",
        "g" => "k",
        "k" => "kʰ",
        "h" => "x",
        "j" => "ʨ",
        "q" => "ʨʰ",
        "x" => "ɕ",
        "zh" => "ꭧ",
        "ch" => "ꭧʰ",
        "sh" => "ʂ",
        "r" => "ɻ",
        "z" => "ʦ",
        "c" => "ʦʰ",
        "s" => "s",
        _ => "",
    }
}

/// What comes before the tone, and what comes after it.
fn vowel(initial: &str, rest: &str) -> Option<(&'static str, &'static str)> {
    Some(match rest {
        // zhi, chi, shi, ri; zi, ci, si: the vowel is the consonant drawn out.
        "i" if matches!(initial, "zh" | "ch" | "sh" | "r" | "z" | "c" | "s") => ("ɨ", ""),
        "i" => ("i", ""),
        "a" => ("a", ""),
        "ai" => ("ai", ""),
        "an" => ("a", "n"),
        "ang" => ("a", "ŋ"),
        "ao" => ("au", ""),
        "e" => ("ɤ", ""),
        "ê" => ("ɛ", ""),
        "ei" => ("ei", ""),
        "en" => ("ə", "n"),
        "eng" => ("ə", "ŋ"),
        "er" => ("ɚ", ""),
        "ia" => ("ja", ""),
        "iai" => ("jai", ""),
        "ian" => ("jɛ", "n"),
        "iang" => ("ja", "ŋ"),
        "iao" => ("jau", ""),
        "ie" => ("je", ""),
        "in" => ("i", "n"),
        "ing" => ("i", "ŋ"),
        "io" => ("jɔ", ""),
        "iong" => ("jʊ", "ŋ"),
        "iou" => ("jou", ""),
        "o" if initial.is_empty() => ("ɔ", ""),
        "o" | "uo" => ("wo", ""),
        "ong" => ("ʊ", "ŋ"),
        "ou" => ("ou", ""),
        "u" => ("u", ""),
        "ua" => ("wa", ""),
        "uai" => ("wai", ""),
        "uan" => ("wa", "n"),
        "uang" => ("wa", "ŋ"),
        "uei" => ("wei", ""),
        "uen" => ("wə", "n"),
        "ueng" => ("wə", "ŋ"),
        "ü" => ("y", ""),
        "üan" => ("ɥɛ", "n"),
        "üe" => ("ɥe", ""),
        "ün" => ("y", "n"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pinyin: &'static str) -> String {
        symbols(Syllable::parse(pinyin)).collect()
    }

    #[test]
    fn every_kind_of_syllable_is_written_as_the_voice_knows_it() {
        for (pinyin, expected) in [
            ("ma1", "ma→"),
            ("guo2", "kwo↗"),
            ("shi4", "ʂɨ↘"),
            ("zi5", "ʦɨ"),
            ("ri4", "ɻɨ↘"),
            ("qi3", "ʨʰi↓"),
            ("zhang1", "ꭧa→ŋ"),
            ("chuang2", "ꭧʰwa↗ŋ"),
            ("xian4", "ɕjɛ↘n"),
            ("yuan2", "ɥɛ↗n"),
            ("xue2", "ɕɥe↗"),
            ("jiong3", "ʨjʊ↓ŋ"),
            ("weng1", "wə→ŋ"),
            ("bo1", "pwo→"),
            ("liu4", "ljou↘"),
            ("tui1", "tʰwei→"),
            ("nü3", "ny↓"),
            ("jun1", "ʨy→n"),
            ("er2", "ɚ↗"),
            ("yo1", "jɔ→"),
            ("o4", "ɔ↘"),
            ("ng2", "ŋ↗"),
            ("hm5", "hm"),
        ] {
            assert_eq!(written(pinyin), expected, "{pinyin}");
        }
    }

    #[test]
    fn what_is_no_syllable_has_no_sound() {
        for nonsense in ["", "5", "k4", "xyz1", "zhq"] {
            assert_eq!(written(nonsense), "", "{nonsense}");
        }
    }
}
