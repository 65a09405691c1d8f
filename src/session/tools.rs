//! The running of the server's tools. What one gives, be it an error, comes back as words for the model.

use super::task::Session;
use super::wiring::Thought;
use crate::dialogue::ToolCall;
use crate::media::TurnId;
use crate::tools::CallContext;

impl Session {
    /// Whether a tool is the server's to run. One that nobody has is, so that the model is told.
    pub(super) fn is_own(&self, turn: TurnId, name: &str) -> bool {
        let (clients, _) = self.codec.tools(Some(turn));
        clients.iter().all(|tool| tool.name.as_deref() != Some(name))
    }

    pub(super) fn call_tool(&mut self, turn: TurnId, call: ToolCall) {
        let context = CallContext {
            call_id: call.id.clone(),
            conversation: self.codec.conversation().to_owned(),
            language: Some(self.language().to_owned()),
        };
        let (engines, thoughts) = (self.engines.clone(), self.senders.thoughts.clone());
        let task = async move {
            let output = match engines.tools.call(&call.name, &call.arguments, context).await {
                Ok(output) => output,
                Err(error) => {
                    engines.metrics.error("tool", &error);
                    error.for_model()
                }
            };
            // The session's end is the only failure.
            let _ = thoughts.send((turn, Thought::Answered { call_id: call.id, output })).await;
        };
        let handle = self.thinking.spawn(task);
        self.thoughts.entry(turn).or_default().push(handle);
    }
}
