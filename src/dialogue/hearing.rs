//! One spoken turn of the person on its way to text: its parts, the pause it may end with, and what of its text is sure.
//!
//! PURE. A part begins to be transcribed when the person pauses, before it is known whether the turn is over; if
//! they go on, that part is dropped. A monologue comes in pieces whose texts are joined. While somebody speaks,
//! snapshots are transcribed too; what two of them in a row agree on is told (LocalAgreement-2, Liu et al. 2020).

use std::time::Duration;

use super::history::ItemId;
use super::io::Heard;
use crate::media::UtteranceId;

#[derive(Debug)]
struct Part {
    utterance: UtteranceId,
    result: Option<Result<Heard, String>>,
    /// Cut at a pause that may turn out to be none.
    provisional: bool,
}

/// Silence after voice: perhaps the end of the turn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pause {
    /// When the voice ended.
    pub at: Duration,
    /// The same on the call's incoming sound.
    pub at_millis: u64,
    pub utterance: UtteranceId,
    pub thought: Thought,
}

/// Whether what was said is a complete thought.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Thought {
    /// Nobody has said yet.
    Unjudged,
    /// The probability.
    Judged(f32),
}

/// What is being heard, or was heard and is not text yet.
#[derive(Debug)]
pub struct Hearing {
    /// The item that it will become.
    pub item: ItemId,
    /// Where it began on the call's incoming sound.
    pub at_millis: u64,
    /// It began over an answer, and it is not known yet whether it is words.
    pub over_answer: bool,
    pub pause: Option<Pause>,
    /// A snapshot that is being transcribed.
    pub growing: Option<UtteranceId>,
    parts: Vec<Part>,
    /// Text that was told and is never taken back.
    told: String,
    /// The last guess at the whole text, in tokens.
    guess: Vec<String>,
    /// So many tokens of it were guessed before.
    agreed: usize,
}

impl Hearing {
    pub fn new(item: ItemId, at_millis: u64, over_answer: bool) -> Self {
        Self {
            item,
            at_millis,
            over_answer,
            pause: None,
            growing: None,
            parts: Vec::new(),
            told: String::new(),
            guess: Vec::new(),
            agreed: 0,
        }
    }

    /// Takes a part; true if it has to be transcribed now.
    pub fn add(&mut self, utterance: UtteranceId, provisional: bool) -> bool {
        if let Some(part) = self.parts.iter_mut().find(|part| part.utterance == utterance) {
            part.provisional &= provisional;
            return false;
        }
        self.parts.push(Part { utterance, result: None, provisional });
        true
    }

    /// The pause was none: returns the parts that are not wanted any more.
    pub fn resume(&mut self) -> Vec<UtteranceId> {
        self.pause = None;
        let dropped = self.parts.iter().filter(|part| part.provisional).map(|part| part.utterance).collect();
        self.parts.retain(|part| !part.provisional);
        dropped
    }

    /// Everything that is or would be transcribed for nothing if this were forgotten.
    pub fn untranscribed(&self) -> Vec<UtteranceId> {
        let parts = self.parts.iter().filter(|part| part.result.is_none()).map(|part| part.utterance);
        parts.chain(self.growing).collect()
    }

    /// Takes the text of a part; false if it is none of this turn's.
    pub fn transcribed(&mut self, utterance: UtteranceId, result: &Result<Heard, String>) -> bool {
        match self.parts.iter_mut().find(|part| part.utterance == utterance) {
            Some(part) => {
                part.result = Some(result.clone());
                true
            }
            None => false,
        }
    }

    /// The whole text once every part has one; an error only if no part has text.
    pub fn text(&self) -> Option<Result<Heard, String>> {
        let results: Option<Vec<_>> = self.parts.iter().map(|part| part.result.as_ref()).collect();
        let results = results?;
        let heard: Vec<&Heard> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
        if let (true, Some(Err(message))) = (heard.is_empty(), results.first()) {
            return Some(Err(message.clone()));
        }
        let text = heard.iter().map(|h| h.text.trim()).filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" ");
        Some(Ok(Heard { text, seconds: heard.iter().map(|h| h.seconds).sum() }))
    }

    /// The text of what is sure, and `snapshot` after it: a guess at all that was said so far.
    pub fn with(&self, snapshot: &str) -> String {
        let sure =
            self.parts.iter().filter(|part| !part.provisional).filter_map(|part| part.result.as_ref()?.as_ref().ok());
        let texts = sure.map(|heard| heard.text.trim()).chain([snapshot.trim()]);
        texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// Takes a guess at all that was said so far and returns what can be told of it now.
    pub fn guess(&mut self, text: &str) -> Option<String> {
        let guess = tokens(text);
        self.agreed = guess.iter().zip(&self.guess).take_while(|(new, old)| bare(new) == bare(old)).count();
        let told = tokens(&self.told).len();
        let delta: String = guess.get(told..self.agreed).unwrap_or_default().concat();
        self.guess = guess;
        self.tell(delta)
    }

    /// How the final text will most likely begin: what was told, as it is spelled by now. A piece's text corrects the
    /// commas and words of the snapshots before it.
    pub fn sure(&self) -> String {
        self.guess[..self.agreed].concat()
    }

    /// Takes the final text and returns what was not told of it, if that only adds to what was.
    pub fn finish(&mut self, text: &str) -> Option<String> {
        let delta = text.strip_prefix(self.told.as_str())?.to_owned();
        self.tell(delta)
    }

    fn tell(&mut self, delta: String) -> Option<String> {
        self.told.push_str(&delta);
        (!delta.is_empty()).then_some(delta)
    }
}

/// Words with the spaces before them; characters of scripts without spaces stand alone. Together they are `text`.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut previous = ' ';
    for c in text.trim().chars() {
        let begins = tokens.is_empty()
            || is_ideograph(c)
            || (c.is_whitespace() && !previous.is_whitespace())
            || (is_ideograph(previous) && c.is_alphanumeric());
        match tokens.last_mut() {
            Some(last) if !begins => last.push(c),
            _ => tokens.push(c.to_string()),
        }
        previous = c;
    }
    tokens
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}')
}

/// A token as it is compared: a comma that comes and goes does not change a word.
fn bare(token: &str) -> String {
    token.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hearing() -> Hearing {
        Hearing::new(ItemId("item_1".into()), 0, false)
    }

    #[test]
    fn only_what_two_guesses_agree_on_is_told_and_it_is_never_taken_back() {
        let mut hearing = hearing();
        assert_eq!(hearing.guess("What is a"), None);
        assert_eq!(hearing.guess("What is the capital"), Some("What is".into()));
        assert_eq!(hearing.guess("What is the capital, of fun"), Some(" the capital,".into()));
        assert_eq!(hearing.guess("What is the capital of fun"), Some(" of fun".into()));
        assert_eq!(hearing.sure(), "What is the capital of fun", "the model reads the newest spelling");
        assert_eq!(hearing.guess("What was the capital of France"), None);
        assert_eq!(hearing.finish("What is the capital, of fun fair?"), Some(" fair?".into()));
        let mut other = self::hearing();
        other.guess("one two");
        other.guess("one two");
        assert_eq!(other.finish("One two three."), None, "what was told cannot be changed");
    }

    #[test]
    fn chinese_is_told_character_by_character() {
        let mut hearing = hearing();
        hearing.guess("法国的首");
        assert_eq!(hearing.guess("法国的首都是"), Some("法国的首".into()));
        assert_eq!(tokens("我 like 茶。ok").concat(), "我 like 茶。ok");
    }

    #[test]
    fn snapshots_follow_the_pieces_that_are_sure() {
        let mut hearing = hearing();
        hearing.add(UtteranceId(1), false);
        hearing.transcribed(UtteranceId(1), &Ok(Heard { text: "First part.".into(), seconds: 9.0 }));
        assert_eq!(hearing.with(" Second "), "First part. Second");
    }
}
