//! The result of an MCP tool as text for the model.
//!
//! Text is text, a resource is its text, structured content is JSON. What a language model of words cannot take
//! (images, sound, other bytes) is named in its place.

use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};
use serde_json::Value;

/// All parts, each on lines of its own.
pub fn text(result: &CallToolResult) -> String {
    let mut parts: Vec<String> = result.content.iter().map(part).collect();
    if let Some(structured) = &result.structured_content
        && !parts.iter().any(|part| says(part, structured))
    {
        parts.push(structured.to_string());
    }
    parts.retain(|part| !part.trim().is_empty());
    parts.join("\n")
}

/// Servers repeat structured content as text, for clients that do not know it; the Python SDK wraps what is no object
/// as `{"result": ...}`.
fn says(part: &str, structured: &Value) -> bool {
    let same = |value: &Value| match value {
        Value::String(text) => text == part,
        other => serde_json::from_str::<Value>(part).is_ok_and(|said| said == *other),
    };
    let wrapped = structured.as_object().filter(|object| object.len() == 1).and_then(|object| object.get("result"));
    same(structured) || wrapped.is_some_and(same)
}

fn part(block: &ContentBlock) -> String {
    match block {
        ContentBlock::Text(text) => text.text.clone(),
        ContentBlock::Image(image) => format!("[An image ({}), which is not shown to you.]", image.mime_type),
        ContentBlock::Audio(audio) => format!("[Sound ({}), which is not played to you.]", audio.mime_type),
        ContentBlock::Resource(embedded) => resource(&embedded.resource),
        ContentBlock::ResourceLink(link) => {
            let title = link.title.as_deref().unwrap_or(&link.name);
            match link.description.as_deref() {
                Some(description) => format!("[A link to {title} ({description}): {}]", link.uri),
                None => format!("[A link to {title}: {}]", link.uri),
            }
        }
        _ => "[A part of a kind that is not known here.]".into(),
    }
}

fn resource(contents: &ResourceContents) -> String {
    match contents {
        ResourceContents::TextResourceContents { text, .. } => text.clone(),
        ResourceContents::BlobResourceContents { uri, mime_type, .. } => {
            format!("[The file {uri} ({}), which is not shown to you.]", mime_type.as_deref().unwrap_or("of bytes"))
        }
        _ => "[A resource of a kind that is not known here.]".into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(result: Value) -> String {
        text(&serde_json::from_value(result).unwrap())
    }

    #[test]
    fn words_are_given_and_the_rest_is_named() {
        insta::assert_snapshot!(
            said(json!({"content": [
                {"type": "text", "text": "Two tickets are open."},
                {"type": "image", "data": "aGk=", "mimeType": "image/png"},
                {"type": "audio", "data": "aGk=", "mimeType": "audio/wav"},
                {"type": "resource", "resource": {"uri": "file:///a.md", "mimeType": "text/markdown", "text": "# A"}},
                {"type": "resource", "resource": {"uri": "file:///a.zip", "blob": "aGk="}},
                {"type": "resource_link", "uri": "file:///b.md", "name": "b.md", "description": "the manual"},
            ]})),
            @"
        Two tickets are open.
        [An image (image/png), which is not shown to you.]
        [Sound (audio/wav), which is not played to you.]
        # A
        [The file file:///a.zip (of bytes), which is not shown to you.]
        [A link to b.md (the manual): file:///b.md]
        "
        );
    }

    #[test]
    fn structured_content_is_said_once() {
        let structured = json!({"open": 2});
        let repeated =
            json!({"content": [{"type": "text", "text": "{ \"open\": 2 }"}], "structuredContent": structured});
        assert_eq!(said(repeated), "{ \"open\": 2 }");
        assert_eq!(said(json!({"content": [], "structuredContent": structured})), "{\"open\":2}");
        for (text, result) in [("3", json!(3)), ("three", json!("three"))] {
            let wrapped = json!({"content": [{"type": "text", "text": text}], "structuredContent": {"result": result}});
            assert_eq!(said(wrapped), text);
        }
        let both = json!({"content": [{"type": "text", "text": "Two."}], "structuredContent": structured});
        assert_eq!(said(both), "Two.\n{\"open\":2}");
    }
}
