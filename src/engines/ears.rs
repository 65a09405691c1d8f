//! The ears' thread: everything between RTP and utterances, for all calls.
//!
//! Opus packets go in with their call's number; reordering, decoding, resampling, voice detection and
//! cutting happen here, at media priority, because to fall silent in time depends on it. About 0.3 ms of
//! work for each 20 ms of a call.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use tokio::sync::mpsc;

use crate::audio::{AudioError, Inbound, Resampler48to16};
use crate::clock;
use crate::hearing::{Heard, Listener, SentSound, SileroModel, Utterance, VadSettings};
use crate::media::HEARING_HZ;
use crate::metrics::Metrics;
use crate::threads::{Priority, spawn};

/// Packets of all calls that wait for the thread: one second of 40 calls. Full: the packet is dropped and
/// counted; the decoder conceals it.
const PACKETS: usize = 2000;
/// Events of one call that wait for its session. Full: the event is dropped and counted.
pub const EVENTS: usize = 64;

/// How the ends of speech are found.
#[derive(Clone, Copy, Debug)]
pub struct Detection {
    pub settings: VadSettings,
    /// Nothing is detected: all sound is kept until [`Ear::commit`].
    pub manual: bool,
}

/// Samples of silence beyond a pause: the detector needs some windows to see it (128 ms).
const SILENCE_MARGIN: usize = 2048;

/// What was heard in one call.
pub enum EarEvent {
    /// `position`: samples that had been heard by then.
    Heard { heard: Heard, position: u64 },
    /// Answer to [`Ear::commit`]: what was heard since the last utterance, if anything.
    Committed(Option<Utterance>),
    /// The call cannot be heard any more.
    Failed(String),
}

/// 16 kHz samples since the call began, as milliseconds.
pub fn millis_of(position: u64) -> u64 {
    position * 1000 / u64::from(HEARING_HZ)
}

enum Task {
    Open { detection: Detection, sent: SentSound, events: mpsc::Sender<EarEvent> },
    Packet { sequence: u16, timestamp: u32, payload: Bytes },
    Detect(Detection),
    Silence,
    Take { end: u64 },
    Commit,
    Clear,
    Close,
}

type Order = (u64, Task);

/// The shared thread.
pub struct Ears {
    orders: Option<Arc<Sender<Order>>>,
    next: AtomicU64,
    metrics: Arc<Metrics>,
    thread: Option<JoinHandle<()>>,
}

/// One call's ear; dropping it frees what the thread keeps for the call.
pub struct Ear {
    call: u64,
    orders: Arc<Sender<Order>>,
    metrics: Arc<Metrics>,
}

impl Ears {
    pub fn start(model: SileroModel, metrics: Arc<Metrics>) -> std::io::Result<Self> {
        let (orders, queue) = bounded(PACKETS);
        let orders = Arc::new(orders);
        metrics.queues.watch_thread("ears", &orders);
        let counted = metrics.clone();
        let thread = spawn("ears", Priority::Media, move || run(&queue, &model, &counted))?;
        Ok(Self { orders: Some(orders), next: AtomicU64::new(1), metrics, thread: Some(thread) })
    }

    /// Opens an ear; what it hears comes through `events`, which should hold [`EVENTS`]. Of `sent` it knows that it is
    /// our own.
    pub fn open(&self, detection: Detection, sent: SentSound, events: mpsc::Sender<EarEvent>) -> Option<Ear> {
        let call = self.next.fetch_add(1, Ordering::Relaxed);
        let orders = self.orders.clone()?;
        orders.try_send((call, Task::Open { detection, sent, events })).ok()?;
        Some(Ear { call, orders, metrics: self.metrics.clone() })
    }
}

impl Drop for Ears {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Ear {
    pub fn packet(&self, sequence: u16, timestamp: u32, payload: Bytes) {
        self.order(Task::Packet { sequence, timestamp, payload });
    }

    pub fn detect(&self, detection: Detection) {
        self.order(Task::Detect(detection));
    }

    /// No packet came for a while: what is not sent counts as silence, so that speech ends although its network did.
    pub fn silence(&self) {
        self.order(Task::Silence);
    }

    /// What was heard up to `end` is dealt with: see [`Listener::take`].
    pub fn take(&self, end: u64) {
        self.order(Task::Take { end });
    }

    /// Ends the utterance by hand; [`EarEvent::Committed`] follows. False if the thread is overloaded.
    pub fn commit(&self) -> bool {
        self.order(Task::Commit)
    }

    pub fn clear(&self) {
        self.order(Task::Clear);
    }

    fn order(&self, task: Task) -> bool {
        match self.orders.try_send((self.call, task)) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                self.metrics.queues.dropped("ears");
                false
            }
            Err(TrySendError::Disconnected(_)) => false,
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        // A full queue would leave the entry behind; its closed event channel removes it then.
        let _ = self.orders.try_send((self.call, Task::Close));
    }
}

/// What the thread keeps for a call.
struct Line {
    inbound: Inbound,
    resampler: Resampler48to16,
    listener: Listener,
    events: mpsc::Sender<EarEvent>,
    decoded: Vec<i16>,
    resampled: Vec<f32>,
    pcm: Vec<i16>,
    heard: Vec<Heard>,
}

fn run(orders: &Receiver<Order>, model: &SileroModel, metrics: &Metrics) {
    let mut lines: HashMap<u64, Line> = HashMap::new();
    while let Ok((call, task)) = orders.recv() {
        let kept = catch_unwind(AssertUnwindSafe(|| obey(&mut lines, call, task, model, metrics)));
        if kept.is_err() {
            metrics.error("ear_panicked", &"a call's ear panicked and was closed");
            lines.remove(&call);
        }
    }
}

fn obey(lines: &mut HashMap<u64, Line>, call: u64, task: Task, model: &SileroModel, metrics: &Metrics) {
    if let Task::Open { detection, sent, events } = task {
        match Line::new(model, detection, sent, events.clone()) {
            Ok(line) => drop(lines.insert(call, line)),
            Err(error) => drop(events.try_send(EarEvent::Failed(error.to_string()))),
        }
        return;
    }
    let Some(line) = lines.get_mut(&call) else { return };
    match task {
        Task::Packet { sequence, timestamp, payload } => line.packet(sequence, timestamp, payload, metrics),
        Task::Detect(detection) => line.detect(detection),
        Task::Silence => line.silence(metrics),
        Task::Take { end } => line.take(end, metrics),
        Task::Commit => {
            let utterance = line.listener.commit();
            line.tell(EarEvent::Committed(utterance), metrics);
        }
        Task::Clear => line.listener.clear(),
        Task::Close | Task::Open { .. } => drop(lines.remove(&call)),
    }
    if lines.get(&call).is_some_and(|line| line.events.is_closed()) {
        lines.remove(&call);
    }
}

impl Line {
    fn new(
        model: &SileroModel,
        detection: Detection,
        sent: SentSound,
        events: mpsc::Sender<EarEvent>,
    ) -> Result<Self, AudioError> {
        let mut line = Self {
            inbound: Inbound::new()?,
            resampler: Resampler48to16::new()?,
            listener: Listener::new(model.clone(), detection.settings, sent),
            events,
            decoded: Vec::new(),
            resampled: Vec::new(),
            pcm: Vec::new(),
            heard: Vec::new(),
        };
        line.detect(detection);
        Ok(line)
    }

    fn detect(&mut self, detection: Detection) {
        self.listener.set_settings(detection.settings);
        self.listener.set_manual(detection.manual);
    }

    fn packet(&mut self, sequence: u16, timestamp: u32, payload: Bytes, metrics: &Metrics) {
        let start = clock::now();
        self.decoded.clear();
        self.resampled.clear();
        self.pcm.clear();
        self.inbound.push(sequence, timestamp, payload, &mut self.decoded);
        self.resampler.push(&self.decoded, &mut self.resampled);
        self.pcm.extend(self.resampled.iter().map(|sample| (sample.clamp(-1.0, 1.0) * 32_767.0) as i16));
        self.listen(metrics);
        metrics.ears_seconds.observe((clock::now() - start).as_secs_f64());
    }

    fn silence(&mut self, metrics: &Metrics) {
        let pause = u64::from(self.listener.settings().pause_millis) * u64::from(HEARING_HZ) / 1000;
        self.pcm.clear();
        self.pcm.resize(pause as usize + SILENCE_MARGIN, 0);
        self.listen(metrics);
    }

    fn listen(&mut self, metrics: &Metrics) {
        let mut heard = std::mem::take(&mut self.heard);
        if let Err(error) = self.listener.push(&self.pcm, &mut heard) {
            metrics.error("voice_detection", &error);
            self.tell(EarEvent::Failed(error.to_string()), metrics);
        }
        self.tell_all(&mut heard, metrics);
        self.heard = heard;
    }

    fn take(&mut self, end: u64, metrics: &Metrics) {
        let mut heard = std::mem::take(&mut self.heard);
        self.listener.take(end, &mut heard);
        self.tell_all(&mut heard, metrics);
        self.heard = heard;
    }

    fn tell_all(&self, heard: &mut Vec<Heard>, metrics: &Metrics) {
        let position = self.listener.position();
        for heard in heard.drain(..) {
            self.tell(EarEvent::Heard { heard, position }, metrics);
        }
    }

    fn tell(&self, event: EarEvent, metrics: &Metrics) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.events.try_send(event) {
            metrics.queues.dropped("ear_events");
        }
    }
}
