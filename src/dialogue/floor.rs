//! Who has the floor: when speech is a turn, when that turn is over, and whether voice over an answer ends it.
//!
//! PURE part of the [`Dialogue`]. Voice over an answer holds the answer at once; what was said then decides
//! whether it ends (words) or goes on (a cough, "mhm"). A turn ends after a silence whose length depends on
//! whether what was said is a complete thought.

use std::time::Duration;

use super::hearing::{Hearing, Pause, Thought};
use super::history::{Item, Matter, Place, Role};
use super::io::{Ending, Event, Heard, Outcome, Output};
use super::reply::Making;
use super::words::{has_words, is_sign_of_listening};
use super::{Dialogue, Medium, TurnEnd};
use crate::media::{MediaTime, UtteranceId};

/// Voice without words holds an answer no longer than this.
const LONGEST_HOLD: Duration = Duration::from_millis(2500);
/// Voice that was suspected is confirmed or faded by then.
const LONGEST_SUSPICION: Duration = Duration::from_millis(1000);
/// "Yes." is an answer, not a sign of listening, when a question of ours is about to end.
const QUESTION_END: MediaTime = MediaTime(2 * crate::media::MEDIA_HZ as u64);

/// An answer was held because of voice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    /// When the voice began.
    pub(super) since: Duration,
}

impl Dialogue {
    pub(super) fn voice_suspected(&mut self, at: Duration) {
        if self.settings.interruptible && self.has_answers() {
            self.hold(at);
        }
    }

    pub(super) fn voice_faded(&mut self) {
        if self.hearing.is_none() {
            self.release();
        }
    }

    pub(super) fn speech_started(&mut self, at: Duration, at_millis: u64) {
        self.forget_hearing();
        let over_answer = self.settings.interruptible && self.has_answers();
        let item = self.new_item_id();
        if over_answer {
            self.hold(at);
        } else {
            self.emit(Event::SpeechStarted { item: item.clone(), at_millis });
        }
        self.hearing = Some(Hearing::new(item, at_millis, over_answer));
        self.read_ahead();
    }

    pub(super) fn speech_paused(&mut self, at: Duration, at_millis: u64, utterance: UtteranceId) {
        self.stop_growing();
        self.heard_part(utterance, true);
        if let Some(hearing) = &mut self.hearing {
            hearing.pause = Some(Pause { at, at_millis, utterance, thought: Thought::Unjudged });
            if matches!(self.settings.turn_end, TurnEnd::Thought(_)) {
                self.outputs.push_back(Output::Judge { utterance });
            }
        }
    }

    pub(super) fn speech_resumed(&mut self) {
        self.drop_draft();
        let dropped = self.hearing.as_mut().map(Hearing::resume).unwrap_or_default();
        self.stop_transcribing(dropped);
    }

    pub(super) fn heard_part(&mut self, utterance: UtteranceId, provisional: bool) {
        if self.hearing.as_mut().is_some_and(|hearing| hearing.add(utterance, provisional)) {
            self.outputs.push_back(Output::Transcribe { utterance, awaited: provisional });
        }
    }

    pub(super) fn speech_grew(&mut self, utterance: UtteranceId) {
        if let Some(hearing) =
            self.hearing.as_mut().filter(|hearing| hearing.growing.is_none() && hearing.pause.is_none())
        {
            hearing.growing = Some(utterance);
            self.outputs.push_back(Output::Transcribe { utterance, awaited: false });
        }
    }

    pub(super) fn judged(&mut self, utterance: UtteranceId, complete: Option<f32>) {
        let pause = self.hearing.as_mut().and_then(|hearing| hearing.pause.as_mut());
        if let (Some(pause), Some(complete)) = (pause.filter(|pause| pause.utterance == utterance), complete) {
            pause.thought = Thought::Judged(complete);
        }
    }

    pub(super) fn transcribed(&mut self, utterance: UtteranceId, result: &Result<Heard, String>) {
        if let Some(hearing) = &mut self.hearing {
            let snapshot = hearing.growing == Some(utterance);
            if snapshot {
                hearing.growing = None;
            }
            if snapshot || hearing.transcribed(utterance, result) {
                return self.understood(utterance, result, snapshot);
            }
        }
        for hearing in &mut self.untranscribed {
            if hearing.transcribed(utterance, result) {
                break;
            }
        }
        self.finish_transcripts();
    }

    /// There is text of what is being said.
    fn understood(&mut self, utterance: UtteranceId, result: &Result<Heard, String>, snapshot: bool) {
        let Some(hearing) = &mut self.hearing else { return };
        let Ok(heard) = result else {
            if hearing.over_answer && !snapshot {
                // Somebody spoke, and was not understood: they are told, which they can only be if we are silent.
                self.words_over_answer();
            }
            return;
        };
        let text = match snapshot {
            true => hearing.with(&heard.text),
            false => hearing.text().and_then(Result::ok).unwrap_or_default().text,
        };
        if hearing.over_answer {
            let paused = hearing.pause.is_some_and(|pause| pause.utterance == utterance);
            let wants_floor = has_words(&text) && (!is_sign_of_listening(&text) || self.has_asked());
            if wants_floor || !self.has_answers() {
                self.words_over_answer();
            } else {
                // Somebody who goes on speaking may still come to words.
                if paused {
                    self.forget_hearing();
                    self.outputs.push_back(Output::TakeInput { utterance });
                    self.release();
                }
                return;
            }
        }
        let Some(hearing) = &mut self.hearing else { return };
        let item = hearing.item.clone();
        if let Some(delta) = hearing.guess(&text) {
            self.emit(Event::TranscriptGrew { item, delta });
            self.read_ahead();
        }
    }

    /// The model may read what is sure of the next prompt while the person speaks.
    fn read_ahead(&mut self) {
        let Some(hearing) = self.hearing.as_ref().filter(|_| self.settings.answers_speech) else { return };
        if self.untranscribed.is_empty() && self.making().is_none() {
            let prompt = self.history.prompt(&self.settings.instructions, Some(&hearing.sure()));
            self.outputs.push_back(Output::ReadAhead { prompt });
        }
    }

    /// What is said over an answer is words: the answer ends, and they are a turn like any other.
    fn words_over_answer(&mut self) {
        let Some(hearing) = &mut self.hearing else { return };
        hearing.over_answer = false;
        let (item, at_millis) = (hearing.item.clone(), hearing.at_millis);
        self.emit(Event::SpeechStarted { item, at_millis });
        self.stop_answers(&Ending::Interrupted);
    }

    /// A question of ours is all but over: whatever is said now answers it.
    fn has_asked(&self) -> bool {
        self.replies.iter().any(|reply| {
            reply.making == Making::Done
                && reply.text.trim_end().ends_with(['?', '？'])
                && reply.unheard() <= QUESTION_END.0
        })
    }

    fn hold(&mut self, since: Duration) {
        if self.held.is_none() {
            self.held = Some(Held { since });
            self.outputs.push_back(Output::Hold);
        }
    }

    /// What was held goes on.
    pub(super) fn release(&mut self) {
        let Some(held) = self.held.take() else { return };
        self.outputs.push_back(Output::Release);
        self.tell_barge_in(held, Outcome::Resumed);
    }

    pub(super) fn tell_barge_in(&mut self, held: Held, outcome: Outcome) {
        if let Some(turn) = self.replies.iter().find(|reply| reply.playing).map(|reply| reply.turn) {
            self.emit(Event::BargeIn { turn, since: held.since, outcome });
        }
    }

    /// Until when what is held waits for words.
    pub(super) fn hold_ends_at(&self) -> Option<Duration> {
        let limit = if self.hearing.is_some() { LONGEST_HOLD } else { LONGEST_SUSPICION };
        self.held.map(|held| held.since + limit)
    }

    /// Lets go what was held for too long; voice that is no speech may go on.
    pub(super) fn end_hold(&mut self) {
        if self.hold_ends_at().is_some_and(|at| at <= self.now) {
            self.release();
        }
    }

    /// When the person's turn is over, if they say nothing more and nothing more becomes known.
    pub(super) fn turn_ends_at(&self) -> Option<Duration> {
        let hearing = self.hearing.as_ref()?;
        let pause = hearing.pause?;
        if hearing.over_answer {
            // Its words decide; this is for the case that nobody ever says what they are.
            return Some(pause.at + LONGEST_HOLD);
        }
        let millis = match &self.settings.turn_end {
            TurnEnd::Silence { millis } => *millis,
            TurnEnd::Thought(patience) => {
                let text = hearing.text().map(|text| text.unwrap_or_default().text);
                match text {
                    // Nothing can be answered before there is text, so its wording may have its say.
                    None => patience.open_millis,
                    Some(text) if !has_words(&text) => patience.complete_millis,
                    Some(text) => patience.millis(pause.thought, &text),
                }
            }
        };
        Some(pause.at + Duration::from_millis(millis.into()))
    }

    /// Ends the person's turn when its time has come.
    pub(super) fn end_turn(&mut self) {
        if self.turn_ends_at().is_none_or(|at| at > self.now) {
            return;
        }
        let Some(hearing) = self.hearing.take() else { return };
        let Some(pause) = hearing.pause else { return };
        self.outputs.push_back(Output::TakeInput { utterance: pause.utterance });
        if hearing.over_answer {
            // Nobody could say what it was; it is over.
            self.stop_transcribing(hearing.untranscribed());
            return self.release();
        }
        self.emit(Event::SpeechStopped { item: hearing.item.clone(), at_millis: pause.at_millis });
        self.commit(hearing, Some(pause.at));
    }

    /// The client said that the turn is over.
    pub(super) fn input_committed(&mut self, utterance: UtteranceId) {
        let mut hearing = match self.hearing.take() {
            Some(mut hearing) => {
                let dropped = hearing.resume();
                self.stop_transcribing(dropped);
                hearing
            }
            None => Hearing::new(self.new_item_id(), 0, false),
        };
        self.stop_transcribing(hearing.growing.take());
        if hearing.add(utterance, false) {
            self.outputs.push_back(Output::Transcribe { utterance, awaited: true });
        }
        self.release();
        self.commit(hearing, None);
    }

    fn commit(&mut self, hearing: Hearing, at: Option<Duration>) {
        let id = hearing.item.clone();
        self.emit(Event::InputCommitted { item: id.clone(), previous: self.history.last().cloned(), at });
        let item = Item {
            id,
            role: Role::User,
            medium: Medium::Audio,
            matter: Matter::Words,
            text: None,
            complete: true,
            in_context: true,
        };
        self.insert(item, Place::End, None);
        self.untranscribed.push(hearing);
        self.finish_transcripts();
    }

    /// Spoken turns that are over and have all their text become it, in order.
    fn finish_transcripts(&mut self) {
        while let Some(result) = self.untranscribed.first().and_then(Hearing::text) {
            let mut hearing = self.untranscribed.remove(0);
            let item = hearing.item.clone();
            match result {
                Ok(heard) => {
                    if let Some(kept) = self.history.get_mut(&item) {
                        kept.text = Some(heard.text.clone());
                    }
                    self.answer_due |= has_words(&heard.text) && self.settings.answers_speech;
                    if let Some(delta) = hearing.finish(&heard.text) {
                        self.emit(Event::TranscriptGrew { item: item.clone(), delta });
                    }
                    self.emit(Event::Transcribed { item, heard });
                }
                Err(message) => self.emit(Event::TranscriptionFailed { item, message }),
            }
        }
    }

    /// What is being heard is none of our business any more.
    pub(super) fn forget_hearing(&mut self) {
        self.drop_draft();
        if let Some(hearing) = self.hearing.take() {
            self.stop_transcribing(hearing.untranscribed());
        }
    }

    fn stop_growing(&mut self) {
        let growing = self.hearing.as_mut().and_then(|hearing| hearing.growing.take());
        self.stop_transcribing(growing);
    }

    fn stop_transcribing(&mut self, utterances: impl IntoIterator<Item = UtteranceId>) {
        self.outputs.extend(utterances.into_iter().map(|utterance| Output::StopTranscribing { utterance }));
    }
}
