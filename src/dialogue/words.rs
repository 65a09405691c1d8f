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

/// Of the latter, those with which a question may end whose first word they belong to: "What is it for?"
const STRANDED_WORDS: &[&str] =
    &["for", "about", "in", "on", "at", "by", "with", "from", "like", "is", "are", "was", "were"];
/// Before "of" at the end of such a question: "What is water made of?"
const BEFORE_OF: &[&str] = &["made", "full", "afraid", "part", "proud", "capable"];

const QUESTION_WORDS: &[&str] =
    &["what", "which", "who", "whose", "when", "where", "why", "how", "what's", "who's", "where's", "when's", "how's"];
/// With them a question begins that is answered by yes or no.
const AUXILIARIES: &[&str] = &[
    "do", "does", "did", "is", "are", "was", "were", "am", "can", "could", "should", "would", "will", "shall", "may",
    "has", "have", "had", "don't", "doesn't", "didn't", "isn't", "aren't", "can't", "won't",
];
/// Those of them that are no verb of their own: "How are you?" is whole, "How do you?" is not.
const HELPING: &[&str] = &["do", "does", "did", "can", "could", "should", "would", "will", "shall", "may"];
/// With them an order begins, as far as people give orders to a voice.
const ORDERS: &[&str] = &[
    "tell", "give", "show", "explain", "describe", "say", "stop", "wait", "let", "let's", "make", "write", "read",
    "play", "sing", "name", "list", "count", "find", "help", "repeat", "go", "turn", "speak", "talk", "hold",
];
/// What may stand before the word that a sentence begins with.
const FILLERS: &[&str] =
    &["so", "and", "but", "ok", "okay", "well", "then", "um", "uh", "now", "please", "hey", "hi", "hello"];
const PRONOUNS: &[&str] = &["i", "you", "we", "they", "he", "she", "it", "people"];
/// They want to hear what, after "me".
const GIVING: &[&str] = &["give", "tell", "show", "send", "bring", "lend", "teach", "get"];
/// They want to hear what, after "I".
const WANTING: &[&str] = &["need", "want", "think", "mean", "hope", "wish", "guess", "believe", "wonder"];

/// Signs of a question or an order in Chinese.
const ASKING_CHINESE: &[&str] =
    &["吗", "呢", "什么", "怎么", "哪", "谁", "为什么", "多少", "几", "请", "告诉", "能不能", "可以", "是不是"];

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
    /// A question that ends with a word that belongs to its first one: "Where are you from?" It is all, or its end is
    /// to come: "What is it like to fly?"
    Stranded,
    /// It can be all, and seldom is: "Yes, I can." "Can you tell me?"
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
        () if is_stranded(&words) => Wording::Stranded,
        () if lacks_its_verb(&words) => Wording::Open,
        () if OPEN_WORDS.contains(&last) => {
            if short {
                Wording::Doubtful
            } else {
                Wording::Open
            }
        }
        () if DOUBTFUL_WORDS.contains(&last) || lacks_its_object(&words) => Wording::Doubtful,
        () => Wording::Closed,
    }
}

/// "What is water made of?", "Tell me what the sky is."
fn is_stranded(words: &[String]) -> bool {
    let [before @ .., previous, last] = words else { return false };
    let fits = match last.as_str() {
        "of" => BEFORE_OF.contains(&previous.as_str()),
        last => STRANDED_WORDS.contains(&last),
    };
    fits && before.iter().any(|word| QUESTION_WORDS.contains(&word.as_str()))
}

/// "Why do people?", "How can I?", "Could you please?"
fn lacks_its_verb(words: &[String]) -> bool {
    match last_sentence(words)[..] {
        [question, auxiliary, subject] => {
            let asked = QUESTION_WORDS.contains(&question) && question != "who" && HELPING.contains(&auxiliary);
            let please = AUXILIARIES.contains(&question) && auxiliary == "you" && subject == "please";
            asked && PRONOUNS.contains(&subject) || please
        }
        _ => false,
    }
}

/// "Can you give me?", "I think I need."
fn lacks_its_object(words: &[String]) -> bool {
    let [.., verb, last] = words else { return false };
    let (verb, last) = (verb.as_str(), last.as_str());
    let first = words[0].as_str();
    matches!(last, "me" | "us") && GIVING.contains(&verb)
        || WANTING.contains(&last) && PRONOUNS.contains(&verb) && !QUESTION_WORDS.contains(&first) && first != "that's"
}

/// What is left without what may stand before a sentence.
fn last_sentence(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).skip_while(|word| FILLERS.contains(word)).collect()
}

/// How a sentence asks for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// A question or an order of several words, which is one whatever its melody.
    Clearly,
    /// So few words that they may be its beginning.
    Briefly,
    /// A statement: whoever makes one often makes another.
    No,
}

/// Words of a question that is hardly the beginning of another one.
const CLEAR_QUESTION: usize = 5;

/// Whether the last sentence of the text is a question or an order.
pub fn asking(text: &str) -> Asking {
    let text = text.trim();
    let bare = text.trim_end_matches(['.', '!', '?', '。', '！', '？', '"', '\'', ' ']);
    let last = bare.rsplit(['.', '!', '?', '。', '！', '？']).next().unwrap_or_default();
    if let Some(said) = chinese(last) {
        let asks = text.ends_with(['?', '？']) || ASKING_CHINESE.iter().any(|sign| said.contains(sign));
        return match () {
            () if !asks => Asking::No,
            () if said.chars().count() >= CLEAR_QUESTION => Asking::Clearly,
            () => Asking::Briefly,
        };
    }
    let words = words(last);
    let begins = last_sentence(&words)
        .first()
        .is_some_and(|first| QUESTION_WORDS.contains(first) || AUXILIARIES.contains(first) || ORDERS.contains(first));
    match () {
        () if !begins && !text.ends_with('?') => Asking::No,
        () if words.len() >= CLEAR_QUESTION => Asking::Clearly,
        () => Asking::Briefly,
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
            "Why do people?",
            "How do I?",
            "So, where can I?",
            "Could you please?",
            "因为",
            "我想，",
        ] {
            assert_eq!(wording(open), Wording::Open, "{open}");
        }
        for stranded in
            ["Where are you from?", "What is it about?", "What is water made of?", "Tell me what the sky is."]
        {
            assert_eq!(wording(stranded), Wording::Stranded, "{stranded}");
        }
        for doubtful in
            ["Yes, I can.", "My question is about.", "Can you tell me how?", "Can you give me?", "I think I need."]
        {
            assert_eq!(wording(doubtful), Wording::Doubtful, "{doubtful}");
        }
        for closed in [
            "What is the time?",
            "Who did it?",
            "How are you?",
            "How can I help?",
            "That's what I need.",
            "Can you help me?",
            "Thank you.",
            "2 + 3?",
            "现在几点",
            "\"Go.\"",
            "Tell me a story.",
        ] {
            assert_eq!(wording(closed), Wording::Closed, "{closed}");
        }
    }

    #[test]
    fn questions_and_orders_are_told_from_statements() {
        for clear in [
            "How many fingers are on one hand?",
            "My computer is slow. What should I try first?",
            "which season comes after winter.",
            "So, can you tell me a joke",
            "Please tell me a short story.",
            "你知道法国的首都是哪里吗？",
        ] {
            assert_eq!(asking(clear), Asking::Clearly, "{clear}");
        }
        for brief in ["Which one is bigger?", "Stop.", "What?", "Tell me then.", "几点了？"] {
            assert_eq!(asking(brief), Asking::Briefly, "{brief}");
        }
        for statement in ["I read that the earth is round.", "What? I see it now.", "Yes.", "我昨天去了北京。", ""]
        {
            assert_eq!(asking(statement), Asking::No, "{statement}");
        }
    }
}
