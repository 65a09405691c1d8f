//! Text as a person would say it: Markdown marks, links and emoji go, a few signs and abbreviations become words.
//!
//! Thin on purpose: numbers are left to espeak-ng. Pure; works on one clause at a time.

use super::primary_language;
use super::traced::Traced;

/// `text` as it should be spoken in `language` (ISO 639-1 code, region ignored), with single spaces.
pub fn for_speech(text: &str, language: &str) -> Traced {
    let whole = Traced::whole(text);
    let mut out = Traced::default();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        // Marks are cut off the front only.
        let end = start + line.trim_end().len();
        let bare = end - without_line_marks(line).len();
        out.say(" ", start);
        let spoken = without_urls(&without_links(&whole.part(bare..end)));
        out.extend(&without_marks(&spoken));
        start += line.len();
    }
    if primary_language(language) == "en" {
        out = out.each_word(english_word);
    }
    out.each_word(|word| word)
}

/// The line without heading, quote, list and code fence marks: its end, without the spaces after it.
fn without_line_marks(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with("```") || (line.len() >= 3 && line.chars().all(|c| "-*_=".contains(c))) {
        return "";
    }
    let bare = line.trim_start_matches(['#', '>']).trim_start();
    ["- ", "* ", "+ ", "• "].iter().find_map(|mark| bare.strip_prefix(mark)).unwrap_or(bare)
}

/// `[text](address)` and `![text](address)` become `text`.
fn without_links(line: &Traced) -> Traced {
    let mut out = Traced::default();
    let text = line.as_str();
    let mut done = 0;
    while let Some(open) = text[done..].find('[').map(|at| done + at) {
        let link = text[open..].find("](").and_then(|middle| {
            let middle = open + middle;
            text[middle..].find(')').map(|close| (middle, middle + close))
        });
        let Some((middle, close)) = link else { break };
        let before = text[done..open].strip_suffix('!').unwrap_or(&text[done..open]);
        out.copy(line, done..done + before.len());
        out.copy(line, open + 1..middle);
        done = close + 1;
    }
    out.copy(line, done..text.len());
    out
}

/// Of a web address only the host is worth hearing.
fn without_urls(line: &Traced) -> Traced {
    line.each_word(|word| match host(word.as_str()) {
        Some(host) => Traced::said(&host, word.from(0)),
        None => word,
    })
}

/// What is said for a word that holds a web address.
fn host(word: &str) -> Option<String> {
    let start = word.find("https://").or_else(|| word.find("http://"))?;
    let address = word[start..].split_once("//")?.1;
    let host = address.split(['/', '?', '#', ')', '>', ',']).next()?.trim_end_matches(['.', '!', ';', ':']);
    let end = address.chars().next_back().filter(|c| ".,!?;:".contains(*c));
    let before = word[..start].trim_matches(['<', '(']);
    let host = host.strip_prefix("www.").unwrap_or(host);
    Some(format!("{before}{host}{}", end.map(String::from).unwrap_or_default()))
}

/// Without emphasis marks and emoji.
fn without_marks(line: &Traced) -> Traced {
    let chars: Vec<(usize, char)> = line.as_str().char_indices().collect();
    let at = |index: Option<usize>| index.and_then(|i| chars.get(i)).map(|&(_, c)| c);
    let alphanumeric = |index| at(index).is_some_and(char::is_alphanumeric);
    let mut out = Traced::default();
    for (index, &(byte, c)) in chars.iter().enumerate() {
        let (before, after) = (index.checked_sub(1), Some(index + 1));
        let inside = alphanumeric(before) && alphanumeric(after);
        match c {
            '*' if inside && at(before).is_some_and(|c| c.is_ascii_digit()) => out.say(" × ", line.from(byte)),
            '*' | '`' => {}
            '~' if at(before) == Some('~') || at(after) == Some('~') => {}
            '_' if inside => out.say(" ", line.from(byte)),
            '_' => {}
            c if is_emoji(c) => out.say(" ", line.from(byte)),
            c => out.copy(line, byte..byte + c.len_utf8()),
        }
    }
    out
}

/// Pictographs and the marks that join and colour them.
fn is_emoji(c: char) -> bool {
    matches!(c,
        '\u{1F000}'..='\u{1FAFF}' | '\u{2600}'..='\u{27BF}' | '\u{2B00}'..='\u{2BFF}' | '\u{2190}'..='\u{21FF}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{200D}' | '\u{20E3}' | '\u{E0000}'..='\u{E007F}')
}

/// Abbreviations whose dot is not an end.
const ENGLISH_WORDS: &[(&str, &str)] = &[
    ("Dr.", "Doctor"),
    ("Mr.", "Mister"),
    ("Mrs.", "Missus"),
    ("Ms.", "Miz"),
    ("Prof.", "Professor"),
    ("St.", "Saint"),
    ("Jr.", "Junior"),
    ("Sr.", "Senior"),
    ("vs.", "versus"),
    ("etc.", "et cetera"),
    ("e.g.", "for example"),
    ("i.e.", "that is"),
    ("approx.", "approximately"),
    ("&", "and"),
    ("=", "equals"),
    ("+", "plus"),
    ("×", "times"),
    ("@", "at"),
];

const CURRENCIES: &[(char, &str, &str, &str)] =
    &[('$', "dollar", "dollars", "cents"), ('€', "euro", "euros", "cents"), ('£', "pound", "pounds", "pence")];

fn english_word(word: Traced) -> Traced {
    let text = word.as_str();
    let core = text.trim_start_matches(['(', '"', '“', '\'']);
    let start = text.len() - core.len();
    let short = ENGLISH_WORDS.iter().find_map(|(short, long)| {
        let after = core.strip_prefix(short)?;
        after.chars().all(|c| !c.is_alphanumeric()).then(|| ((*long).to_owned(), after))
    });
    let Some((said, after)) = short.or_else(|| money(core)) else {
        return word.replaced("&", " and ").replaced("°C", " degrees Celsius").replaced("°F", " degrees Fahrenheit");
    };
    let mut out = word.part(0..start);
    out.say(&said, word.from(start));
    out.copy(&word, text.len() - after.len()..text.len());
    out
}

/// `$29.99` is said "29 dollars 99"; and what stands after it.
fn money(word: &str) -> Option<(String, &str)> {
    let sign = word.chars().next()?;
    let (_, one, many, cents) = CURRENCIES.iter().find(|currency| currency.0 == sign)?;
    let rest = &word[sign.len_utf8()..];
    let length = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(rest.len());
    let number = rest[..length].trim_end_matches(['.', ',']);
    let after = &rest[number.len()..];
    if !number.starts_with(|c: char| c.is_ascii_digit()) || after.starts_with(char::is_alphanumeric) {
        return None;
    }
    let unit = |amount: &str| if amount == "1" { one } else { many };
    let said = match number.split_once('.') {
        Some(("0", part)) if part.len() == 2 => format!("{part} {cents}"),
        Some((whole, part)) if part.len() == 2 && part != "00" => format!("{whole} {} {part}", unit(whole)),
        Some((whole, "00")) => format!("{whole} {}", unit(whole)),
        _ => format!("{number} {}", unit(number)),
    };
    Some((said, after))
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
            ("$3.14159 million", "3.14159 dollars million"),
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
