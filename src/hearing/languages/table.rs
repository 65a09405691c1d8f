//! The languages that recognisers know, their codes, names and scripts.

/// Whisper's languages, code and English name, in the order of its tokens (openai/whisper, tokenizer.py).
#[rustfmt::skip]
const TABLE: &[(&str, &str)] = &[
    ("en", "english"), ("zh", "chinese"), ("de", "german"), ("es", "spanish"), ("ru", "russian"), ("ko", "korean"),
    ("fr", "french"), ("ja", "japanese"), ("pt", "portuguese"), ("tr", "turkish"), ("pl", "polish"), ("ca", "catalan"),
    ("nl", "dutch"), ("ar", "arabic"), ("sv", "swedish"), ("it", "italian"), ("id", "indonesian"), ("hi", "hindi"),
    ("fi", "finnish"), ("vi", "vietnamese"), ("he", "hebrew"), ("uk", "ukrainian"), ("el", "greek"), ("ms", "malay"),
    ("cs", "czech"), ("ro", "romanian"), ("da", "danish"), ("hu", "hungarian"), ("ta", "tamil"), ("no", "norwegian"),
    ("th", "thai"), ("ur", "urdu"), ("hr", "croatian"), ("bg", "bulgarian"), ("lt", "lithuanian"), ("la", "latin"),
    ("mi", "maori"), ("ml", "malayalam"), ("cy", "welsh"), ("sk", "slovak"), ("te", "telugu"), ("fa", "persian"),
    ("lv", "latvian"), ("bn", "bengali"), ("sr", "serbian"), ("az", "azerbaijani"), ("sl", "slovenian"),
    ("kn", "kannada"), ("et", "estonian"), ("mk", "macedonian"), ("br", "breton"), ("eu", "basque"),
    ("is", "icelandic"), ("hy", "armenian"), ("ne", "nepali"), ("mn", "mongolian"), ("bs", "bosnian"), ("kk", "kazakh"),
    ("sq", "albanian"), ("sw", "swahili"), ("gl", "galician"), ("mr", "marathi"), ("pa", "punjabi"), ("si", "sinhala"),
    ("km", "khmer"), ("sn", "shona"), ("yo", "yoruba"), ("so", "somali"), ("af", "afrikaans"), ("oc", "occitan"),
    ("ka", "georgian"), ("be", "belarusian"), ("tg", "tajik"), ("sd", "sindhi"), ("gu", "gujarati"), ("am", "amharic"),
    ("yi", "yiddish"), ("lo", "lao"), ("uz", "uzbek"), ("fo", "faroese"), ("ht", "haitian creole"), ("ps", "pashto"),
    ("tk", "turkmen"), ("nn", "nynorsk"), ("mt", "maltese"), ("sa", "sanskrit"), ("lb", "luxembourgish"),
    ("my", "myanmar"), ("bo", "tibetan"), ("tl", "tagalog"), ("mg", "malagasy"), ("as", "assamese"), ("tt", "tatar"),
    ("haw", "hawaiian"), ("ln", "lingala"), ("ha", "hausa"), ("ba", "bashkir"), ("jw", "javanese"), ("su", "sundanese"),
    ("yue", "cantonese"),
];

/// Other codes for the same languages (ISO 639-1, -2 and -3, BCP 47).
const ALIASES: &[(&str, &str)] =
    &[("cmn", "zh"), ("eng", "en"), ("zho", "zh"), ("jv", "jw"), ("nb", "no"), ("fil", "tl"), ("iw", "he")];

/// One of Whisper's languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Language(u8);

/// A code that no engine knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the recogniser does not know the language {0:?}; give a code such as \"en\", or \"auto\" to have it detected")]
pub struct UnknownLanguage(pub String);

impl Language {
    pub const ENGLISH: Self = Self(0);
    pub const CHINESE: Self = Self(1);
    pub const COUNT: usize = TABLE.len();

    /// By its code, region and script allowed and ignored (`en-US`, `zh_Hans`), or by its English name.
    pub fn of(code: &str) -> Result<Self, UnknownLanguage> {
        let lower = code.trim().to_lowercase();
        let primary = lower.split(['-', '_']).next().unwrap_or_default();
        let alias = ALIASES.iter().find(|(alias, _)| *alias == primary).map_or(primary, |(_, code)| code);
        let known = TABLE.iter().position(|(code, name)| *code == alias || *name == lower);
        known.and_then(Self::nth).ok_or_else(|| UnknownLanguage(code.to_owned()))
    }

    /// By its place in Whisper's order.
    pub fn nth(index: usize) -> Option<Self> {
        u8::try_from(index).ok().filter(|_| index < TABLE.len()).map(Self)
    }

    /// Place in Whisper's order.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// ISO 639-1 where there is one.
    pub fn code(self) -> &'static str {
        TABLE[self.index()].0
    }

    /// In English, lower case.
    pub fn name(self) -> &'static str {
        TABLE[self.index()].1
    }
}

/// How languages are written, as far as it tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    Latin,
    Han,
    Kana,
    Hangul,
    Cyrillic,
    Arabic,
    Devanagari,
    Other,
}

impl Script {
    pub fn of(c: char) -> Option<Self> {
        Some(match c {
            '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}' => Self::Han,
            '\u{3040}'..='\u{30ff}' => Self::Kana,
            '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7af}' => Self::Hangul,
            '\u{400}'..='\u{52f}' => Self::Cyrillic,
            '\u{600}'..='\u{6ff}' => Self::Arabic,
            '\u{900}'..='\u{97f}' => Self::Devanagari,
            _ => return None,
        })
    }

    pub fn used_by(language: Language) -> Self {
        match language.code() {
            "zh" | "yue" => Self::Han,
            "ja" => Self::Kana,
            "ko" => Self::Hangul,
            "ru" | "uk" | "bg" | "be" | "mk" | "sr" | "kk" | "mn" | "tg" | "tt" | "ba" => Self::Cyrillic,
            "ar" | "fa" | "ur" | "ps" | "sd" => Self::Arabic,
            "hi" | "mr" | "ne" | "sa" => Self::Devanagari,
            "he" | "yi" | "el" | "ta" | "th" | "ml" | "te" | "bn" | "kn" | "hy" | "pa" | "si" | "km" | "ka" | "gu"
            | "am" | "lo" | "my" | "bo" | "as" => Self::Other,
            _ => Self::Latin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_regions_and_names_are_understood_and_others_named() {
        for code in ["zh", "ZH-cn", "zh_Hans", "cmn", "Chinese", " zh "] {
            assert_eq!(Language::of(code), Ok(Language::CHINESE), "{code}");
        }
        for code in ["", "auto", "tlh", "e\0n", "english-uk-", "日本語"] {
            assert!(Language::of(code).is_err_and(|error| error.to_string().contains(&format!("{code:?}"))), "{code}");
        }
        for index in 0..Language::COUNT {
            let language = Language::nth(index).unwrap_or(Language::ENGLISH);
            assert_eq!((Language::of(language.code()), Language::of(language.name())), (Ok(language), Ok(language)));
        }
        assert_eq!((Language::nth(Language::COUNT), Language::nth(256)), (None, None));
    }
}
