//! A call as a browser has it: it asks for texts to be said, and keeps sound and pictures as they come, each picture
//! decoded and its mouth measured.

use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use image::RgbImage;
use serde_json::{Value, json};
use visavis::clock;
use visavis::peer::caller::{Arrived, Caller, Wish};
use visavis::peer::{PeerEvent, PeerSettings};
use visavis::video::H264Decoder;

use super::clocks::Clocks;
use super::ear::{Ear, Sound};
use super::opening::{FACE, opening};
use super::sheet;

/// Nothing that is waited for takes longer.
const PATIENCE: Duration = Duration::from_secs(120);
/// After the last sound its last pictures come.
const TAIL: Duration = Duration::from_millis(400);

/// A picture that was received.
#[derive(Clone, Debug)]
pub struct Seen {
    /// RTP time, and the reports by which it is placed.
    pub rtp: u32,
    pub clocks: Option<Clocks>,
    pub arrived: Instant,
    /// In pixels; `None` for a picture that cannot be decoded.
    pub opening: Option<f64>,
    /// To be looked at.
    pub part: Option<RgbImage>,
}

/// What was received from a question to the end of its answer.
#[derive(Clone, Debug, Default)]
pub struct Received {
    pub sound: Sound,
    pub pictures: Vec<Seen>,
}

pub struct Call {
    caller: Caller,
    ear: Ear,
    eye: H264Decoder,
    pictures: Vec<Seen>,
    url: String,
    ended: bool,
    keeps_parts: bool,
}

impl Call {
    /// `keeps_parts`: what is around the mouth is kept of each picture, 48 kB.
    pub async fn open(server: &str, keeps_parts: bool) -> anyhow::Result<Self> {
        let (caller, offer) = Caller::offer(&PeerSettings::default(), Wish::default()).await?;
        let session = json!({ "avatar": { "type": "video-avatar", "character": FACE } });
        let form = reqwest::multipart::Form::new().text("sdp", offer).text("session", session.to_string());
        let answer = reqwest::Client::new().post(format!("{server}/v1/realtime/calls")).multipart(form).send().await?;
        let answer = answer.error_for_status().context("the server does not take the call")?;
        let location = answer.headers().get("location").and_then(|value| value.to_str().ok());
        let url = format!("{server}{}", location.context("the answer names no call")?);
        caller.accept(&answer.text().await?).await?;
        let (ear, eye) = (Ear::new()?, H264Decoder::new()?);
        let mut call = Self { caller, ear, eye, pictures: Vec::new(), url, ended: false, keeps_parts };
        call.until("session.created", |event| event["type"] == "session.created").await?;
        call.caller.request_key_frame();
        Ok(call)
    }

    /// Has this said and returns all that came meanwhile.
    pub async fn say(&mut self, text: &str) -> anyhow::Result<Received> {
        self.take();
        let item = json!({ "type": "message", "role": "user", "content": [{ "type": "input_text", "text": text }] });
        self.send(&json!({ "type": "conversation.item.create", "item": item }))?;
        self.send(&json!({ "type": "response.create" }))?;
        let said = self.until("the text", |event| event["type"] == "response.output_audio_transcript.done").await?;
        if said["transcript"] != text {
            bail!("{text:?} was to be said, it said {}", said["transcript"]);
        }
        let id = said["response_id"].clone();
        let over = |event: &Value| event["type"] == "output_audio_buffer.stopped" && event["response_id"] == id;
        self.until("the end of the sound", over).await?;
        self.watch_until(clock::now() + TAIL).await?;
        Ok(self.take())
    }

    /// Takes what comes until then.
    pub async fn watch_until(&mut self, end: Instant) -> anyhow::Result<()> {
        tokio::time::timeout_at(end.into(), self.watch()).await.map_or(Ok(()), Err)
    }

    /// Takes what comes; returns why no more will.
    pub async fn watch(&mut self) -> anyhow::Error {
        while !self.ended {
            if let Err(error) = self.step().await {
                return error;
            }
        }
        anyhow!("the server ended the call")
    }

    /// All that came since the last time.
    pub fn take(&mut self) -> Received {
        Received { sound: self.ear.take(), pictures: std::mem::take(&mut self.pictures) }
    }

    fn send(&self, event: &Value) -> anyhow::Result<()> {
        Ok(self.caller.peer.send_text(event.to_string())?)
    }

    async fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let waiting = async {
            while !self.ended {
                match self.step().await? {
                    Some(event) if wanted(&event) => return Ok(event),
                    Some(event) if event["type"] == "error" => bail!("instead of {what}: {event}"),
                    _ => {}
                }
            }
            bail!("the call ended before {what}")
        };
        tokio::time::timeout(PATIENCE, waiting).await.with_context(|| format!("{what} never came"))?
    }

    async fn step(&mut self) -> anyhow::Result<Option<Value>> {
        tokio::select! {
            Some(arrived) = self.caller.pictures.recv() => self.see(arrived),
            event = self.caller.peer.events.recv() => match event {
                Some(PeerEvent::Text(text)) => return Ok(Some(serde_json::from_str(&text)?)),
                Some(PeerEvent::Audio { sequence, timestamp, payload }) => {
                    self.ear.push(clock::now(), sequence, timestamp, payload);
                }
                Some(PeerEvent::Closed { .. }) | None => self.ended = true,
                Some(_) => {}
            },
        }
        Ok(None)
    }

    fn see(&mut self, arrived: Arrived) {
        let decoded = self.eye.decode(&arrived.picture.h264).ok().flatten();
        if decoded.is_none() {
            self.caller.request_key_frame();
        }
        self.pictures.push(Seen {
            rtp: arrived.picture.timestamp,
            clocks: Clocks::of(&self.caller.sender_times()),
            arrived: arrived.at.into_std(),
            opening: decoded.as_ref().map(opening),
            part: decoded.as_ref().filter(|_| self.keeps_parts).map(sheet::part),
        });
    }

    pub async fn close(self) -> anyhow::Result<()> {
        reqwest::Client::new().post(format!("{}/hangup", self.url)).send().await?;
        self.caller.close().await;
        Ok(())
    }
}
