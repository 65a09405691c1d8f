//! What words mean for taking turns: signs of listening, and beginnings that ask to be waited for.
//!
//! PURE. English and Chinese; a text in another language is neither, which is the safe side of both questions.

/// Said by somebody who listens and does not want the floor (Yngve 1970: back channels).
const SIGNS_OF_LISTENING: &[&str] = &[
    "hmm", "hm", "uh-huh", "uh", "huh", "um", "ah", "aha", "oh", "ooh", "wow", "yeah", "yep", "yup", "yes", "ok",
    "okay", "right", "sure", "cool", "nice", "great", "good", "really", "exactly", "indeed", "alright", "i", "see",
    "got", "it", "haha", "ha", "ahem",
];
/// Longest sign of listening: "oh yeah okay", "I see, right".
const MOST_WORDS: usize = 3;

/// The same in Chinese, where they follow one another without a space.
const CHINESE_SIGNS: &[&str] = &[
    "知道了",
    "明白了",
    "没错",
    "好的",
    "是的",
    "是吗",
    "明白",
    "知道",
    "哈哈",
    "当然",
    "嗯",
    "唔",
    "哦",
    "噢",
    "喔",
    "啊",
    "呃",
    "对",
    "好",
    "是",
    "行",
    "哈",
    "呵",
];

/// Words that hardly any English sentence ends with.
const OPEN_WORDS: &[&str] = &[
    "a", "an", "the", "of", "to", "and", "or", "but", "my", "our", "your", "their", "its", "because", "if", "than",
    "very", "so", "i", "we", "he", "she", "they", "would", "could", "should", "can", "will", "every", "into", "um",
    "uh", "er", "i'm", "i'd", "i'll", "i've", "we're", "let's",
];

/// Words that one may end with, and seldom does.
const DOUBTFUL_WORDS: &[&str] = &[
    "for", "about", "in", "on", "at", "by", "with", "between", "from", "that", "how", "when", "where", "why", "what",
    "which", "who", "whose", "is", "are", "was", "were", "am", "be", "been", "did", "has", "had", "as", "new", "well",
    "actually", "like", "it's", "there's", "what's", "who's",
];

/// The first kind in Chinese.
const OPEN_CHINESE: &[&str] = &[
    "和", "跟", "或者", "因为", "所以", "但是", "如果", "然后", "就是", "那个", "这个", "我想", "还有", "比如", "把",
    "被",
];

/// How a text ends, by its wording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wording {
    /// It may be all.
    Closed,
    /// It can be all, and seldom is: "Where are you from?"
    Doubtful,
    /// It was left in the middle: "I would like to", "And then...".
    Open,
}

/// Whether the text says no more than that somebody listens: "mhm", "yeah, okay", "嗯嗯，好的".
pub fn is_sign_of_listening(text: &str) -> bool {
    if let Some(rest) = chinese(text) {
        return only_chinese_signs(&rest);
    }
    let words = words(text);
    !words.is_empty()
        && words.len() <= MOST_WORDS
        && words.iter().all(|word| SIGNS_OF_LISTENING.contains(&word.as_str()) || is_hum(word))
        // "I", "it", "see" and "got" are signs only in "I see" and "got it".
        && !matches!(words.iter().map(String::as_str).collect::<Vec<_>>()[..], ["i"] | ["it"] | ["see"] | ["got"])
}

/// A closed mouth has no other sounds: "m", "m-h-m". The recogniser writes other short ones as a single letter.
fn is_hum(word: &str) -> bool {
    word.starts_with('m') && word.chars().all(|c| matches!(c, 'm' | 'h' | '-')) || word.chars().count() == 1
}

/// Whether the sentence was left in the middle. The recogniser hears it too: it then writes no full stop.
pub fn wording(text: &str) -> Wording {
    let text = text.trim();
    if text.ends_with(['…', '-', '—', ',', '，', '、']) || text.ends_with("...") {
        return Wording::Open;
    }
    if let Some(said) = chinese(text) {
        let open = OPEN_CHINESE.iter().any(|word| said.ends_with(word));
        return if open { Wording::Open } else { Wording::Closed };
    }
    let words = words(text);
    let Some(last) = words.last().map(String::as_str) else { return Wording::Closed };
    // "Yes, I can." and "So do I." are whole.
    let short = words.len() <= 4 && matches!(last, "can" | "would" | "could" | "should" | "will" | "i" | "we" | "they");
    match () {
        () if !text.ends_with(['.', '!', '?', '"', '\'']) => Wording::Open,
        () if OPEN_WORDS.contains(&last) => {
            if short {
                Wording::Doubtful
            } else {
                Wording::Open
            }
        }
        () if DOUBTFUL_WORDS.contains(&last) => Wording::Doubtful,
        () => Wording::Closed,
    }
}

/// Whether there is anything in the text that could be a word.
pub fn has_words(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// The words in lower case, without marks around them.
fn words(text: &str) -> Vec<String> {
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).replace('’', "'").to_lowercase();
    text.split_whitespace().map(bare).filter(|word| !word.is_empty()).collect()
}

/// The letters of a text that is Chinese for the most part.
fn chinese(text: &str) -> Option<String> {
    let letters: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
    let count = letters.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).count();
    (count * 2 > letters.chars().count()).then_some(letters)
}

fn only_chinese_signs(text: &str) -> bool {
    let mut rest = text;
    let mut count = 0;
    while !rest.is_empty() {
        let Some(sign) = CHINESE_SIGNS.iter().find(|sign| rest.starts_with(**sign)) else { return false };
        rest = &rest[sign.len()..];
        count += 1;
    }
    (1..=2 * MOST_WORDS).contains(&count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_listening_are_told_from_words() {
        for sign in [
            "Mhm.",
            "M-",
            "F",
            "M-h-m.",
            "mm-hmm",
            "Yeah.",
            "Oh yeah, okay.",
            "I see.",
            "Got it!",
            "嗯",
            "嗯嗯，好的。",
            "对对对",
            "知道了",
        ] {
            assert!(is_sign_of_listening(sign), "{sign}");
        }
        for words in [
            "Stop.",
            "No.",
            "Wait",
            "Yeah, but why?",
            "I",
            "See you",
            "What?",
            "等一下",
            "不对",
            "好的，那明天呢",
            "",
            "...",
            "okay okay okay okay stop",
        ] {
            assert!(!is_sign_of_listening(words), "{words}");
        }
    }

    #[test]
    fn a_sentence_left_in_the_middle_is_seen() {
        for open in [
            "I would like to",
            "What is the capital of?",
            "Do you know where the...",
            "My name is,",
            "I live in a small",
            "My brother-in-",
            "因为",
            "我想，",
        ] {
            assert_eq!(wording(open), Wording::Open, "{open}");
        }
        for doubtful in ["Where are you from?", "Who is it that is?", "Yes, I can.", "What is it about?"] {
            assert_eq!(wording(doubtful), Wording::Doubtful, "{doubtful}");
        }
        for closed in ["What is the time?", "Thank you.", "2 + 3?", "现在几点", "\"Go.\"", "Tell me a story."] {
            assert_eq!(wording(closed), Wording::Closed, "{closed}");
        }
    }
}
