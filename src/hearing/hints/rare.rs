//! The rare words of a text: names, acronyms and what else a recogniser does not expect. PURE.

use super::is_han;

/// Rare words that are taken from a text.
const MOST_RARE: usize = 12;

/// Names, acronyms and words with digits or capitals within them; in Chinese, titles and Latin words.
pub fn rare_words(text: &str) -> Vec<String> {
    let mut found: Vec<String> = titles(text);
    let mut name: Vec<&str> = Vec::new();
    let words: Vec<(&str, bool)> = words(text);
    let is_name = |word: &str, begins: bool| !begins && starts_with_capital(word) && !COMMON.contains(&word);
    // Where every noun has a capital, or every word of a heading, capitals tell nothing. A name of several counts once.
    let names = words.chunk_by(|(a, begins), (b, _)| is_name(a, *begins) && is_name(b, false));
    let names =
        names.filter(|chunk| chunk.iter().any(|(word, begins)| is_name(word, *begins) && !is_odd(word))).count();
    let capitals_tell = names * 4 <= words.iter().filter(|(_, begins)| !begins).count().max(8);
    for &(word, begins) in &words {
        let is_name = capitals_tell && is_name(word, begins);
        if is_name || is_odd(word) {
            name.push(word);
            continue;
        }
        found.extend((!name.is_empty()).then(|| name.join(" ")));
        name.clear();
    }
    found.extend((!name.is_empty()).then(|| name.join(" ")));
    let mut kept: Vec<String> = Vec::new();
    for word in found {
        if !kept.contains(&word) {
            kept.push(word);
        }
    }
    kept.truncate(MOST_RARE);
    kept
}

/// Written with a capital within a sentence, and known to every recogniser.
#[rustfmt::skip]
const COMMON: &[&str] = &[
    "I", "I'm", "I'd", "I'll", "I've", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December", "English", "Chinese", "French", "German", "Spanish", "Italian", "American", "British", "European",
    "America", "England", "France", "Germany", "Spain", "Italy", "China", "Japan", "Europe", "Earth", "Christmas",
    "God", "OK", "TV", "US", "UK", "USA", "Mr", "Mrs", "Ms", "Dr",
];

/// What stands in book title marks or corner brackets.
fn titles(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (open, close) in [('《', '》'), ('「', '」'), ('『', '』')] {
        let inside = text.split(open).skip(1).filter_map(|rest| rest.split_once(close));
        found.extend(inside.map(|(title, _)| title.to_owned()).filter(|title| title.chars().count() <= 20));
    }
    found
}

/// The words in Latin and kindred letters, and whether each begins a sentence.
fn words(text: &str) -> Vec<(&str, bool)> {
    let mut found = Vec::new();
    let mut begins = true;
    for piece in text.split(|c: char| c.is_whitespace() || is_han(c) || "，。！？、；：（）《》“”".contains(c))
    {
        let word = piece.trim_matches(|c: char| !c.is_alphanumeric());
        if !word.is_empty() && word.chars().count() <= 30 {
            found.push((word, begins));
        }
        if !piece.is_empty() {
            let last = piece.trim_end_matches(['"', '\'', ')', '”', '’', '*', '_']);
            begins = last.ends_with(['.', '!', '?', ':', '…']) || word.is_empty() && !piece.starts_with(',');
        }
    }
    found
}

fn starts_with_capital(word: &str) -> bool {
    word.chars().next().is_some_and(char::is_uppercase)
}

/// An acronym, a word with a capital within it, or one of letters and digits.
fn is_odd(word: &str) -> bool {
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    let inner = word.chars().skip(1).any(char::is_uppercase) && !COMMON.contains(&word);
    letters > 0 && (inner || word.chars().any(|c| c.is_ascii_digit()) && letters > 1 && !is_ordinal(word))
}

fn is_ordinal(word: &str) -> bool {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit());
    ["st", "nd", "rd", "th", "am", "pm", "km", "kg", "cm", "mm", "s"].contains(&rest.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_where_capitals_mean_names() {
        let found = rare_words("Well, my friend Ada Lovelace likes OpenAI's GPT-4o. On Monday I met Bob. He is 42nd.");
        assert_eq!(found, ["Ada Lovelace", "OpenAI's GPT-4o", "Bob"]);
        assert!(rare_words("The time is now. Nothing here is a name, I think, and that is all of it.").is_empty());
        let german = "Der Hund und die Katze sitzen auf dem Dach im Garten und sehen den Mond und die Sterne.";
        assert!(rare_words(german).is_empty(), "{:?}", rare_words(german));
        assert_eq!(rare_words("我喜欢《三体》和Python语言。"), ["三体"]);
        assert_eq!(rare_words("我用iPhone看《三体》。"), ["三体", "iPhone"]);
    }
}
