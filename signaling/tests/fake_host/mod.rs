//! A host without media: it answers every offer with the same text and remembers what it was asked.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Bytes, HttpBody};
use serde_json::json;
use visavis_signaling::events::{ErrorBody, JsonObject, Session};
use visavis_signaling::{
    Avatar, CallAnswer, CallCounts, CallOffer, Clip, HostError, OfferedModel, OfferedVoice, Persona, SessionHost,
    SignalingSettings, SpeechWanted, Status, router,
};

#[derive(Default)]
pub struct FakeHost {
    seconds: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    offers: Vec<CallOffer>,
    active: bool,
    refusal: Option<HostError>,
    unready: Option<String>,
    forgotten: Vec<String>,
    speech: Option<SpeechWanted>,
}

impl FakeHost {
    pub const ANSWER: &str = "v=0\r\no=fake 0 0 IN IP4 127.0.0.1\r\n";
    /// Seconds since 1970 when a test begins.
    pub const NOW: u64 = 1_756_310_470;

    pub fn last_offer(&self) -> CallOffer {
        self.state.lock().unwrap().offers.last().expect("no offer arrived").clone()
    }

    pub fn offers(&self) -> usize {
        self.state.lock().unwrap().offers.len()
    }

    pub fn forgotten(&self) -> Vec<String> {
        self.state.lock().unwrap().forgotten.clone()
    }

    pub fn last_speech(&self) -> SpeechWanted {
        self.state.lock().unwrap().speech.clone().expect("nothing was to be said")
    }

    pub fn refuse(&self, error: HostError) {
        self.state.lock().unwrap().refusal = Some(error);
    }

    pub fn unready(&self, reason: &str) {
        self.state.lock().unwrap().unready = Some(reason.to_owned());
    }

    pub fn advance_seconds(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::Relaxed);
    }
}

fn avatar(id: &str, built_in: bool) -> Avatar {
    Avatar {
        id: id.into(),
        object: "avatar",
        name: String::new(),
        kind: "drawn".into(),
        author: String::new(),
        licence: String::new(),
        built_in,
        default: built_in,
    }
}

impl SessionHost for FakeHost {
    async fn create_call(&self, offer: CallOffer) -> Result<CallAnswer, HostError> {
        let mut state = self.state.lock().unwrap();
        if let Some(error) = &state.refusal {
            return Err(error.clone());
        }
        state.offers.push(offer);
        state.active = true;
        Ok(CallAnswer { call_id: "rtc_fake".into(), sdp: Self::ANSWER.into() })
    }

    async fn hang_up(&self, call_id: &str) -> Result<(), HostError> {
        let mut state = self.state.lock().unwrap();
        if call_id == "rtc_fake" && std::mem::take(&mut state.active) { Ok(()) } else { Err(HostError::NotFound) }
    }

    async fn forget(&self, conversation: &str) -> Result<(), HostError> {
        self.state.lock().unwrap().forgotten.push(conversation.to_owned());
        Ok(())
    }

    async fn avatars(&self) -> Result<Vec<Avatar>, HostError> {
        Ok(vec![avatar("woman", true)])
    }

    async fn avatar_picture(&self, id: &str) -> Result<Vec<u8>, HostError> {
        if id == "woman" { Ok(b"a picture".to_vec()) } else { Err(HostError::NoAvatar) }
    }

    async fn avatar_clip(&self, id: &str) -> Result<Clip, HostError> {
        let clip = || Clip { mp4: Bytes::from_static(b"a clip"), tag: "abc1".into() };
        if id == "woman" { Ok(clip()) } else { Err(HostError::NoAvatar) }
    }

    async fn add_avatar(&self, photo: Vec<u8>) -> Result<Avatar, HostError> {
        if photo == b"a face" {
            return Ok(avatar("sent_1", false));
        }
        Err(ErrorBody::invalid("no_face", "no face was found.").into())
    }

    async fn remove_avatar(&self, id: &str) -> Result<(), HostError> {
        if id == "sent_1" { Ok(()) } else { Err(HostError::NoAvatar) }
    }

    fn voices(&self) -> Vec<OfferedVoice> {
        vec![OfferedVoice {
            id: "joe".into(),
            object: "voice",
            name: "Joe".into(),
            languages: vec!["en-US".into()],
            default: true,
        }]
    }

    fn models(&self) -> Vec<OfferedModel> {
        vec![OfferedModel { id: "m".into(), object: "model", created: Self::NOW, owned_by: "local".into() }]
    }

    async fn speak(&self, wanted: SpeechWanted) -> Result<Vec<i16>, HostError> {
        let mut state = self.state.lock().unwrap();
        if let Some(error) = &state.refusal {
            return Err(error.clone());
        }
        state.speech = Some(wanted);
        Ok(vec![1, -2, 300])
    }

    fn default_session(&self) -> Session {
        Session::new("sess_default", "avatar", "joe")
    }

    fn status(&self) -> Status {
        Status {
            version: "0.0.0".into(),
            uptime_seconds: 3,
            calls: CallCounts { active: 0, limit: 4, total: 0 },
            engines: [("asr".into(), "fake".into())].into(),
            features: vec!["say".into()],
            languages: vec!["en".into(), "zh".into()],
            conversation_days: Some(30),
            persona: Persona { greeting: "Hello!".into() },
            extra: JsonObject::from_iter([("memory_mib".into(), json!(12))]),
        }
    }

    fn readiness(&self) -> Result<(), String> {
        self.state.lock().unwrap().unready.clone().map_or(Ok(()), Err)
    }

    fn metrics_text(&self) -> String {
        "fake_calls 0\n".into()
    }
}

pub fn server() -> (Router, Arc<FakeHost>) {
    server_with(|_| {})
}

pub fn server_with(change: impl FnOnce(&mut SignalingSettings)) -> (Router, Arc<FakeHost>) {
    let host = Arc::new(FakeHost::default());
    let clock = host.clone();
    let mut settings = SignalingSettings::new(Arc::new(move || FakeHost::NOW + clock.seconds.load(Ordering::Relaxed)));
    change(&mut settings);
    (router(host.clone(), settings), host)
}

/// A body whose first byte never arrives.
pub struct NeverBody;

impl HttpBody for NeverBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}
