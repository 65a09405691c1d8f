//! The thread of the network: makes the mouths of all calls that speak, one batch for one call after the other.
//!
//! It steps back behind media by its priority. It sleeps until a call is given sound or shows a frame; a call that is
//! over is forgotten.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak, mpsc};
use std::thread::JoinHandle;

use super::desk::{Desk, Told};
use super::error::Wav2LipError;
use super::hearing::{Hearing, Window, first_frame_changed};
use super::network::Network;
use super::reel::Shown;
use super::schedule::Schedule;
use super::template::Template;
use crate::clock;
use crate::media::{MediaTime, VIDEO_FRAME_TICKS};
use crate::threads::{Priority, spawn};

/// How the network is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    pub threads: usize,
    /// Frames made at once, at most: more cost less each and come later.
    pub batch: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { threads: 1, batch: 4 }
    }
}

/// Who counts what the network does; asked by the threads of media, so it must not wait for anything.
pub trait Observer: Send + Sync {
    /// A frame was shown; `None`: with the mouth of the one before, as the desk was not free.
    fn shown(&self, _how: Option<Shown>) {}
    /// Mouths were not made; the faces rest meanwhile.
    fn failed(&self, _error: &Wav2LipError) {}
}

/// Frames that are made at the start to learn what one costs.
const WARM_UP: usize = 3;

struct Call {
    desk: Weak<Desk>,
    template: Arc<Template>,
    hearing: Hearing,
    schedule: Schedule,
}

/// Atomics, so that a media thread never waits for this thread to let go of a lock.
struct Shared {
    arrivals: Mutex<Vec<Call>>,
    /// Something was told or shown since the thread last looked.
    rung: AtomicBool,
    over: AtomicBool,
    /// The thread has done all it could; for those who wait for it, media threads do not.
    asleep: Mutex<bool>,
    fell_asleep: Condvar,
    observer: Box<dyn Observer>,
}

impl Shared {
    /// By the thread: sleeps until it is rung for.
    fn wait(&self) {
        loop {
            let mut asleep = self.asleep.lock().unwrap_or_else(PoisonError::into_inner);
            *asleep = !self.rung.swap(false, Ordering::SeqCst);
            if !*asleep {
                return;
            }
            drop(asleep);
            self.fell_asleep.notify_all();
            // Whoever rings wakes it after that, and a wake that comes too early makes this return at once.
            std::thread::park();
        }
    }
}

/// A network at work. Dropping it ends its thread.
pub struct Engine {
    shared: Arc<Shared>,
    cost_micros: f64,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// Starts the thread; `open` runs on it, so that the network's own threads have its priority. Returns once the
    /// network has run.
    pub fn start(
        options: Options,
        observer: impl Observer + 'static,
        open: impl FnOnce() -> Result<Network, Wav2LipError> + Send + 'static,
    ) -> Result<Arc<Self>, Wav2LipError> {
        let shared = Arc::new(Shared {
            arrivals: Mutex::default(),
            rung: AtomicBool::default(),
            over: AtomicBool::default(),
            asleep: Mutex::default(),
            fell_asleep: Condvar::default(),
            observer: Box::new(observer),
        });
        let (tell, told) = mpsc::sync_channel(1);
        let theirs = shared.clone();
        let thread = spawn("wav2lip", Priority::Model, move || {
            let (mut network, cost) = match open().and_then(warmed_up) {
                Ok(ready) => ready,
                Err(error) => return drop(tell.send(Err(error))),
            };
            if tell.send(Ok(cost)).is_ok() {
                run(&theirs, &mut network, options);
            }
        })
        .map_err(Wav2LipError::Thread)?;
        match told.recv() {
            Ok(Ok(cost_micros)) => Ok(Arc::new(Self { shared, cost_micros, thread: Some(thread) })),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Wav2LipError::Thread(std::io::Error::other("it ended before the network had run"))),
        }
    }

    /// Microseconds that one frame took alone.
    pub fn cost_micros(&self) -> f64 {
        self.cost_micros
    }

    /// Makes the mouths of a call from now on, until `desk` is dropped.
    pub(super) fn serve(&self, desk: &Arc<Desk>, template: Arc<Template>) {
        let call = Call::new(desk, template, self.cost_micros);
        self.shared.arrivals.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        self.ring();
    }

    pub(super) fn ring(&self) {
        self.shared.rung.store(true, Ordering::SeqCst);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }

    pub(super) fn observe(&self, how: Option<Shown>) {
        self.shared.observer.shown(how);
    }

    /// Waits until all that can be made now is made.
    pub(super) fn wait(&self) {
        let mut asleep = self.shared.asleep.lock().unwrap_or_else(PoisonError::into_inner);
        // What was rung for is not done yet if the thread sleeps still.
        while !*asleep || self.shared.rung.load(Ordering::SeqCst) {
            asleep = self.shared.fell_asleep.wait(asleep).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        self.ring();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn warmed_up(mut network: Network) -> Result<(Network, f64), Wav2LipError> {
    let mut least = f64::MAX;
    for _ in 0..WARM_UP {
        let start = clock::now();
        network.push(&Window::default(), &Default::default());
        network.run(|_, _| {})?;
        least = least.min((clock::now() - start).as_secs_f64() * 1e6);
    }
    Ok((network, least))
}

fn run(shared: &Shared, network: &mut Network, options: Options) {
    let mut calls: Vec<Call> = Vec::new();
    let mut room = Room::default();
    let batch = options.batch.clamp(1, network.capacity());
    // A network that fails once may fail 25 times a second.
    let mut failures = 0_u64;
    loop {
        shared.wait();
        loop {
            if shared.over.load(Ordering::Acquire) {
                return;
            }
            calls.append(&mut shared.arrivals.lock().unwrap_or_else(PoisonError::into_inner));
            calls.retain(|call| call.desk.strong_count() > 0);
            let mut busy = 0;
            let others = room.busy.max(1) as f64;
            for call in &mut calls {
                let start = clock::now();
                // While others speak too, a frame takes that many times as long as it does alone.
                let spent = |_| (clock::now() - start).as_secs_f64() * 1e6 * others;
                match call.turn(network, batch, spent, &mut room) {
                    Ok(done) => busy += usize::from(done),
                    Err(error) => {
                        failures += 1;
                        if failures.is_power_of_two() {
                            shared.observer.failed(&error);
                        }
                    }
                }
            }
            room.busy = busy;
            if busy == 0 {
                break;
            }
        }
    }
}

/// Working memory of the thread.
#[derive(Default)]
struct Room {
    told: Vec<Told>,
    frames: Vec<u64>,
    window: Window,
    /// Calls for which something was made in the last round.
    busy: usize,
}

impl Call {
    fn new(desk: &Arc<Desk>, template: Arc<Template>, cost_micros: f64) -> Self {
        let (hearing, schedule) = (Hearing::default(), Schedule::new(cost_micros));
        Self { desk: Arc::downgrade(desk), template, hearing, schedule }
    }

    /// Makes one batch; false if there was nothing to do. `spent` tells how long so many frames took,
    /// in microseconds.
    fn turn(
        &mut self,
        network: &mut Network,
        batch: usize,
        spent: impl FnOnce(usize) -> f64,
        room: &mut Room,
    ) -> Result<bool, Wav2LipError> {
        let Some(desk) = self.desk.upgrade() else { return Ok(false) };
        let (now, lead) = desk.take(&mut room.told);
        for (at, pcm) in room.told.drain(..) {
            self.hearing.tell(at, &pcm)?;
            self.schedule.told(first_frame_changed(at));
        }
        self.hearing.forget_before(MediaTime(now * VIDEO_FRAME_TICKS));
        let hearing = &self.hearing;
        let settled = self.schedule.plan(now, batch, |frame| hearing.sounds(frame), &mut room.frames);
        let Some(settled) = settled else { return Ok(false) };
        desk.expect(settled.filter(|frame| hearing.sounds(*frame)));
        for frame in &room.frames {
            hearing.window(*frame, &mut room.window);
            network.push(&room.window, &self.template.at(frame.wrapping_add_signed(lead)).face);
        }
        network.run(|n, patch| desk.put(room.frames[n], patch))?;
        self.schedule.made(room.frames.len(), spent(room.frames.len()));
        Ok(true)
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
