//! Words that a recognizer writes although nobody said them: noises in brackets, credits, polite phrases over
//! silence, and endless repetition. Pure text work; the engine says how sure and how loud it was.

/// How much there was to hear.
#[derive(Clone, Copy, Debug)]
pub struct Evidence {
    /// The engine's probability of the first token of the words, 0..1: over a noise, many beginnings are as likely.
    pub first_token: f32,
    /// The geometric mean of the probabilities of the words' tokens, 0..1.
    pub tokens: f32,
    /// RMS of the loudest tenth of a second, 1 = full scale.
    pub loudness: f32,
}

impl Evidence {
    /// Measured on spoken and on coughed thanks: 0.72 to 0.94 and 0.03 to 0.22.
    fn is_weak(&self) -> bool {
        self.first_token < 0.25 || self.loudness < 0.005
    }

    /// Coughs, claps and breaths begin with 0.02 to 0.05 and go on with 0.09 to 0.35; a rare name may begin a
    /// sentence with as little, but the rest of it is sure: 0.4 at least in 137 spoken sentences.
    fn is_none(&self) -> bool {
        self.first_token < 0.06 && self.tokens < 0.35
    }
}

/// Said by people too, so they count as phantoms only over near-silence. Lower case, without punctuation.
const OVER_SILENCE: &[&str] = &[
    "you",
    "bye",
    "bye bye",
    "so",
    "oh",
    "okay",
    "the",
    "thank you",
    "thank you very much",
    "thank you for watching",
    "thanks for watching",
    "please subscribe",
    "see you next time",
    "谢谢",
    "謝謝",
    "谢谢大家",
    "谢谢观看",
    "謝謝觀看",
    "感谢观看",
    "ご視聴ありがとうございました",
];

/// Credits from the subtitles that recognizers were trained on: nobody says them in a conversation.
const CREDITS: &[&str] =
    &["amara.org", "字幕由", "字幕志愿者", "字幕志願者", "点赞 订阅", "點贊 訂閱", "明镜与点点", "明鏡與點點"];

/// The text without its noises, or an empty text if it is a phantom.
pub fn clean(text: &str, evidence: &Evidence) -> String {
    let text = without_brackets(text);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let lower = text.to_lowercase();
    let words: String = lower.chars().filter(|c| c.is_alphanumeric() || c.is_whitespace()).collect();
    let words = words.trim();
    let phantom = words.is_empty()
        || evidence.is_none()
        || CREDITS.iter().any(|credit| lower.contains(credit))
        || (evidence.is_weak() && OVER_SILENCE.contains(&words));
    if phantom { String::new() } else { text }
}

/// Leaves out `[BLANK_AUDIO]`, `(music)`, `*sighs*` and notes; an opening mark without its closing one stays.
fn without_brackets(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['[', '(', '*', '（', '【', '♪']) {
        let (before, marked) = rest.split_at(at);
        kept.push_str(before);
        let Some(open) = marked.chars().next() else { break };
        let inside = &marked[open.len_utf8()..];
        let close = match open {
            '[' => ']',
            '(' => ')',
            '（' => '）',
            '【' => '】',
            same => same,
        };
        match inside.find(close) {
            Some(end) => {
                kept.push(' ');
                rest = &inside[end + close.len_utf8()..];
            }
            None => {
                if open != '♪' {
                    kept.push(open);
                }
                rest = inside;
            }
        }
    }
    kept.push_str(rest);
    kept
}

/// Most characters a second that a voice can say; a text beyond that was not all heard.
const MOST_CHARS_A_SECOND: f32 = 30.0;

/// Whether a decoder that lost its place may have written this: one phrase over and over, its last sentence
/// twice, or more than could be said. A second look decides.
pub fn is_runaway(text: &str, seconds: f32) -> bool {
    text.chars().count() as f32 > MOST_CHARS_A_SECOND * seconds + 10.0 || repetition(text).is_some() || ends_twice(text)
}

/// Shortest ending, in bytes of its letters, that counts when it is written twice.
const SHORTEST_ENDING: usize = 16;

fn ends_twice(text: &str) -> bool {
    let letters: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    (SHORTEST_ENDING..=letters.len() / 2).any(|unit| {
        let (before, last) = letters.as_bytes().split_at(letters.len() - unit);
        before.ends_with(last)
    })
}

/// The text with the phrase that it ends in, over and over, said once.
pub fn without_repetition(text: &str) -> &str {
    repetition(text).map_or(text, |end| text[..end].trim_end())
}

/// Where the first saying of the phrase ends that fills the rest of the text, if there is one.
fn repetition(text: &str) -> Option<usize> {
    // Letters only, in one case: the same phrase may end in a comma or a full stop.
    let letters: Vec<(usize, char)> = text
        .char_indices()
        .filter(|(_, c)| c.is_alphanumeric())
        .flat_map(|(at, c)| c.to_lowercase().map(move |c| (at, c)))
        .collect();
    let same = |a: &[(usize, char)], b: &[(usize, char)]| a.iter().zip(b).all(|(a, b)| a.1 == b.1);
    (1..=letters.len() / 4).find_map(|unit| {
        let last = &letters[letters.len() - unit..];
        let repeats = letters.rchunks_exact(unit).take_while(|chunk| same(chunk, last)).count();
        // The end may be cut off within the phrase, which shifts it, but a shifted phrase repeats as well.
        if repeats < 4 || repeats * unit < 20 {
            return None;
        }
        let second = letters.len() - (repeats - 1) * unit;
        letters.get(second).map(|&(at, _)| at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAR: Evidence = Evidence { first_token: 0.9, tokens: 0.8, loudness: 0.1 };
    const SILENT: Evidence = Evidence { loudness: 0.001, ..CLEAR };

    #[test]
    fn noises_in_brackets_are_not_words() {
        assert_eq!(clean(" [BLANK_AUDIO]", &CLEAR), "");
        assert_eq!(clean("(upbeat music)", &CLEAR), "");
        assert_eq!(clean("♪ ♪", &CLEAR), "");
        assert_eq!(clean(" *sighs* Well, (coughs) yes.", &CLEAR), "Well, yes.");
        assert_eq!(clean("...", &CLEAR), "");
        assert_eq!(clean("f(x is open", &CLEAR), "f(x is open");
    }

    #[test]
    fn thanks_over_silence_are_a_phantom_and_thanks_aloud_are_not() {
        assert_eq!(clean(" Thank you.", &SILENT), "");
        assert_eq!(clean(" Thank you.", &CLEAR), "Thank you.");
        assert_eq!(clean("Thank you.", &Evidence { first_token: 0.2, tokens: 0.5, ..CLEAR }), "");
        assert_eq!(clean("What is the time?", &SILENT), "What is the time?");
    }

    #[test]
    fn words_that_the_engine_only_guessed_are_a_phantom_and_a_rare_name_is_not() {
        let guessed = Evidence { first_token: 0.03, tokens: 0.12, ..CLEAR };
        assert_eq!(clean("I'm not a bad guy.", &guessed), "");
        assert_eq!(clean("Xanthippe was his wife.", &Evidence { tokens: 0.6, ..guessed }), "Xanthippe was his wife.");
    }

    #[test]
    fn credits_are_always_phantoms() {
        assert_eq!(clean("Subtitles by the Amara.org community", &CLEAR), "");
        assert_eq!(clean("字幕由Amara.org社区提供", &CLEAR), "");
    }

    #[test]
    fn a_phrase_over_and_over_is_a_runaway_and_is_said_once() {
        let text = "Well. I am sure. I am sure, I am sure. I am sure.";
        assert!(is_runaway(text, 10.0));
        assert_eq!(without_repetition(text), "Well. I am sure.");
        assert!(is_runaway(&"又一次".repeat(8), 10.0));
        for said in ["No, no, no, no.", "It was the best of times, it was the worst of times,", ""] {
            assert!(!is_runaway(said, 3.0));
            assert_eq!(without_repetition(said), said);
        }
    }

    #[test]
    fn a_last_sentence_written_twice_is_looked_at_again_and_kept_if_it_stays() {
        let text = "It was the age of wisdom. It was the age of foolishness. It was the age of foolishness.";
        assert!(is_runaway(text, 10.0));
        assert_eq!(without_repetition(text), text);
        assert!(is_runaway("法国的首都是巴黎。法国的首都是巴黎。", 10.0));
        for said in ["Try again. Try again.", "It was the age of wisdom, it was the age of foolishness."] {
            assert!(!is_runaway(said, 10.0));
        }
    }

    #[test]
    fn more_than_can_be_said_is_a_runaway() {
        let text =
            "In short, the period was so far like the present period that some of its noisiest authorities insisted.";
        assert!(is_runaway(text, 2.6));
        assert!(!is_runaway(text, 5.0));
    }
}
