//! Whole texts said without a call: for whoever tries a voice, and for clips of faces.
//!
//! Clause by clause, one at a time, and calls go first: nothing is begun while somebody in a call waits for a voice, and
//! a clause that is under way then gives up at its next part and is said anew, a few times.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::jobs::{PARTS, Reply, SpeakJob, Speaking, Spoken};
use super::voices::{Choice, Voices};
use super::worker::Overloaded;
use crate::dialogue::clauses::ClauseSplitter;
use crate::media::{Clause, Speech, TurnId};
use crate::voice::VoiceStyle;

/// How long a clause waits for calls, and how often it gives way to them: on a busy server it comes late, but it comes.
const PATIENCE: Duration = Duration::from_secs(5);
const GIVES_WAY: usize = 2;
/// The one text that there is.
const TURN: TurnId = TurnId(1);

#[derive(Debug, thiserror::Error)]
pub enum WholeError {
    #[error("there are no words in it that can be spoken")]
    NothingToSay,
    #[error("{0}")]
    Failed(String),
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
}

/// How a text is to be said.
#[derive(Clone, Debug)]
pub struct Manner {
    /// Who says it, in the order in which they are asked.
    pub by: Choice,
    pub speed: f32,
    /// Language of what its script leaves open.
    pub language: String,
}

/// Says a text. To drop the future ends it.
pub async fn say(voices: &Arc<Voices>, text: &str, manner: &Manner) -> Result<Speech, WholeError> {
    let mut splitter = ClauseSplitter::default();
    let mut clauses = splitter.push(text);
    clauses.extend(splitter.finish());
    let mut whole = Speech {
        turn: TURN,
        clause: 0,
        text: text.to_owned(),
        pcm: Vec::new(),
        phonemes: Vec::new(),
        words: Vec::new(),
    };
    let mut behind = 0;
    for (index, clause) in (0..).zip(clauses) {
        let offset = text[behind..].find(&clause).map_or(behind, |at| behind + at);
        behind = offset + clause.len();
        for mut part in said(voices, Clause { turn: TURN, index, text: clause }, manner).await? {
            for word in &mut part.words {
                word.text = word.text.start + offset..word.text.end + offset;
            }
            whole.extend(part);
        }
    }
    if whole.pcm.is_empty() { Err(WholeError::NothingToSay) } else { Ok(whole) }
}

/// The parts of one clause.
async fn said(voices: &Arc<Voices>, clause: Clause, manner: &Manner) -> Result<Vec<Speech>, WholeError> {
    let mut given_way = 0;
    loop {
        // Whether they are done or not.
        let _ = tokio::time::timeout(PATIENCE, voices.until_pressed(false)).await;
        let wanted = watch::Sender::new(TurnId(0));
        let (sender, sounds) = mpsc::channel(PARTS + 1);
        let failed = Speaking::Failed("the voice failed".to_owned());
        let reply = Reply::new(sender, Spoken { turn: TURN, clause: clause.index, progress: failed });
        let style = VoiceStyle { speed: manner.speed, ..VoiceStyle::default() };
        let said = (clause.clone(), style, manner.language.clone());
        let by = (manner.by.clone(), voices.clone());
        voices.speak(SpeakJob::new(said, by, wanted.subscribe(), reply).patient())?;
        tokio::select! {
            biased;
            parts = heard(sounds) => return parts.map_err(WholeError::Failed),
            () = voices.until_pressed(true), if given_way < GIVES_WAY => given_way += 1,
        }
    }
}

async fn heard(mut sounds: mpsc::Receiver<Spoken>) -> Result<Vec<Speech>, String> {
    let mut parts = Vec::new();
    while let Some(spoken) = sounds.recv().await {
        match spoken.progress {
            Speaking::Part(part) => parts.push(part),
            Speaking::Done => return Ok(parts),
            Speaking::Failed(reason) => return Err(reason),
        }
    }
    Err("the voice failed".to_owned())
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Handle;

    use super::*;
    use crate::engines::voices::{Listed, Speak};
    use crate::engines::worker::Worker;
    use crate::metrics::Metrics;
    use crate::voice::FakeVoice;

    fn voices() -> Arc<Voices> {
        let metrics = Arc::new(Metrics::new());
        let voices = Voices::new(Box::new(|_| None), Handle::current(), metrics.clone());
        let load = Box::new(|| Ok(Box::new(FakeVoice) as _));
        let engine = Worker::start("voice", 4, None, &metrics.clone().queues, Speak { load, metrics }).unwrap();
        let listed = Listed { name: "joe".into(), language: "en-US".into(), speaker: "".into() };
        voices.add(&Arc::new(engine), [listed]);
        Arc::new(voices)
    }

    fn manner() -> Manner {
        Manner { by: ["joe".into()].into(), speed: 1.0, language: "en".into() }
    }

    #[tokio::test]
    async fn a_text_of_several_clauses_comes_as_one_speech() {
        let text = "It is Paris. It lies on the Seine.";
        let speech = say(&voices(), text, &manner()).await.unwrap();
        let words: Vec<&str> = speech.words.iter().map(|word| &text[word.text.clone()]).collect();
        assert_eq!(words, ["It", "is", "Paris.", "It", "lies", "on", "the", "Seine."]);
        assert!(speech.words.is_sorted_by_key(|word| word.start));
        assert!(speech.words.last().unwrap().end <= speech.pcm.len() as u64);
    }

    #[tokio::test]
    async fn what_nobody_can_say_is_told() {
        let voices = voices();
        assert!(matches!(say(&voices, " ?! ", &manner()).await, Err(WholeError::NothingToSay)));
        let nobody = Manner { by: ["nobody".into()].into(), ..manner() };
        let error = say(&voices, "Hello.", &nobody).await.unwrap_err();
        assert!(matches!(&error, WholeError::Failed(reason) if reason.contains("nobody")), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn calls_go_first_but_not_for_ever() {
        let voices = voices();
        let pressing = voices.press();
        let (manner, started) = (manner(), tokio::time::Instant::now());
        let mut saying = Box::pin(say(&voices, "Hello.", &manner));
        tokio::select! {
            _ = &mut saying => panic!("it was said while a call waited"),
            () = tokio::time::sleep(PATIENCE / 2) => {}
        }
        drop(pressing);
        saying.await.unwrap();
        assert_eq!(started.elapsed(), PATIENCE / 2);
        let _pressing = voices.press();
        say(&voices, "Hello.", &manner).await.unwrap();
        assert!(started.elapsed() >= PATIENCE, "it waited, and was said all the same");
    }
}
