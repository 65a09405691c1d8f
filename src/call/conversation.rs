//! The call once it is placed: what the caller says and when, and what it notes of all that comes back.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::bail;
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior};

use super::microphone::Microphone;
use super::output::Output;
use super::pictures::ReceivedVideo;
use super::room::Room;
use super::script::{self, Line, Over, Said};
use super::sound::ReceivedSound;
use super::turn::Turn;
use super::{CallOptions, CallReport, since};
use crate::audio::OpusEncoder;
use crate::media::{AUDIO_FRAME, AudioPacket, MediaTime};
use crate::peer::PeerEvent;
use crate::peer::caller::{Arrived, Caller};

/// Connecting and greeting must be done by then.
const START_DEADLINE_MS: f64 = 20_000.0;
/// Pause between the end of an answer and the next question. In it nothing more may come of the turn: what was said
/// over an answer may still get one of its own.
const PAUSE_MS: f64 = 300.0;

/// The call once it is placed. Returns the received sound.
pub(super) async fn converse(
    options: &CallOptions,
    script: VecDeque<Line>,
    start: Instant,
    caller: &mut Caller,
    output: &mut Output,
    report: &mut CallReport,
) -> anyhow::Result<Vec<i16>> {
    let mut call = Conversation {
        options,
        script,
        microphone: Microphone::new(Room::new(options.noise_floor_db, options.echo)),
        encoder: OpusEncoder::new()?,
        position: MediaTime::ZERO,
        turn: None,
        over: None,
        enough_ms: None,
        over_since_ms: None,
        next_line_at_ms: f64::INFINITY,
        sound: ReceivedSound::new()?,
        video: ReceivedVideo::default(),
        output,
        report,
    };
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    // Late ticks are made up for, so that the sound stays in real time.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                let outgoing = call.tick(since(start))?;
                caller.peer.media.send_audio(outgoing.audio);
                for event in outgoing.events {
                    call.output.event(since(start), "client", &event)?;
                    caller.peer.send_text(event.to_string())?;
                }
                if outgoing.done {
                    break;
                }
            }
            event = caller.peer.events.recv() => {
                let Some(event) = event else { break };
                if !call.event(since(start), event)? {
                    break;
                }
            }
            Some(arrived) = caller.pictures.recv() => call.picture(start, arrived)?,
        }
    }
    call.report.video = call.video.report();
    call.report.audio = call.sound.report();
    if let Some(turn) = call.turn.take() {
        call.report.turns.push(turn.into_report());
    }
    Ok(call.sound.pcm)
}

/// The state of a call in progress.
struct Conversation<'a> {
    options: &'a CallOptions,
    script: VecDeque<Line>,
    microphone: Microphone,
    encoder: OpusEncoder,
    position: MediaTime,
    turn: Option<Turn>,
    /// What is still to be spoken over the turn's answer.
    over: Option<Over>,
    /// How much of it is enough.
    enough_ms: Option<f64>,
    /// Since when nothing more has come of the turn.
    over_since_ms: Option<f64>,
    /// When the next line is said; infinite while an answer is waited for or the call is not ready.
    next_line_at_ms: f64,
    sound: ReceivedSound,
    video: ReceivedVideo,
    output: &'a mut Output,
    report: &'a mut CallReport,
}

/// What one tick of 20 ms sends.
struct Outgoing {
    audio: AudioPacket,
    events: Vec<Value>,
    done: bool,
}

impl Conversation<'_> {
    fn tick(&mut self, now_ms: f64) -> anyhow::Result<Outgoing> {
        self.greet(now_ms)?;
        let mut events = if now_ms >= self.next_line_at_ms { self.say_next(now_ms) } else { vec![] };
        self.speak_over(now_ms);
        events.extend(self.end_answer(now_ms));
        let mut frame = [0; AUDIO_FRAME];
        let heard = self.microphone.frame(&mut frame);
        if let Some(turn) = &mut self.turn {
            if heard.voice_began {
                turn.recording_began(now_ms);
            }
            if heard.voice_ended {
                turn.recording_ended(now_ms);
            }
        }
        let audio = AudioPacket { at: self.position, opus: self.encoder.encode(&frame)? };
        self.position = self.position + AUDIO_FRAME as u64;
        events.extend(self.close_turn(now_ms));
        let linger_ms = self.options.linger.as_secs_f64() * 1000.0;
        let done = self.turn.is_none() && self.script.is_empty() && now_ms >= self.next_line_at_ms + linger_ms;
        Ok(Outgoing { audio, events, done })
    }

    /// The first line is due when the session has greeted us and, if there is video, a picture has come.
    fn greet(&mut self, now_ms: f64) -> anyhow::Result<()> {
        if !self.next_line_at_ms.is_infinite() || self.turn.is_some() {
            return Ok(());
        }
        let seen = !self.options.video || self.report.first_picture_ms.is_some();
        if self.report.connected_ms.is_some() && self.report.session_created_ms.is_some() && seen {
            self.next_line_at_ms = now_ms + PAUSE_MS;
        } else if now_ms > START_DEADLINE_MS {
            bail!(
                "the call did not start: connected {:?}, session.created {:?}, first picture {:?} (ms)",
                self.report.connected_ms,
                self.report.session_created_ms,
                self.report.first_picture_ms
            );
        }
        Ok(())
    }

    fn say_next(&mut self, now_ms: f64) -> Vec<Value> {
        if self.turn.is_some() {
            return vec![];
        }
        let Some(line) = self.script.pop_front() else { return vec![] };
        (self.over, self.enough_ms) = (line.over, line.enough_ms);
        match line.said {
            Said::Spoken(name, recording) => {
                self.turn = Some(Turn::new(name));
                self.microphone.speak(recording);
                vec![]
            }
            Said::Typed(text) => {
                let events = script::typed(&text);
                let mut turn = Turn::new(text);
                turn.voice_ended(now_ms);
                self.turn = Some(turn);
                events
            }
        }
    }

    /// What is to be spoken over the answer is due while that sounds, not in one of its pauses.
    fn speak_over(&mut self, now_ms: f64) {
        let Some(turn) = &mut self.turn else { return };
        let Some(sounding_ms) = turn.sounding_ms(now_ms) else { return };
        if let Some(over) = self.over.take_if(|over| sounding_ms >= over.after_ms) {
            turn.speak_over(over.name);
            self.microphone.speak(over.recording);
        }
    }

    /// Enough of the answer was heard.
    fn end_answer(&mut self, now_ms: f64) -> Vec<Value> {
        let Some(turn) = &mut self.turn else { return vec![] };
        let due = |enough_ms: &mut f64| turn.enough_from_ms().is_some_and(|from| now_ms >= from + *enough_ms);
        if self.over.is_some() || self.microphone.is_speaking() || self.enough_ms.take_if(due).is_none() {
            return vec![];
        }
        script::enough(turn.enough())
    }

    /// Goes on to the next line when nothing more comes of this one, or nothing came in time.
    fn close_turn(&mut self, now_ms: f64) -> Vec<Value> {
        let Some(turn) = &mut self.turn else { return vec![] };
        if self.microphone.is_speaking() {
            return vec![];
        }
        let last = self.script.is_empty();
        let cut_short = self.options.hang_up_at_first_sound && last && turn.report.first_sound_after_ms.is_some();
        let timeout_ms = self.options.answer_timeout.as_secs_f64() * 1000.0;
        let late = turn.report.voice_ended_ms.is_some_and(|ended| now_ms - ended > timeout_ms);
        if !turn.is_over() {
            self.over_since_ms = None;
        }
        let over = turn.is_over() && now_ms - *self.over_since_ms.get_or_insert(now_ms) >= PAUSE_MS;
        if !over && !cut_short && !late {
            return vec![];
        }
        turn.report.timed_out = late && !turn.is_over();
        // What was not answered in time shall not be answered in the middle of the next turn.
        let given_up = if turn.report.timed_out && !last { script::enough(turn.enough()) } else { vec![] };
        self.next_line_at_ms = if given_up.is_empty() { now_ms } else { now_ms + PAUSE_MS };
        if let Some(turn) = self.turn.take() {
            self.report.turns.push(turn.into_report());
        }
        self.over_since_ms = None;
        given_up
    }

    /// False when the call is over.
    fn event(&mut self, now_ms: f64, event: PeerEvent) -> anyhow::Result<bool> {
        match event {
            PeerEvent::Connected => self.report.connected_ms = Some(now_ms),
            PeerEvent::Audio { sequence, timestamp, payload } => {
                let before = self.sound.pcm.len();
                let heard = self.sound.push(now_ms, sequence, timestamp, payload);
                self.microphone.hear_speaker(&self.sound.pcm[before..]);
                if let (Some(heard), Some(turn)) = (heard, &mut self.turn) {
                    turn.heard(heard);
                }
            }
            PeerEvent::Text(text) => self.message(now_ms, &text)?,
            PeerEvent::Closed { reason } => {
                self.report.ended_by_server = Some(reason.to_string());
                return Ok(false);
            }
            PeerEvent::ChannelOpen | PeerEvent::KeyFrameWanted => {}
        }
        Ok(true)
    }

    fn message(&mut self, now_ms: f64, text: &str) -> anyhow::Result<()> {
        let event: Value = serde_json::from_str(text).unwrap_or_else(|_| json!({ "type": "unreadable", "text": text }));
        self.output.event(now_ms, "server", &event)?;
        self.report.events += 1;
        match event["type"].as_str() {
            Some("session.created") => {
                self.report.session_created_ms.get_or_insert(now_ms);
            }
            Some("error") => self.report.errors.push(event["error"]["message"].as_str().unwrap_or(text).to_owned()),
            Some("visavis.latency" | "visavis.barge_in") => self.report.ledger(&event),
            _ => {}
        }
        if let Some(turn) = &mut self.turn {
            turn.handle(now_ms, &event);
        }
        Ok(())
    }

    fn picture(&mut self, start: Instant, arrived: Arrived) -> anyhow::Result<()> {
        let at_ms = arrived.at.duration_since(start).as_secs_f64() * 1000.0;
        self.report.first_picture_ms.get_or_insert(at_ms);
        let picture = &arrived.picture;
        self.video.push(at_ms, picture.timestamp, picture.h264.len(), picture.key_frame, arrived.lost_packets);
        self.output.picture(at_ms, picture)
    }
}
