//! What a session asks of its stage: sound through a bounded queue, all that must not wait behind sound as atomics.
//!
//! Nothing is decided or played here. The stage reads everything once before each frame, in the order that
//! [`Inbox::take`] explains.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, TryRecvError, TrySendError, bounded};
use tokio::sync::watch;

use super::progress::Progress;
use super::rest::Rest;
use super::timeline::Timeline;
use crate::media::{Attention, Speech, TurnId};
use crate::metrics::Queues;

/// Clauses that wait to be laid on the timeline; when full the session keeps the next ones.
pub const CLAUSES: usize = 8;

pub(super) enum Order {
    Speak(Speech),
    Finish(TurnId),
}

#[derive(Default)]
struct Shared {
    held: AtomicBool,
    silenced: Arc<AtomicU64>,
    attention: AtomicU8,
    key_frame: AtomicBool,
    /// The face to show from the next picture on, if it is another one.
    face: Mutex<Option<Arc<Rest>>>,
}

/// The session's end of a stage. Dropping it ends the stage.
pub struct StageHandle {
    orders: Arc<Sender<Order>>,
    shared: Arc<Shared>,
    pub progress: watch::Receiver<Progress>,
}

impl StageHandle {
    pub(super) fn watch(&self, queues: &Queues) {
        queues.watch_thread("clauses", &self.orders);
    }

    /// Gives the clause back when the stage has no room.
    pub fn speak(&self, speech: Speech) -> Result<(), Speech> {
        self.orders.try_send(Order::Speak(speech)).map_err(|refused| match refused {
            TrySendError::Full(Order::Speak(speech)) | TrySendError::Disconnected(Order::Speak(speech)) => speech,
            _ => unreachable!("a clause was sent"),
        })
    }

    /// True once the stage knows that no more sound of this answer follows.
    pub fn finish(&self, turn: TurnId) -> bool {
        self.orders.try_send(Order::Finish(turn)).is_ok()
    }

    /// Holds all sound from the next frame on, or lets it go on: see [`Timeline`]. What was silenced
    /// before it goes on is never heard.
    pub fn hold(&self, held: bool) {
        self.shared.held.store(held, Ordering::Release);
    }

    pub fn silence(&self, up_to: TurnId) {
        self.shared.silenced.fetch_max(up_to.0, Ordering::Release);
    }

    /// The newest silenced answer, for whoever makes sound for this call.
    pub fn silenced(&self) -> Arc<AtomicU64> {
        self.shared.silenced.clone()
    }

    pub fn attend(&self, attention: Attention) {
        self.shared.attention.store(attention as u8, Ordering::Relaxed);
    }

    /// Shows another face; of several before the next picture the last one.
    pub fn show(&self, face: Arc<Rest>) {
        *self.shared.face.lock().unwrap_or_else(PoisonError::into_inner) = Some(face);
    }

    pub fn force_key_frame(&self) {
        self.shared.key_frame.store(true, Ordering::Release);
    }
}

/// The stage's end.
pub(super) struct Inbox {
    orders: Receiver<Order>,
    shared: Arc<Shared>,
}

/// What holds for the next frame.
pub(super) struct Asked {
    pub(super) orders: Vec<Order>,
    pub(super) held: bool,
    pub(super) silenced: TurnId,
}

impl Asked {
    /// Silences, holds and releases, to be done before anything is laid; true if that changes what is heard. What is
    /// silenced is gone before anything goes on.
    pub(super) fn hold_or_silence(&self, timeline: &mut Timeline) -> bool {
        let silenced = timeline.silence(self.silenced);
        let changed = timeline.progress().held != self.held;
        if self.held {
            timeline.hold();
        } else {
            timeline.release();
        }
        silenced || changed
    }
}

impl Inbox {
    pub(super) fn new(progress: watch::Receiver<Progress>) -> (Self, StageHandle) {
        let (sender, orders) = bounded(CLAUSES);
        let shared = Arc::new(Shared::default());
        (Self { orders, shared: shared.clone() }, StageHandle { orders: Arc::new(sender), shared, progress })
    }

    /// All that was asked for; `None` if the session is gone.
    ///
    /// What is read later is at least as new, so each read comes before what the session may have done before it:
    /// sound before `held` (hold, then speak: it waits), `held` before `silenced` (silence, then go on: what is
    /// silenced is dropped before anything goes on).
    pub(super) fn take(&mut self) -> Option<Asked> {
        self.take_while(|| ())
    }

    /// The same, with what the session does `meanwhile`, between two reads.
    fn take_while(&mut self, mut meanwhile: impl FnMut()) -> Option<Asked> {
        let mut orders = Vec::new();
        while orders.len() < CLAUSES {
            match self.orders.try_recv() {
                Ok(order) => orders.push(order),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return None,
            }
        }
        meanwhile();
        let held = self.shared.held.load(Ordering::Acquire);
        meanwhile();
        let silenced = TurnId(self.shared.silenced.load(Ordering::Acquire));
        Some(Asked { orders, held, silenced })
    }

    pub(super) fn attention(&self) -> Attention {
        match self.shared.attention.load(Ordering::Relaxed) {
            a if a == Attention::Listening as u8 => Attention::Listening,
            a if a == Attention::Thinking as u8 => Attention::Thinking,
            _ => Attention::Idle,
        }
    }

    /// The face to change to, once.
    pub(super) fn face(&self) -> Option<Arc<Rest>> {
        self.shared.face.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// True once for each time that a key frame was asked for.
    pub(super) fn key_frame_wanted(&self) -> bool {
        self.shared.key_frame.swap(false, Ordering::AcqRel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::AUDIO_FRAME;

    fn speech(turn: u64) -> Order {
        Order::Speak(Speech {
            turn: TurnId(turn),
            clause: 0,
            text: String::new(),
            pcm: vec![8000; 2 * AUDIO_FRAME],
            phonemes: Vec::new(),
            words: Vec::new(),
        })
    }

    /// Every way to share `actions`, in order, out over `slots`: how many of them each slot gets.
    fn interleavings(actions: usize, slots: usize) -> Vec<Vec<usize>> {
        if slots == 1 {
            return vec![vec![actions]];
        }
        let with = |first: usize| {
            let others = interleavings(actions - first, slots - 1).into_iter();
            others.map(move |others| [vec![first], others].concat())
        };
        (0..=actions).flat_map(with).collect()
    }

    #[test]
    fn what_is_spoken_while_held_and_silenced_before_it_goes_on_is_never_heard() {
        let script: [fn(&StageHandle); 4] = [
            |handle| handle.hold(true),
            |handle| assert!(handle.orders.try_send(speech(1)).is_ok()),
            |handle| handle.silence(TurnId(1)),
            |handle| handle.hold(false),
        ];
        // The session may run before each of four frames and between the reads for it.
        for interleaving in interleavings(script.len(), 4 * 3) {
            let (mut inbox, handle) = Inbox::new(watch::channel(Progress::default()).1);
            let (mut script, mut counts) = (script.iter(), interleaving.iter());
            let mut act = || {
                for action in script.by_ref().take(*counts.next().expect("a slot for each")) {
                    action(&handle);
                }
            };
            let mut timeline = Timeline::default();
            for _ in 0..4 {
                act();
                let asked = inbox.take_while(&mut act).expect("the session is there");
                asked.hold_or_silence(&mut timeline);
                for order in asked.orders {
                    if let Order::Speak(speech) = order {
                        timeline.push(speech);
                    }
                }
                let due = timeline.step(&mut [0; AUDIO_FRAME]);
                assert!(due.speaking.is_none() && !due.fading, "{interleaving:?}");
            }
        }
    }

    #[test]
    fn a_full_queue_gives_the_clause_back_and_never_delays_a_silence() {
        let (mut inbox, handle) = Inbox::new(watch::channel(Progress::default()).1);
        for clause in 0..=CLAUSES as u32 {
            let Order::Speak(speech) = speech(1) else { unreachable!("a clause was made") };
            let refused = handle.speak(Speech { clause, ..speech }).err();
            assert_eq!(refused.map(|speech| speech.clause), (clause == CLAUSES as u32).then_some(clause));
        }
        handle.silence(TurnId(1));
        handle.silence(TurnId(0));
        assert!(!handle.finish(TurnId(1)));
        let asked = inbox.take().expect("the session is there");
        assert_eq!((asked.orders.len(), asked.silenced, asked.held), (CLAUSES, TurnId(1), false));
        drop(handle);
        assert!(inbox.take().is_none());
    }
}
