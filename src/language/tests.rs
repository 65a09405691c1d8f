//! The client against a stand-in that answers, refuses, stalls, breaks off and talks nonsense.

use std::sync::Arc;

use futures::StreamExt;
use serde_json::json;
use tokio::net::TcpListener;

use super::stand_in::{Line, StandIn, calls, end, refuses, says, text};
use super::{ChatMessage, LanguageError, LanguageModel, LanguageSettings, Piece, Question, Tool, ToolChoice};
use crate::dialogue::ToolCall;
use crate::dialogue::Usage;
use crate::metrics::Metrics;

type Pieces = Vec<Result<Piece, LanguageError>>;

/// A model whose endpoints are these stand-ins, in this order, with further settings for the first.
fn model_with(urls: &[&str], more: &str) -> (LanguageModel, Arc<Metrics>) {
    let mut settings =
        format!("provider = \"openai\"\nmodel = \"m\"\napi_key_env = \"\"\nbase_url = \"{}\"\n{more}\n", urls[0]);
    for (number, url) in urls.iter().enumerate().skip(1) {
        settings += &format!("[[others]]\nprovider = \"openai\"\nmodel = \"m{number}\"\nbase_url = \"{url}\"\n");
    }
    let settings: LanguageSettings = toml::from_str(&settings).unwrap();
    settings.validate().unwrap();
    let metrics = Arc::new(Metrics::new());
    (LanguageModel::new(settings, None, metrics.clone()).unwrap(), metrics)
}

fn model(stand_ins: &[&StandIn]) -> (LanguageModel, Arc<Metrics>) {
    let urls: Vec<_> = stand_ins.iter().map(|stand_in| stand_in.url.as_str()).collect();
    model_with(&urls, "")
}

fn question() -> Question {
    Question { messages: vec![ChatMessage::User("Hello?".into())], ..Question::default() }
}

async fn ask(model: &LanguageModel) -> Pieces {
    model.answer(question()).collect().await
}

fn said(words: &str) -> Pieces {
    vec![Ok(Piece::Text(words.into()))]
}

fn only_error(pieces: Pieces) -> LanguageError {
    match &pieces[..] {
        [Err(error)] => error.clone(),
        other => panic!("not one error: {other:?}"),
    }
}

#[tokio::test]
async fn text_and_the_count_of_tokens_arrive_in_order() {
    let usage = json!({ "prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": { "cached_tokens": 5 } });
    let counted = json!({ "choices": [], "usage": usage }).to_string();
    // Some count with every event.
    let also = json!({ "choices": [{ "delta": { "content": "you." } }], "usage": { "prompt_tokens": 9 } }).to_string();
    let lines = vec![text("Hello, "), also, end("stop"), counted, "[DONE]".to_owned()];
    let stand_in = StandIn::start(vec![Line::Streams(lines)]).await;
    let (model, _) = model(&[&stand_in]);
    let usage = Usage { input_tokens: 9, cached_tokens: 5, output_tokens: 2 };
    let pieces = [Piece::Text("Hello, ".into()), Piece::Text("you.".into()), Piece::Usage(usage)];
    assert_eq!(ask(&model).await, pieces.map(Ok));
}

#[tokio::test]
async fn a_request_carries_what_was_set() {
    let stand_in = StandIn::start(vec![says("Yes.")]).await;
    let more = "max_tokens = 40\nheaders = { x-team = \"a\" }\nquery = { api-version = \"1 2\" }\nextra_body = { top_p = 0.5 }";
    let (model, _) = model_with(&[&stand_in.url], more);
    let question = Question { max_tokens: Some(900), temperature: Some(0.0), ..question() };
    assert_eq!(model.answer(question).collect::<Pieces>().await, said("Yes."));
    let asked = &stand_in.asked()[0];
    assert_eq!(asked.uri.path(), "/v1/chat/completions");
    assert_eq!(asked.uri.query(), Some("api-version=1+2"));
    assert_eq!(asked.headers["x-team"], "a");
    assert!(!asked.headers.contains_key("authorization"), "there is no key");
    assert_eq!(asked.body["messages"], json!([{ "role": "user", "content": "Hello?" }]));
    assert_eq!(asked.body["max_tokens"], 40, "the endpoint's own limit holds");
    assert_eq!((&asked.body["temperature"], &asked.body["top_p"]), (&json!(0), &json!(0.5)));
    assert!(asked.body.get("tools").is_none() && asked.body.get("tool_choice").is_none());
}

#[tokio::test]
async fn a_tool_call_in_fragments_comes_whole_after_the_text() {
    let lines = vec![
        text("One moment."),
        calls(
            json!([{ "index": 0, "id": "a", "type": "function", "function": { "name": "weather", "arguments": "" } }]),
        ),
        calls(json!([{ "index": 0, "function": { "arguments": "{\"city\": " } }])),
        calls(json!([{ "index": 0, "function": { "arguments": "\"Rome\"}" } }])),
        end("tool_calls"),
        "[DONE]".to_owned(),
    ];
    let stand_in = StandIn::start(vec![Line::Streams(lines)]).await;
    let (model, _) = model(&[&stand_in]);
    let tool = Tool { name: "weather".into(), description: String::new(), parameters: json!({ "type": "object" }) };
    let question = Question { tools: [tool].into(), choice: ToolChoice::Required, ..question() };
    let call = ToolCall { id: "a".into(), name: "weather".into(), arguments: "{\"city\": \"Rome\"}".into() };
    let pieces = [Piece::Text("One moment.".into()), Piece::Call(call)];
    assert_eq!(model.answer(question).collect::<Pieces>().await, pieces.map(Ok));
    let asked = &stand_in.asked()[0].body;
    assert_eq!(
        (&asked["tool_choice"], &asked["tools"][0]["function"]["name"]),
        (&json!("required"), &json!("weather"))
    );
}

#[tokio::test]
async fn whole_calls_without_ids_get_different_ones() {
    let whole = json!({ "function": { "name": "time", "arguments": "{}" } });
    let lines = vec![calls(json!([whole, whole])), end("stop"), "[DONE]".to_owned()];
    let stand_in = StandIn::start(vec![Line::Streams(lines)]).await;
    let (model, _) = model(&[&stand_in]);
    let pieces = ask(&model).await;
    let [Ok(Piece::Call(one)), Ok(Piece::Call(two))] = &pieces[..] else { panic!("{pieces:?}") };
    assert!(!one.id.is_empty() && !two.id.is_empty() && one.id != two.id);
}

#[tokio::test]
async fn arguments_that_are_no_json_are_an_error_that_names_the_tool() {
    let cut =
        calls(json!([{ "index": 0, "id": "a", "function": { "name": "weather", "arguments": "{\"city\": \"Ro" } }]));
    let stand_in = StandIn::start(vec![Line::Streams(vec![text("Well."), cut, end("length")])]).await;
    let (model, _) = model(&[&stand_in]);
    let pieces = ask(&model).await;
    let [Ok(Piece::Text(_)), Err(error)] = &pieces[..] else { panic!("{pieces:?}") };
    assert!(matches!(error, LanguageError::Arguments { tool, cut: true, .. } if tool == "weather"), "{error}");
    assert!(error.to_string().contains("raise it"), "{error}");
}

#[tokio::test]
async fn a_refusal_that_stays_is_told_at_once_with_its_reason() {
    for (status, advice) in [(401, "check the key"), (404, "check base_url"), (400, "extra_body")] {
        let stand_in = StandIn::start(vec![refuses(status)]).await;
        let (model, metrics) = model(&[&stand_in]);
        let error = only_error(ask(&model).await).to_string();
        assert!(error.contains("not today") && error.contains(advice), "{error}");
        assert_eq!(stand_in.asked().len(), 1, "asked once after {status}");
        assert!(metrics.text().contains("visavis_language_failures_total{endpoint=\"openai:m\"} 1"));
    }
}

#[tokio::test]
async fn a_passing_refusal_is_followed_by_another_try() {
    for refusal in [Line::Refuses { status: 429, header: Some(("retry-after", "0".into())), body: "" }, refuses(503)] {
        let stand_in = StandIn::start(vec![refusal, says("Here I am.")]).await;
        let (model, metrics) = model(&[&stand_in]);
        assert_eq!(ask(&model).await, said("Here I am."));
        assert_eq!(stand_in.asked().len(), 2);
        assert!(metrics.text().contains("visavis_language_retries_total{endpoint=\"openai:m\"} 1"));
    }
}

#[tokio::test]
async fn a_wait_longer_than_the_first_token_may_take_is_not_waited() {
    let later = Line::Refuses { status: 429, header: Some(("retry-after", "3600".into())), body: "" };
    let spent =
        Line::Refuses { status: 429, header: None, body: r#"{"error":{"message":"pay","code":"insufficient_quota"}}"# };
    for refusal in [later, spent] {
        let stand_in = StandIn::start(vec![refusal]).await;
        let (model, _) = model(&[&stand_in]);
        let error = only_error(ask(&model).await);
        assert!(matches!(error, LanguageError::Refused { status: 429, .. }), "{error}");
        assert_eq!(stand_in.asked().len(), 1);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_as_such() {
    // Bound and let go, so that nobody listens there.
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (model, metrics) = model_with(&[&format!("http://{address}/v1")], "first_token_timeout_millis = 500");
    let error = only_error(ask(&model).await);
    assert!(matches!(error, LanguageError::Unreachable { .. }), "{error}");
    let never = "visavis_language_retries_total{endpoint=\"openai:m\"} 0";
    assert!(!metrics.text().contains(never), "it was asked again in that time");
}

#[tokio::test]
async fn the_next_endpoint_steps_in_for_whatever_fails_before_the_first_word() {
    let failing = [
        refuses(401),
        refuses(500),
        Line::SaysNothing,
        Line::StallsAfter(vec![]),
        Line::BreaksAfter(vec![]),
        Line::Streams(vec![]),
        Line::Streams(vec!["{\"choices\": [{".to_owned()]),
        Line::Streams(vec![r#"{"error":{"message":"overloaded"}}"#.to_owned()]),
        Line::Streams(vec![end("content_filter"), "[DONE]".to_owned()]),
        Line::Sends("text/html", "<html>log in first</html>"),
        Line::Sends("application/json", r#"{"choices":[]}"#),
        Line::NeverEnds,
    ];
    for line in failing {
        let (bad, good) = (StandIn::start(vec![line.clone()]).await, StandIn::start(vec![says("I am here.")]).await);
        let (model, metrics) = model_with(&[&bad.url, &good.url], "first_token_timeout_millis = 2000");
        assert_eq!(ask(&model).await, said("I am here."), "after {line:?}");
        assert_eq!(good.asked().len(), 1);
        // One more try after a refusal that may pass, and none by the library.
        assert_eq!(bad.asked().len(), if matches!(line, Line::Refuses { status: 500, .. }) { 2 } else { 1 });
        assert!(metrics.text().contains("visavis_language_failovers_total{endpoint=\"openai:m1\"} 1"));
    }
}

#[tokio::test]
async fn if_all_fail_the_reason_of_the_last_is_told() {
    let (one, two) = (StandIn::start(vec![refuses(401)]).await, StandIn::start(vec![refuses(404)]).await);
    let (model, _) = model(&[&one, &two]);
    let error = only_error(ask(&model).await);
    assert!(matches!(error, LanguageError::Refused { status: 404, .. }), "{error}");
}

#[tokio::test]
async fn what_breaks_in_mid_answer_is_an_error_and_nobody_steps_in() {
    let first = || text("The answer is ");
    for (line, reason) in [
        (Line::BreaksAfter(vec![first()]), "before it was complete"),
        (Line::Streams(vec![first()]), "the connection was closed"),
        (Line::Streams(vec![first(), r#"{"error":{"message":"out of memory"}}"#.into()]), "out of memory"),
        (Line::Streams(vec![first(), "nonsense".into()]), "nonsense"),
        (Line::StallsAfter(vec![first()]), "took longer than 700 ms"),
    ] {
        let (one, two) = (StandIn::start(vec![line]).await, StandIn::start(vec![says("No.")]).await);
        let (model, _) = model_with(&[&one.url, &two.url], "total_timeout_millis = 700");
        let pieces = ask(&model).await;
        let [Ok(Piece::Text(words)), Err(error)] = &pieces[..] else { panic!("{pieces:?}") };
        assert_eq!(words, "The answer is ");
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(two.asked().len(), 0);
    }
}

#[tokio::test]
async fn what_fails_twice_in_a_row_is_left_alone_while_another_answers() {
    let (bad, good) = (StandIn::start(vec![refuses(401)]).await, StandIn::start(vec![says("Yes.")]).await);
    let (model, metrics) = model(&[&bad, &good]);
    for _ in 0..4 {
        assert_eq!(ask(&model).await, said("Yes."));
    }
    assert_eq!((bad.asked().len(), good.asked().len()), (2, 4));
    assert!(metrics.text().contains("visavis_language_pauses_total{endpoint=\"openai:m\"} 1"));
}

#[tokio::test]
async fn what_is_left_alone_is_asked_all_the_same_where_there_is_nobody_else() {
    let stand_in = StandIn::start(vec![refuses(401), refuses(401), says("Back again.")]).await;
    let (model, _) = model(&[&stand_in]);
    for _ in 0..2 {
        only_error(ask(&model).await);
    }
    assert_eq!(ask(&model).await, said("Back again."));
}

#[tokio::test]
async fn a_request_that_is_at_fault_does_not_speak_against_the_server() {
    let (small, large) = (StandIn::start(vec![refuses(400)]).await, StandIn::start(vec![says("Yes.")]).await);
    let (model, _) = model(&[&small, &large]);
    for _ in 0..3 {
        assert_eq!(ask(&model).await, said("Yes."));
    }
    assert_eq!(small.asked().len(), 3);
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let other = StandIn::start(vec![says("Your key, please.")]).await;
    let to = format!("{}/chat/completions", other.url);
    let line = Line::Refuses { status: 307, header: Some(("location", to.clone())), body: "" };
    let stand_in = StandIn::start(vec![line]).await;
    let (model, _) = model(&[&stand_in]);
    let error = only_error(ask(&model).await).to_string();
    assert!(error.contains(&format!("moved to {to}")), "{error}");
    assert_eq!(other.asked().len(), 0);
}

#[tokio::test]
async fn whoever_drops_an_answer_leaves_the_server() {
    let mut stand_in = StandIn::start(vec![Line::StallsAfter(vec![text("Once upon ")])]).await;
    let (model, _) = model(&[&stand_in]);
    let mut answer = Box::pin(model.answer(question()));
    assert_eq!(answer.next().await, Some(Ok(Piece::Text("Once upon ".into()))));
    drop(answer);
    // Its sender is dropped with the body of the response.
    stand_in.left.take().unwrap().await.unwrap_err();
}

#[tokio::test]
async fn nothing_is_read_ahead_by_servers_of_others() {
    let stand_in = StandIn::start(vec![says("Yes.")]).await;
    let (model, _) = model(&[&stand_in]);
    model.read_ahead(question()).await;
    assert_eq!(stand_in.asked().len(), 0);
}

#[tokio::test]
async fn the_model_that_is_named_is_asked_first_and_an_unknown_name_changes_nothing() {
    let (first, second) = (StandIn::start(vec![says("First.")]).await, StandIn::start(vec![says("Second.")]).await);
    let (model, _) = model(&[&first, &second]);
    for (name, words) in [("m1", "Second."), ("m", "First."), ("gpt-realtime", "First.")] {
        let question = Question { model: Some(name.into()), ..question() };
        assert_eq!(model.answer(question).collect::<Pieces>().await, said(words), "{name}");
    }
}
