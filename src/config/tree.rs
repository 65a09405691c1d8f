//! Settings as a tree of JSON, and how two trees differ.
//!
//! PURE. A setting is named by its path, `llm.system_prompt`; lists count as one setting.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Config;

/// All settings as they would stand in a file; one that has no value is not there.
pub fn of(config: &Config) -> Value {
    // By way of the text: a fraction is then the one that was written, not the nearest one of twice the bits.
    let text = toml::to_string(config).unwrap_or_default();
    toml::from_str::<Value>(&text).unwrap_or_default()
}

/// The settings that a patch is about, each with its value.
pub fn leaves(patch: &Map<String, Value>) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    gather(patch, "", &mut found);
    found
}

fn gather<'a>(table: &'a Map<String, Value>, above: &str, found: &mut Vec<(String, &'a Value)>) {
    for (name, value) in table {
        let path = format!("{above}{name}");
        match value {
            Value::Object(below) if !below.is_empty() => gather(below, &format!("{path}."), found),
            value => found.push((path, value)),
        }
    }
}

/// What stands at a path.
pub fn at<'a>(tree: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(tree, |value, name| value.get(name))
}

/// Paths at which two trees differ, in order.
pub fn differing(before: &Value, after: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(before, after, String::new(), &mut found);
    found
}

fn compare(before: &Value, after: &Value, path: String, found: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(one), Value::Object(other)) => {
            let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for name in names {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let of = |table: &Map<String, Value>| table.get(name).cloned().unwrap_or_default();
                compare(&of(one), &of(other), below, found);
            }
        }
        (one, other) if one == other => {}
        _ => found.push(path),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fractions_are_those_that_were_written() {
        let tree = of(&Config::default());
        assert_eq!(at(&tree, "llm.temperature").unwrap().to_string(), "0.3");
        assert_eq!(at(&tree, "tts.edge.limits.retries"), Some(&json!(1)));
        assert_eq!(at(&tree, "asr.remote"), None);
    }

    #[test]
    fn trees_differ_by_setting() {
        let before = json!({"a": {"b": 1, "c": [1, 2]}, "d": 1});
        assert!(differing(&before, &before).is_empty());
        let after = json!({"a": {"b": 2, "c": [1], "e": {"f": 1}}, "d": 1});
        assert_eq!(differing(&before, &after), ["a.b", "a.c", "a.e"]);
    }

    #[test]
    fn a_patch_is_about_its_leaves() {
        let patch = json!({"a": {"b": null, "c": {"d": [1]}}, "e": {}});
        let found: Vec<_> = leaves(patch.as_object().unwrap()).into_iter().map(|(path, _)| path).collect();
        assert_eq!(found, ["a.b", "a.c.d", "e"]);
    }
}
