//! Whisper's rules of decoding: which token may follow what was written, and which one does.
//!
//! PURE: logits in, one token out; the engine runs the decoder. Greedy, with timestamps, by which the decoder knows
//! where the sound ends. The rules are those of OpenAI's reference (whisper/decoding.py: SuppressBlank, SuppressTokens,
//! ApplyTimestampRules).

use std::ops::Range;

/// Tokens that are no speech: notes, brackets, marks of speakers (whisper/tokenizer.py, `non_speech_tokens`), each
/// alone and after a space. Hyphen and apostrophe are so only at the beginning of a word.
#[rustfmt::skip]
const NO_SPEECH: &[&str] = &[
    "\"", "#", "(", ")", "*", "+", "/", ":", ";", "<", "=", ">", "@", "[", "\\", "]", "^", "_", "`", "{", "|", "}",
    "~", "「", "」", "『", "』", "<<", ">>", "<<<", ">>>", "--", "---", "-(", "-[", "('", "(\"", "((", "))", "(((",
    ")))", "[[", "]]", "{{", "}}", "♪♪", "♪♪♪", "♩", "♪", "♫", "♬", "♭", "♮", "♯",
];
const NO_BEGINNING: &[&str] = &[" -", " '"];
/// Timestamps a second.
pub const STEPS_A_SECOND: usize = 50;
/// The first timestamp is that of 1 s at most.
const LATEST_START: usize = STEPS_A_SECOND;
/// A timestamp so few steps before the end of the sound is its end.
const END_STEPS: usize = 5;

/// What is fixed for a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The token that ends a text. All before it are text; those from it to `first_time` are never written.
    end: usize,
    /// The token of 0 s; each that follows is a step later.
    first_time: usize,
    suppressed: Vec<usize>,
    /// A space alone: no beginning of a text.
    blank: Option<usize>,
}

/// A token, and its probability among all that were allowed, 0..1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Picked {
    pub token: usize,
    pub probability: f32,
}

/// What was written so far, as far as it matters for what follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    count: usize,
    /// The last token was a timestamp, and the one before it; the beginning counts as one.
    last_is_time: bool,
    before_is_time: bool,
    /// Of the last timestamp.
    step: usize,
}

impl Rules {
    /// `text`: the bytes of each token before `end`.
    pub fn new<'a>(end: usize, first_time: usize, text: impl Fn(usize) -> Option<&'a [u8]>) -> Self {
        let (mut suppressed, mut blank) = (Vec::new(), None);
        for (token, bytes) in (0..end).filter_map(|token| Some((token, text(token)?))) {
            let bare = bytes.strip_prefix(b" ").unwrap_or(bytes);
            if bytes == b" " {
                blank = Some(token);
            } else if NO_SPEECH.iter().any(|mark| mark.as_bytes() == bare)
                || NO_BEGINNING.iter().any(|mark| mark.as_bytes() == bytes)
            {
                suppressed.push(token);
            }
        }
        Self { end, first_time, suppressed, blank }
    }

    pub fn is_text(&self, token: usize) -> bool {
        token < self.end
    }

    /// The likeliest token that may follow; `None` if none may, as with logits that are no numbers. What may not is
    /// masked in `logits`.
    pub fn pick(&self, logits: &mut [f32], written: &Written) -> Option<Picked> {
        self.mask(logits, written);
        let (text, times) = logits.split_at_checked(self.first_time)?;
        let (word, time) = (largest(text), largest(times));
        let highest = word.1.max(time.1);
        if !highest.is_finite() {
            return None;
        }
        let all_times = sum_of_powers(times, highest);
        let all = all_times + sum_of_powers(text, highest);
        // Where all timestamps together are likelier than any word, it is one of them.
        let (token, logit) = match all_times > (word.1 - highest).exp() {
            true => (self.first_time + time.0, time.1),
            false => word,
        };
        Some(Picked { token, probability: (logit - highest).exp() / all })
    }

    /// Takes note of a token; true if it was the last one of a sound of `steps`.
    pub fn note(&self, token: usize, steps: usize, written: &mut Written) -> bool {
        let is_time = token >= self.first_time;
        written.before_is_time = written.count == 0 || written.last_is_time;
        written.last_is_time = is_time;
        written.count += 1;
        if is_time {
            written.step = written.step.max(token - self.first_time);
        }
        token == self.end || (is_time && written.step > 0 && written.step + END_STEPS >= steps)
    }

    fn mask(&self, logits: &mut [f32], written: &Written) {
        let (end, first, last) = (self.end, self.first_time, logits.len());
        let mut never = |tokens: Range<usize>| {
            let tokens = tokens.start.min(last)..tokens.end.min(last);
            if let Some(masked) = logits.get_mut(tokens) {
                masked.fill(f32::NEG_INFINITY);
            }
        };
        never(end + 1..first);
        self.suppressed.iter().for_each(|&token| never(token..token + 1));
        never(first..first + written.step);
        if written.count == 0 {
            never(end..end + 1);
            self.blank.into_iter().for_each(|blank| never(blank..blank + 1));
            never(first + LATEST_START + 1..last);
        } else if written.last_is_time && written.before_is_time {
            // The end of a phrase and the beginning of the next, or that of all: words follow.
            never(first..last);
        } else if written.last_is_time {
            // The end of a phrase: the beginning of the next follows, or the end of all.
            never(0..end);
        }
    }
}

/// The share of each of `tokens` among all `logits`; what is not there is 0.
pub fn shares(logits: &[f32], tokens: impl Iterator<Item = usize>) -> Vec<f32> {
    let highest = largest(logits).1;
    let all = sum_of_powers(logits, highest);
    let share = |token: usize| logits.get(token).map_or(0.0, |logit| (logit - highest).exp() / all);
    tokens.map(share).map(|share| if share.is_finite() { share } else { 0.0 }).collect()
}

/// Place and value of the largest number; of none, negative infinity.
fn largest(logits: &[f32]) -> (usize, f32) {
    let start = (0, f32::NEG_INFINITY);
    logits.iter().copied().enumerate().fold(start, |best, next| if next.1 > best.1 { next } else { best })
}

fn sum_of_powers(logits: &[f32], highest: f32) -> f32 {
    logits.iter().filter(|logit| **logit > f32::NEG_INFINITY).map(|logit| (logit - highest).exp()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four tokens of text, " (" among them, the end, two specials, and 200 timestamps.
    const TEXTS: [&[u8]; 5] = [b" yes", b" ", b" (", b"-", b" no"];
    const END: usize = TEXTS.len();
    const FIRST: usize = END + 3;

    fn rules() -> Rules {
        Rules::new(END, FIRST, |token| TEXTS.get(token).copied())
    }

    /// All alike, but for these.
    fn logits(likely: &[(usize, f32)]) -> Vec<f32> {
        let mut logits = vec![-9.0; FIRST + 200];
        likely.iter().for_each(|&(token, logit)| logits[token] = logit);
        logits
    }

    fn next(written: &Written, likely: &[(usize, f32)]) -> usize {
        rules().pick(&mut logits(likely), written).map_or(usize::MAX, |picked| picked.token)
    }

    /// After these tokens.
    fn after(tokens: &[usize]) -> Written {
        let mut written = Written::default();
        for &token in tokens {
            assert!(!rules().note(token, 1_000, &mut written));
        }
        written
    }

    #[test]
    fn noises_and_specials_are_never_written_and_a_blank_or_nothing_is_no_beginning() {
        let begin = Written::default();
        for (never, often) in [(2, false), (END + 1, false), (END + 2, false), (1, true), (END, true)] {
            assert_eq!(next(&begin, &[(never, 9.0), (4, 5.0)]), 4, "{never} at the beginning");
            assert_eq!(next(&after(&[0]), &[(never, 9.0), (4, 5.0)]) == never, often, "{never} later");
        }
        assert_eq!(next(&begin, &[(3, 5.0)]), 3, "a hyphen alone may be part of a word");
    }

    #[test]
    fn timestamps_come_in_pairs_and_never_go_back() {
        let written = after(&[FIRST, 0, FIRST + 30]);
        assert_eq!(next(&written, &[(4, 9.0), (FIRST + 30, 5.0)]), FIRST + 30, "no words after the end of a phrase");
        assert_eq!(next(&written, &[(4, 9.0), (END, 5.0)]), END, "but the end of all");
        assert_eq!(next(&written, &[(FIRST + 29, 9.0), (FIRST + 31, 5.0)]), FIRST + 31);
        let written = after(&[FIRST, 0, FIRST + 30, FIRST + 30]);
        assert_eq!(next(&written, &[(4, 5.0), (FIRST + 31, 9.0)]), 4, "words after the beginning of the next");
        assert_eq!(next(&after(&[FIRST]), &[(4, 5.0), (FIRST + 31, 9.0)]), 4, "and of the first");
        let late = FIRST + LATEST_START;
        assert_eq!(next(&Written::default(), &[(late + 1, 9.0), (late, 5.0)]), late);
    }

    #[test]
    fn many_timestamps_that_are_likely_together_are_one() {
        let mut likely: Vec<_> = (30..80).map(|step| (FIRST + step, 3.0)).collect();
        likely.push((4, 5.0));
        assert!(next(&after(&[FIRST, 0]), &likely) >= FIRST + 30);
        likely.truncate(3);
        likely.push((4, 5.0));
        assert_eq!(next(&after(&[FIRST, 0]), &likely), 4);
    }

    #[test]
    fn the_end_is_its_token_or_the_time_of_the_sound() {
        let rules = rules();
        let mut written = Written::default();
        assert!(!rules.note(FIRST, 100, &mut written) && !rules.note(0, 100, &mut written));
        assert!(!rules.note(FIRST + 94, 100, &mut written) && rules.note(FIRST + 95, 100, &mut written));
        assert!(rules.note(END, 100, &mut Written::default()));
        assert!(!rules.note(FIRST, 3, &mut Written::default()), "the beginning of a very short sound is not its end");
    }

    #[test]
    fn probabilities_are_among_all_that_is_allowed() {
        let picked = rules().pick(&mut logits(&[(0, 2.0), (4, 2.0), (2, 9.0)]), &Written::default());
        let Some(Picked { token: 0, probability }) = picked else { panic!("{picked:?}") };
        assert!((0.49..0.5).contains(&probability), "{probability}");
        let shares = shares(&logits(&[(0, 2.0), (4, 2.0)]), [4, 2, 9_999].into_iter());
        assert!((0.49..0.5).contains(&shares[0]) && shares[1] < 1e-4 && shares[2] == 0.0, "{shares:?}");
    }

    #[test]
    fn what_are_no_numbers_picks_nothing() {
        let mut broken = [vec![f32::NAN; FIRST + 200], vec![f32::NEG_INFINITY; FIRST + 200], vec![0.0; 3], Vec::new()];
        for logits in &mut broken {
            assert_eq!(rules().pick(logits, &Written::default()), None);
        }
        assert_eq!(shares(&[f32::NAN; 4], 0..2), [0.0, 0.0]);
    }
}
