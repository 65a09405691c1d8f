//! All channels of a call and what they may hold, in one place.
//!
//! | from -> to | carries | capacity | when full |
//! |---|---|---|---|
//! | peer -> session | packets, client events | `peer` | packets: newest dropped and counted; text presses back |
//! | session -> ears | Opus packets of all calls | `engines::ears` | dropped and counted |
//! | ears -> session | speech began, paused, ended | [`ears::EVENTS`](crate::engines::ears::EVENTS) | dropped and counted |
//! | session -> recogniser | utterances of all calls | [`jobs::UTTERANCES`](crate::engines::jobs::UTTERANCES) | the turn fails with an error event |
//! | recogniser -> session | transcripts | [`TRANSCRIPTS`] | cannot be: no more jobs are given |
//! | session -> judge | pauses of all calls | [`jobs::PAUSES`](crate::engines::jobs::PAUSES) | the pause stays unjudged |
//! | judge -> session | verdicts | [`TRANSCRIPTS`] | dropped: the pause stays unjudged |
//! | model -> session | tokens | [`TOKENS`] | presses back on HTTP |
//! | loader -> session | faces | [`FACES`] | the loader waits |
//! | session -> voice | clauses of all calls | [`jobs::CLAUSES`](crate::engines::jobs::CLAUSES) | the clause fails with an error event |
//! | voice -> session | sound in parts | [`SOUNDS`] clauses of at most [`PARTS`] | cannot be: no more clauses are given |
//! | session -> media | sound | [`playout::CLAUSES`](crate::playout::CLAUSES) | kept back; the tokens' arm is off |
//! | session -> media | silence, hold | an atomic turn number, a flag | never queue |
//! | media -> session | progress | latest value | coalesced |
//! | media -> peer | frames | `peer` | audio: oldest dropped; video: up to the next key frame |

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::avatars::{AvatarError, Look};
use crate::dialogue::{ToolCall, Usage};
use crate::engines::ears::{EVENTS, EarEvent};
use crate::engines::jobs::{PARTS, Spoken};
use crate::hearing::Transcript;
use crate::media::{TurnId, UtteranceId};
use crate::metrics::Queues;
use crate::playout::Rest;

/// Transcriptions that one call may have under way.
pub const TRANSCRIPTS: usize = 8;
/// Tokens that wait for the session.
pub const TOKENS: usize = 64;
/// Clauses that one call may have at the voice or on the way back.
pub const SOUNDS: usize = 4;
/// Pieces of sound that the stage has no room for yet, beyond which no further clause is voiced.
pub const UNPLAYED: usize = 16;

/// Faces that were loaded for the session.
pub const FACES: usize = 2;

/// What comes of one answer's thinking.
pub enum Thought {
    Text(String),
    Called(ToolCall),
    /// A tool of the server has answered.
    Answered {
        call_id: String,
        output: String,
    },
    Done(Usage),
    Failed(String),
}

pub type Judged = (UtteranceId, Option<f32>);
pub type Loaded = (Look, Result<Arc<Rest>, AvatarError>);
pub type Transcribed = (UtteranceId, Result<Transcript, String>);

/// The sending ends, given to the engines with each job.
pub struct Senders {
    pub ears: mpsc::Sender<EarEvent>,
    pub transcripts: mpsc::Sender<Transcribed>,
    pub verdicts: mpsc::Sender<Judged>,
    pub thoughts: mpsc::Sender<(TurnId, Thought)>,
    pub sounds: mpsc::Sender<Spoken>,
    pub faces: mpsc::Sender<Loaded>,
}

/// The receiving ends, read by the session's loop.
pub struct Receivers {
    pub ears: mpsc::Receiver<EarEvent>,
    pub transcripts: mpsc::Receiver<Transcribed>,
    pub verdicts: mpsc::Receiver<Judged>,
    pub thoughts: mpsc::Receiver<(TurnId, Thought)>,
    pub sounds: mpsc::Receiver<Spoken>,
    pub faces: mpsc::Receiver<Loaded>,
}

/// One call's channels, watched until they close.
pub fn channels(queues: &Queues) -> (Senders, Receivers) {
    let (ears, ear_events) = mpsc::channel(EVENTS);
    // Twice: a job that was cancelled too late still answers.
    let (transcripts, transcript_events) = mpsc::channel(2 * TRANSCRIPTS);
    let (verdicts, verdict_events) = mpsc::channel(TRANSCRIPTS);
    let (thoughts, thought_events) = mpsc::channel(TOKENS);
    let (sounds, sound_events) = mpsc::channel(SOUNDS * (PARTS + 1));
    let (faces, face_events) = mpsc::channel(FACES);
    queues.watch_channel("ear_events", ears.downgrade());
    queues.watch_channel("transcripts", transcripts.downgrade());
    queues.watch_channel("verdicts", verdicts.downgrade());
    queues.watch_channel("thoughts", thoughts.downgrade());
    queues.watch_channel("sounds", sounds.downgrade());
    queues.watch_channel("faces", faces.downgrade());
    (
        Senders { ears, transcripts, verdicts, thoughts, sounds, faces },
        Receivers {
            ears: ear_events,
            transcripts: transcript_events,
            verdicts: verdict_events,
            thoughts: thought_events,
            sounds: sound_events,
            faces: face_events,
        },
    )
}
