//! The wire forms of all events, held against the fields that stock clients require.

use serde_json::{Value, json};

use super::*;
use crate::error::{ErrorBody, ErrorKind};

fn part() -> PartRef {
    PartRef { response_id: "resp_1".into(), item_id: "item_a1".into(), output_index: 0, content_index: 0 }
}

fn response() -> Response {
    let session = Session::new("sess_1", "avatar", "x");
    Response::in_progress("resp_1", Some("conv_1".into()), &session, &ResponseParams::default())
}

/// Every event once, with the JSON that must be on the wire (without the event id).
fn every_event() -> Vec<(ServerEvent, Value)> {
    let session = || Box::new(Session::new("sess_1", "avatar", "x"));
    let session_json = serde_json::to_value(session()).unwrap();
    let id = || String::from("item_u1");
    let user = Item::user_audio("item_u1", None);
    let user_json = json!({"id": "item_u1", "object": "realtime.item", "type": "message", "status": "completed",
        "role": "user", "content": [{"type": "input_audio", "transcript": null}]});
    let call = Item::function_call("item_f1", ItemStatus::Completed, "call_1", "lookup", "{\"q\":\"x\"}");
    let call_json = json!({"id": "item_f1", "object": "realtime.item", "type": "function_call", "status": "completed",
        "call_id": "call_1", "name": "lookup", "arguments": "{\"q\":\"x\"}"});
    let answer = Item::assistant_audio("item_a1", ItemStatus::Completed, Some("Hello.".into()));
    let answer_json = json!({"id": "item_a1", "object": "realtime.item", "type": "message", "status": "completed",
        "role": "assistant", "content": [{"type": "output_audio", "transcript": "Hello."}]});
    let response_json = json!({"object": "realtime.response", "id": "resp_1", "status": "in_progress",
        "status_details": null, "output": [], "conversation_id": "conv_1", "output_modalities": ["audio"],
        "max_output_tokens": "inf", "metadata": null, "usage": null, "audio": {"output": {"voice": "x"}}});
    let mut done_json = response_json.clone();
    done_json["status"] = json!("cancelled");
    done_json["status_details"] = json!({"type": "cancelled", "reason": "turn_detected"});
    done_json["output"] = json!([answer_json]);
    done_json["usage"] = json!({"total_tokens": 3, "input_tokens": 1, "output_tokens": 2,
        "input_token_details": {}, "output_token_details": {}});
    let done = response().cancelled(CancelReason::TurnDetected, vec![answer.clone()], Usage::new(1, 2));
    let at = |kind: &str, more: Value| {
        let mut event = json!({"type": kind, "response_id": "resp_1", "item_id": "item_a1", "output_index": 0,
            "content_index": 0});
        for (name, value) in more.as_object().unwrap() {
            event[name] = value.clone();
        }
        event
    };
    use ServerEvent as E;
    vec![
        (E::SessionCreated { session: session() }, json!({"type": "session.created", "session": session_json})),
        (E::SessionUpdated { session: session() }, json!({"type": "session.updated", "session": session_json})),
        (
            E::ConversationCreated { conversation: Conversation::new("conv_1") },
            json!({"type": "conversation.created", "conversation": {"id": "conv_1", "object": "realtime.conversation"}}),
        ),
        (
            E::SpeechStarted { audio_start_ms: 320, item_id: id() },
            json!({"type": "input_audio_buffer.speech_started", "audio_start_ms": 320, "item_id": "item_u1"}),
        ),
        (
            E::SpeechStopped { audio_end_ms: 950, item_id: id() },
            json!({"type": "input_audio_buffer.speech_stopped", "audio_end_ms": 950, "item_id": "item_u1"}),
        ),
        (
            E::InputAudioCommitted { item_id: id(), previous_item_id: None },
            json!({"type": "input_audio_buffer.committed", "item_id": "item_u1", "previous_item_id": null}),
        ),
        (E::InputAudioCleared {}, json!({"type": "input_audio_buffer.cleared"})),
        (
            E::ItemAdded { item: user.clone(), previous_item_id: None },
            json!({"type": "conversation.item.added", "item": user_json, "previous_item_id": null}),
        ),
        (
            E::ItemDone { item: answer.clone(), previous_item_id: Some(id()) },
            json!({"type": "conversation.item.done", "item": answer_json, "previous_item_id": "item_u1"}),
        ),
        (E::ItemRetrieved { item: user }, json!({"type": "conversation.item.retrieved", "item": user_json})),
        (E::ItemDeleted { item_id: id() }, json!({"type": "conversation.item.deleted", "item_id": "item_u1"})),
        (
            E::ItemTruncated { item_id: id(), content_index: 0, audio_end_ms: 1200 },
            json!({"type": "conversation.item.truncated", "item_id": "item_u1", "content_index": 0, "audio_end_ms": 1200}),
        ),
        (
            E::TranscriptionDelta { item_id: id(), content_index: 0, delta: "What ".into() },
            json!({"type": "conversation.item.input_audio_transcription.delta", "item_id": "item_u1",
                "content_index": 0, "delta": "What "}),
        ),
        (
            E::TranscriptionCompleted {
                item_id: id(),
                content_index: 0,
                transcript: "What?".into(),
                usage: TranscriptionUsage::Duration { seconds: 1.5 },
            },
            json!({"type": "conversation.item.input_audio_transcription.completed", "item_id": "item_u1",
                "content_index": 0, "transcript": "What?", "usage": {"type": "duration", "seconds": 1.5}}),
        ),
        (
            E::TranscriptionFailed {
                item_id: id(),
                content_index: 0,
                error: TranscriptionError { kind: "server_error".into(), code: None, message: "m".into(), param: None },
            },
            json!({"type": "conversation.item.input_audio_transcription.failed", "item_id": "item_u1",
                "content_index": 0, "error": {"type": "server_error", "message": "m"}}),
        ),
        (
            E::ResponseCreated { response: Box::new(response()) },
            json!({"type": "response.created", "response": response_json}),
        ),
        (E::ResponseDone { response: Box::new(done) }, json!({"type": "response.done", "response": done_json})),
        (
            E::OutputItemAdded { response_id: "resp_1".into(), output_index: 0, item: answer },
            json!({"type": "response.output_item.added", "response_id": "resp_1", "output_index": 0, "item": answer_json}),
        ),
        (
            E::OutputItemDone { response_id: "resp_1".into(), output_index: 1, item: call },
            json!({"type": "response.output_item.done", "response_id": "resp_1", "output_index": 1, "item": call_json}),
        ),
        (
            E::ContentPartAdded { at: part(), part: ResponsePart::Audio { transcript: String::new() } },
            at("response.content_part.added", json!({"part": {"type": "audio", "transcript": ""}})),
        ),
        (
            E::ContentPartDone { at: part(), part: ResponsePart::Text { text: "Hi".into() } },
            at("response.content_part.done", json!({"part": {"type": "text", "text": "Hi"}})),
        ),
        (
            E::AudioTranscriptDelta { at: part(), delta: "He".into() },
            at("response.output_audio_transcript.delta", json!({"delta": "He"})),
        ),
        (
            E::AudioTranscriptDone { at: part(), transcript: "Hello.".into() },
            at("response.output_audio_transcript.done", json!({"transcript": "Hello."})),
        ),
        (
            E::OutputTextDelta { at: part(), delta: "He".into() },
            at("response.output_text.delta", json!({"delta": "He"})),
        ),
        (
            E::OutputTextDone { at: part(), text: "Hello.".into() },
            at("response.output_text.done", json!({"text": "Hello."})),
        ),
        (E::OutputAudioDone { at: part() }, at("response.output_audio.done", json!({}))),
        (
            E::FunctionArgumentsDelta {
                response_id: "resp_1".into(),
                item_id: "item_f1".into(),
                output_index: 0,
                call_id: "call_1".into(),
                delta: "{".into(),
            },
            json!({"type": "response.function_call_arguments.delta", "response_id": "resp_1", "item_id": "item_f1",
                "output_index": 0, "call_id": "call_1", "delta": "{"}),
        ),
        (
            E::FunctionArgumentsDone {
                response_id: "resp_1".into(),
                item_id: "item_f1".into(),
                output_index: 0,
                call_id: "call_1".into(),
                name: "lookup".into(),
                arguments: "{}".into(),
            },
            json!({"type": "response.function_call_arguments.done", "response_id": "resp_1", "item_id": "item_f1",
                "output_index": 0, "call_id": "call_1", "name": "lookup", "arguments": "{}"}),
        ),
        (
            E::PlayoutStarted { response_id: "resp_1".into() },
            json!({"type": "output_audio_buffer.started", "response_id": "resp_1"}),
        ),
        (
            E::PlayoutStopped { response_id: "resp_1".into() },
            json!({"type": "output_audio_buffer.stopped", "response_id": "resp_1"}),
        ),
        (
            E::PlayoutCleared { response_id: "resp_1".into() },
            json!({"type": "output_audio_buffer.cleared", "response_id": "resp_1"}),
        ),
        (
            E::RateLimitsUpdated {
                rate_limits: vec![RateLimit { name: "requests".into(), limit: 10, remaining: 9, reset_seconds: 1.0 }],
            },
            json!({"type": "rate_limits.updated",
                "rate_limits": [{"name": "requests", "limit": 10, "remaining": 9, "reset_seconds": 1.0}]}),
        ),
        (
            E::AvatarSwitchToSpeaking { turn_id: "turn_1".into() },
            json!({"type": "session.avatar.switch_to_speaking", "turn_id": "turn_1"}),
        ),
        (
            E::AvatarSwitchToIdle { turn_id: "turn_1".into() },
            json!({"type": "session.avatar.switch_to_idle", "turn_id": "turn_1"}),
        ),
        (
            E::SessionEnding { reason: EndReason::MaxDuration, remaining_ms: 30_000 },
            json!({"type": "session.ending", "reason": "max_duration", "remaining_ms": 30000}),
        ),
        (
            ErrorBody::invalid("unknown_event", "No.").with_param("type").for_event(Some("ev_7".into())).into(),
            json!({"type": "error", "error": {"type": "invalid_request_error", "code": "unknown_event",
                "message": "No.", "param": "type", "event_id": "ev_7"}}),
        ),
        (
            E::Word {
                response_id: "resp_1".into(),
                item_id: "item_2".into(),
                content_index: 0,
                word: "Paris.".into(),
                start: 25,
                end: 31,
                audio_start_ms: 1200,
                audio_end_ms: 1650,
            },
            json!({"type": "visavis.word", "response_id": "resp_1", "item_id": "item_2", "content_index": 0,
                "word": "Paris.", "start": 25, "end": 31, "audio_start_ms": 1200, "audio_end_ms": 1650}),
        ),
        (
            E::Latency(Latency {
                response_id: "resp_1".into(),
                spoken: true,
                committed_ms: Some(210),
                transcribed_ms: Some(-4),
                ..Latency::default()
            }),
            json!({"type": "visavis.latency", "response_id": "resp_1", "spoken": true, "committed_ms": 210,
                "transcribed_ms": -4}),
        ),
        (
            E::BargeIn {
                response_id: "resp_1".into(),
                silent_ms: 110,
                lips_ms: None,
                decided_ms: 520,
                outcome: BargeInOutcome::Resumed,
            },
            json!({"type": "visavis.barge_in", "response_id": "resp_1", "silent_ms": 110, "decided_ms": 520,
                "outcome": "resumed"}),
        ),
        (
            E::extension("visavis.note", JsonObject::from_iter([("text".into(), json!("hi"))])),
            json!({"type": "visavis.note", "text": "hi"}),
        ),
    ]
}

#[test]
fn every_event_has_the_wire_form_of_the_protocol() {
    let mut ids = EventIds::default();
    for (number, (event, mut expected)) in (1..).zip(every_event()) {
        let kind = event.kind().to_owned();
        assert_eq!(expected["type"], kind);
        expected["event_id"] = json!(format!("event_{number}"));
        let text = ids.wrap(event).to_json();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected, "{kind}");
    }
}

#[test]
fn every_event_can_be_read_back() {
    for (event, _) in every_event() {
        let sent = EventIds::default().wrap(event);
        assert_eq!(Envelope::parse(&sent.to_json()).unwrap(), sent);
    }
}

#[test]
fn an_event_of_the_future_is_read_as_other() {
    let envelope = Envelope::parse(r#"{"type":"session.dream","event_id":"e","depth":3}"#).unwrap();
    assert_eq!(envelope.event.kind(), "session.dream");
    assert!(matches!(envelope.event, ServerEvent::Other(fields) if fields["depth"] == 3));
}

#[test]
fn a_response_ends_in_one_of_four_ways() {
    let shape = |response: Response| {
        let json = serde_json::to_value(response).unwrap();
        (json["status"].clone(), json["status_details"].clone())
    };
    assert_eq!(shape(response().completed(vec![], Usage::new(1, 2))), (json!("completed"), Value::Null));
    assert_eq!(
        shape(response().cancelled(CancelReason::ClientCancelled, vec![], Usage::default())),
        (json!("cancelled"), json!({"type": "cancelled", "reason": "client_cancelled"}))
    );
    assert_eq!(
        shape(response().incomplete(IncompleteReason::MaxOutputTokens, vec![], Usage::default())),
        (json!("incomplete"), json!({"type": "incomplete", "reason": "max_output_tokens"}))
    );
    assert_eq!(
        shape(response().failed(ErrorBody::server("llm_unreachable", "No answer."), vec![])),
        (
            json!("failed"),
            json!({"type": "failed", "error": {"type": "server_error", "code": "llm_unreachable", "message": "No answer."}})
        )
    );
}

fn parse(text: &str) -> Result<(ClientEvent, Option<String>), ErrorEvent> {
    parse_client_event(text, CLIENT_EVENT_LIMIT)
}

#[test]
fn every_client_event_is_read() {
    let text_item = json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]});
    let item = NewItem {
        id: None,
        kind: ItemKind::Message { role: Role::User, content: vec![ContentPart::InputText { text: "Hi".into() }] },
    };
    let patch = SessionPatch::from_value(json!({"type": "realtime", "tracing": "auto"})).unwrap();
    let id = || String::from("item_1");
    use ClientEvent as E;
    let cases = [
        (
            json!({"type": "session.update", "session": {"type": "realtime", "tracing": "auto"}}),
            E::SessionUpdate { session: patch },
        ),
        (
            json!({"type": "conversation.item.create", "item": text_item}),
            E::ItemCreate { previous_item_id: None, item: item.clone() },
        ),
        (
            json!({"type": "conversation.item.create", "previous_item_id": "root",
                "item": {"id": "mine", "type": "function_call_output", "call_id": "call_1", "output": "42"}}),
            E::ItemCreate {
                previous_item_id: Some("root".into()),
                item: NewItem {
                    id: Some("mine".into()),
                    kind: ItemKind::FunctionCallOutput { call_id: "call_1".into(), output: "42".into() },
                },
            },
        ),
        (json!({"type": "conversation.item.retrieve", "item_id": "item_1"}), E::ItemRetrieve { item_id: id() }),
        (json!({"type": "conversation.item.delete", "item_id": "item_1"}), E::ItemDelete { item_id: id() }),
        (
            json!({"type": "conversation.item.truncate", "item_id": "item_1", "content_index": 0, "audio_end_ms": 1234.9}),
            E::ItemTruncate { item_id: id(), content_index: 0, audio_end_ms: 1234 },
        ),
        (json!({"type": "response.create"}), E::ResponseCreate { response: Box::default() }),
        (
            json!({"type": "response.create", "response": {"conversation": "none", "metadata": {"topic": "x"},
                "output_modalities": ["text"], "input": [text_item, {"type": "item_reference", "id": "item_1"}]}}),
            E::ResponseCreate {
                response: Box::new(ResponseParams {
                    conversation: ConversationMode::None,
                    metadata: Some(JsonObject::from_iter([("topic".into(), json!("x"))])),
                    output_modalities: Some(vec![Modality::Text]),
                    input: Some(vec![ResponseInput::Item(item), ResponseInput::Reference { id: id() }]),
                    ..ResponseParams::default()
                }),
            },
        ),
        (json!({"type": "response.cancel"}), E::ResponseCancel { response_id: None }),
        (json!({"type": "output_audio_buffer.clear"}), E::OutputAudioClear),
        (json!({"type": "input_audio_buffer.commit"}), E::InputAudioCommit),
        (json!({"type": "input_audio_buffer.clear"}), E::InputAudioClear),
    ];
    for (mut message, expected) in cases {
        message["event_id"] = json!("ev_1");
        assert_eq!(parse(&message.to_string()).unwrap(), (expected, Some("ev_1".into())), "{message}");
    }
}

#[test]
fn a_bad_event_is_answered_with_its_id_a_code_and_the_field_at_fault() {
    let item = |content: Value| json!({"type": "conversation.item.create", "item": content});
    let cases = [
        (json!({}), "missing_required_parameter", "type"),
        (json!({"type": 7}), "invalid_value", "type"),
        (json!({"type": "session.destroy"}), "unknown_event", "type"),
        (json!({"type": "x".repeat(9000)}), "unknown_event", "type"),
        (json!({"type": "input_audio_buffer.append", "audio": "AAAA"}), "invalid_event_for_transport", "type"),
        (json!({"type": "session.update"}), "missing_required_parameter", "session"),
        (json!({"type": "session.update", "session": []}), "invalid_value", "session"),
        (json!({"type": "session.update", "session": {"type": "transcription"}}), "invalid_value", "session.type"),
        (json!({"type": "conversation.item.create"}), "missing_required_parameter", "item"),
        (item(json!("hi")), "invalid_value", "item"),
        (item(json!({"role": "user"})), "missing_required_parameter", "item.type"),
        (item(json!({"type": "mcp_call"})), "invalid_value", "item.type"),
        (item(json!({"type": "message", "id": 7})), "invalid_value", "item.id"),
        (item(json!({"type": "message", "role": "user"})), "missing_required_parameter", "item"),
        (
            item(
                json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x".repeat(60_000)}]}),
            ),
            "item_too_large",
            "item",
        ),
        (json!({"type": "conversation.item.retrieve"}), "missing_required_parameter", ""),
        (json!({"type": "conversation.item.delete", "item_id": 3}), "invalid_value", "item_id"),
        (
            json!({"type": "conversation.item.truncate", "item_id": "i", "content_index": 0, "audio_end_ms": -1}),
            "invalid_value",
            "audio_end_ms",
        ),
        (json!({"type": "response.create", "response": 1}), "invalid_value", "response"),
        (json!({"type": "response.create", "response": {"tools": {}}}), "invalid_value", "response.tools"),
        (
            json!({"type": "response.create", "response": {"conversation": "x"}}),
            "invalid_value",
            "response.conversation",
        ),
        (json!({"type": "response.create", "response": {"metadata": {"k": 1}}}), "invalid_value", "response.metadata"),
        (
            json!({"type": "response.create", "response": {"input": [{"type": "item_reference"}]}}),
            "missing_required_parameter",
            "response.input[0].id",
        ),
        (json!({"type": "response.cancel", "response_id": []}), "invalid_value", "response_id"),
    ];
    for (mut message, code, param) in cases {
        message["event_id"] = json!("agents_js_response_create_1");
        let error = parse(&message.to_string()).unwrap_err();
        assert_eq!(error.body.code.as_deref(), Some(code), "{error:?}");
        assert_eq!(error.body.param.as_deref().unwrap_or_default(), param, "{error:?}");
        assert_eq!(error.body.kind, ErrorKind::InvalidRequest);
        assert_eq!(error.event_id.as_deref(), Some("agents_js_response_create_1"), "{error:?}");
        assert!(error.body.message.len() < 600, "a message must not throw the client's bulk back");
    }
}

#[test]
fn what_is_no_event_at_all_is_an_error_too() {
    for (text, code) in
        [("", "invalid_json"), ("hello", "invalid_json"), ("[1]", "invalid_event"), ("\"x\"", "invalid_event")]
    {
        let error = parse(text).unwrap_err();
        assert_eq!((error.body.code.as_deref(), error.event_id), (Some(code), None));
    }
    let long_id = json!({"type": "response.create", "event_id": "x".repeat(600)}).to_string();
    assert_eq!(parse(&long_id).unwrap_err().body.param.as_deref(), Some("event_id"));
}

#[test]
fn the_event_id_is_found_in_a_message_that_is_too_large_or_broken_off() {
    let large = json!({"audio": "A".repeat(CLIENT_EVENT_LIMIT), "event_id": "ev_9", "type": "x"}).to_string();
    let error = parse(&large).unwrap_err();
    assert_eq!((error.body.code.as_deref(), error.event_id.as_deref()), (Some("message_too_large"), Some("ev_9")));
    let error = parse(r#"{"nested":{"event_id":"wrong"},"event_id":"ev_9","type":"resp"#).unwrap_err();
    assert_eq!((error.body.code.as_deref(), error.event_id.as_deref()), (Some("invalid_json"), Some("ev_9")));
}

#[test]
fn nesting_without_end_is_an_error_and_no_overflow() {
    for open in ["[", "{\"a\":", "{\"type\":\"session.update\",\"session\":{\"a\":"] {
        assert!(parse(&open.repeat(CLIENT_EVENT_LIMIT / open.len())).is_err());
        assert!(parse(&open.repeat(2 * CLIENT_EVENT_LIMIT / open.len())).is_err());
    }
}

#[test]
fn a_text_that_is_to_be_said_is_read_as_azure_writes_it() {
    let read = |message: Value| {
        let event = json!({"type": "response.create", "response": {"pre_generated_assistant_message": message}});
        parse_client_event(&event.to_string(), CLIENT_EVENT_LIMIT)
    };
    let (event, _) = read(json!({"type": "message", "role": "assistant",
        "content": [{"type": "text", "text": "Welcome."}, {"type": "output_text", "text": "Sit down."}]}))
    .unwrap();
    let ClientEvent::ResponseCreate { response } = event else { panic!("{event:?}") };
    assert_eq!(response.said.as_deref(), Some("Welcome. Sit down."));
    let part = json!([{"type": "text", "text": "Hi."}]);
    for (message, code, field) in [
        (json!("Hi."), "invalid_value", ""),
        (json!({"role": "user", "content": part}), "invalid_value", ".role"),
        (json!({"type": "item", "content": part}), "invalid_value", ".type"),
        (json!({"role": "assistant"}), "missing_required_parameter", ".content"),
        (json!({"content": "Hi."}), "invalid_value", ".content"),
        (json!({"content": [{"type": "input_image"}]}), "invalid_value", ".content"),
        (json!({"content": [{"type": "text", "text": 7}]}), "invalid_value", ".content"),
        (json!({"content": []}), "empty_item", ".content"),
        (json!({"content": [{"type": "text", "text": " \n"}]}), "empty_item", ".content"),
    ] {
        let error = read(message.clone()).unwrap_err().body;
        let param = format!("response.pre_generated_assistant_message{field}");
        assert_eq!((error.code.as_deref(), error.param.as_deref()), (Some(code), Some(param.as_str())), "{message}");
    }
}
