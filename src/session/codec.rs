//! The dialogue's events in the words of the OpenAI Realtime protocol, in the order its clients expect.
//!
//! Knows the protocol's objects and nothing of the call's inside. One for each call.

use serde_json::Value;
use signaling::events::{
    CancelReason, ErrorBody, EventIds, Item, ItemStatus, MaxOutputTokens, PartRef, Response, ResponseParams,
    ResponsePart, ServerEvent, Session, Tool, TranscriptionError, TranscriptionUsage, Usage,
};

use crate::dialogue::{self, Ending, Event, ItemId, Matter, Medium};
use crate::media::TurnId;

pub struct Codec {
    pub session: Session,
    conversation: String,
    /// Goes into the names of responses, so that they are unique across calls.
    call: String,
    ids: EventIds,
    /// What the client asked of the answer that will start next.
    asked: Option<ResponseParams>,
    /// Answers under way, each with the tools of its own that it was asked for with.
    open: Vec<(TurnId, Response)>,
    own_tools: Vec<(TurnId, Option<Vec<Tool>>, Option<Value>)>,
}

impl Codec {
    pub fn new(session: Session, call: &str) -> Self {
        let call = call.trim_start_matches("rtc_").to_owned();
        Self {
            session,
            conversation: signaling::ids::conversation(),
            call,
            ids: EventIds::default(),
            asked: None,
            open: Vec::new(),
            own_tools: Vec::new(),
        }
    }

    /// Remembers the parameters of a `response.create`, to be echoed by the answer that it starts.
    pub fn asked_for(&mut self, params: ResponseParams) {
        self.asked = Some(params);
    }

    /// The answer's limit of tokens.
    pub fn max_tokens(&self, turn: TurnId) -> Option<u32> {
        let own = self.open.iter().find(|(open, _)| *open == turn).map(|(_, response)| response.max_output_tokens);
        own.unwrap_or(self.session.max_output_tokens).limit()
    }

    pub fn conversation(&self) -> &str {
        &self.conversation
    }

    /// The client's tools for an answer, or for the next one, and which of them is to be called.
    pub fn tools(&self, turn: Option<TurnId>) -> (&[Tool], &Value) {
        let own = self.own_tools.iter().find(|(open, ..)| Some(*open) == turn);
        let (tools, choice) = own.map_or((&None, &None), |(_, tools, choice)| (tools, choice));
        (tools.as_ref().unwrap_or(&self.session.tools), choice.as_ref().unwrap_or(&self.session.tool_choice))
    }

    /// The answer that a client means by this name.
    pub fn turn_of(&self, response: &str) -> Option<TurnId> {
        self.open.iter().find(|(_, open)| open.id == response).map(|(turn, _)| *turn)
    }

    pub fn greet(&mut self) -> String {
        let session = Box::new(self.session.clone());
        self.write(ServerEvent::SessionCreated { session })
    }

    pub fn session_updated(&mut self) -> String {
        let session = Box::new(self.session.clone());
        self.write(ServerEvent::SessionUpdated { session })
    }

    /// One event as it goes over the wire.
    pub fn write(&mut self, event: ServerEvent) -> String {
        self.ids.wrap(event).to_json()
    }

    /// What a client is told of an event, in order.
    pub fn encode(&mut self, event: Event) -> Vec<String> {
        let events = self.translate(event);
        events.into_iter().map(|event| self.write(event)).collect()
    }

    fn translate(&mut self, event: Event) -> Vec<ServerEvent> {
        match event {
            Event::SpeechStarted { item, at_millis } => {
                vec![ServerEvent::SpeechStarted { audio_start_ms: at_millis, item_id: item.0 }]
            }
            Event::SpeechStopped { item, at_millis } => {
                vec![ServerEvent::SpeechStopped { audio_end_ms: at_millis, item_id: item.0 }]
            }
            Event::InputCommitted { item, previous, .. } => {
                vec![ServerEvent::InputAudioCommitted { item_id: item.0, previous_item_id: name(previous) }]
            }
            Event::InputCleared => vec![ServerEvent::InputAudioCleared {}],
            Event::ItemAdded { item, previous } => {
                vec![ServerEvent::ItemAdded { item: wire_item(&item), previous_item_id: name(previous) }]
            }
            Event::ItemDone { item, previous } => {
                vec![ServerEvent::ItemDone { item: wire_item(&item), previous_item_id: name(previous) }]
            }
            Event::ItemRetrieved { item } => vec![ServerEvent::ItemRetrieved { item: wire_item(&item) }],
            Event::ItemDeleted { item } => vec![ServerEvent::ItemDeleted { item_id: item.0 }],
            Event::TranscriptGrew { item, delta } => {
                vec![ServerEvent::TranscriptionDelta { item_id: item.0, content_index: 0, delta }]
            }
            Event::Transcribed { item, heard } => vec![ServerEvent::TranscriptionCompleted {
                item_id: item.0,
                content_index: 0,
                transcript: heard.text,
                usage: TranscriptionUsage::Duration { seconds: heard.seconds },
            }],
            Event::TranscriptionFailed { item, message } => {
                let kind = "server_error".to_owned();
                let error =
                    TranscriptionError { kind, code: Some("transcription_failed".into()), message, param: None };
                vec![ServerEvent::TranscriptionFailed { item_id: item.0, content_index: 0, error }]
            }
            Event::ReplyStarted { turn, item, previous, text_only } => {
                self.reply_started(turn, &item, previous, text_only)
            }
            Event::ReplyText { turn, item, delta, text_only } => {
                let at = self.part(turn, &item);
                vec![match text_only {
                    true => ServerEvent::OutputTextDelta { at, delta },
                    false => ServerEvent::AudioTranscriptDelta { at, delta },
                }]
            }
            Event::ReplyDone { turn, item, previous, calls, ending, usage, text_only } => {
                self.reply_done(turn, (&item, &calls), previous, ending, usage, text_only)
            }
            Event::PlayoutStarted { turn } => {
                let turn_id = self.response_id(turn);
                vec![
                    ServerEvent::PlayoutStarted { response_id: turn_id.clone() },
                    ServerEvent::AvatarSwitchToSpeaking { turn_id },
                ]
            }
            Event::Word { turn, item, word, start, end, audio_start_millis, audio_end_millis } => {
                vec![ServerEvent::Word {
                    response_id: self.response_id(turn),
                    item_id: item.0,
                    content_index: 0,
                    word,
                    start,
                    end,
                    audio_start_ms: audio_start_millis,
                    audio_end_ms: audio_end_millis,
                }]
            }
            // Told with the times that only the session knows.
            Event::BargeIn { .. } => Vec::new(),
            Event::PlayoutStopped { turn } => {
                let turn_id = self.response_id(turn);
                vec![
                    ServerEvent::PlayoutStopped { response_id: turn_id.clone() },
                    ServerEvent::AvatarSwitchToIdle { turn_id },
                ]
            }
            Event::PlayoutCleared { turn } => {
                let turn_id = self.response_id(turn);
                vec![
                    ServerEvent::PlayoutCleared { response_id: turn_id.clone() },
                    ServerEvent::AvatarSwitchToIdle { turn_id },
                ]
            }
            Event::Truncated { item, audio_end_millis } => {
                vec![ServerEvent::ItemTruncated { item_id: item.0, content_index: 0, audio_end_ms: audio_end_millis }]
            }
            Event::Error { code, message, event_id } => {
                let server_side = matches!(code, "language_model_failed" | "voice_failed");
                let body =
                    if server_side { ErrorBody::server(code, message) } else { ErrorBody::invalid(code, message) };
                vec![body.for_event(event_id).into()]
            }
        }
    }

    fn reply_started(
        &mut self,
        turn: TurnId,
        item: &dialogue::Item,
        previous: Option<ItemId>,
        text_only: bool,
    ) -> Vec<ServerEvent> {
        let params = self.asked.take().unwrap_or_default();
        let id = self.response_id(turn);
        let mut response = Response::in_progress(id.clone(), Some(self.conversation.clone()), &self.session, &params);
        if let Some(limit @ MaxOutputTokens::Limit(_)) = params.max_output_tokens {
            response.max_output_tokens = limit;
        }
        self.open.push((turn, response.clone()));
        self.own_tools.push((turn, params.tools, params.tool_choice));
        let wire = wire_item(item);
        vec![
            ServerEvent::ResponseCreated { response: Box::new(response) },
            ServerEvent::OutputItemAdded { response_id: id, output_index: 0, item: wire.clone() },
            ServerEvent::ItemAdded { item: wire, previous_item_id: name(previous) },
            ServerEvent::ContentPartAdded { at: self.part(turn, &item.id), part: part(text_only, String::new()) },
        ]
    }

    fn reply_done(
        &mut self,
        turn: TurnId,
        (item, calls): (&dialogue::Item, &[dialogue::Item]),
        previous: Option<ItemId>,
        ending: Ending,
        usage: dialogue::Usage,
        text_only: bool,
    ) -> Vec<ServerEvent> {
        let Some(index) = self.open.iter().position(|(open, _)| *open == turn) else { return Vec::new() };
        let (_, response) = self.open.remove(index);
        self.own_tools.retain(|(open, ..)| *open != turn);
        let at = self.part(turn, &item.id);
        let text = item.text.clone().unwrap_or_default();
        let wire = wire_item(item);
        let usage = Usage::new(usage.input_tokens.into(), usage.output_tokens.into());
        let output = std::iter::once(wire.clone()).chain(calls.iter().map(wire_item)).collect();
        let response = match ending {
            Ending::Completed => response.completed(output, usage),
            Ending::Interrupted => response.cancelled(CancelReason::TurnDetected, output, usage),
            Ending::Cancelled => response.cancelled(CancelReason::ClientCancelled, output, usage),
            Ending::Failed { message } => response.failed(ErrorBody::server("language_model_failed", message), output),
        };
        let mut events = match text_only {
            true => vec![ServerEvent::OutputTextDone { at: at.clone(), text: text.clone() }],
            false => vec![
                ServerEvent::OutputAudioDone { at: at.clone() },
                ServerEvent::AudioTranscriptDone { at: at.clone(), transcript: text.clone() },
            ],
        };
        events.extend([
            ServerEvent::ContentPartDone { at: at.clone(), part: part(text_only, text) },
            ServerEvent::ItemDone { item: wire.clone(), previous_item_id: name(previous) },
            ServerEvent::OutputItemDone { response_id: at.response_id.clone(), output_index: 0, item: wire },
        ]);
        let before = std::iter::once(item).chain(calls);
        for (index, (call, previous)) in (1..).zip(calls.iter().zip(before)) {
            events.extend(called(&at.response_id, index, call, previous));
        }
        events.push(ServerEvent::ResponseDone { response: Box::new(response) });
        events
    }

    /// The name of an answer on the wire.
    pub fn response_id(&self, turn: TurnId) -> String {
        format!("resp_{}_{}", self.call, turn.0)
    }

    fn part(&self, turn: TurnId, item: &ItemId) -> PartRef {
        PartRef { response_id: self.response_id(turn), item_id: item.0.clone(), output_index: 0, content_index: 0 }
    }
}

/// A call of one of the client's tools, as an item of a response. A client runs the tool as soon as it reads `completed`,
/// so only the last event says that.
fn called(response: &str, output_index: u32, item: &dialogue::Item, previous: &dialogue::Item) -> Vec<ServerEvent> {
    let Matter::Call(call) = &item.matter else { return Vec::new() };
    let dialogue::ToolCall { id: call_id, name, arguments } = call.clone();
    let (response_id, item_id, previous) = (response.to_owned(), item.id.0.clone(), Some(previous.id.0.clone()));
    let begun = Item::function_call(&item_id, ItemStatus::InProgress, &call_id, &name, "");
    let written = Item::function_call(&item_id, ItemStatus::InProgress, &call_id, &name, &arguments);
    vec![
        ServerEvent::OutputItemAdded { response_id: response_id.clone(), output_index, item: begun.clone() },
        ServerEvent::ItemAdded { item: begun, previous_item_id: previous.clone() },
        ServerEvent::FunctionArgumentsDelta {
            response_id: response_id.clone(),
            item_id: item_id.clone(),
            output_index,
            call_id: call_id.clone(),
            delta: arguments.clone(),
        },
        ServerEvent::FunctionArgumentsDone {
            response_id: response_id.clone(),
            item_id,
            output_index,
            call_id,
            name,
            arguments,
        },
        ServerEvent::ItemDone { item: written, previous_item_id: previous },
        ServerEvent::OutputItemDone { response_id, output_index, item: wire_item(item) },
    ]
}

fn part(text_only: bool, text: String) -> ResponsePart {
    if text_only { ResponsePart::Text { text } } else { ResponsePart::Audio { transcript: text } }
}

fn name(id: Option<ItemId>) -> Option<String> {
    id.map(|id| id.0)
}

/// An item of the conversation as the protocol writes it.
fn wire_item(item: &dialogue::Item) -> Item {
    use signaling::events::{ContentPart, ItemKind, ItemObject, Role};
    let status = match (item.complete, &item.text) {
        (true, _) => ItemStatus::Completed,
        (false, None) => ItemStatus::InProgress,
        (false, Some(_)) => ItemStatus::Incomplete,
    };
    let text = item.text.clone();
    match &item.matter {
        Matter::Words => {}
        Matter::Call(call) => {
            return Item::function_call(&item.id.0, ItemStatus::Completed, &call.id, &call.name, &call.arguments);
        }
        Matter::Result { call_id } => {
            let kind = ItemKind::FunctionCallOutput { call_id: call_id.clone(), output: text.unwrap_or_default() };
            return Item::new(&item.id.0, ItemStatus::Completed, kind);
        }
    }
    let (role, content) = match (item.role, item.medium) {
        (dialogue::Role::User, Medium::Audio) => (Role::User, vec![ContentPart::InputAudio { transcript: text }]),
        (dialogue::Role::User, Medium::Text) => {
            (Role::User, vec![ContentPart::InputText { text: text.unwrap_or_default() }])
        }
        (dialogue::Role::System | dialogue::Role::Tool, _) => {
            (Role::System, vec![ContentPart::InputText { text: text.unwrap_or_default() }])
        }
        (dialogue::Role::Assistant, Medium::Audio) => (
            Role::Assistant,
            text.map(|text| ContentPart::OutputAudio { transcript: Some(text) }).into_iter().collect(),
        ),
        (dialogue::Role::Assistant, Medium::Text) => {
            (Role::Assistant, text.map(|text| ContentPart::OutputText { text }).into_iter().collect())
        }
    };
    Item { id: item.id.0.clone(), object: ItemObject::default(), status, kind: ItemKind::Message { role, content } }
}
