//! A partial update of the session, and the rules by which it meets the session that is there.
//!
//! A patch is kept as the client wrote it, since "absent" (keep) and `null` (switch off) must stay apart and
//! fields that nobody here knows must survive. It is merged as JSON and only then read into the typed
//! [`Session`], so that one set of types and checks holds for every way in.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::map::Entry;

use super::{JsonObject, Session};
use crate::error::{ErrorBody, clip, shape_error};

/// Fields of the server's own: a client that sends a whole session back does not mean to change them.
const OWNED_BY_SERVER: &[&str] = &["type", "object", "id", "expires_at"];

/// Objects whose fields are set one by one; any other object is replaced whole.
const MERGED: &[&str] = &["audio", "audio.input", "audio.output", "audio.input.transcription"];

/// Objects whose fields are set one by one while their `type` stays; with another type they are replaced.
const MERGED_WITHIN_TYPE: &[&str] = &["audio.input.turn_detection", "avatar"];

/// Known fields for which `null` has no meaning: it leaves them as they are.
const NEVER_NULL: &[&str] = &[
    "model",
    "output_modalities",
    "instructions",
    "tool_choice",
    "max_output_tokens",
    "truncation",
    "audio",
    "audio.input",
    "audio.output",
    "audio.input.format",
    "audio.output.format",
    "audio.output.voice",
    "audio.output.speed",
];

/// What a client wants changed in a session; its default changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SessionPatch(JsonObject);

impl SessionPatch {
    /// Reads the JSON text of a session.
    pub fn parse(json: &[u8]) -> Result<Self, ErrorBody> {
        let value = serde_json::from_slice(json).map_err(|error| {
            ErrorBody::invalid("invalid_json", format!("The session is not JSON: {error}.")).with_param("session")
        })?;
        Self::from_value(value)
    }

    /// Checks only that it is an object of type `realtime`; fields are checked against the session they change.
    pub fn from_value(value: Value) -> Result<Self, ErrorBody> {
        let Value::Object(fields) = value else {
            let error = ErrorBody::invalid("invalid_value", "The session must be a JSON object.");
            return Err(error.with_param("session"));
        };
        match fields.get("type") {
            None | Some(Value::Null) => Ok(Self(fields)),
            Some(Value::String(kind)) if kind == "realtime" => Ok(Self(fields)),
            Some(other) => {
                let message =
                    format!("This server has sessions of type 'realtime' only, not {}.", clip(&other.to_string(), 64));
                Err(ErrorBody::invalid("invalid_value", message).with_param("session.type"))
            }
        }
    }

    /// Both changes as one, `later` last.
    pub fn then(mut self, later: SessionPatch) -> Self {
        merge(&mut self.0, &later.0, "");
        self
    }

    pub fn is_empty(&self) -> bool {
        self.0.keys().all(|name| OWNED_BY_SERVER.contains(&name.as_str()))
    }
}

impl<'de> Deserialize<'de> for SessionPatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl Session {
    /// Changes what the patch names and nothing else; on an error the session stays as it was.
    pub fn apply(&mut self, patch: &SessionPatch) -> Result<(), ErrorBody> {
        let unwritable = |error: serde_json::Error| {
            ErrorBody::server("internal_error", format!("The session is unwritable: {error}."))
        };
        let Value::Object(mut fields) = serde_json::to_value(&*self).map_err(unwritable)? else {
            return Err(ErrorBody::server("internal_error", "The session is not an object."));
        };
        merge(&mut fields, &patch.0, "");
        let changed: Self =
            serde_path_to_error::deserialize(Value::Object(fields)).map_err(|error| shape_error("session", error))?;
        changed.validate()?;
        *self = changed;
        Ok(())
    }
}

/// Merges `patch` into `target`, both standing at `path`. Depth is bounded by the paths named above.
fn merge(target: &mut JsonObject, patch: &JsonObject, path: &str) {
    for (name, new) in patch {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if OWNED_BY_SERVER.contains(&path.as_str()) {
            continue;
        }
        match (target.entry(name.clone()), new) {
            (_, Value::Null) if NEVER_NULL.contains(&path.as_str()) => {}
            (entry, Value::Null) if path == "tools" => set(entry, Value::Array(Vec::new())),
            (Entry::Occupied(mut old), Value::Object(new)) if merges(&path, old.get(), new) => {
                if let Value::Object(old) = old.get_mut() {
                    merge(old, new, &path);
                }
            }
            (entry, new) => set(entry, new.clone()),
        }
    }
}

/// Whether the fields of `new` are set one by one in `old`.
fn merges(path: &str, old: &Value, new: &JsonObject) -> bool {
    let Value::Object(old) = old else { return false };
    let same_type = match (old.get("type"), new.get("type")) {
        (Some(old), Some(new)) => old == new,
        _ => true,
    };
    MERGED.contains(&path) || (MERGED_WITHIN_TYPE.contains(&path) && same_type)
}

fn set(entry: Entry<'_>, value: Value) {
    match entry {
        Entry::Occupied(mut old) => {
            old.insert(value);
        }
        Entry::Vacant(place) => {
            place.insert(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::events::{MaxOutputTokens, Modality, TurnDetection};

    fn session() -> Session {
        Session::new("sess_1", "avatar", "joe")
    }

    fn patch(value: Value) -> SessionPatch {
        SessionPatch::from_value(value).unwrap()
    }

    fn echo(session: &Session) -> Value {
        serde_json::to_value(session).unwrap()
    }

    #[test]
    fn the_echo_has_every_field_that_clients_look_for() {
        let echo = echo(&session());
        for name in [
            "type",
            "object",
            "id",
            "model",
            "output_modalities",
            "instructions",
            "tools",
            "tool_choice",
            "max_output_tokens",
            "audio",
            "tracing",
            "truncation",
            "expires_at",
            "include",
        ] {
            assert!(echo.get(name).is_some(), "{name} is missing");
        }
        for name in ["format", "transcription", "noise_reduction", "turn_detection"] {
            assert!(echo["audio"]["input"].get(name).is_some(), "audio.input.{name} is missing");
        }
        for name in ["format", "voice", "speed"] {
            assert!(echo["audio"]["output"].get(name).is_some(), "audio.output.{name} is missing");
        }
    }

    #[test]
    fn the_update_of_the_stock_client_is_accepted_and_echoed() {
        let mut session = session();
        let update = json!({"type": "realtime", "instructions": "Be brief.", "model": "gpt-realtime",
            "output_modalities": ["audio"], "tracing": "auto", "tools": [{"type": "function", "name": "lookup",
            "description": "d", "parameters": {"type": "object"}, "strict": true}],
            "audio": {"input": {"format": {"type": "audio/pcm", "rate": 24000}, "noise_reduction": null,
                "transcription": {"model": "gpt-4o-mini-transcribe"}, "turn_detection": {"type": "semantic_vad"}},
                "output": {"format": {"type": "audio/pcmu"}, "voice": "ash", "speed": 1}}});
        session.apply(&patch(update.clone())).unwrap();
        let echo = echo(&session);
        assert_eq!(echo["model"], "gpt-realtime");
        assert_eq!(echo["tracing"], "auto");
        assert_eq!(echo["tools"], update["tools"]);
        assert_eq!(echo["audio"]["output"]["format"], update["audio"]["output"]["format"]);
        assert_eq!(echo["audio"]["output"]["voice"], "ash");
        assert_eq!(session.turn_detection().unwrap().kind, "semantic_vad");
    }

    #[test]
    fn what_a_patch_does_not_name_stays() {
        let mut session = session();
        session.apply(&patch(json!({"audio": {"input": {"transcription": {"language": "de"}}}}))).unwrap();
        session.apply(&patch(json!({"audio": {"input": {"transcription": {"model": "whisper"}}}}))).unwrap();
        let transcription = session.audio.input.transcription.clone().unwrap();
        assert_eq!((transcription.language.as_deref(), transcription.model.as_deref()), (Some("de"), Some("whisper")));
        assert_eq!(session.audio.output.voice.name(), "joe");
        assert!(session.turn_detection().is_some());
    }

    #[test]
    fn null_turn_detection_is_manual_and_an_object_brings_it_back() {
        let mut session = session();
        session.apply(&patch(json!({"audio": {"input": {"turn_detection": null}}}))).unwrap();
        assert_eq!(session.turn_detection(), None);
        assert_eq!(echo(&session)["audio"]["input"]["turn_detection"], Value::Null);
        session.apply(&patch(json!({"audio": {"input": {"turn_detection": {"threshold": 0.4}}}}))).unwrap();
        assert_eq!(session.turn_detection(), Some(&TurnDetection { threshold: Some(0.4), ..TurnDetection::default() }));
        session.apply(&patch(json!({"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}}))).unwrap();
        assert_eq!(session.turn_detection().unwrap().threshold, None, "another type starts afresh");
    }

    #[test]
    fn an_empty_list_clears_the_tools() {
        let mut session = session();
        session.apply(&patch(json!({"tools": [{"type": "function", "name": "lookup"}]}))).unwrap();
        session.apply(&patch(json!({"tools": []}))).unwrap();
        assert!(session.tools.is_empty());
    }

    #[test]
    fn unknown_fields_are_kept_at_every_level() {
        let mut session = session();
        let update = json!({"parallel_tool_calls": true, "nothing": null, "audio": {"input": {"x": 1}, "output": {"y": [2]}},
            "avatar": {"type": "photo-avatar", "character": "mia", "video": {"bitrate": 1000, "resolution": {"width": 512}}}});
        session.apply(&patch(update.clone())).unwrap();
        session.apply(&patch(json!({"avatar": {"style": "calm"}}))).unwrap();
        let echo = echo(&session);
        assert_eq!(echo["parallel_tool_calls"], true);
        assert_eq!(echo["nothing"], Value::Null);
        assert_eq!(echo["audio"]["input"]["x"], 1);
        assert_eq!(echo["audio"]["output"]["y"], json!([2]));
        assert_eq!(echo["avatar"]["video"], update["avatar"]["video"]);
        assert_eq!(echo["avatar"]["style"], "calm");
    }

    #[test]
    fn a_bad_field_is_named_and_changes_nothing() {
        let cases = [
            (json!({"temperature": 3}), "session.temperature"),
            (json!({"output_modalities": []}), "session.output_modalities"),
            (json!({"output_modalities": ["smell"]}), "session.output_modalities[0]"),
            (json!({"instructions": 7}), "session.instructions"),
            (json!({"max_output_tokens": 0}), "session.max_output_tokens"),
            (json!({"max_output_tokens": 4097}), "session.max_output_tokens"),
            (json!({"tools": [{"type": "function"}]}), "session.tools[0].name"),
            (json!({"tool_choice": "maybe"}), "session.tool_choice"),
            (json!({"audio": 1}), "session.audio"),
            (json!({"audio": {"output": {"speed": 1.6}}}), "session.audio.output.speed"),
            (json!({"audio": {"output": {"speed": 0.2}}}), "session.audio.output.speed"),
            (
                json!({"audio": {"input": {"turn_detection": {"threshold": 1.1}}}}),
                "session.audio.input.turn_detection.threshold",
            ),
            (
                json!({"audio": {"input": {"turn_detection": {"silence_duration_ms": 60_000}}}}),
                "session.audio.input.turn_detection.silence_duration_ms",
            ),
            (
                json!({"audio": {"input": {"turn_detection": {"prefix_padding_ms": -1}}}}),
                "session.audio.input.turn_detection.prefix_padding_ms",
            ),
            (json!({"instructions": "x".repeat(50_000)}), "session"),
        ];
        for (mut fields, param) in cases {
            let mut session = session();
            fields["model"] = json!("changed");
            let error = session.apply(&patch(fields)).unwrap_err();
            assert_eq!(error.param.as_deref(), Some(param), "{error}");
            assert_eq!(session, self::session(), "{param}: half a patch was applied");
        }
    }

    #[test]
    fn only_realtime_sessions_are_taken() {
        for bad in [json!({"type": "transcription"}), json!({"type": 1}), json!([]), json!("realtime")] {
            assert!(SessionPatch::from_value(bad).is_err());
        }
        assert_eq!(SessionPatch::parse(b"{").unwrap_err().code.as_deref(), Some("invalid_json"));
        assert!(SessionPatch::from_value(json!({"type": "realtime"})).unwrap().is_empty());
    }

    #[test]
    fn a_client_that_sends_the_whole_session_back_does_not_rename_it() {
        let mut session = session();
        let mut whole = echo(&session);
        whole["id"] = json!("sess_other");
        whole["expires_at"] = json!(1);
        session.apply(&patch(whole)).unwrap();
        assert_eq!(session, self::session());
    }

    #[test]
    fn two_patches_as_one_do_what_they_do_one_after_the_other() {
        let first = patch(
            json!({"tools": [{"name": "a"}], "audio": {"input": {"turn_detection": null}, "output": {"voice": "a"}}}),
        );
        let second = patch(json!({"model": "m", "max_output_tokens": 5, "output_modalities": ["text"],
            "audio": {"output": {"speed": 1.2, "voice": {"id": "custom"}}}}));
        let (mut stepwise, mut at_once) = (session(), session());
        stepwise.apply(&first).unwrap();
        stepwise.apply(&second).unwrap();
        at_once.apply(&first.then(second)).unwrap();
        assert_eq!(stepwise, at_once);
        assert_eq!(stepwise.turn_detection(), None);
        assert_eq!(stepwise.max_output_tokens, MaxOutputTokens::Limit(5));
        assert_eq!(stepwise.output_modalities, [Modality::Text]);
        assert_eq!(stepwise.audio.output.voice.name(), "custom");
    }
}
