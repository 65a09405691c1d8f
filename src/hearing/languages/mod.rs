//! Which language an utterance is in: what was spoken before, what may be spoken, and what the recogniser hears.
//!
//! PURE. One [`Languages`] belongs to a call; a copy of it goes with each utterance to the recogniser, which asks it
//! once it has heard. A call may change its language, but a short or doubtful utterance does not change it.

mod table;

use std::sync::Arc;

use super::simplified::simplified;
use table::Script;
pub use table::{Language, UnknownLanguage};

/// Sound shorter than this, the silence around the words included, does not change a call's language.
const SHORTEST_SECONDS: f32 = 1.2;
/// From this length on more evidence does not come with more sound.
const LONG_SECONDS: f32 = 2.5;
/// So many times as likely as the call's language another must be: in an utterance of [`SHORTEST_SECONDS`], and in one
/// of [`LONG_SECONDS`].
const SHORT_MARGIN: f32 = 16.0;
const LONG_MARGIN: f32 = 3.0;
/// The same while nothing was understood in the call yet.
const FIRST_MARGIN: f32 = 1.5;
/// A partial transcript from this length on decides for the rest of its utterance.
const SETTLED_SECONDS: f32 = 2.0;

/// See the module's text.
#[derive(Clone, Debug, PartialEq)]
pub struct Languages {
    /// What may be spoken; empty: all.
    allowed: Arc<[Language]>,
    /// Of the last words of the call; at first what is likeliest.
    usual: Language,
    /// Whether any words of the call told its language.
    known: bool,
    /// What partial transcripts of the utterance that is being spoken decided.
    partly: Option<Language>,
    /// Chinese is written in traditional characters.
    traditional: bool,
}

impl Languages {
    /// As `asr.language` and `asr.languages` have it: `language` is a code, or `auto` for those of `codes`, or for all if
    /// there are none; then `likeliest` is that of what is too short to tell.
    pub fn configured<S: AsRef<str>>(language: &str, codes: &[S], likeliest: &str) -> Result<Self, UnknownLanguage> {
        match (language, codes) {
            ("auto", []) => Language::of(likeliest).map(Self::any),
            ("auto", codes) => Self::among(codes),
            (code, _) => Self::only(code),
        }
    }

    /// One language, which is not detected.
    pub fn only(code: &str) -> Result<Self, UnknownLanguage> {
        Self::among(&[code])
    }

    /// Detected among `codes`, of which the first is the likeliest.
    pub fn among<S: AsRef<str>>(codes: &[S]) -> Result<Self, UnknownLanguage> {
        let mut allowed = Vec::new();
        for code in codes {
            let language = Language::of(code.as_ref())?;
            if !allowed.contains(&language) {
                allowed.push(language);
            }
        }
        let traditional = codes.iter().any(|code| is_traditional(code.as_ref()));
        let usual = allowed.first().copied().unwrap_or(Language::ENGLISH);
        Ok(Self { allowed: allowed.into(), usual, known: false, partly: None, traditional })
    }

    /// Detected among all; `likeliest` is that of utterances too short to tell.
    pub fn any(likeliest: Language) -> Self {
        Self { allowed: Arc::default(), usual: likeliest, known: false, partly: None, traditional: false }
    }

    /// Codes of all that may be spoken.
    pub fn codes(&self) -> Vec<&'static str> {
        match &*self.allowed {
            [] => (0..Language::COUNT).filter_map(Language::nth).map(Language::code).collect(),
            allowed => allowed.iter().map(|language| language.code()).collect(),
        }
    }

    /// The one language, if there is nothing to detect.
    pub fn single(&self) -> Option<Language> {
        if let [only] = *self.allowed { Some(only) } else { None }
    }

    /// Whether weights that know English alone are enough.
    pub fn is_english_alone(&self) -> bool {
        self.single() == Some(Language::ENGLISH)
    }

    pub fn is_traditional(&self) -> bool {
        self.traditional
    }

    /// The language to recognise in when nothing tells more.
    pub fn assumed(&self) -> Language {
        self.partly.unwrap_or(self.usual)
    }

    /// The language of an utterance of so many seconds of sound, if that is clear before anything is heard: there is
    /// one only, a part of it decided, or it is too short to tell.
    pub fn settled(&self, seconds: f32) -> Option<Language> {
        self.single().or(self.partly).or((seconds < SHORTEST_SECONDS).then_some(self.usual))
    }

    /// The language of an utterance. `heard`: the probability of each language by [`Language::index`]; they need not
    /// sum up to 1, and what is missing is impossible.
    pub fn choose(&self, seconds: f32, heard: &[f32]) -> Language {
        if let Some(settled) = self.settled(seconds) {
            return settled;
        }
        let likelihood = |language: Language| heard.get(language.index()).copied().filter(|p| p.is_finite());
        let likelihood = |language| likelihood(language).unwrap_or(0.0);
        let best = self.may_all_be().max_by(|a, b| likelihood(*a).total_cmp(&likelihood(*b)));
        let clearly = |best: &Language| likelihood(*best) > likelihood(self.usual) * self.margin(seconds);
        best.filter(clearly).unwrap_or(self.usual)
    }

    /// The language of a text, as far as its script tells; what that leaves open is the language of the call.
    pub fn of_text(&self, text: &str) -> Language {
        let letters = text.chars().filter(|c| c.is_alphabetic()).count();
        let has = |script: Script| text.chars().filter(|c| Script::of(*c) == Some(script)).count();
        // Japanese is written in Han characters, too, and many languages have Latin names among their words.
        let by_share =
            [Script::Kana, Script::Han, Script::Hangul, Script::Cyrillic, Script::Arabic, Script::Devanagari];
        let foreign = by_share.into_iter().find(|script| has(*script) * 4 > letters);
        let script = foreign.unwrap_or(Script::Latin);
        let written = |language: &Language| Script::used_by(*language) == script;
        match letters > 0 && !written(&self.assumed()) {
            true => self.may_all_be().find(written).unwrap_or(self.assumed()),
            false => self.assumed(),
        }
    }

    /// A transcript in the script in which its language is written here.
    pub(super) fn written(&self, language: Language, text: String) -> String {
        match language == Language::CHINESE && !self.traditional {
            true => simplified(&text),
            false => text,
        }
    }

    /// Takes note of what was spoken: `language` as a transcript names it, of an utterance that is over, or (`partly`)
    /// that goes on. To be called for transcripts with words in them only.
    pub fn spoken(&mut self, language: &str, seconds: f32, partly: bool) {
        let Some(language) = Language::of(language).ok().filter(|language| self.may_be(*language)) else { return };
        match partly {
            true => self.partly = (seconds >= SETTLED_SECONDS).then_some(language).or(self.partly),
            false => {
                self.partly = None;
                self.known |= language != self.usual || seconds >= SHORTEST_SECONDS;
                self.usual = language;
            }
        }
    }

    /// The utterance that partial transcripts were of came to nothing.
    pub fn dropped(&mut self) {
        self.partly = None;
    }

    /// Those that are allowed, in the order of their likelihood.
    fn may_all_be(&self) -> impl Iterator<Item = Language> {
        let all = if self.allowed.is_empty() { Language::COUNT } else { 0 };
        self.allowed.iter().copied().chain((0..all).filter_map(Language::nth))
    }

    /// Whether it is allowed.
    pub fn may_be(&self, language: Language) -> bool {
        self.allowed.is_empty() || self.allowed.contains(&language)
    }

    /// How many times as likely another language must be than the one that was spoken.
    fn margin(&self, seconds: f32) -> f32 {
        if !self.known {
            return FIRST_MARGIN;
        }
        // Evenly on the scale of the margin's logarithm.
        let along = ((seconds - SHORTEST_SECONDS) / (LONG_SECONDS - SHORTEST_SECONDS)).clamp(0.0, 1.0);
        SHORT_MARGIN * (LONG_MARGIN / SHORT_MARGIN).powf(along)
    }
}

/// Where Chinese is written in traditional characters (Unicode CLDR, likely subtags).
fn is_traditional(code: &str) -> bool {
    let lower = code.to_lowercase();
    let mut parts = lower.split(['-', '_']);
    matches!(parts.next(), Some("zh" | "cmn" | "yue")) && parts.any(|part| matches!(part, "hant" | "tw" | "hk" | "mo"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Probabilities of English and Chinese; the rest goes to Welsh, which Whisper takes mumbling for.
    fn heard(english: f32, chinese: f32) -> Vec<f32> {
        let mut all = vec![0.0; Language::COUNT];
        let welsh = Language::of("cy").map_or(0, Language::index);
        (all[0], all[1], all[welsh]) = (english, chinese, 1.0 - english - chinese);
        all
    }

    fn both() -> Languages {
        let mut languages = Languages::among(&["en", "zh"]).unwrap_or_else(|error| panic!("{error}"));
        languages.spoken("en", 3.0, false);
        languages
    }

    #[test]
    fn a_call_changes_its_language_and_changes_it_back() {
        let mut languages = both();
        let chinese = languages.choose(3.0, &heard(0.05, 0.9));
        assert_eq!(chinese, Language::CHINESE);
        languages.spoken(chinese.code(), 3.0, false);
        assert_eq!(languages.assumed(), Language::CHINESE);
        assert_eq!(languages.choose(3.0, &heard(0.9, 0.05)), Language::ENGLISH);
    }

    #[test]
    fn short_and_doubtful_utterances_stay_with_the_call() {
        let languages = both();
        assert_eq!(languages.choose(0.9, &heard(0.01, 0.98)), Language::ENGLISH, "too short");
        assert_eq!(languages.choose(3.0, &heard(0.3, 0.6)), Language::ENGLISH, "too doubtful");
        assert_eq!(languages.choose(1.3, &heard(0.1, 0.8)), Language::ENGLISH, "too doubtful for so little");
        assert_eq!(languages.choose(2.6, &heard(0.1, 0.8)), Language::CHINESE, "enough for so much");
    }

    #[test]
    fn the_first_words_need_no_margin_to_speak_of() {
        let languages = Languages::among(&["en", "zh"]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(languages.choose(1.3, &heard(0.3, 0.5)), Language::CHINESE);
        assert_eq!(languages.choose(0.8, &heard(0.0, 1.0)), Language::ENGLISH, "the likeliest, if it is so short");
    }

    #[test]
    fn only_what_is_allowed_is_chosen() {
        let languages = both();
        assert_eq!(languages.choose(4.0, &heard(0.04, 0.02)), Language::ENGLISH, "mostly Welsh");
        assert_eq!(languages.choose(4.0, &heard(0.01, 0.06)), Language::CHINESE, "mostly Welsh, too");
        let any = Languages::any(Language::ENGLISH);
        assert_eq!(any.choose(4.0, &heard(0.04, 0.02)).code(), "cy");
        let mut languages = both();
        languages.spoken("cy", 4.0, false);
        assert_eq!(languages.assumed(), Language::ENGLISH);
    }

    #[test]
    fn settings_name_one_language_some_or_all() {
        let configured = |language: &str, codes: &[&str]| Languages::configured(language, codes, "zh");
        assert_eq!(configured("de", &["en", "zh"]), Languages::only("de"));
        assert_eq!(configured("auto", &["en", "zh"]), Languages::among(&["en", "zh"]));
        assert_eq!(configured("auto", &[]), Ok(Languages::any(Language::CHINESE)));
        assert_eq!(configured("tlh", &[]), Err(UnknownLanguage("tlh".into())));
        assert_eq!(configured("auto", &["en", "tlh"]), Err(UnknownLanguage("tlh".into())));
    }

    #[test]
    fn a_single_language_is_not_detected() {
        let german = Languages::only("de-AT").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(german.choose(5.0, &heard(1.0, 0.0)).code(), "de");
        assert!(!german.is_english_alone());
        assert!(Languages::only("en-GB").is_ok_and(|languages| languages.is_english_alone()));
        assert_eq!(Languages::only("tlh"), Err(UnknownLanguage("tlh".into())));
        assert!(!both().is_english_alone());
    }

    #[test]
    fn a_long_part_decides_for_the_whole_utterance_and_not_for_the_next() {
        let mut languages = both();
        languages.spoken("zh", 1.5, true);
        assert_eq!(languages.settled(3.0), None, "a short part does not");
        languages.spoken("zh", 2.5, true);
        assert_eq!(languages.settled(3.0), Some(Language::CHINESE));
        assert_eq!(languages.choose(4.0, &heard(0.9, 0.05)), Language::CHINESE);
        languages.dropped();
        assert_eq!(languages.assumed(), Language::ENGLISH);
        languages.spoken("zh", 2.5, true);
        languages.spoken("zh", 4.0, false);
        assert_eq!(languages.choose(4.0, &heard(0.9, 0.05)), Language::ENGLISH);
    }

    #[test]
    fn what_is_not_a_probability_decides_nothing() {
        let languages = both();
        for heard in [&[][..], &[f32::NAN; 100], &[0.0; 100], &[f32::INFINITY; 3]] {
            assert_eq!(languages.choose(9.0, heard), Language::ENGLISH);
        }
    }

    #[test]
    fn a_text_tells_its_language_by_its_script() {
        let languages = both();
        for (text, code) in [
            ("你好，我用iPhone。", "zh"),
            ("What is 法国?", "en"),
            ("Hello, how are you?", "en"),
            ("42", "en"),
            ("これは日本語です", "en"),
        ] {
            assert_eq!(languages.of_text(text).code(), code, "{text}");
        }
        let any = Languages::any(Language::CHINESE);
        let texts =
            [("これは日本語です", "ja"), ("안녕하세요", "ko"), ("Привет", "ru"), ("Hello!", "en"), ("你好", "zh")];
        for (text, code) in texts {
            assert_eq!(any.of_text(text).code(), code, "{text}");
        }
        assert_eq!(Languages::any(Language::of("de").unwrap_or(Language::ENGLISH)).of_text("Guten Tag").code(), "de");
    }

    #[test]
    fn traditional_characters_go_with_their_regions() {
        for code in ["zh-TW", "zh_Hant", "cmn-Hant-HK", "yue-HK"] {
            assert!(Languages::only(code).is_ok_and(|languages| languages.is_traditional()), "{code}");
        }
        for code in ["zh", "zh-CN", "zh-Hans", "en-HK"] {
            assert!(Languages::only(code).is_ok_and(|languages| !languages.is_traditional()), "{code}");
        }
    }
}
