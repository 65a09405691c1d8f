//! Text as a person would say it: Markdown marks, links and emoji go ([`markup`]); numbers, dates, times, money, units
//! and signs become words, in Chinese ([`chinese`]) and English ([`english`]), by the language of the text around them.
//!
//! In other languages numbers are left to espeak-ng. Pure; works on one clause at a time.

mod chinese;
mod english;
mod markup;
mod numbers;
mod spelling;

use self::spelling::{Language, Languages, spelled};
use super::primary_language;
use super::traced::Traced;
use super::words::is_cjk;

/// `text` as it should be spoken in `language` (ISO 639-1 code, region ignored), with single spaces.
///
/// Chinese within other languages is found by its characters, and English within Chinese by its letters.
pub fn for_speech(text: &str, language: &str) -> Traced {
    let language = primary_language(language);
    let is_chinese = matches!(language.as_str(), "zh" | "cmn" | "yue");
    let languages = Languages {
        // Japanese is written with the same characters, and with kana among them.
        chinese: language != "ja" && !text.contains(is_kana),
        english: is_chinese || language == "en",
        usual: if is_chinese { Language::Chinese } else { Language::Other },
    };
    let mut out = narrowed(&markup::without_markup(text));
    out = spelled(&out, languages, chinese::expression, english::expression);
    if languages.english {
        out = out.each_word(|word| if word.as_str().contains(is_cjk) { word } else { english::word(word) });
    }
    out.each_word(|word| word)
}

/// Digits and letters of full width, as Chinese keyboards write them, become plain ones.
fn narrowed(text: &Traced) -> Traced {
    let mut out = Traced::default();
    for (at, c) in text.as_str().char_indices() {
        match c {
            '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' | '％' | '＋' | '＝' | '－' | '／' | '＄' => {
                // The block of full-width forms follows ASCII's order.
                let narrow = char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c);
                out.say(narrow.encode_utf8(&mut [0; 4]), text.from(at));
            }
            c => out.copy(text, at..at + c.len_utf8()),
        }
    }
    out
}

fn is_kana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30fa}')
}

#[cfg(test)]
mod tests {
    use super::for_speech;
    use crate::voice::words;

    #[test]
    fn markdown_is_not_spoken() {
        for (written, spoken) in [
            ("# **Hello**, _world_!", "Hello, world!"),
            ("- a `snake_case` name", "a snake case name"),
            ("See [the guide](https://example.com/a?b) now.", "See the guide now."),
            ("![A cat](cat.png)", "A cat"),
            ("Go to https://www.example.com/page.", "Go to example.com."),
            ("```rust\nlet x\n```", "let x"),
            ("***", ""),
            ("~~old~~ new", "old new"),
            ("[not a link] (really)", "[not a link] (really)"),
        ] {
            assert_eq!(for_speech(written, "en").as_str(), spoken);
        }
    }

    #[test]
    fn emoji_are_not_spoken() {
        assert_eq!(for_speech("Great! 🎉👩‍🚀 ❤️", "en").as_str(), "Great!");
        assert_eq!(for_speech("你好 😀", "zh").as_str(), "你好");
    }

    #[test]
    fn signs_and_abbreviations_become_english_words() {
        for (written, spoken) in [
            ("Dr. Smith & Mrs. Jones", "Doctor Smith and Missus Jones"),
            ("R&D at 20°C", "R and D at 20 degrees Celsius"),
            ("It costs $29.99, or £1.", "It costs 29 dollars 99, or 1 pound."),
            ("$3.14159 million", "3.14159 million dollars"),
            ("2*3 = 6, e.g. this.", "2 times 3 equals 6, for example this."),
            ("Cats, dogs, etc.", "Cats, dogs, et cetera"),
        ] {
            assert_eq!(for_speech(written, "en-US").as_str(), spoken);
        }
        assert_eq!(for_speech("Tom & Jerry", "de").as_str(), "Tom & Jerry");
    }

    /// Each spoken word with the written one that it comes from.
    fn traces(written: &str) -> Vec<(String, String)> {
        let ranges = words::ranges(written);
        let spoken = for_speech(written, "en");
        let mut traces: Vec<(String, String)> = Vec::new();
        let mut start = 0;
        for word in spoken.as_str().split_inclusive(' ') {
            let from = &ranges[words::index_at(&ranges, spoken.from(start))];
            traces.push((word.trim_end().to_owned(), written[from.clone()].to_owned()));
            start += word.len();
        }
        traces
    }

    #[test]
    fn every_spoken_word_knows_what_it_was_written_as() {
        for (written, expected) in [
            (
                "- **Dr.** Ärmel paid ($29.99).",
                "Doctor<**Dr.** Ärmel<Ärmel paid<paid (29<($29.99). dollars<($29.99). 99).<($29.99).",
            ),
            ("# A\r\n\r\n> R&D 🎉 is", "A<A R<R&D and<R&D D<R&D is<is"),
            (
                "See [the big\u{a0}dog](http://x.y/z), or http://a.b/c!",
                "See<See the<[the big<big dog,<dog](http://x.y/z), or<or a.b!<http://a.b/c!",
            ),
            ("a *b c* 2*3 snake_case x", "a<a b<*b c<c* 2<2*3 times<2*3 3<2*3 snake<snake_case case<snake_case x<x"),
        ] {
            let traces: Vec<String> =
                traces(written).into_iter().map(|(said, from)| format!("{said}<{from}")).collect();
            assert_eq!(traces.join(" "), expected);
        }
    }
}
