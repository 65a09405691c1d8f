//! What goes into the dialogue and what comes out of it: the vocabulary of the core.
//!
//! PURE data. Inputs are facts (somebody spoke, a token came) and requests of the client; outputs are
//! orders to the engines and events for whoever follows the call. Wire protocols are codecs on [`Event`].

use std::ops::AddAssign;
use std::time::Duration;

use super::history::{Item, ItemId, Matter, Message, Place, ToolCall};
use crate::media::{Clause, TimedWord, TurnId, UtteranceId};

/// The client's own name for an event it sent, echoed in errors that answer it.
pub type ClientEventId = Option<String>;

#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// There is voice, which may turn out to be a cough. It began at `at`.
    VoiceSuspected {
        at: Duration,
    },
    /// It was too short to be speech.
    VoiceFaded,
    /// Speech is confirmed. It began at `at`, which is `at_millis` of the call's incoming sound.
    SpeechStarted {
        at: Duration,
        at_millis: u64,
    },
    /// The voice ended at `at`: what was said so far may already be transcribed and judged.
    SpeechPaused {
        at: Duration,
        at_millis: u64,
        utterance: UtteranceId,
    },
    /// The speech went on after a pause.
    SpeechResumed,
    /// A long speech was cut into a piece that will not change any more; the speech goes on.
    SpeechPiece {
        utterance: UtteranceId,
    },
    /// What was said so far by somebody who goes on speaking.
    SpeechGrew {
        utterance: UtteranceId,
    },
    /// How probable it is that an utterance is a complete thought; `None` if that could not be judged.
    Judged {
        utterance: UtteranceId,
        complete: Option<f32>,
    },
    /// Answer to [`Output::CommitInput`]: what was heard since the last commit.
    InputCommitted {
        utterance: UtteranceId,
    },
    /// Text of an utterance, or why there is none.
    Transcribed {
        utterance: UtteranceId,
        result: Result<Heard, String>,
    },
    Token {
        turn: TurnId,
        text: String,
    },
    /// The model asks for a tool: the server's `own`, or one of the client's.
    ToolCalled {
        turn: TurnId,
        call: ToolCall,
        own: bool,
    },
    GenerationDone {
        turn: TurnId,
        usage: Usage,
    },
    /// What came of [`Output::CallTool`], in words for the model, be it an error.
    ToolAnswered {
        turn: TurnId,
        call_id: String,
        output: String,
    },
    GenerationFailed {
        turn: TurnId,
        message: String,
    },
    /// A part of a clause became sound of this length in media ticks and was handed to playout.
    Voiced {
        turn: TurnId,
        clause: u32,
        ticks: u64,
        words: Vec<TimedWord>,
    },
    /// All of a clause became sound.
    VoiceDone {
        turn: TurnId,
        clause: u32,
    },
    /// What is left of a clause cannot be voiced.
    VoiceFailed {
        turn: TurnId,
        clause: u32,
        message: String,
    },
    /// The first sound of an answer went out.
    PlayoutStarted {
        turn: TurnId,
    },
    /// This much of an answer's sound has gone out.
    Played {
        turn: TurnId,
        ticks: u64,
    },
    /// All sound of an answer has gone out.
    PlayoutEnded {
        turn: TurnId,
    },
    Client {
        request: Request,
        event_id: ClientEventId,
    },
    /// [`Dialogue::deadline`](super::Dialogue::deadline) has come.
    Tick,
}

/// What a client may ask for.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    CreateItem {
        item: NewItem,
        place: Place,
    },
    RetrieveItem {
        item: ItemId,
    },
    DeleteItem {
        item: ItemId,
    },
    /// Cut an answer that is being played at this time of its sound.
    TruncateItem {
        item: ItemId,
        audio_end_millis: u64,
    },
    CreateResponse(ResponseRequest),
    CancelResponse {
        response: Option<TurnId>,
    },
    ClearOutput,
    CommitInput,
    ClearInput,
}

/// A message that the client puts into the conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct NewItem {
    pub id: Option<ItemId>,
    pub role: super::Role,
    pub matter: Matter,
    pub text: String,
}

/// What differs in this answer from the session's settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResponseRequest {
    pub instructions: Option<String>,
    /// Answer in writing only.
    pub text_only: Option<bool>,
    /// Leave no trace in the conversation.
    pub out_of_band: bool,
    /// The whole prompt in place of the conversation.
    pub input: Option<Vec<Message>>,
    /// The answer itself: it is said as it stands, and no model is asked.
    pub said: Option<String>,
}

/// The recogniser's result.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    pub text: String,
    /// Length of the audio it was made from.
    pub seconds: f64,
}

/// Tokens of one answer, as the model server counted them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub input_tokens: u32,
    pub cached_tokens: u32,
    pub output_tokens: u32,
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input_tokens += other.input_tokens;
        self.cached_tokens += other.cached_tokens;
        self.output_tokens += other.output_tokens;
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    Transcribe {
        utterance: UtteranceId,
        /// The person has paused: the answer waits for this text.
        awaited: bool,
    },
    /// The text of this utterance is not wanted any more.
    StopTranscribing {
        utterance: UtteranceId,
    },
    /// Say how probable it is that this utterance is a complete thought.
    Judge {
        utterance: UtteranceId,
    },
    /// What was heard up to the end of this utterance is dealt with: voice that follows is new speech.
    TakeInput {
        utterance: UtteranceId,
    },
    /// The next prompt will begin with this; to process it now shortens the wait for the answer.
    ReadAhead {
        prompt: Vec<Message>,
    },
    Generate {
        turn: TurnId,
        prompt: Vec<Message>,
        /// The model may call tools.
        may_call: bool,
    },
    /// The answer is not wanted any more: neither the model's words nor what tools give.
    StopGenerating {
        turn: TurnId,
    },
    /// Run a tool of the server.
    CallTool {
        turn: TurnId,
        call: ToolCall,
    },
    Speak(Clause),
    /// Every clause of this answer has been voiced; no further one follows.
    FinishSpeech {
        turn: TurnId,
    },
    /// This answer may be heard. Until then its sound is kept back.
    Play {
        turn: TurnId,
    },
    /// Drop what was made of an answer that was never to be heard.
    Discard {
        turn: TurnId,
    },
    /// Fall silent now, and keep the rest of the answers.
    Hold,
    /// Go on from where it was held, at the beginning of the word.
    Release,
    /// Drop all sound of answers up to this one, now.
    Silence {
        up_to: TurnId,
    },
    /// End the utterance that is being heard (manual turn taking).
    CommitInput {
        event_id: ClientEventId,
    },
    DiscardInput,
    Emit(Event),
}

/// How an answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    Completed,
    /// Somebody spoke over it.
    Interrupted,
    /// The client asked for it.
    Cancelled,
    Failed {
        message: String,
    },
}

/// What came of voice over an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was words: the answer ended.
    Ended,
    /// It was noise, or a sign of listening: the answer went on.
    Resumed,
}

/// What happened in the conversation, for clients, logs and metrics.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    SpeechStarted {
        item: ItemId,
        at_millis: u64,
    },
    SpeechStopped {
        item: ItemId,
        at_millis: u64,
    },
    /// A spoken turn is over; its voice ended at `at` (a turn that was ended by hand has no such time).
    InputCommitted {
        item: ItemId,
        previous: Option<ItemId>,
        at: Option<Duration>,
    },
    InputCleared,
    ItemAdded {
        item: Item,
        previous: Option<ItemId>,
    },
    ItemDone {
        item: Item,
        previous: Option<ItemId>,
    },
    ItemRetrieved {
        item: Item,
    },
    ItemDeleted {
        item: ItemId,
    },
    /// More of what somebody is saying; never taken back.
    TranscriptGrew {
        item: ItemId,
        delta: String,
    },
    Transcribed {
        item: ItemId,
        heard: Heard,
    },
    TranscriptionFailed {
        item: ItemId,
        message: String,
    },
    ReplyStarted {
        turn: TurnId,
        item: Item,
        previous: Option<ItemId>,
        text_only: bool,
    },
    ReplyText {
        turn: TurnId,
        item: ItemId,
        delta: String,
        text_only: bool,
    },
    /// All of the answer is made (not: played).
    ReplyDone {
        turn: TurnId,
        item: Item,
        previous: Option<ItemId>,
        /// What the client's tools are asked for.
        calls: Vec<Item>,
        ending: Ending,
        usage: Usage,
        text_only: bool,
    },
    PlayoutStarted {
        turn: TurnId,
    },
    /// A word of an answer begins to be heard.
    Word {
        turn: TurnId,
        item: ItemId,
        word: String,
        /// Where it stands in the transcript, in UTF-16 code units.
        start: usize,
        end: usize,
        audio_start_millis: u64,
        audio_end_millis: u64,
    },
    /// Voice over this answer began at `since`; now it is known what it was.
    BargeIn {
        turn: TurnId,
        since: Duration,
        outcome: Outcome,
    },
    PlayoutStopped {
        turn: TurnId,
    },
    PlayoutCleared {
        turn: TurnId,
    },
    Truncated {
        item: ItemId,
        audio_end_millis: u64,
    },
    Error {
        code: &'static str,
        message: String,
        event_id: ClientEventId,
    },
}
