//! A client's protocol events as requests to the dialogue, with clear words for what cannot be done.

use signaling::events::{
    ClientEvent, ContentPart, ConversationMode, ErrorBody, ItemKind, Modality, ResponseInput, ResponseParams, Role,
};

use crate::dialogue::{self, ItemId, Matter, Message, NewItem, Place, Request, ResponseRequest, ToolCall};
use crate::media::TurnId;

/// What a client event asks of the dialogue; `turn_of` finds an answer by its protocol name.
///
/// `session.update` is not for the dialogue: the caller handles it before.
pub fn request(event: ClientEvent, turn_of: impl Fn(&str) -> Option<TurnId>) -> Result<Request, ErrorBody> {
    Ok(match event {
        ClientEvent::SessionUpdate { .. } => {
            return Err(ErrorBody::invalid("unknown_event", "session.update is handled elsewhere"));
        }
        ClientEvent::ItemCreate { previous_item_id, item } => {
            let place = match previous_item_id.as_deref() {
                None => Place::End,
                Some("root") => Place::Front,
                Some(id) => Place::After(ItemId(id.to_owned())),
            };
            Request::CreateItem { item: new_item(item)?, place }
        }
        ClientEvent::ItemRetrieve { item_id } => Request::RetrieveItem { item: ItemId(item_id) },
        ClientEvent::ItemDelete { item_id } => Request::DeleteItem { item: ItemId(item_id) },
        ClientEvent::ItemTruncate { item_id, audio_end_ms, .. } => {
            Request::TruncateItem { item: ItemId(item_id), audio_end_millis: audio_end_ms }
        }
        ClientEvent::ResponseCreate { response } => Request::CreateResponse(response_request(*response)?),
        ClientEvent::ResponseCancel { response_id: None } => Request::CancelResponse { response: None },
        // An unknown name matches no answer: turn 0 is never given.
        ClientEvent::ResponseCancel { response_id: Some(id) } => {
            Request::CancelResponse { response: Some(turn_of(&id).unwrap_or(TurnId(0))) }
        }
        ClientEvent::OutputAudioClear => Request::ClearOutput,
        ClientEvent::InputAudioCommit => Request::CommitInput,
        ClientEvent::InputAudioClear => Request::ClearInput,
    })
}

fn new_item(item: signaling::events::NewItem) -> Result<NewItem, ErrorBody> {
    let id = item.id.map(ItemId);
    Ok(match item.kind {
        ItemKind::FunctionCall { call_id, name, arguments } => {
            let matter = Matter::Call(ToolCall { id: call_id, name, arguments });
            NewItem { id, role: dialogue::Role::Assistant, matter, text: String::new() }
        }
        ItemKind::FunctionCallOutput { call_id, output } => {
            NewItem { id, role: dialogue::Role::Tool, matter: Matter::Result { call_id }, text: output }
        }
        kind => {
            let (role, text) = message(kind)?;
            NewItem { id, role, matter: Matter::Words, text }
        }
    })
}

fn message(kind: ItemKind) -> Result<(dialogue::Role, String), ErrorBody> {
    let ItemKind::Message { role, content } = kind else {
        let message = "Calls of tools cannot stand in response.input: put them into the conversation.";
        return Err(ErrorBody::invalid("unsupported_item", message).with_param("response.input"));
    };
    let mut text = String::new();
    for part in &content {
        match part {
            ContentPart::InputImage { .. } => {
                let message = "The language model of this server cannot see images: send text.";
                return Err(ErrorBody::invalid("unsupported_content", message).with_param("item.content"));
            }
            part => {
                let Some(words) = part.text() else {
                    let message = "Sound inside an item cannot be read: speak it over the call's audio track, or give its transcript.";
                    return Err(ErrorBody::invalid("unsupported_content", message).with_param("item.content"));
                };
                if !text.is_empty() {
                    text.push(' ');
                }
                text.push_str(words);
            }
        }
    }
    if text.trim().is_empty() {
        let message = "The item has no text: give at least one content part with text.";
        return Err(ErrorBody::invalid("empty_item", message).with_param("item.content"));
    }
    let role = match role {
        Role::User => dialogue::Role::User,
        Role::Assistant => dialogue::Role::Assistant,
        Role::System => dialogue::Role::System,
    };
    Ok((role, text))
}

fn response_request(params: ResponseParams) -> Result<ResponseRequest, ErrorBody> {
    let input =
        params.input.map(|input| input.into_iter().map(input_message).collect::<Result<Vec<_>, _>>()).transpose()?;
    Ok(ResponseRequest {
        instructions: params.instructions,
        text_only: params.output_modalities.map(|modalities| !modalities.contains(&Modality::Audio)),
        out_of_band: params.conversation == ConversationMode::None,
        input,
        said: params.said,
    })
}

fn input_message(input: ResponseInput) -> Result<Message, ErrorBody> {
    match input {
        ResponseInput::Item(item) => {
            let (role, content) = message(item.kind)?;
            Ok(Message::new(role, content))
        }
        ResponseInput::Reference { .. } => {
            let message = "References to items are not supported in response.input: give the messages themselves.";
            Err(ErrorBody::invalid("unsupported_item", message).with_param("response.input"))
        }
    }
}
