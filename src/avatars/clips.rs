//! Short clips of the avatars, for lists in which they move: made when somebody first asks, one at a time, and kept.
//!
//! They are drawn on a thread of low priority, never where media are due. Whoever asks waits; when too many do, the next
//! one is told to come back.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore, oneshot};

use super::clip::{self, ClipError};
use super::{AvatarError, Avatars, Look};
use crate::engines::voices::Voices;
use crate::engines::whole::{self, Manner, WholeError};
use crate::media::Speech;
use crate::threads::{Priority, spawn};
use crate::video::mp4;

/// Clips that are kept; the one that was made first goes.
const KEPT: usize = 32;
/// Requests that wait for a clip.
const WAITING: usize = 32;

#[derive(Clone, Debug)]
pub struct Clip {
    pub mp4: Bytes,
    /// Differs when the clip does.
    pub tag: String,
}

/// Why there is no clip.
#[derive(Debug, thiserror::Error)]
pub enum NoClip {
    #[error("too many clips are being made")]
    Busy,
    #[error(transparent)]
    Avatar(#[from] AvatarError),
    #[error(transparent)]
    Clip(#[from] ClipError),
    #[error("the clip's voice: {0}")]
    Voice(#[from] WholeError),
    #[error("a thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
    #[error("the thread that drew it failed")]
    Lost,
}

/// See the module's text.
pub struct Clips {
    avatars: Arc<Avatars>,
    made: Arc<Mutex<VecDeque<(String, Clip)>>>,
    waiting: Semaphore,
    turn: Arc<Semaphore>,
    /// What they all say.
    speech: OnceCell<Arc<Speech>>,
}

impl Clips {
    pub fn new(avatars: Arc<Avatars>) -> Self {
        Self {
            avatars,
            made: Arc::default(),
            waiting: Semaphore::new(WAITING),
            turn: Arc::new(Semaphore::new(1)),
            speech: OnceCell::new(),
        }
    }

    /// The clip of an avatar that is there, in which it speaks as `manner` says.
    pub async fn of(&self, name: &str, voices: &Arc<Voices>, manner: &Manner) -> Result<Clip, NoClip> {
        if let Some(clip) = self.made(name) {
            return Ok(clip);
        }
        let Ok(_waiting) = self.waiting.try_acquire() else { return Err(NoClip::Busy) };
        let turn = self.turn.clone().acquire_owned().await.map_err(|_| NoClip::Lost)?;
        if let Some(clip) = self.made(name) {
            return Ok(clip);
        }
        let say = async || whole::say(voices, phrase(&manner.language), manner).await.map(Arc::new);
        let speech = self.speech.get_or_try_init(say).await?.clone();
        self.draw(name.to_owned(), speech, turn)?.await.map_err(|_| NoClip::Lost)?
    }

    /// There is no such avatar any more.
    pub fn forget(&self, name: &str) {
        lock(&self.made).retain(|(made, _)| made != name);
    }

    fn made(&self, name: &str) -> Option<Clip> {
        lock(&self.made).iter().find(|(made, _)| made == name).map(|(_, clip)| clip.clone())
    }

    /// Draws to the end, even if nobody waits for it any more: somebody will ask again.
    fn draw(
        &self,
        name: String,
        speech: Arc<Speech>,
        turn: OwnedSemaphorePermit,
    ) -> std::io::Result<oneshot::Receiver<Result<Clip, NoClip>>> {
        let (avatars, made) = (self.avatars.clone(), self.made.clone());
        let (done, result) = oneshot::channel();
        // It ends by itself.
        drop(spawn("clip", Priority::Model, move || {
            let clip = drawn(&avatars, &name, &speech);
            if let Ok(clip) = &clip {
                let mut made = lock(&made);
                made.truncate(KEPT - 1);
                made.push_front((name, clip.clone()));
            }
            drop(turn);
            let _ = done.send(clip);
        })?);
        Ok(result)
    }
}

fn drawn(avatars: &Avatars, name: &str, speech: &Speech) -> Result<Clip, NoClip> {
    let mut face = avatars.face(&Look::of(name))?;
    let pictures = clip::pictures(&mut *face, speech, &avatars.video, clip::THUMBNAIL)?;
    let mp4 = mp4::file(face.size(), &pictures, &[]).map_err(ClipError::from)?;
    let tag = Sha256::digest(&mp4).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    Ok(Clip { mp4: mp4.into(), tag })
}

/// Short, with lips that close, part and round.
fn phrase(language: &str) -> &'static str {
    if language == "zh" { "你好，很高兴认识你。" } else { "Hello, nice to meet you!" }
}

fn lock<T>(made: &Mutex<T>) -> MutexGuard<'_, T> {
    made.lock().unwrap_or_else(PoisonError::into_inner)
}
