//! Words of a Chinese text, by jieba's dictionary and its model for words that are not in it. Pure.

use jieba_rs::Jieba;

/// One word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'a> {
    pub text: &'a str,
    /// Its part of speech as jieba marks it, e.g. `v` for a verb, `a` for an adjective.
    pub tag: &'a str,
    /// It is in the dictionary.
    pub known: bool,
}

/// Words of `text`, which is Chinese characters alone.
pub fn words<'a>(jieba: &'a Jieba, text: &'a str) -> Vec<Word<'a>> {
    let tagged = jieba.tag(text, true);
    tagged.into_iter().map(|word| Word { text: word.word, tag: word.tag, known: jieba.has_word(word.word) }).collect()
}
