//! A scripted caller for tests: sends texts, asks questions, and keeps everything that came back.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use visavis::audio::{Inbound, OpusEncoder};
use visavis::media::{AUDIO_FRAME, AudioPacket, I420, MEDIA_HZ, MediaTime};
use visavis::peer::caller::{Caller, Picture, Wish};
use visavis::peer::{PeerEvent, PeerSettings};
use visavis::video::H264Decoder;

use crate::server::Server;

/// A call that takes longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(120);
/// Loudness (mean square of 16-bit samples) from which 20 ms count as heard.
const AUDIBLE: f64 = 200.0 * 200.0;

#[derive(Default)]
pub struct Script(Vec<Step>);

enum Step {
    Send(String),
    Ask(String),
    Offer(String),
    HangUp,
}

impl Script {
    /// Sends a raw message over the data channel.
    pub fn send(mut self, text: impl Into<String>) -> Self {
        self.0.push(Step::Send(text.into()));
        self
    }

    /// Types a question and waits until its answer has been played, or given up.
    pub fn ask(mut self, text: impl Into<String>) -> Self {
        self.0.push(Step::Ask(text.into()));
        self
    }

    /// Posts another offer while this call is up.
    pub fn offer(mut self, url: impl Into<String>) -> Self {
        self.0.push(Step::Offer(url.into()));
        self
    }

    /// Asks the server to end the call, rather than just leaving.
    pub fn hang_up(mut self) -> Self {
        self.0.push(Step::HangUp);
        self
    }
}

pub struct Refusal {
    pub status: u16,
    pub retry_after: Option<String>,
    pub body: String,
}

#[derive(Default)]
pub struct Report {
    pub events: Vec<Value>,
    pub refusals: Vec<Refusal>,
    pub pictures: usize,
    /// The last one, for a call that watches, and whether any said that a machine made it.
    pub seen: Option<I420>,
    pub marked: bool,
    pub pcm: Vec<i16>,
    pub ended_by_server: bool,
}

impl Report {
    pub fn events<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.events.iter().filter(move |event| event["type"] == kind)
    }

    /// Text of each answer, in order.
    pub fn answers(&self) -> Vec<String> {
        let done = self.events("response.output_audio_transcript.done");
        done.map(|event| event["transcript"].as_str().unwrap().to_owned()).collect()
    }

    pub fn audible_seconds(&self) -> f64 {
        let frames = self.pcm.chunks(960);
        let loud = frames.filter(|f| f.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / f.len() as f64 > AUDIBLE);
        loud.count() as f64 * 0.02
    }
}

pub async fn offer() -> String {
    let (caller, offer) = Caller::offer(&PeerSettings::default(), Wish::default()).await.unwrap();
    caller.close().await;
    offer
}

/// The form that browsers send.
async fn post(server: &Server, offer: &str, session: &Value) -> reqwest::Response {
    let form = reqwest::multipart::Form::new().text("sdp", offer.to_owned()).text("session", session.to_string());
    let calls = format!("{}/v1/realtime/calls", server.url);
    reqwest::Client::new().post(&calls).multipart(form).send().await.unwrap()
}

/// A call in progress.
pub struct Call {
    /// Decodes what comes, for a test that looks at it.
    eye: Option<H264Decoder>,
    caller: Caller,
    inbound: Inbound,
    url: String,
    pub report: Report,
}

impl Call {
    /// Calls and waits for the session.
    pub async fn open(server: &Server) -> Self {
        Self::open_with(server, &json!({})).await
    }

    /// Calls with these changes to the session.
    pub async fn open_with(server: &Server, session: &Value) -> Self {
        let (caller, offer) = Caller::offer(&PeerSettings::default(), Wish::default()).await.unwrap();
        let answer = post(server, &offer, session).await;
        assert_eq!(answer.status(), 201);
        let location = answer.headers()["location"].to_str().unwrap().to_owned();
        caller.accept(&answer.text().await.unwrap()).await.unwrap();
        let url = format!("{}{location}", server.url);
        let mut call = Self { eye: None, caller, inbound: Inbound::new().unwrap(), url, report: Report::default() };
        call.until("session.created", |event| event["type"] == "session.created").await;
        call
    }

    /// Status and text of the answer to an offer that is not to be taken.
    pub async fn refused_with(server: &Server, session: &Value) -> (u16, String) {
        let answer = post(server, &offer().await, session).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub fn send(&self, text: impl Into<String>) {
        self.caller.peer.send_text(text.into()).unwrap();
    }

    /// Takes what comes until this event; panics if it never does.
    pub async fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let last = tokio::time::timeout(PATIENCE, async {
            loop {
                match self.step().await {
                    Some(event) if wanted(&event) => return Some(event),
                    Some(_) => {}
                    None if self.report.ended_by_server => return None,
                    None => {}
                }
            }
        })
        .await;
        let kinds = || self.report.events.iter().map(|event| event["type"].to_string()).collect::<Vec<_>>().join(" ");
        match last {
            Ok(Some(event)) => event,
            Ok(None) => panic!("the call ended before {what}; it brought {}", kinds()),
            Err(_) => panic!("{what} never came; there were {}", kinds()),
        }
    }

    /// Takes one thing that comes; an event is returned too.
    async fn step(&mut self) -> Option<Value> {
        tokio::select! {
            Some(arrived) = self.caller.pictures.recv() => self.see(&arrived.picture),
            event = self.caller.peer.events.recv() => match event {
                Some(PeerEvent::Text(text)) => {
                    let event: Value = serde_json::from_str(&text).unwrap();
                    self.report.events.push(event.clone());
                    return Some(event);
                }
                Some(PeerEvent::Audio { sequence, timestamp, payload }) => self.hear(sequence, timestamp, payload),
                Some(PeerEvent::Closed { .. }) | None => self.report.ended_by_server = true,
                Some(_) => {}
            },
        }
        None
    }

    /// Decodes pictures from the next key frame on.
    pub fn watch(&mut self) {
        self.eye = Some(H264Decoder::new().unwrap());
        self.caller.request_key_frame();
    }

    fn see(&mut self, picture: &Picture) {
        self.report.pictures += 1;
        let Some(eye) = &mut self.eye else { return };
        let text = b"digitalSourceType=";
        self.report.marked |= picture.h264.windows(text.len()).any(|window| window == text);
        // Nothing is seen before the first key frame.
        if let Ok(Some(seen)) = eye.decode(&picture.h264) {
            self.report.seen = Some(seen);
        }
    }

    /// Takes what comes until a picture was decoded of which this is true.
    pub async fn until_seen(&mut self, what: &str, wanted: impl Fn(&I420) -> bool) {
        let seen = async {
            while !self.report.seen.take().is_some_and(|seen| wanted(&seen)) {
                self.step().await;
            }
        };
        tokio::time::timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("{what} was never seen"));
    }

    fn hear(&mut self, sequence: u16, timestamp: u32, payload: Bytes) {
        self.inbound.push(sequence, timestamp, payload, &mut self.report.pcm);
    }

    /// Speaks a recording, one packet each 20 ms, then sends nothing any more.
    pub async fn speak(&mut self, recording: &Path) {
        let mut encoder = OpusEncoder::new().unwrap();
        let mut reader = hound::WavReader::open(recording).unwrap();
        let repeat = MEDIA_HZ / reader.spec().sample_rate;
        let samples = reader.samples::<i16>().map(Result::unwrap);
        // Repeating samples is a poor resampler, and good enough for a speech recogniser.
        let pcm: Vec<i16> = samples.flat_map(|sample| std::iter::repeat_n(sample, repeat as usize)).collect();
        let mut beat = tokio::time::interval(Duration::from_millis(20));
        for (n, frame) in pcm.chunks_exact(AUDIO_FRAME).enumerate() {
            beat.tick().await;
            let opus = encoder.encode(frame).unwrap();
            self.caller.peer.media.send_audio(AudioPacket { at: MediaTime((n * AUDIO_FRAME) as u64), opus });
        }
    }

    /// Types a question and waits for the end of its answer's text.
    pub async fn ask_for_text(&mut self, text: &str) -> Value {
        let item = json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]});
        self.send(json!({"type": "conversation.item.create", "item": item}).to_string());
        self.send(json!({"type": "response.create"}).to_string());
        self.until("response.done", |event| event["type"] == "response.done").await
    }

    /// Types a question and waits for the end of its answer.
    pub async fn ask(&mut self, text: &str) {
        let done = self.ask_for_text(text).await;
        let id = done["response"]["id"].clone();
        let over = |event: &Value| {
            event["response_id"] == id
                && matches!(event["type"].as_str(), Some("output_audio_buffer.stopped" | "output_audio_buffer.cleared"))
        };
        self.until("the end of the answer's sound", over).await;
    }

    /// Takes what comes until the server ends the call.
    pub async fn until_ended(&mut self) {
        let ended = async {
            while !self.report.ended_by_server {
                self.step().await;
            }
        };
        tokio::time::timeout(PATIENCE, ended).await.expect("the server ends the call");
    }

    pub async fn hang_up(&mut self) {
        let answer = reqwest::Client::new().post(format!("{}/hangup", self.url)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }

    pub async fn close(self) -> Report {
        self.caller.close().await;
        self.report
    }
}

/// Runs a script in a call of its own.
pub async fn talk(server: &Server, script: Script) -> Report {
    let mut call = Call::open(server).await;
    for step in script.0 {
        match step {
            Step::Send(text) => call.send(text),
            Step::Ask(text) => call.ask(&text).await,
            Step::HangUp => {
                call.hang_up().await;
                call.until_ended().await;
                // A call that is over may be hung up.
                call.hang_up().await;
            }
            Step::Offer(url) => {
                let request = reqwest::Client::new().post(url).header("content-type", "application/sdp");
                let answer = request.body(offer().await).send().await.unwrap();
                let retry_after = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
                let status = answer.status().as_u16();
                call.report.refusals.push(Refusal { status, retry_after, body: answer.text().await.unwrap() });
            }
        }
    }
    call.close().await
}

/// Types these questions one after the other.
pub async fn typed(server: &Server, questions: &[&str]) -> Report {
    talk(server, questions.iter().fold(Script::default(), |script, question| script.ask(*question))).await
}
