//! The call once it is placed: what the caller says and when, and what it notes of all that comes back.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::bail;
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior};

use super::microphone::{Microphone, Recording};
use super::output::Output;
use super::received::{ReceivedSound, ReceivedVideo};
use super::turn::Turn;
use super::{CallOptions, CallReport, Utterance, since};
use crate::audio::OpusEncoder;
use crate::media::{AUDIO_FRAME, AudioPacket, MediaTime};
use crate::peer::PeerEvent;
use crate::peer::caller::{Arrived, Caller};

/// Connecting and greeting must be done by then.
const START_DEADLINE_MS: f64 = 20_000.0;
/// Pause between the end of an answer and the next question.
const PAUSE_MS: f64 = 300.0;
/// How long after the beginning of an answer it is talked over.
const TALK_OVER_AFTER_MS: f64 = 1_000.0;

/// What is said, loaded before the call.
pub(super) struct Script {
    lines: VecDeque<Line>,
    talk_over: Option<Recording>,
}

enum Line {
    Spoken(String, Recording),
    Typed(String),
}

impl Script {
    pub(super) fn read(options: &CallOptions) -> anyhow::Result<Self> {
        let line = |utterance: &Utterance| -> anyhow::Result<Line> {
            Ok(match utterance {
                Utterance::Spoken(path) => Line::Spoken(path.display().to_string(), Recording::read(path)?),
                Utterance::Typed(text) => Line::Typed(text.clone()),
            })
        };
        Ok(Self {
            lines: options.utterances.iter().map(line).collect::<Result<_, _>>()?,
            talk_over: options.talk_over.as_deref().map(Recording::read).transpose()?,
        })
    }
}

/// The call once it is placed. Returns the received sound.
pub(super) async fn converse(
    options: &CallOptions,
    script: Script,
    start: Instant,
    caller: &mut Caller,
    output: &mut Output,
    report: &mut CallReport,
) -> anyhow::Result<Vec<i16>> {
    let mut call = Conversation {
        options,
        script,
        microphone: Microphone::default(),
        encoder: OpusEncoder::new()?,
        position: MediaTime::ZERO,
        turn: None,
        next_line_at_ms: f64::INFINITY,
        talk_over_at_ms: f64::INFINITY,
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
        call.report.turns.push(turn.report);
    }
    Ok(call.sound.pcm)
}

/// The state of a call in progress.
struct Conversation<'a> {
    options: &'a CallOptions,
    script: Script,
    microphone: Microphone,
    encoder: OpusEncoder,
    position: MediaTime,
    turn: Option<Turn>,
    /// When the next line is said; infinite while an answer is waited for or the call is not ready.
    next_line_at_ms: f64,
    talk_over_at_ms: f64,
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
        let events = if now_ms >= self.next_line_at_ms { self.say_next(now_ms) } else { vec![] };
        if now_ms >= self.talk_over_at_ms
            && let Some(recording) = self.script.talk_over.take()
        {
            self.microphone.speak(recording);
        }
        let mut frame = [0; AUDIO_FRAME];
        let heard = self.microphone.frame(&mut frame);
        if heard.voice_ended
            && let Some(turn) = &mut self.turn
        {
            turn.voice_ended(now_ms);
        }
        let audio = AudioPacket { at: self.position, opus: self.encoder.encode(&frame)? };
        self.position = self.position + AUDIO_FRAME as u64;
        self.close_turn(now_ms);
        let linger_ms = self.options.linger.as_secs_f64() * 1000.0;
        let done = self.turn.is_none() && self.script.lines.is_empty() && now_ms >= self.next_line_at_ms + linger_ms;
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
        match self.script.lines.pop_front() {
            Some(Line::Spoken(name, recording)) => {
                self.turn = Some(Turn::new(name));
                self.microphone.speak(recording);
                vec![]
            }
            Some(Line::Typed(text)) => {
                let mut turn = Turn::new(text.clone());
                turn.voice_ended(now_ms);
                self.turn = Some(turn);
                let content = json!([{ "type": "input_text", "text": text }]);
                let item = json!({ "type": "message", "role": "user", "content": content });
                vec![
                    json!({ "type": "conversation.item.create", "item": item }),
                    json!({ "type": "response.create", "event_id": "caller_response" }),
                ]
            }
            None => vec![],
        }
    }

    fn close_turn(&mut self, now_ms: f64) {
        let Some(turn) = &mut self.turn else { return };
        if self.microphone.is_speaking() {
            return;
        }
        let last = self.script.lines.is_empty();
        let cut_short = self.options.hang_up_at_first_sound && last && turn.report.first_sound_after_ms.is_some();
        let timeout_ms = self.options.answer_timeout.as_secs_f64() * 1000.0;
        let late = turn.report.voice_ended_ms.is_some_and(|ended| now_ms - ended > timeout_ms);
        if !turn.is_over() && !cut_short && !late {
            return;
        }
        turn.report.timed_out = late && !turn.is_over();
        if let Some(turn) = self.turn.take() {
            self.report.turns.push(turn.report);
        }
        self.next_line_at_ms = now_ms + if last { 0.0 } else { PAUSE_MS };
    }

    /// False when the call is over.
    fn event(&mut self, now_ms: f64, event: PeerEvent) -> anyhow::Result<bool> {
        match event {
            PeerEvent::Connected => self.report.connected_ms = Some(now_ms),
            PeerEvent::Audio { sequence, timestamp, payload } => {
                let audible = self.sound.push(now_ms, sequence, timestamp, payload);
                if audible && let Some(turn) = &mut self.turn {
                    turn.audible(now_ms);
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
            Some("output_audio_buffer.started") if self.talk_over_at_ms.is_infinite() => {
                self.talk_over_at_ms = now_ms + TALK_OVER_AFTER_MS;
            }
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
