//! What to look for when somebody says something: the terms of it, and of what was said before if it leans on that.
//!
//! PURE. "And how much is it?" says nothing without the turn before; "Thanks, that's all." says nothing with it. The
//! difference is made by small signs: a question word, a word that points back, nobody addressed.

use std::collections::HashSet;

use super::passages::is_ideograph;
use super::words::terms;

/// Longest question in characters; of a longer one the end is taken.
const LONGEST: usize = 1000;
/// Most different terms of a question, and of each turn before it.
const MOST_TERMS: usize = 48;
const MOST_RECENT_TERMS: usize = 16;
/// Turns before it that are looked at: a question and its answer, twice.
const RECENT: usize = 4;
/// A question with so few terms, counted as words, leans on what was said before; with fewer still also if it does not
/// point back ("When?", "要预约吗？").
const FEW: f32 = 3.0;
const FEWER: f32 = 1.5;
/// A pair of characters as a part of a word: there are pairs across words too.
const PAIR: f32 = 0.5;
/// Weight of a term of the turn before, and how it falls with each turn further back.
const BORROWED: f32 = 0.5;
const BORROWED_SLIGHTLY: f32 = 0.2;
const FADING: f32 = 0.6;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Question {
    pub own: Vec<(String, f32)>,
    /// Of the turns before, if it leans on them.
    pub borrowed: Vec<(String, f32)>,
}

impl Question {
    pub fn all(&self) -> Vec<(String, f32)> {
        self.own.iter().chain(&self.borrowed).cloned().collect()
    }
}

/// `recent`: what was said before by both sides, oldest first.
pub fn read(question: &str, recent: &[&str]) -> Question {
    let question = &without(end_of(question), GREETING);
    let mut seen = HashSet::new();
    let own = weighted(question, 1.0, MOST_TERMS, &mut seen);
    let borrowed = match leaning(question, words_of(&own)) {
        Some(weight) => {
            let turns = recent.iter().rev().take(RECENT).enumerate();
            let turns = turns.map(|(back, turn)| (end_of(turn), weight * FADING.powi(back as i32)));
            turns.flat_map(|(turn, weight)| weighted(turn, weight, MOST_RECENT_TERMS, &mut seen)).collect()
        }
        None => Vec::new(),
    };
    Question { own, borrowed }
}

/// Terms that were not seen before.
fn weighted(text: &str, weight: f32, most: usize, seen: &mut HashSet<String>) -> Vec<(String, f32)> {
    let fresh = terms(text).into_iter().filter(|term| seen.insert(term.clone()));
    fresh.take(most).map(|term| (term, weight)).collect()
}

fn end_of(text: &str) -> &str {
    match text.char_indices().rev().nth(LONGEST - 1) {
        Some((start, _)) => &text[start..],
        None => text,
    }
}

/// In lower case, without some phrases.
fn without(text: &str, phrases: &[&str]) -> String {
    let text = text.to_lowercase().replace('’', "'");
    phrases.iter().fold(text, |text, phrase| text.replace(phrase, " "))
}

fn words_of(terms: &[(String, f32)]) -> f32 {
    terms.iter().map(|(term, _)| if term.starts_with(is_ideograph) { PAIR } else { 1.0 }).sum()
}

/// How much it leans on what was said before.
fn leaning(question: &str, own: f32) -> Option<f32> {
    let text = without(question, POLITE);
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty()).collect();
    let any = |list: &[&str]| words.iter().any(|word| list.contains(word));
    let any_part = |list: &[&str]| list.iter().any(|part| text.contains(part));
    // Who is addressed is asked about himself.
    if any(ADDRESSED) || any_part(ADDRESSED_CHINESE) {
        return None;
    }
    let asks = any(ASKING) || any_part(ASKING_CHINESE) || text.contains(['?', '？']);
    if !asks {
        return None;
    }
    let points = any(POINTING) || any_part(POINTING_CHINESE);
    match own {
        _ if own <= FEWER || (points && own <= FEW) => Some(BORROWED),
        _ if points => Some(BORROWED_SLIGHTLY),
        _ => None,
    }
}

/// Politeness whose words mean something elsewhere.
const GREETING: &[&str] =
    &["nice to meet you", "pleased to meet you", "good to see you", "see you later", "很高兴认识"];
/// Addresses somebody only out of politeness.
const POLITE: &[&str] = &[
    "can you tell me",
    "could you tell me",
    "can you explain",
    "could you explain",
    "do you know",
    "would you know",
    "你能告诉我",
    "你可以告诉我",
    "您能告诉我",
    "你知道",
    "您知道",
    "你们",
    "您们",
];
const ADDRESSED: &[&str] = &["you", "your", "yours", "yourself", "you're", "you've", "you'd", "you'll", "me"];
const ADDRESSED_CHINESE: &[&str] = &["你", "您"];
const ASKING: &[&str] = &[
    "how", "what", "what's", "when", "where", "where's", "which", "who", "whom", "whose", "why", "is", "are", "does",
    "do", "did", "can", "could", "may", "must", "should", "will", "and",
];
const ASKING_CHINESE: &[&str] = &[
    "吗",
    "呢",
    "多少",
    "多久",
    "多大",
    "多长",
    "几",
    "什么",
    "怎么",
    "怎样",
    "哪",
    "为何",
    "谁",
    "能不能",
    "要不要",
    "是不是",
    "可不可以",
];
const POINTING: &[&str] = &[
    "it", "its", "it's", "that", "that's", "this", "these", "those", "there", "they", "them", "their", "one", "ones",
    "and",
];
const POINTING_CHINESE: &[&str] = &["那", "这", "它", "他们"];

#[cfg(test)]
mod tests {
    use super::*;

    fn borrowed(question: &str, before: &str) -> Vec<String> {
        read(question, &[before]).borrowed.into_iter().map(|(term, _)| term).collect()
    }

    #[test]
    fn a_short_question_leans_on_the_one_before() {
        assert_eq!(borrowed("And how much is it?", "Tell me about the tern tablet."), ["tern", "tablet"]);
        assert_eq!(borrowed("Could you tell me how much it is?", "The tern tablet"), ["tern", "tablet"]);
        assert_eq!(borrowed("那多少钱？", "食堂几点开门"), ["食堂", "点开", "开门"]);
    }

    #[test]
    fn small_talk_and_whole_questions_do_not() {
        let before = "The tern tablet.";
        for said in ["Thanks, that's all.", "How are you?", "Can you hear me?", "谢谢你！", "你叫什么名字？"]
        {
            assert_eq!(borrowed(said, before), Vec::<String>::new(), "{said}");
        }
        assert!(borrowed("Where do newcomers from Spain get a parking space?", before).is_empty());
    }

    #[test]
    fn what_was_said_longer_ago_counts_less() {
        let question = read("And when?", &["the vpn", "some printers"]);
        assert_eq!(question.borrowed, [("printer".into(), 0.5), ("vpn".into(), 0.3)]);
    }

    #[test]
    fn a_question_without_end_is_bounded() {
        let endless = (0..100_000).map(|n| format!("word{n} ")).collect::<String>();
        let question = read(&endless, &[endless.as_str(); 100]);
        assert!(question.own.len() <= MOST_TERMS && question.borrowed.len() <= RECENT * MOST_RECENT_TERMS);
    }
}
