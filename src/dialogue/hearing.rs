//! One spoken turn of the person on its way to text: its parts, and which of them have been transcribed.
//!
//! PURE. A part begins to be transcribed when the person pauses, before it is known whether the turn is
//! over; if they go on, that part is dropped. A monologue comes in pieces whose texts are joined.

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

/// What is being heard, or was heard and is not text yet.
#[derive(Debug)]
pub struct Hearing {
    /// The item that it will become.
    pub item: ItemId,
    parts: Vec<Part>,
}

impl Hearing {
    pub fn new(item: ItemId) -> Self {
        Self { item, parts: Vec::new() }
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
        let dropped = self.parts.iter().filter(|part| part.provisional).map(|part| part.utterance).collect();
        self.parts.retain(|part| !part.provisional);
        dropped
    }

    /// All parts that wait for their text.
    pub fn untranscribed(&self) -> Vec<UtteranceId> {
        self.parts.iter().filter(|part| part.result.is_none()).map(|part| part.utterance).collect()
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
}
