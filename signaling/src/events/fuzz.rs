//! Random text and random JSON against the parser and the session: nothing panics, nothing outgrows its limit.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::Value;

use super::*;

/// JSON of any shape, with the protocol's own names likely in it.
fn any_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "session.update",
        "conversation.item.create",
        "conversation.item.truncate",
        "response.create",
        "message",
        "realtime",
        "server_vad",
        "item_reference",
        "function_call_output",
        "inf",
        "auto",
        "input_text",
        "user",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // Exact in binary and in decimal: what JSON does to the last bit of a float is not at stake here.
        any::<i16>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        words.prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    let names = prop::sample::select(vec![
        "type",
        "event_id",
        "session",
        "item",
        "response",
        "audio",
        "input",
        "output",
        "turn_detection",
        "tools",
        "content",
        "role",
        "id",
        "text",
        "item_id",
        "audio_end_ms",
        "metadata",
        "threshold",
        "speed",
        "voice",
        "x",
    ]);
    leaf.prop_recursive(5, 48, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names.clone().prop_map(String::from), inner, 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// The same cases in every run.
fn fixed() -> ProptestConfig {
    ProptestConfig {
        cases: 2_000,
        rng_seed: RngSeed::Fixed(20),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(fixed())]

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..200), limit in 0usize..300) {
        let _ = parse_client_event(&text, limit);
        let _ = parse_client_event(&String::from_utf8_lossy(&bytes), limit);
    }

    #[test]
    fn no_json_makes_the_parser_or_the_session_panic(value in any_json(), kind in prop::sample::select(vec![
        "session.update", "conversation.item.create", "conversation.item.truncate", "response.create", "response.cancel",
    ])) {
        let mut value = value;
        if let Value::Object(fields) = &mut value {
            fields.insert("type".into(), kind.into());
        }
        if let Ok((ClientEvent::SessionUpdate { session: patch }, _)) = parse_client_event(&value.to_string(), CLIENT_EVENT_LIMIT) {
            let mut session = Session::new("sess_1", "avatar", "x");
            let _ = session.apply(&patch);
            prop_assert!(serde_json::to_string(&session).unwrap().len() <= SESSION_LIMIT);
        }
    }

    #[test]
    fn a_session_that_took_a_patch_reads_back_as_itself(value in any_json()) {
        if let Ok(patch) = SessionPatch::from_value(value) {
            let mut session = Session::new("sess_1", "avatar", "x");
            if session.apply(&patch).is_ok() {
                let text = serde_json::to_string(&session).unwrap();
                prop_assert_eq!(serde_json::from_str::<Session>(&text).unwrap(), session);
            }
        }
    }
}
