//! The routes: checks a request, makes its prompt, hands it to the engine, and sends what comes back, whole or as
//! server-sent events. When the client goes away its response is dropped, with it the receiver of the engine's
//! events, and that is what ends the computing.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderName, Method, Uri, header};
use axum::response::sse::{self, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures::{Stream, StreamExt as _, stream};
use llama_cpp_2::sampling::LlamaSampler;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task;

use crate::clock;
use crate::engine::Engine;
use crate::error::ApiError;
use crate::job::{Event, Form, Job, Task};
use crate::model::Model;
use crate::tools;
use crate::wire::{ChatRequest, Head, ToolCall, Wanted};

/// Largest body that is read, in bytes.
const BODY_LIMIT: usize = 1 << 20;
/// Events beyond one for each token: text that a stop string held back, and the end.
const CLOSING_EVENTS: usize = 2;

/// What the routes share.
#[derive(Clone)]
pub struct Server {
    pub model: Arc<Model>,
    pub engine: Engine,
    /// The name under which the model is listed and answers.
    pub alias: String,
    /// Seconds since 1970 at which the model was loaded.
    pub created: u64,
}

/// All routes.
pub fn routes(server: Server) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .route("/v1/models", get(models))
        .route("/v1/chat/completions", post(chat))
        .fallback(|uri: Uri| async move { ApiError::unknown_path(uri.path()) })
        .method_not_allowed_fallback(|method: Method, uri: Uri| async move {
            ApiError::wrong_method(method.as_str(), uri.path())
        })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(server)
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

/// The server listens only once it can answer, so an answer is all that is needed.
async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

async fn metrics(State(server): State<Server>) -> ([(HeaderName, &'static str); 1], String) {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], server.engine.metrics_text())
}

#[derive(Serialize)]
struct ModelList {
    object: &'static str,
    data: [ModelEntry; 1],
}

#[derive(Serialize)]
struct ModelEntry {
    id: String,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
    /// Not OpenAI's: most tokens of a prompt and its answer together.
    context_length: usize,
}

async fn models(State(server): State<Server>) -> Json<ModelList> {
    let entry = ModelEntry {
        id: server.alias,
        object: "model",
        created: server.created,
        owned_by: "visavis",
        context_length: server.engine.context,
    };
    Json(ModelList { object: "list", data: [entry] })
}

async fn chat(State(server): State<Server>, body: Result<Bytes, BytesRejection>) -> Result<Response, ApiError> {
    let answer = answer(&server, body).await;
    answer.inspect_err(|error| server.engine.metrics.refused.with_label_values(&[error.code()]).inc())
}

async fn answer(server: &Server, body: Result<Bytes, BytesRejection>) -> Result<Response, ApiError> {
    let body = body.map_err(|rejection| ApiError::body(rejection.status(), BODY_LIMIT))?;
    let request: ChatRequest = serde_json::from_slice(&body).map_err(|error| ApiError::bad_json(error.to_string()))?;
    let head = Head {
        id: format!("chatcmpl-{:016x}", rand::random::<u64>()),
        created: clock::unix_seconds(),
        model: server.alias.clone(),
    };
    let events = submit(server, &request).await?;
    if request.stream.unwrap_or(false) {
        Ok(Sse::new(streamed(head, events, request.stream_usage())).into_response())
    } else {
        whole(&head, events).await
    }
}

/// Hands the request to the engine; the receiver is the client's interest in it.
async fn submit(server: &Server, request: &ChatRequest) -> Result<mpsc::Receiver<Event>, ApiError> {
    let messages = request.messages()?;
    let wanted = request.wanted(rand::random())?;
    let model = Arc::clone(&server.model);
    let ahead = request.is_read_ahead();
    let prepare = move || -> Result<_, ApiError> {
        let tools = wanted.tools.as_ref().map(|tools| tools.shown()).unwrap_or_default();
        if ahead {
            return Ok((model.prompt_ahead(messages, &tools)?, Task::ReadAhead));
        }
        Ok((model.prompt(&messages, &tools)?, task(wanted, &model)?))
    };
    // A megabyte of text takes the tokenizer a while, and a schema llama.cpp's reader of grammars.
    let (prompt, task) = task::spawn_blocking(prepare).await.map_err(|_| ApiError::engine_gone())??;
    let (length, context) = (prompt.tokens.len(), server.engine.context);
    if length >= context {
        return Err(ApiError::prompt_too_long(length, context));
    }
    // Room for every event that one answer can have: the engine never waits for a client that reads slowly.
    let (events, receiver) = mpsc::channel(context + CLOSING_EVENTS);
    server.engine.submit(Job { prompt, task, events })?;
    Ok(receiver)
}

/// What the engine is to do.
fn task(wanted: Wanted, model: &Model) -> Result<Task, ApiError> {
    let Wanted { sampling, max_tokens, stops, grammar, tools, words_only } = wanted;
    let form = match (grammar, tools) {
        (Some(grammar), _) => {
            let grammar = LlamaSampler::grammar(&model.llama, &grammar, "root");
            let refused = "llama.cpp does not take the grammar of this schema; simplify it";
            Form::Grammar(grammar.map_err(|_| ApiError::bad_value("response_format", refused))?)
        }
        (None, Some(tools)) => Form::Calls(tools.rules(model)?),
        (None, None) if words_only => Form::Words(tools::no_call(model)?),
        (None, None) => Form::Text,
    };
    Ok(Task::Answer { sampling, max_tokens, stops, form })
}

/// A call, named as no other is.
fn call(name: String, arguments: String) -> ToolCall {
    ToolCall::new(format!("call_{:016x}", rand::random::<u64>()), name, arguments)
}

async fn whole(head: &Head, mut events: mpsc::Receiver<Event>) -> Result<Response, ApiError> {
    let mut content = String::new();
    let mut calls = Vec::new();
    while let Some(event) = events.recv().await {
        match event {
            Event::Text(text) => content.push_str(&text),
            Event::Call { name, arguments } => calls.push(call(name, arguments)),
            Event::Finished(finished) => return Ok(Json(head.completion(&content, &calls, finished)).into_response()),
            Event::Failed(failure) => return Err(failure.into()),
        }
    }
    Err(ApiError::engine_gone())
}

/// `data: {chunk}` for each piece of text, then the end and `data: [DONE]`. A stream that breaks ends with
/// `data: {"error": ...}` and without `[DONE]`.
fn streamed(
    head: Head,
    events: mpsc::Receiver<Event>,
    with_usage: bool,
) -> impl Stream<Item = Result<sse::Event, axum::Error>> {
    let opening = stream::once(future_of(data(&head.opening())));
    let rest = stream::unfold((head, Some(events), 0), move |(head, events, mut calls)| async move {
        let mut events = events?;
        let event = events.recv().await;
        let (frames, events) = match event {
            Some(Event::Text(text)) => (vec![data(&head.text(&text))], Some(events)),
            Some(Event::Call { name, arguments }) => {
                calls += 1;
                (vec![data(&head.call(calls - 1, &call(name, arguments)))], Some(events))
            }
            Some(Event::Finished(finished)) => {
                let mut frames = vec![data(&head.ending(finished))];
                if with_usage {
                    frames.push(data(&head.usage(finished)));
                }
                frames.push(Ok(sse::Event::default().data("[DONE]")));
                (frames, None)
            }
            Some(Event::Failed(failure)) => (vec![data(&ApiError::from(failure).into_body())], None),
            None => (vec![data(&ApiError::engine_gone().into_body())], None),
        };
        Some((stream::iter(frames), (head, events, calls)))
    });
    opening.chain(rest.flatten())
}

fn data(json: &impl Serialize) -> Result<sse::Event, axum::Error> {
    sse::Event::default().json_data(json)
}

async fn future_of<T>(value: T) -> T {
    value
}
