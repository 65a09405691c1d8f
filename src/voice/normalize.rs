//! Text as a person would say it: Markdown marks, links and emoji go, a few signs and abbreviations become words.
//!
//! Thin on purpose: numbers are left to espeak-ng. Pure; works on one clause at a time.

use super::primary_language;

/// `text` as it should be spoken in `language` (ISO 639-1 code, region ignored).
pub fn for_speech(text: &str, language: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let line = without_urls(&without_links(without_line_marks(line)));
        out.push(' ');
        out.push_str(&without_marks(&line));
    }
    if primary_language(language) == "en" {
        out = english(&out);
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The line without heading, quote, list and code fence marks.
fn without_line_marks(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with("```") || (line.len() >= 3 && line.chars().all(|c| "-*_=".contains(c))) {
        return "";
    }
    let bare = line.trim_start_matches(['#', '>']).trim_start();
    ["- ", "* ", "+ ", "• "].iter().find_map(|mark| bare.strip_prefix(mark)).unwrap_or(bare)
}

/// `[text](address)` and `![text](address)` become `text`.
fn without_links(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(open) = rest.find('[') {
        let link = rest[open..].find("](").and_then(|middle| {
            let middle = open + middle;
            rest[middle..].find(')').map(|close| (middle, middle + close))
        });
        let Some((middle, close)) = link else { break };
        out.push_str(rest[..open].strip_suffix('!').unwrap_or(&rest[..open]));
        out.push_str(&rest[open + 1..middle]);
        rest = &rest[close + 1..];
    }
    out.push_str(rest);
    out
}

/// Of a web address only the host is worth hearing.
fn without_urls(line: &str) -> String {
    let spoken = |word: &str| -> Option<String> {
        let start = word.find("https://").or_else(|| word.find("http://"))?;
        let address = word[start..].split_once("//")?.1;
        let host = address.split(['/', '?', '#', ')', '>', ',']).next()?.trim_end_matches(['.', '!', ';', ':']);
        let end = address.chars().next_back().filter(|c| ".,!?;:".contains(*c));
        let before = word[..start].trim_matches(['<', '(']);
        Some(format!(
            "{before}{}{}",
            host.strip_prefix("www.").unwrap_or(host),
            end.map(String::from).unwrap_or_default()
        ))
    };
    line.split(' ').map(|word| spoken(word).unwrap_or_else(|| word.to_owned())).collect::<Vec<_>>().join(" ")
}

/// Without emphasis marks and emoji.
fn without_marks(line: &str) -> String {
    let chars: Vec<char> = line.chars().collect();
    let alphanumeric = |index: Option<usize>| index.and_then(|i| chars.get(i)).is_some_and(|c| c.is_alphanumeric());
    let mut out = String::with_capacity(line.len());
    for (index, &c) in chars.iter().enumerate() {
        let inside = alphanumeric(index.checked_sub(1)) && alphanumeric(Some(index + 1));
        match c {
            '*' if inside && chars[index - 1].is_ascii_digit() => out.push_str(" × "),
            '*' | '`' => {}
            '~' if chars.get(index + 1) == Some(&'~') || (index > 0 && chars[index - 1] == '~') => {}
            '_' if inside => out.push(' '),
            '_' => {}
            c if is_emoji(c) => out.push(' '),
            c => out.push(c),
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

fn english(text: &str) -> String {
    text.split_whitespace().map(english_word).collect::<Vec<_>>().join(" ")
}

fn english_word(word: &str) -> String {
    let core = word.trim_start_matches(['(', '"', '“', '\'']);
    let before = &word[..word.len() - core.len()];
    for (short, long) in ENGLISH_WORDS {
        if let Some(after) = core.strip_prefix(short)
            && after.chars().all(|c| !c.is_alphanumeric())
        {
            return format!("{before}{long}{after}");
        }
    }
    if let Some(amount) = money(core) {
        return format!("{before}{amount}");
    }
    word.replace('&', " and ").replace("°C", " degrees Celsius").replace("°F", " degrees Fahrenheit")
}

/// `$29.99` is said "29 dollars 99".
fn money(word: &str) -> Option<String> {
    let sign = word.chars().next()?;
    let (_, one, many, cents) = CURRENCIES.iter().find(|currency| currency.0 == sign)?;
    let rest = &word[sign.len_utf8()..];
    let length = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(rest.len());
    let number = rest[..length].trim_end_matches(['.', ',']);
    let after = &rest[number.len()..];
    if !number.starts_with(|c: char| c.is_ascii_digit()) || after.starts_with(char::is_alphanumeric) {
        return None;
    }
    Some(match number.split_once('.') {
        Some(("0", part)) if part.len() == 2 => format!("{part} {cents}{after}"),
        Some((whole, part)) if part.len() == 2 && part != "00" => {
            format!("{whole} {} {part}{after}", if whole == "1" { one } else { many })
        }
        Some((whole, "00")) => format!("{whole} {}{after}", if whole == "1" { one } else { many }),
        _ => format!("{number} {}{after}", if number == "1" { one } else { many }),
    })
}

#[cfg(test)]
mod tests {
    use super::for_speech;

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
            assert_eq!(for_speech(written, "en"), spoken);
        }
    }

    #[test]
    fn emoji_are_not_spoken() {
        assert_eq!(for_speech("Great! 🎉👩‍🚀 ❤️", "en"), "Great!");
        assert_eq!(for_speech("你好 😀", "zh"), "你好");
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
            assert_eq!(for_speech(written, "en-US"), spoken);
        }
        assert_eq!(for_speech("Tom & Jerry", "de"), "Tom & Jerry");
    }
}
