//! The form of an answer: JSON by schema, and calls of tools.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Running, content, request};

fn weather() -> Value {
    let city = json!({ "type": "string", "description": "Name of the city" });
    let unit = json!({ "enum": ["celsius", "fahrenheit"] });
    json!({
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Tells the weather in a city right now.",
            "parameters": { "type": "object", "properties": { "city": city, "unit": unit }, "required": ["city", "unit"] },
        },
    })
}

fn time() -> Value {
    let parameters = json!({ "type": "object", "properties": {} });
    let function = json!({ "name": "get_time", "description": "Tells the time right now.", "parameters": parameters });
    json!({ "type": "function", "function": function })
}

/// A question whose answer must be a call.
fn called(choice: Value) -> Value {
    let mut body = request(&[("user", "What is the weather like in Paris right now?")], 100);
    body["tools"] = json!([weather(), time()]);
    body["tool_choice"] = choice;
    body
}

fn by_schema(question: &str, schema: Value) -> Value {
    let mut body = request(&[("user", question)], 200);
    body["response_format"] = json!({ "type": "json_schema", "json_schema": { "name": "answer", "schema": schema } });
    body
}

fn call(answer: &Value) -> (&str, Value) {
    let function = &answer["choices"][0]["message"]["tool_calls"][0]["function"];
    let arguments = function["arguments"].as_str().expect("arguments are a text");
    (function["name"].as_str().expect("a name"), serde_json::from_str(arguments).expect("JSON"))
}

#[tokio::test]
async fn an_answer_follows_its_schema() {
    let Some(server) = Running::shared() else { return };
    let schema = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "maxLength": 40 },
            "population_millions": { "type": "integer", "minimum": 0 },
            "continent": { "enum": ["Africa", "America", "Asia", "Europe", "Oceania"] },
            "neighbours": { "type": "array", "items": { "type": "string" }, "minItems": 2, "maxItems": 3 },
        },
        "required": ["name", "population_millions", "continent", "neighbours"],
        "additionalProperties": false,
    });
    let answer = server.chat(&by_schema("Describe France.", schema)).await;
    let described: Value = serde_json::from_str(content(&answer)).expect("JSON");
    assert_eq!(described.as_object().map(serde_json::Map::len), Some(4), "{described}");
    assert!(described["name"].is_string() && described["population_millions"].is_u64(), "{described}");
    assert!((2..=3).contains(&described["neighbours"].as_array().expect("a list").len()), "{described}");
    assert_eq!(described["continent"], "Europe");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn a_schema_holds_whatever_the_dice_say() {
    let Some(server) = Running::shared() else { return };
    let schema = json!({
        "$defs": { "node": {
            "type": "object",
            "properties": {
                "when": { "type": "string", "format": "date-time" },
                "count": { "type": ["integer", "null"] },
                "size": { "type": "number" },
                "kids": { "type": "array", "items": { "$ref": "#/$defs/node" }, "maxItems": 1 },
            },
            "required": ["when", "size"],
        } },
        "$ref": "#/$defs/node",
    });
    for seed in 0..8 {
        let mut body = by_schema("日本語で答えてください。 Write \\ \" anything {[ at all!", schema.clone());
        body["temperature"] = json!(2.0);
        body["top_p"] = json!(1.0);
        body["top_k"] = json!(0);
        body["max_tokens"] = json!(400);
        body["seed"] = json!(seed);
        let answer = server.chat(&body).await;
        if answer["choices"][0]["finish_reason"] == "length" {
            continue;
        }
        let node: Value = serde_json::from_str(content(&answer)).expect("JSON");
        assert!(node["size"].is_number() && node["when"].as_str().is_some_and(|when| when.contains('T')), "{node}");
    }
}

#[tokio::test]
async fn any_object_is_what_json_object_asks_for() {
    let Some(server) = Running::shared() else { return };
    let mut body = request(&[("user", "Name three colors and their hex codes, as JSON.")], 200);
    body["response_format"] = json!({ "type": "json_object" });
    let answer = server.chat(&body).await;
    let colors: Value = serde_json::from_str(content(&answer)).expect("JSON");
    assert!(colors.is_object(), "{colors}");
}

#[tokio::test]
async fn a_tool_that_is_required_is_called() {
    let Some(server) = Running::shared() else { return };
    let answer = server.chat(&called(json!("required"))).await;
    let (name, arguments) = call(&answer);
    assert!(["get_weather", "get_time"].contains(&name), "{answer}");
    if name == "get_weather" {
        assert!(arguments["city"].is_string() && arguments["unit"].is_string(), "{arguments}");
    }
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(answer["choices"][0]["message"]["content"], Value::Null);
    let id = answer["choices"][0]["message"]["tool_calls"][0]["id"].as_str().expect("an id");
    assert!(id.starts_with("call_"), "{id}");
}

#[tokio::test]
async fn the_tool_that_is_named_is_called_even_in_a_stream() {
    let Some(server) = Running::shared() else { return };
    let mut body = called(json!({ "type": "function", "function": { "name": "get_weather" } }));
    let (name, arguments) = (json!("get_weather"), call(&server.chat(&body).await).1);
    assert!(arguments["city"].as_str().is_some_and(|city| city.contains("Paris")), "{arguments}");
    body["stream"] = json!(true);
    let events = server.stream(&body).await;
    let chunks: Vec<Value> = events.iter().filter_map(|event| serde_json::from_str(event).ok()).collect();
    let deltas: Vec<&Value> =
        chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"].get("tool_calls")).collect();
    let [deltas] = &deltas[..] else { panic!("one call: {chunks:?}") };
    assert_eq!((&deltas[0]["index"], &deltas[0]["function"]["name"]), (&json!(0), &name));
    let streamed: Value =
        serde_json::from_str(deltas[0]["function"]["arguments"].as_str().expect("a text")).expect("JSON");
    assert_eq!(streamed, arguments, "whole and streamed are the same answer");
    assert_eq!(chunks.last().map(|chunk| &chunk["choices"][0]["finish_reason"]), Some(&json!("tool_calls")));
}

#[tokio::test]
async fn a_tool_is_called_where_the_model_sees_fit() {
    let Some(server) = Running::shared() else { return };
    let answer = server.chat(&called(json!("auto"))).await;
    let (name, arguments) = call(&answer);
    assert_eq!((name, &arguments["city"]), ("get_weather", &json!("Paris")), "{answer}");
    assert!(["celsius", "fahrenheit"].contains(&arguments["unit"].as_str().unwrap_or_default()), "{answer}");
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
}

#[tokio::test]
async fn a_result_of_a_tool_is_read() {
    let Some(server) = Running::shared() else { return };
    let mut body = called(json!("none"));
    let function = json!({ "name": "get_weather", "arguments": "{\"city\": \"Paris\", \"unit\": \"celsius\"}" });
    let messages = body["messages"].as_array_mut().expect("messages");
    messages.push(json!({ "role": "assistant", "content": null,
        "tool_calls": [{ "id": "call_1", "type": "function", "function": function }] }));
    messages
        .push(json!({ "role": "tool", "tool_call_id": "call_1", "content": "{\"degrees\": 31, \"sky\": \"clear\"}" }));
    let answer = server.chat(&body).await;
    assert!(content(&answer).contains("31"), "{answer}");
}

#[tokio::test]
async fn without_leave_no_tool_is_called() {
    let Some(server) = Running::shared() else { return };
    let mut body = called(json!("none"));
    body["messages"] = json!([{ "role": "user", "content": "What is the capital of France?" }]);
    let answer = server.chat(&body).await;
    assert!(answer["choices"][0]["message"].get("tool_calls").is_none(), "{answer}");
    assert!(content(&answer).contains("Paris") && !content(&answer).contains('{'), "{answer}");
}

#[tokio::test]
async fn tools_are_kept_between_turns_like_all_else() {
    let Some(server) = Running::start(&[]) else { return };
    let mut body = called(json!("auto"));
    body["messages"] = json!([{ "role": "user", "content": "What is the" }]);
    body["read_ahead"] = json!(true);
    let read = server.chat(&body).await;
    body["read_ahead"] = json!(false);
    body["messages"] = json!([{ "role": "user", "content": "What is the capital of France?" }]);
    let answer = server.chat(&body).await;
    let cached = answer["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64();
    assert!(cached >= read["usage"]["prompt_tokens"].as_u64(), "{} after {}", answer["usage"], read["usage"]);
    assert!(cached > Some(100), "the tools are among it: {}", answer["usage"]);
}

#[tokio::test]
async fn forms_that_cannot_be_held_are_refused_by_name() {
    let Some(server) = Running::shared() else { return };
    let with = |field: &str, value: Value| {
        let mut body = request(&[("user", "Hello")], 5);
        body[field] = value;
        body
    };
    let tool = |name: &str| json!([{ "type": "function", "function": { "name": name } }]);
    let strict = json!([{ "type": "function", "function": { "name": "a", "strict": true,
        "parameters": { "type": "object", "properties": { "a": { "type": "string", "pattern": "x" } } } } }]);
    let mut both = called(json!("auto"));
    both["response_format"] = json!({ "type": "json_object" });
    // Two schemas that mean each other and nothing else.
    let circle =
        json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } });
    let cases = [
        ("response_format", with("response_format", json!({ "type": "yaml" }))),
        ("response_format", with("response_format", json!({ "type": "json_schema" }))),
        ("response_format", by_schema("Hello", json!({ "type": "string", "pattern": "^a" }))),
        ("response_format", by_schema("Hello", circle)),
        ("response_format", both),
        ("tools", with("tools", json!([{ "type": "retrieval" }]))),
        ("tools", with("tools", tool(""))),
        ("tools", with("tools", tool("a b"))),
        ("tools", with("tools", tool(&"a".repeat(65)))),
        ("tools", with("tools", json!([{ "type": "function", "function": { "name": "a", "parameters": [] } }]))),
        ("tools", with("tools", Value::Array(vec![weather(); 129]))),
        ("tools", with("tools", strict)),
        ("tool_choice", with("tool_choice", json!("required"))),
        ("tool_choice", called(json!("sometimes"))),
        ("tool_choice", called(json!({ "type": "function", "function": { "name": "get_rain" } }))),
        ("functions", with("functions", json!([]))),
        ("logprobs", with("logprobs", json!(true))),
        ("stop", with("stop", json!("x".repeat(2000)))),
    ];
    for (param, body) in cases {
        let response = server.post(&body).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{body}");
        let error: Value = response.json().await.expect("JSON");
        assert_eq!(error["error"]["param"], param, "{error}");
    }
}
