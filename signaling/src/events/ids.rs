//! Event ids and the envelope that carries one event over the wire.

use serde::{Deserialize, Serialize};

use super::ServerEvent;

/// A server event with its id: one text message of the data channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    #[serde(default)]
    pub event_id: String,
    #[serde(flatten)]
    pub event: ServerEvent,
}

impl Envelope {
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|error| {
            // Only a map with keys that are not strings can fail, and no event has one.
            tracing::error!(%error, kind = self.event.kind(), "an event could not be written as JSON");
            String::from(
                r#"{"type":"error","error":{"type":"server_error","message":"An event could not be written."}}"#,
            )
        })
    }

    /// Reads what a server sent; an event of unknown type becomes [`ServerEvent::Other`].
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

/// Counts the events of one call: `event_1`, `event_2`, ...
#[derive(Debug, Default)]
pub struct EventIds {
    last: u64,
}

impl EventIds {
    pub fn next_id(&mut self) -> String {
        self.last += 1;
        format!("event_{}", self.last)
    }

    pub fn wrap(&mut self, event: ServerEvent) -> Envelope {
        Envelope { event_id: self.next_id(), event }
    }
}
