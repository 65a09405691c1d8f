//! The interface described: `/openapi.json` for programs, `/docs` for people.
//!
//! The page is made here from the same description, as one HTML text without script that fetches nothing, so
//! it works offline.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::Json;
use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderName, HeaderValue};
use axum::response::Html;
use serde_json::Value;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{admin, avatars, calls, conversations, models, ops, secrets, speech, voices};

const STYLE: &str = include_str!("docs.css");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "visavis",
        description = "A live conversation with a talking face. A call is one POST with a WebRTC offer; the \
            conversation then runs on the data channel oai-events with the events of the OpenAI Realtime protocol.",
    ),
    paths(
        calls::create, calls::hang_up, calls::delete, conversations::delete, avatars::list, avatars::picture,
        avatars::clip, avatars::create, avatars::delete, voices::list, models::list, speech::create, secrets::create,
        ops::status, ops::healthz, ops::readyz, ops::metrics,
        admin::calls, admin::end, admin::events, admin::config, admin::change
    ),
    modifiers(&BearerToken),
)]
struct Description;

struct BearerToken;

impl Modify for BearerToken {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key or a client secret; not needed while the server has no keys"))
            .build();
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("The admin's key")).build();
        components.add_security_scheme("admin", SecurityScheme::Http(scheme));
    }
}

static OPENAPI: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(Description::openapi()).unwrap_or(Value::Null));
static PAGE: LazyLock<String> = LazyLock::new(|| render(&OPENAPI));

/// The OpenAPI description of the HTTP interface.
pub fn openapi_json() -> &'static Value {
    &OPENAPI
}

pub(super) async fn openapi() -> Json<&'static Value> {
    Json(openapi_json())
}

pub(super) async fn page() -> ([(HeaderName, HeaderValue); 1], Html<&'static str>) {
    let nothing_from_outside = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
    ([(CONTENT_SECURITY_POLICY, nothing_from_outside)], Html(PAGE.as_str()))
}

fn render(description: &Value) -> String {
    let info = &description["info"];
    let mut html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8>\
         <meta name=viewport content='width=device-width,initial-scale=1'><title>{title}</title>\
         <style>{STYLE}</style><main><h1>{title} <small>{version}</small></h1><p>{about}</p>\
         <p><a href=openapi.json>openapi.json</a></p>",
        title = text(&info["title"]),
        version = text(&info["version"]),
        about = text(&info["description"]),
    );
    for (path, methods) in fields(&description["paths"]) {
        for (method, operation) in fields(methods) {
            operation_card(&mut html, path, method, operation);
        }
    }
    html.push_str("<h2 id=types>Types</h2>");
    for (name, schema) in fields(&description["components"]["schemas"]) {
        type_card(&mut html, name, schema);
    }
    html.push_str("</main></html>");
    html
}

fn operation_card(html: &mut String, path: &str, method: &str, operation: &Value) {
    let _ = write!(
        html,
        "<section><h3><b class={method}>{method}</b> <code>{path}</code></h3><p><strong>{}</strong> {}</p>",
        text(&operation["summary"]),
        prose(&operation["description"]),
        path = escape(path),
    );
    let bodies: Vec<String> = fields(&operation["requestBody"]["content"])
        .map(|(media_type, content)| format!("<code>{}</code> {}", escape(media_type), type_of(&content["schema"])))
        .collect();
    if !bodies.is_empty() {
        let _ = write!(html, "<p>Body: {}</p>", bodies.join(" or "));
    }
    html.push_str("<table>");
    for (status, reply) in fields(&operation["responses"]) {
        let body = fields(&reply["content"]).map(|(_, content)| type_of(&content["schema"])).next();
        let headers: Vec<String> = fields(&reply["headers"]).map(|(name, _)| escape(name)).collect();
        let _ = write!(
            html,
            "<tr><td><code>{status}</code><td>{}<td>{}<td>{}",
            text(&reply["description"]),
            body.unwrap_or_default(),
            headers.join(", "),
        );
    }
    html.push_str("</table></section>");
}

fn type_card(html: &mut String, name: &str, schema: &Value) {
    let name = escape(name);
    let _ = write!(html, "<section id='{name}'><h3><code>{name}</code></h3><p>{}</p>", prose(&schema["description"]));
    let words: Vec<String> =
        schema["enum"].as_array().into_iter().flatten().map(|word| format!("<code>{}</code>", text(word))).collect();
    html.push_str(&words.join(" "));
    // A type with open fields is the union of an open object and one with the named fields.
    let with_fields = schema["allOf"].as_array().into_iter().flatten().chain([schema]);
    html.push_str("<table>");
    for (field, schema) in with_fields.flat_map(|schema| fields(&schema["properties"])) {
        let (field, about) = (escape(field), prose(&schema["description"]));
        let _ = write!(html, "<tr><td><code>{field}</code><td>{}<td>{about}", type_of(schema));
    }
    html.push_str("</table></section>");
}

/// The name of a schema's type, as a link where it has its own card.
fn type_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("<a href='#{0}'>{0}</a>", escape(name));
    }
    for union in ["oneOf", "anyOf", "allOf"] {
        if let Some(options) = schema[union].as_array() {
            return options.iter().map(type_of).collect::<Vec<_>>().join(" or ");
        }
    }
    match &schema["type"] {
        Value::String(kind) if kind == "array" => format!("list of {}", type_of(&schema["items"])),
        Value::Array(kinds) => kinds.iter().map(text).collect::<Vec<_>>().join(" or "),
        kind => text(kind),
    }
}

fn fields(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn text(value: &Value) -> String {
    escape(value.as_str().unwrap_or_default())
}

/// Text in which backticks enclose code.
fn prose(value: &Value) -> String {
    let mut html = String::new();
    for (index, piece) in text(value).split('`').enumerate() {
        html += if index == 0 {
            ""
        } else if index % 2 == 1 {
            "<code>"
        } else {
            "</code>"
        };
        html += piece;
    }
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;").replace('"', "&quot;")
}
