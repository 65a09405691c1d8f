//! JSON whose objects keep the order of their fields, as templates show it and schemas mean it: an answer that follows
//! a schema names its fields in the schema's order.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// Any JSON value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Json {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    String(String),
    Array(Vec<Json>),
    Object(IndexMap<String, Json>),
}

impl Json {
    pub fn object<const N: usize>(fields: [(&str, Json); N]) -> Self {
        Self::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    pub fn as_object(&self) -> Option<&IndexMap<String, Json>> {
        if let Self::Object(fields) = self { Some(fields) } else { None }
    }

    pub fn as_array(&self) -> Option<&[Json]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Number(number) = self { number.as_i64() } else { None }
    }

    pub fn as_usize(&self) -> Option<usize> {
        if let Self::Number(number) = self { number.as_u64()?.try_into().ok() } else { None }
    }

    /// A field of an object.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.as_object()?.get(name)
    }

    /// The text, with a space after each colon and comma as models have seen it most.
    pub fn spaced(&self) -> String {
        let mut text = String::new();
        self.write_spaced(&mut text);
        text
    }

    fn write_spaced(&self, text: &mut String) {
        let separate = |text: &mut String, index: usize| {
            if index > 0 {
                text.push_str(", ");
            }
        };
        match self {
            Self::Array(items) => {
                text.push('[');
                for (index, item) in items.iter().enumerate() {
                    separate(text, index);
                    item.write_spaced(text);
                }
                text.push(']');
            }
            Self::Object(fields) => {
                text.push('{');
                for (index, (name, value)) in fields.iter().enumerate() {
                    separate(text, index);
                    text.push_str(&quoted(name));
                    text.push_str(": ");
                    value.write_spaced(text);
                }
                text.push('}');
            }
            Self::Null => text.push_str("null"),
            Self::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
            Self::Number(number) => text.push_str(&number.to_string()),
            Self::String(words) => text.push_str(&quoted(words)),
        }
    }

    /// The same with every text, names of fields too, passed through `change`.
    pub fn with_texts(&self, change: &impl Fn(&str) -> String) -> Self {
        match self {
            Self::String(text) => Self::String(change(text)),
            Self::Array(items) => Self::Array(items.iter().map(|item| item.with_texts(change)).collect()),
            Self::Object(fields) => {
                Self::Object(fields.iter().map(|(name, value)| (change(name), value.with_texts(change))).collect())
            }
            other => other.clone(),
        }
    }
}

/// A text as JSON writes it.
pub fn quoted(text: &str) -> String {
    // Writing a text to memory does not fail.
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_fields_and_every_kind_of_value_are_kept() {
        let text = r#"{"z": [1, -2.5, 0.1, true, null], "a": {"语": "\"\n\u0000"}, "m": []}"#;
        let json: Json = serde_json::from_str(text).expect("JSON");
        assert_eq!(json.spaced(), text);
        assert_eq!(serde_json::to_string(&json).expect("text"), text.replace(", ", ",").replace(": ", ":"));
        assert_eq!(json.get("z").and_then(Json::as_array).map(<[_]>::len), Some(5));
    }
}
