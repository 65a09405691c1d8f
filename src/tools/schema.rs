//! The JSON schema of a tool's arguments: read once, then every call is held against it before anything is sent.
//!
//! Nothing is fetched: a schema that refers to another document is refused. What does not fit is said in words by
//! which a model can correct itself.

use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value};

use super::text;

/// Longest schema as JSON, in bytes: every prompt carries it.
const MAX_SCHEMA: usize = 32 * 1024;
/// Longest arguments, in bytes: no model writes as much in a conversation.
const MAX_ARGUMENTS: usize = 64 * 1024;
/// So many mistakes are named at a time.
const MAX_MISTAKES: usize = 5;
/// Longest name of a mistake, in bytes: it may quote the argument.
const MAX_MISTAKE: usize = 200;
/// Steps that a schema's `pattern` may go back in a text before it is given up. A hostile one doubles its time with
/// each letter; this many take milliseconds.
const MAX_BACKTRACKS: usize = 50_000;
/// Compiled size of such a pattern, in bytes.
const MAX_PATTERN: usize = 1 << 20;

pub(super) struct Schema {
    validator: Validator,
}

/// The schema as models are given it: an object's, and no `$schema`, which says nothing to them.
pub(super) fn for_model(parameters: &Value) -> Result<Value, String> {
    let Value::Object(schema) = parameters else {
        return Err("its parameters are no JSON object".into());
    };
    let mut schema = schema.clone();
    schema.remove("$schema");
    match schema.get("type") {
        None => {
            schema.insert("type".into(), "object".into());
        }
        Some(Value::String(kind)) if kind == "object" => {}
        Some(other) => return Err(format!("its parameters must be of type \"object\", not {other}")),
    }
    if !schema.contains_key("properties") {
        // Some servers of language models want it to be there.
        schema.insert("properties".into(), Map::new().into());
    }
    Ok(Value::Object(schema))
}

impl Schema {
    /// With `formats`, a `format` such as "date" is held against the text too; without, it is a hint to the model.
    pub fn new(parameters: &Value, formats: bool) -> Result<Self, String> {
        let length = parameters.to_string().len();
        if length > MAX_SCHEMA {
            return Err(format!("its parameters are {length} bytes of JSON: at most {MAX_SCHEMA} are taken"));
        }
        let patterns = PatternOptions::fancy_regex()
            .backtrack_limit(MAX_BACKTRACKS)
            .size_limit(MAX_PATTERN)
            .dfa_size_limit(MAX_PATTERN);
        let validator = jsonschema::options()
            .offline()
            .with_pattern_options(patterns)
            .should_validate_formats(formats)
            .build(parameters)
            .map_err(|error| format!("its parameters are no JSON schema: {}", mistake(&error)))?;
        Ok(Self { validator })
    }

    /// The arguments as the model wrote them. Nothing at all stands for no arguments.
    pub fn read(&self, arguments: &str) -> Result<Map<String, Value>, String> {
        if arguments.len() > MAX_ARGUMENTS {
            return Err(format!("they are {} bytes long, and at most {MAX_ARGUMENTS} are taken", arguments.len()));
        }
        let value = match arguments.trim() {
            "" => Value::Object(Map::new()),
            text => serde_json::from_str(text).map_err(|error| format!("they are not valid JSON ({error})"))?,
        };
        if !value.is_object() {
            return Err("they must be a JSON object, {...}".into());
        }
        let mistakes: Vec<String> =
            self.validator.iter_errors(&value).take(MAX_MISTAKES).map(|error| mistake(&error)).collect();
        match value {
            Value::Object(map) if mistakes.is_empty() => Ok(map),
            _ => Err(mistakes.join("; ")),
        }
    }
}

/// `days: "two" is not of type "integer"`
fn mistake(error: &jsonschema::ValidationError<'_>) -> String {
    let place = error.instance_path().to_string();
    let said = error.to_string();
    let said = text::clip(&said, MAX_MISTAKE);
    match place.trim_start_matches('/') {
        "" => said.to_owned(),
        place => format!("{}: {said}", text::clip(place, MAX_MISTAKE)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn weather() -> Schema {
        let parameters = json!({
            "type": "object",
            "properties": {
                "city": {"type": "string", "minLength": 1},
                "days": {"type": "integer", "minimum": 1, "maximum": 7},
                "day": {"type": "string", "format": "date"},
                "unit": {"enum": ["celsius", "fahrenheit"]},
            },
            "required": ["city"],
            "additionalProperties": false,
        });
        Schema::new(&parameters, true).unwrap()
    }

    #[test]
    fn arguments_that_fit_are_read() {
        let read = weather().read(r#" {"city": "北京", "days": 2, "day": "2026-11-23"} "#).unwrap();
        assert_eq!(Value::Object(read), json!({"city": "北京", "days": 2, "day": "2026-11-23"}));
        let none = Schema::new(&json!({"type": "object"}), true).unwrap();
        assert_eq!(none.read("").unwrap(), Map::new());
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_place() {
        let said = |arguments: &str| weather().read(arguments).unwrap_err();
        insta::assert_snapshot!(
            [
                r#"{"city": "Bonn", "days": "two"}"#,
                r#"{"city": "Bonn", "days": 9, "unit": "kelvin"}"#,
                r#"{"city": "Bonn", "day": "tomorrow"}"#,
                r#"{"town": "Bonn"}"#,
                r#"["Bonn"]"#,
                r#"{"city": "Bonn""#,
                r#"{"city": "\ud800"}"#,
            ]
            .map(said)
            .join("\n"),
            @r#"
        days: "two" is not of type "integer"
        days: 9 is greater than the maximum of 7; unit: "kelvin" is not one of "celsius" or "fahrenheit"
        day: "tomorrow" is not a "date"
        Additional properties are not allowed ('town' was unexpected); "city" is a required property
        they must be a JSON object, {...}
        they are not valid JSON (EOF while parsing an object at line 1 column 15)
        they are not valid JSON (unexpected end of hex escape at line 1 column 17)
        "#
        );
    }

    #[test]
    fn long_and_deep_arguments_are_refused() {
        let schema = Schema::new(&json!({"type": "object"}), true).unwrap();
        let long = format!(r#"{{"a": "{}"}}"#, "x".repeat(MAX_ARGUMENTS));
        assert!(schema.read(&long).unwrap_err().contains("bytes long"));
        let deep = format!(r#"{{"a": {}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
        assert!(schema.read(&deep).unwrap_err().contains("recursion"));
        let quoted = weather().read(&format!(r#"{{"city": "Bonn", "days": "{}"}}"#, "9".repeat(5000))).unwrap_err();
        assert!(quoted.len() < 300, "{quoted}");
    }

    #[test]
    fn a_pattern_that_never_ends_is_given_up() {
        let parameters = json!({"type": "object", "properties": {"a": {"type": "string", "pattern": "^(?=(a+)+$)b"}}});
        let schema = Schema::new(&parameters, true).unwrap();
        assert!(schema.read(&format!(r#"{{"a": "{}!"}}"#, "a".repeat(60))).is_err());
    }

    #[test]
    fn a_schema_that_is_none_or_lies_elsewhere_is_refused() {
        for parameters in [
            json!({"type": "objekt"}),
            json!({"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:9/a.json"}}}),
            json!({"type": "object", "properties": {"a": {"$ref": "file:///etc/passwd"}}}),
            json!({"type": "object", "description": "x".repeat(MAX_SCHEMA)}),
        ] {
            assert!(Schema::new(&parameters, true).is_err(), "{parameters:.80}");
        }
    }

    #[test]
    fn models_are_given_the_schema_of_an_object() {
        let bare = for_model(&json!({"$schema": "https://json-schema.org/draft/2020-12/schema"})).unwrap();
        assert_eq!(bare, json!({"type": "object", "properties": {}}));
        assert!(for_model(&json!({"type": "string"})).unwrap_err().contains("object"));
        assert!(for_model(&json!([])).is_err());
    }
}
