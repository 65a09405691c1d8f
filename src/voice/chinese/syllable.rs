//! A syllable as pinyin writes it, and where its consonant ends and its vowel begins. Pure; what it sounds like is in
//! [`super::alphabet`].

/// One syllable of Mandarin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syllable {
    /// Pinyin without its tone, e.g. `zhong`, `lü`, `er`.
    pub letters: &'static str,
    /// 1 to 4; 5 is the neutral tone.
    pub tone: u8,
}

/// The consonants that begin syllables; those of two letters first.
const INITIALS: &[&str] =
    &["zh", "ch", "sh", "b", "p", "m", "f", "d", "t", "n", "l", "g", "k", "h", "j", "q", "x", "r", "z", "c", "s"];

impl Syllable {
    /// From `zhong1`; without a number its tone is neutral.
    pub fn parse(pinyin: &'static str) -> Self {
        let letters = pinyin.trim_end_matches(|c: char| c.is_ascii_digit());
        let tone = pinyin[letters.len()..].bytes().next().map_or(5, |digit| digit - b'0');
        Self { letters, tone: if (1..=4).contains(&tone) { tone } else { 5 } }
    }

    pub fn with_tone(self, tone: u8) -> Self {
        Self { tone, ..self }
    }

    /// The consonant, if there is one, and the rest in its full form: `liu` is `l` and `iou`, `yu` is `ü`, `jun` is `j`
    /// and `ün`.
    pub fn split(self) -> (&'static str, &'static str) {
        let letters = self.letters;
        let initial = INITIALS.iter().find(|initial| letters.starts_with(**initial)).copied().unwrap_or("");
        (initial, full(initial, &letters[initial.len()..]))
    }
}

/// Pinyin leaves letters out of some finals, and writes others with y and w where no consonant stands before them.
fn full(initial: &str, rest: &'static str) -> &'static str {
    let fronted = matches!(initial, "j" | "q" | "x");
    match rest {
        "yi" => "i",
        "ya" => "ia",
        "yo" => "io",
        "ye" => "ie",
        "yai" => "iai",
        "yao" => "iao",
        "you" => "iou",
        "yan" => "ian",
        "yin" => "in",
        "yang" => "iang",
        "ying" => "ing",
        "yong" => "iong",
        "yu" => "ü",
        "yue" => "üe",
        "yuan" => "üan",
        "yun" => "ün",
        "wu" => "u",
        "wa" => "ua",
        "wo" => "uo",
        "wai" => "uai",
        "wei" => "uei",
        "wan" => "uan",
        "wen" => "uen",
        "wang" => "uang",
        "weng" => "ueng",
        "u" if fronted => "ü",
        "ue" if fronted => "üe",
        "uan" if fronted => "üan",
        "un" if fronted => "ün",
        "iu" => "iou",
        "ui" => "uei",
        "un" => "uen",
        "ue" => "üe",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::Syllable;

    #[test]
    fn finals_are_written_in_full() {
        for (pinyin, initial, rest, tone) in [
            ("zhong1", "zh", "ong", 1),
            ("liu4", "l", "iou", 4),
            ("yu3", "", "ü", 3),
            ("jun1", "j", "ün", 1),
            ("lun2", "l", "uen", 2),
            ("lüe4", "l", "üe", 4),
            ("quan2", "q", "üan", 2),
            ("wei4", "", "uei", 4),
            ("er2", "", "er", 2),
            ("de", "d", "e", 5),
            ("de5", "d", "e", 5),
        ] {
            let syllable = Syllable::parse(pinyin);
            assert_eq!((syllable.split(), syllable.tone), ((initial, rest), tone), "{pinyin}");
        }
    }
}
