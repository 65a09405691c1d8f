//! What the model is asked: the dialogue's prompt, what the persona knows of the question, and the tools of the client and
//! of the server.
//!
//! A client's tool goes before one of the server that has its name. Knowledge differs from question to question, so it
//! stands in the question's own message: a server keeps all that it has processed before that.

use serde_json::{Value, json};

use super::task::Session;
use crate::clock;
use crate::dialogue::{Message, Role};
use crate::knowledge;
use crate::language::{Question, Tool, ToolChoice};
use crate::media::TurnId;

/// Messages before a question that may say what it is about.
const RECENT: usize = 4;

impl Session {
    /// What the model is asked with this prompt; `turn`: the answer, if one has begun.
    pub(super) fn question(&self, turn: Option<TurnId>, prompt: Vec<Message>, may_call: bool) -> Question {
        let (clients, choice) = self.codec.tools(turn);
        let mut tools: Vec<Tool> = clients.iter().filter_map(tool).collect();
        for own in self.engines.tools.list() {
            if tools.iter().all(|tool| tool.name != own.name) {
                tools.push(Tool { name: own.name, description: own.description, parameters: own.parameters });
            }
        }
        let prompt = self.informed(turn, prompt);
        // What had to be called was.
        let called = prompt.last().is_some_and(|last| last.role == Role::Tool);
        let choice = match choice_of(choice) {
            _ if !may_call => ToolChoice::None,
            ToolChoice::Required | ToolChoice::Named(_) if called => ToolChoice::Auto,
            choice => choice,
        };
        let model = Some(self.codec.session.model.clone());
        Question { model, tools: tools.into(), choice, ..Question::from(prompt) }
    }

    /// Puts what is known into the question; nothing while it is still being said.
    fn informed(&self, turn: Option<TurnId>, mut prompt: Vec<Message>) -> Vec<Message> {
        let (Some(known), Some(_)) = (&self.engines.knowledge, turn) else { return prompt };
        let Some(asked) = prompt.iter().rposition(|message| message.role == Role::User) else { return prompt };
        let begun = clock::now();
        let before = prompt[..asked].iter().filter(|message| matches!(message.role, Role::User | Role::Assistant));
        let mut recent: Vec<&str> = before.rev().take(RECENT).map(|message| message.content.as_str()).collect();
        recent.reverse();
        let passages = known.find(&prompt[asked].content, &recent);
        let added = knowledge::prompt(&passages, known.budget_tokens(), self.language());
        self.engines.metrics.knowledge_seconds.observe(begun.elapsed().as_secs_f64());
        if let Some(added) = added {
            let question = std::mem::take(&mut prompt[asked].content);
            prompt[asked].content = format!("{added}\n\n{question}");
        }
        prompt
    }
}

/// A client's tool as the model is told of it; `None` for kinds that only OpenAI runs.
fn tool(tool: &signaling::events::Tool) -> Option<Tool> {
    let name = tool.name.clone().filter(|_| tool.kind == "function")?;
    let parameters = tool.parameters.clone().unwrap_or_else(|| json!({"type": "object", "properties": {}}));
    Some(Tool { name, description: tool.description.clone().unwrap_or_default(), parameters })
}

fn choice_of(choice: &Value) -> ToolChoice {
    match choice {
        Value::String(choice) if choice == "none" => ToolChoice::None,
        Value::String(choice) if choice == "required" => ToolChoice::Required,
        Value::Object(named) => {
            let name = named.get("name").and_then(Value::as_str);
            name.map_or(ToolChoice::Auto, |name| ToolChoice::Named(name.to_owned()))
        }
        _ => ToolChoice::Auto,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_as_the_protocol_writes_them() {
        for (choice, read) in [
            (json!("auto"), ToolChoice::Auto),
            (json!("none"), ToolChoice::None),
            (json!("required"), ToolChoice::Required),
            (json!({"type": "function", "name": "time"}), ToolChoice::Named("time".into())),
        ] {
            assert_eq!(choice_of(&choice), read);
        }
    }
}
