//! What a call works with: the server's configuration, and what the client set over it.

use std::sync::Arc;

use serde_json::Value;
use signaling::events::{ErrorBody, Modality, Session, TurnDetection};

use crate::avatars::{AvatarError, Avatars, Look};
use crate::config::{Config, TurnSettings};
use crate::dialogue::{self, LONGEST_ITEM, TurnEnd};
use crate::engines::Engines;
use crate::engines::ears::Detection;
use crate::engines::voices::{Choice, Voices};
use crate::hearing::hints::Source;
use crate::hearing::{Hints, Languages, UnknownLanguage, VadSettings};
use crate::memory::{ConversationId, valid_id};
use crate::voice::VoiceStyle;

#[derive(Clone, Debug)]
pub struct CallSettings {
    pub dialogue: dialogue::Settings,
    /// Manual with `turn_detection: null`: the client says when a turn is over.
    pub detection: Detection,
    /// What people may speak, before anything is heard.
    pub languages: Languages,
    /// Names and jargon of the session, of the configuration and of the persona.
    pub hints: Hints,
    pub style: VoiceStyle,
    /// Who speaks, in the order in which they are asked.
    pub voices: Choice,
    pub history_items: usize,
    /// What is said first.
    pub greeting: Option<String>,
    /// Who is seen.
    pub look: Look,
    /// The configuration's values, for what the client does not set.
    defaults: Defaults,
}

#[derive(Clone, Debug)]
struct Defaults {
    instructions: String,
    greeting: String,
    language: String,
    languages: Languages,
    hints: Vec<String>,
    vad: VadSettings,
    turn: TurnSettings,
    voices: Choice,
    avatar: String,
}

impl CallSettings {
    pub fn new(config: &Config, session: &Session) -> Result<Self, ErrorBody> {
        let languages = config.asr.languages(&config.language).map_err(unknown_language)?;
        let defaults = Defaults {
            instructions: config.llm.system_prompt.clone(),
            greeting: config.llm.greeting.clone(),
            language: config.language.clone(),
            languages: languages.clone(),
            hints: config.asr.hints.clone(),
            vad: config.vad,
            turn: config.turn,
            voices: config.tts.choice(),
            avatar: config.avatar.name.clone(),
        };
        let empty = dialogue::Settings {
            instructions: String::new(),
            language: String::new(),
            answers_speech: true,
            interruptible: true,
            text_only: false,
            turn_end: config.turn.end(None),
        };
        let settings = Self {
            dialogue: empty,
            detection: Detection { settings: defaults.vad, manual: false },
            languages,
            hints: Hints::default(),
            style: VoiceStyle::default(),
            voices: defaults.voices.clone(),
            history_items: config.llm.history_items,
            greeting: None,
            look: Look::of(&defaults.avatar),
            defaults,
        };
        settings.updated(session)
    }

    /// Loads what a call with these settings needs.
    pub fn prepare(&self, engines: &Engines) {
        engines.prepare(&self.languages, &self.voices, &self.dialogue.language);
    }

    /// The settings that a changed session asks for.
    pub fn updated(&self, session: &Session) -> Result<Self, ErrorBody> {
        let defaults = &self.defaults;
        let detection = session.turn_detection();
        let mut vad = defaults.vad;
        if let Some(detection) = detection {
            if let Some(threshold) = detection.threshold {
                vad.threshold = threshold as f32;
            }
            if let Some(padding) = detection.prefix_padding_ms {
                vad.prefix_padding_millis = padding.min(u32::MAX.into()) as u32;
            }
        }
        let turn_end =
            detection.map_or_else(|| defaults.turn.end(None), |detection| turn_end(&defaults.turn, detection));
        if let TurnEnd::Silence { millis } = turn_end {
            vad.pause_millis = vad.pause_millis.min(millis);
        }
        vad.validate().map_err(|reason| {
            ErrorBody::invalid("invalid_value", reason).with_param("session.audio.input.turn_detection")
        })?;
        let transcription = session.audio.input.transcription.as_ref();
        let spoken = transcription.and_then(|transcription| transcription.language.as_deref());
        let spoken = spoken.filter(|language| !language.is_empty());
        let languages = match spoken {
            Some(language) => Languages::only(language).map_err(unknown_language)?,
            None => defaults.languages.clone(),
        };
        let instructions = match session.instructions.as_str() {
            "" => defaults.instructions.clone(),
            instructions => instructions.to_owned(),
        };
        let look = Look::wanted(session.avatar.as_ref(), &defaults.avatar).map_err(|error| no_such_face(&error))?;
        let mut hints = Hints::default();
        hints.list(Source::Settings, &defaults.hints);
        hints.mentioned(Source::Persona, &instructions);
        hints.prompted(transcription.and_then(|transcription| transcription.prompt.as_deref()).unwrap_or_default());
        Ok(Self {
            dialogue: dialogue::Settings {
                instructions,
                language: spoken.map(primary_tag).unwrap_or_else(|| defaults.language.clone()),
                answers_speech: detection.is_some_and(|detection| detection.create_response),
                interruptible: detection.is_some_and(|detection| detection.interrupt_response),
                text_only: !session.output_modalities.contains(&Modality::Audio),
                turn_end,
            },
            detection: Detection { settings: vad, manual: detection.is_none() },
            languages,
            hints,
            style: VoiceStyle { speed: session.audio.output.speed as f32, ..VoiceStyle::default() },
            voices: voices(session.audio.output.voice.name(), &defaults.voices),
            history_items: self.history_items,
            greeting: greeting(session, &defaults.greeting)?,
            look,
            defaults: defaults.clone(),
        })
    }
}

/// Voices of OpenAI's own, which its clients ask for by default: the configured ones speak for them.
const OPENAI_VOICES: [&str; 10] =
    ["alloy", "ash", "ballad", "cedar", "coral", "echo", "marin", "sage", "shimmer", "verse"];

/// The id that the host page gives a conversation, so that it goes on when the visitor comes back.
pub fn conversation(session: &Session, guessable: bool) -> Result<Option<ConversationId>, ErrorBody> {
    let bad =
        |message: String| ErrorBody::invalid("invalid_value", message).with_param(format!("session.{CONVERSATION}"));
    match session.extra.get(CONVERSATION) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(id)) => valid_id(id, guessable).map(Some).map_err(|error| bad(format!("{error}."))),
        Some(_) => Err(bad("The conversation's id must be a text.".into())),
    }
}

/// It is given with the offer; a running call stays with its conversation.
pub fn check_conversation(now: &Session, changed: &Session) -> Result<(), ErrorBody> {
    if now.extra.get(CONVERSATION) == changed.extra.get(CONVERSATION) {
        return Ok(());
    }
    let message = "A call stays with its conversation: give the id with the offer of the next call.";
    Err(ErrorBody::invalid("invalid_value", message).with_param(format!("session.{CONVERSATION}")))
}

/// Field of the session.
const CONVERSATION: &str = "conversation_id";

/// What the face says first: the session's own words, else the configuration's.
fn greeting(session: &Session, configured: &str) -> Result<Option<String>, ErrorBody> {
    const PARAM: &str = "session.greeting";
    let text = match session.extra.get("greeting") {
        None | Some(Value::Null) => configured,
        Some(Value::String(text)) => text,
        Some(_) => {
            let message = "The greeting must be a text; an empty one is none.";
            return Err(ErrorBody::invalid("invalid_value", message).with_param(PARAM));
        }
    };
    if text.len() > LONGEST_ITEM {
        let message = format!("The greeting is longer than {LONGEST_ITEM} bytes: shorten it.");
        return Err(ErrorBody::invalid("string_above_max_length", message).with_param(PARAM));
    }
    Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}

/// Refuses a voice that nobody here has.
pub fn check_voice(voices: &Voices, session: &Session) -> Result<(), ErrorBody> {
    known_voice(voices, session.audio.output.voice.name(), "session.audio.output.voice").map(drop)
}

/// The voice that a client means by this name; `None`: the configured ones. `param`: where the name stands.
pub fn known_voice(voices: &Voices, name: &str, param: &str) -> Result<Option<Arc<str>>, ErrorBody> {
    if OPENAI_VOICES.contains(&name) {
        return Ok(None);
    }
    if voices.knows(name) {
        return Ok(Some(name.into()));
    }
    let names: Vec<Arc<str>> = voices.list().into_iter().map(|listed| listed.name).collect();
    let message = format!("There is no voice called \"{name}\" here; there are {}.", names.join(", "));
    Err(ErrorBody::invalid("invalid_value", message).with_param(param))
}

/// Refuses a face that nobody here has.
pub fn check_face(avatars: &Avatars, session: &Session) -> Result<(), ErrorBody> {
    let look = Look::wanted(session.avatar.as_ref(), "").map_err(|error| no_such_face(&error))?;
    if look.name.is_empty() || avatars.knows(&look.name) {
        return Ok(());
    }
    Err(no_such_face(&avatars.unknown(&look.name)))
}

/// Tells of a face that cannot be shown.
pub fn no_such_face(error: &AvatarError) -> ErrorBody {
    ErrorBody::invalid("invalid_value", format!("{error}.")).with_param("session.avatar")
}

/// The session's voice before the configured ones; one that is not here is passed over.
fn voices(chosen: &str, configured: &Choice) -> Choice {
    let others = configured.iter().filter(|name| &***name != chosen).cloned();
    std::iter::once(Arc::from(chosen)).chain(others).collect()
}

fn unknown_language(error: UnknownLanguage) -> ErrorBody {
    let message = format!("{error}: give a code of ISO 639-1 such as \"en\" or \"zh\".");
    ErrorBody::invalid("invalid_value", message).with_param("session.audio.input.transcription.language")
}

/// `server_vad` ends a turn by silence alone, everything else by the thought.
fn turn_end(turn: &TurnSettings, detection: &TurnDetection) -> TurnEnd {
    if detection.kind == "server_vad" {
        let millis = detection.silence_duration_ms.unwrap_or(turn.silence_millis.into());
        return TurnEnd::Silence { millis: millis.min(u32::MAX.into()) as u32 };
    }
    turn.thought(detection.eagerness.as_deref())
}

/// `en` of `en-US`.
fn primary_tag(language: &str) -> String {
    language.split(['-', '_']).next().unwrap_or_default().to_lowercase()
}
