//! Settings as they may be shown: without what may be a secret.
//!
//! PURE. Keys belong into the environment, but a header or an address may hold one all the same.

use serde_json::Value;

/// Stands for a secret; sent back, it means "as it is".
pub const MASK: &str = "********";

/// Tables and lists whose every text may be a secret: headers, query, a program's environment and arguments.
const HIDING: &[&str] = &["headers", "query", "env", "args"];
/// So are fields of anything whose names say so. `api_key_env` names a variable and hides nothing.
const SECRET_WORDS: &[&str] = &["key", "token", "secret", "password", "authorization", "credential"];
/// Free tables, where a field's name is all there is to go by.
const FREE: &str = "extra_body";

/// Masks what may be a secret.
pub fn mask(tree: &mut Value) {
    walk(tree, Hidden::No);
}

#[derive(Clone, Copy, PartialEq)]
enum Hidden {
    No,
    /// By the names of its fields.
    Some,
    All,
}

fn walk(value: &mut Value, hidden: Hidden) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.to_lowercase();
                let below = match hidden {
                    Hidden::All => Hidden::All,
                    _ if HIDING.contains(&name.as_str()) => Hidden::All,
                    Hidden::Some if SECRET_WORDS.iter().any(|word| name.contains(word)) => Hidden::All,
                    _ if name == FREE => Hidden::Some,
                    hidden => hidden,
                };
                walk(value, below);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| walk(value, hidden)),
        Value::String(text) if hidden == Hidden::All && !is_reference(text) => MASK.clone_into(text),
        Value::String(text) => without_credentials(text),
        _ => {}
    }
}

/// `env:NAME`, after a word or not: the name of a variable tells nothing.
fn is_reference(text: &str) -> bool {
    let named = text.rsplit_once(' ').filter(|(scheme, _)| ["Bearer", "Basic"].contains(scheme));
    let name = named.map_or(text, |(_, name)| name).strip_prefix("env:");
    name.is_some_and(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

/// An address may hold a password before its host, and a key in its query.
fn without_credentials(text: &mut String) {
    let Some((scheme, rest)) = text.split_once("://") else { return };
    if scheme.contains(|c: char| !c.is_ascii_alphanumeric()) {
        return;
    }
    let (place, query) = rest.split_once('?').map_or((rest, ""), |(place, _)| (place, MASK));
    let (host, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    let host = host.rsplit_once('@').map_or(host.to_owned(), |(_, host)| format!("{MASK}@{host}"));
    let mark = if query.is_empty() { "" } else { "?" };
    *text = format!("{scheme}://{host}{path}{mark}{query}");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_masked_wherever_they_stand_and_the_rest_is_not() {
        let mut tree = json!({
            "server": {"api_keys_env": "VISAVIS_API_KEYS"},
            "llm": {
                "base_url": "https://me:secret@host.test/v1", "max_tokens": 200, "key_header": "api-key",
                "headers": {"authorization": "Bearer secret", "x-team": "env:TEAM"},
                "query": {"api-version": "2024"},
                "extra_body": {"reasoning": "low", "inner": {"api_key": "secret"}, "list": [{"token": "secret"}]},
                "others": [{"model": "x", "headers": {"x": "secret"}, "base_url": "https://host.test/v1"}],
            },
            "tools": {
                "webhook": [{"url": "https://host.test/hook?token=secret", "headers": {"a": "Bearer env:DESK_TOKEN"}}],
                "mcp": [{"args": ["--token", "secret"], "env": {"KEY": "secret"}}],
            },
        });
        mask(&mut tree);
        assert!(!tree.to_string().contains("secret"), "{tree}");
        let llm = &tree["llm"];
        assert_eq!(llm["base_url"], format!("https://{MASK}@host.test/v1"));
        assert_eq!(llm["headers"], json!({"authorization": MASK, "x-team": "env:TEAM"}));
        assert_eq!(llm["extra_body"]["reasoning"], "low");
        assert_eq!((&llm["max_tokens"], &llm["key_header"]), (&json!(200), &json!("api-key")));
        assert_eq!(llm["others"][0]["base_url"], "https://host.test/v1");
        assert_eq!(tree["server"]["api_keys_env"], "VISAVIS_API_KEYS");
        assert_eq!(tree["tools"]["webhook"][0]["headers"]["a"], "Bearer env:DESK_TOKEN");
        assert_eq!(tree["tools"]["webhook"][0]["url"], format!("https://host.test/hook?{MASK}"));
    }
}
