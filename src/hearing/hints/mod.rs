//! Names and jargon that may be spoken, as the text that a recogniser is given as what came before.
//!
//! PURE. One [`Hints`] belongs to a call. What matters most stands last, next to the speech; what has no room within
//! the budget is left out. A recogniser that hears nothing may write its hints instead: [`echoes`] tells.

mod rare;

use super::languages::Language;
use rare::rare_words;

/// Characters of one hint, and hints of one source, that are kept.
const MOST_CHARS: usize = 60;
const MOST_WORDS: usize = 100;
/// Characters of a prompt's text that are kept, its end.
const MOST_TEXT: usize = 500;
/// A text of fewer letters is no echo. Han characters count twice.
const SHORTEST_ECHO: usize = 4;
/// Letters by which a word that is cut off is known.
const SHORTEST_START: usize = 3;

/// Where hints come from; what stands first matters most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `input_audio_transcription.prompt` of the session.
    Session,
    /// The configuration.
    Settings,
    /// The last answer.
    Answer,
    /// What the face is told to be.
    Persona,
}

const SOURCES: usize = 4;

/// See the module's text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    words: [Vec<String>; SOURCES],
    /// A session's prompt that is no list.
    text: String,
}

impl Hints {
    /// Takes these words as all that `source` has.
    pub fn list<S: AsRef<str>>(&mut self, source: Source, words: impl IntoIterator<Item = S>) {
        let words = words.into_iter().map(|word| tidy(word.as_ref(), MOST_CHARS)).filter(|word| has_letters(word));
        self.words[source as usize] = words.take(MOST_WORDS).collect();
    }

    /// Takes the rare words of a text as all that `source` has.
    pub fn mentioned(&mut self, source: Source, text: &str) {
        self.list(source, rare_words(text));
    }

    /// Takes a session's prompt: a list of words, or a text that could have come before.
    pub fn prompted(&mut self, prompt: &str) {
        let parts = || prompt.split([',', ';', '\n', '、', '，', '；', '،']).map(str::trim);
        let is_list = parts().count() > 1 || !prompt.contains(['.', '。', '!', '?', ':', '：']);
        match is_list && parts().all(|part| part.split_whitespace().count() <= 4 && part.chars().count() <= MOST_CHARS)
        {
            true => {
                self.text.clear();
                self.list(Source::Session, parts());
            }
            false => {
                let tidied = tidy(prompt, usize::MAX);
                let surplus = tidied.chars().count().saturating_sub(MOST_TEXT);
                self.text = tidied.chars().skip(surplus).collect();
                self.list(Source::Session, rare_words(prompt));
            }
        }
    }

    /// The text to give in `language`, if that is known, of at most `budget` by the sum of what `cost` says of its parts; empty if there
    /// is nothing to say. `traditional`: see [`Languages`](super::Languages::is_traditional).
    pub fn prompt(
        &self,
        language: Option<Language>,
        traditional: bool,
        budget: usize,
        mut cost: impl FnMut(&str) -> usize,
    ) -> String {
        let form = Form::of(language);
        let opening = match (language, traditional) {
            (Some(Language::CHINESE), false) => SIMPLIFIED,
            (Some(Language::CHINESE), true) => TRADITIONAL,
            _ => "",
        };
        let mut left = budget.saturating_sub(cost(opening));
        let mut text = self.text.as_str();
        let text_cost = cost(text);
        if text_cost > left / 2 {
            text = "";
        } else {
            left -= text_cost;
        }
        left = left.saturating_sub(cost(form.before) + cost(form.after));
        let mut chosen: Vec<&str> = Vec::new();
        for word in self.words.iter().flatten() {
            let cost = cost(&format!("{}{word}", form.between));
            if chosen.iter().any(|known| known.to_lowercase() == word.to_lowercase()) || text.contains(word.as_str()) {
                continue;
            }
            if cost > left {
                break;
            }
            left -= cost;
            chosen.push(word);
        }
        chosen.reverse();
        let list = match chosen.is_empty() {
            true => String::new(),
            false => format!("{}{}{}", form.before, chosen.join(form.between), form.after),
        };
        [opening, text, &list].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(form.space)
    }
}

/// Whisper writes Chinese in either script; text in one before it makes it stay with that one.
const SIMPLIFIED: &str = "以下是普通话的句子。";
const TRADITIONAL: &str = "以下是國語的句子。";

/// How a language lists what was spoken of: as a sentence, which a recogniser goes on from better than from bare words.
struct Form {
    before: &'static str,
    between: &'static str,
    after: &'static str,
    /// Between sentences.
    space: &'static str,
}

impl Form {
    fn of(language: Option<Language>) -> Self {
        let (before, between, after, space) = match language.map_or("", Language::code) {
            "en" => ("We were talking about ", ", ", ".", " "),
            "zh" | "yue" => ("我们刚才说到", "、", "。", ""),
            "ja" => ("", "、", "について話していました。", ""),
            "de" => ("Wir sprachen über ", ", ", ".", " "),
            "es" => ("Hablábamos de ", ", ", ".", " "),
            "fr" => ("Nous parlions de ", ", ", ".", " "),
            "it" => ("Parlavamo di ", ", ", ".", " "),
            "pt" => ("Falávamos de ", ", ", ".", " "),
            "ar" | "fa" | "ur" => ("", "، ", ".", " "),
            _ => ("", ", ", ".", " "),
        };
        Self { before, between, after, space }
    }
}

/// Whether `text` is made of nothing but the words of `prompt`, in any order, the last one perhaps cut off.
pub fn echoes(text: &str, prompt: &str) -> bool {
    let (text, prompt) = (text.to_lowercase(), prompt.to_lowercase());
    let weight: usize = text.chars().filter(|c| c.is_alphanumeric()).map(|c| if is_han(c) { 2 } else { 1 }).sum();
    let known: Vec<&str> = stretches(&prompt).collect();
    let is_known = |part: &str| match part.starts_with(is_han) {
        true => known.iter().any(|known| known.contains(part)),
        false => known.contains(&part) || part.len() >= SHORTEST_START && known.iter().any(|k| k.starts_with(part)),
    };
    weight >= SHORTEST_ECHO && stretches(&text).all(is_known)
}

/// Words, and what stands of Han characters without a mark between them.
fn stretches(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.flat_map(|word| {
        let mut rest = word;
        std::iter::from_fn(move || {
            let han = rest.starts_with(is_han);
            let end = rest.find(|c: char| is_han(c) != han).unwrap_or(rest.len());
            let (part, after) = rest.split_at(end);
            rest = after;
            (!part.is_empty()).then_some(part)
        })
    })
}

/// Whether `hinted`, an echo, may be what was said all the same, by what a recogniser without hints heard: about as
/// much, if not in the same letters.
pub fn may_be(hinted: &str, plain: &str) -> bool {
    let length = |text: &str| letters(text).chars().map(|c| if is_han(c) { 3 } else { 1 }).sum::<usize>();
    let (hinted, plain) = (length(hinted), length(plain));
    plain > 0 && plain <= 2 * hinted && hinted <= 2 * plain
}

fn has_letters(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// Without control characters and double spaces; at most so many characters.
fn tidy(text: &str, most: usize) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(most).collect()
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(hints: &Hints, language: &str, budget: usize) -> String {
        hints.prompt(Language::of(language).ok(), false, budget, |text| text.chars().count())
    }

    fn hints() -> Hints {
        let mut hints = Hints::default();
        hints.list(Source::Settings, ["Vexler", "Quorra Lindt"]);
        hints
    }

    #[test]
    fn words_become_a_sentence_of_the_language() {
        assert_eq!(prompt(&hints(), "en", 100), "We were talking about Quorra Lindt, Vexler.");
        assert_eq!(prompt(&hints(), "zh", 100), "以下是普通话的句子。我们刚才说到Quorra Lindt、Vexler。");
        assert_eq!(prompt(&hints(), "ja", 100), "Quorra Lindt、Vexlerについて話していました。");
        for other in ["fi", ""] {
            assert_eq!(prompt(&hints(), other, 100), "Quorra Lindt, Vexler.");
        }
        let none = Hints::default();
        assert_eq!((prompt(&none, "en", 100).as_str(), prompt(&none, "zh", 100).as_str()), ("", SIMPLIFIED));
        assert_eq!(none.prompt(Some(Language::CHINESE), true, 100, str::len), TRADITIONAL);
    }

    #[test]
    fn what_matters_most_stands_last_and_is_kept_longest() {
        let mut hints = hints();
        hints.mentioned(Source::Persona, "You are Ada of Wexmoor.");
        hints.mentioned(Source::Answer, "I think that Yttria is in the north.");
        hints.prompted("Zorblax, vexler");
        assert_eq!(
            prompt(&hints, "en", 200),
            "We were talking about Wexmoor, Ada, Yttria, Quorra Lindt, vexler, Zorblax."
        );
        assert_eq!(prompt(&hints, "en", 55), "We were talking about Quorra Lindt, vexler, Zorblax.");
        assert_eq!(prompt(&hints, "en", 25), "");
        for budget in 0..120 {
            let length = prompt(&hints, "en", budget).chars().count();
            assert!(length <= budget, "{length} of {budget}");
        }
    }

    #[test]
    fn a_prompt_is_a_list_or_a_text() {
        let mut hints = Hints::default();
        hints.prompted("We expect words of chemistry. Ask for Moissan.");
        let text = "We expect words of chemistry. Ask for Moissan.";
        assert_eq!(prompt(&hints, "en", 200), text, "a word that stands there is not listed again");
        assert_eq!(prompt(&hints, "en", 60), "We were talking about Moissan.", "too long a text goes first");
        hints.prompted("Moissan");
        assert_eq!(prompt(&hints, "en", 200), "We were talking about Moissan.");
        hints.prompted("小红书、哔哩哔哩");
        assert_eq!(prompt(&hints, "zh", 200), "以下是普通话的句子。我们刚才说到哔哩哔哩、小红书。");
        hints.prompted("");
        assert_eq!(prompt(&hints, "en", 200), "");
    }

    #[test]
    fn words_of_the_prompt_alone_are_an_echo() {
        let prompt = "We were talking about Quorra Lindt, Vexler.";
        for echo in [prompt, "Vexler, Quorra, Vex", "talking about Quorra", "VEXLER. We were talking about"] {
            assert!(echoes(echo, prompt), "{echo}");
        }
        assert!(echoes(&prompt.repeat(3), prompt));
        for said in ["Quorra Lindt is here.", "Where is Vexler?", "We", "Vexlers", "", "?"] {
            assert!(!echoes(said, prompt), "{said}");
        }
        assert!(
            echoes("以下是普通话的句子", SIMPLIFIED) && !echoes("普通话很难", SIMPLIFIED) && !echoes("话", SIMPLIFIED)
        );
        assert!(!echoes("Words", ""));
    }

    #[test]
    fn an_echo_may_be_what_was_said_if_as_much_was_heard() {
        assert!(may_be("Quorra Lindt", "Cora Lint.") && may_be("小红书", "Xiao Hongshu"));
        assert!(!may_be("Quorra Lindt, Vexler.", "") && !may_be("We were talking about Quorra Lindt.", "Hm."));
        assert!(!may_be("Vexler.", "I would like to know what the time is."));
    }

    #[test]
    fn hints_of_any_kind_are_bounded_and_clean() {
        let mut hints = Hints::default();
        let long = "x".repeat(2_000);
        hints.list(Source::Settings, vec![long.as_str(), "a\0b\u{1b}[2J\nc", "…", "🎉", ""]);
        let text = prompt(&hints, "en", 1_000);
        assert!(!text.contains(char::is_control) && text.contains("a b [2J c") && text.chars().count() < 120, "{text}");
        hints.list(Source::Settings, vec!["word"; 10_000]);
        assert!(hints.words[Source::Settings as usize].len() <= MOST_WORDS);
        hints.prompted(&"A very long text. ".repeat(1_000));
        hints.mentioned(Source::Answer, &"The Aa Bb ".repeat(10_000));
        assert!(prompt(&hints, "en", usize::MAX).chars().count() < 10_000);
    }
}
