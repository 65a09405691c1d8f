//! From a JSON schema to the rules of a grammar: what is allowed by the grammar is valid under the schema. The reverse
//! does not hold, and need not: fields come in the schema's order, and none that it does not name.
//!
//! The common part of JSON schema (draft 2020-12) is known: types, `enum`, `const`, objects with `properties`,
//! `required` and `additionalProperties`, arrays with `items` and bounds, texts with bounds and four formats, small
//! ranges of integers, `anyOf`, `oneOf`, `$ref` within the schema. Whatever else would narrow the values is refused by
//! name, or passed over where the caller says so.

use std::collections::HashMap;

use crate::grammar::{Grammar, Rule, TooLarge, field, literal};
use crate::json::Json;

/// Schemas within schemas.
const MOST_DEPTH: usize = 64;
/// Bounds of llama.cpp's grammars: more repetitions are taken for an attack.
const MOST_ITEMS: usize = 200;
const MOST_CHARS: usize = 1000;
/// Integers of a range are listed one by one.
const MOST_INTEGERS: i64 = 256;

/// What says something about a schema, and nothing about values.
const ANNOTATIONS: &[&str] = &[
    "title",
    "description",
    "default",
    "examples",
    "example",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$schema",
    "$id",
    "$comment",
    "$anchor",
    "$defs",
    "definitions",
];

const DATE: &str = r#"[0-9] [0-9] [0-9] [0-9] "-" ( "0" [1-9] | "1" [0-2] ) "-" ( "0" [1-9] | [12] [0-9] | "3" [01] )"#;
const TIME: &str = r#"( [01] [0-9] | "2" [0-3] ) ":" [0-5] [0-9] ":" [0-5] [0-9] ( "." [0-9]{1,6} )? ( "Z" | [-+] ( [01] [0-9] | "2" [0-3] ) ":" [0-5] [0-9] )"#;
const UUID: &str = r#"hex{8} "-" hex{4} "-" hex{4} "-" hex{4} "-" hex{12}"#;

/// Why a schema cannot be made into a grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    #[error("at {place}: {what}")]
    Unsupported { place: String, what: String },
    #[error("the schema is too large or too deep: leave out what the answer does not need")]
    TooLarge,
}

impl From<TooLarge> for SchemaError {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge
    }
}

/// What is done where a schema says what cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// It is refused.
    Refused,
    /// Values of the schema's type are allowed, whatever else it says.
    PassedOver,
}

/// Adds the rules of `schema` to `grammar`; the result stands for its values within other rules.
pub fn write(schema: &Json, unknown: Unknown, grammar: &mut Grammar) -> Result<String, SchemaError> {
    let mut writer = Writer { root: schema, unknown, grammar, refs: HashMap::new(), depth: 0 };
    writer.schema(schema, "#")
}

struct Writer<'a> {
    root: &'a Json,
    unknown: Unknown,
    grammar: &'a mut Grammar,
    /// Rules of what was referred to.
    refs: HashMap<String, Rule>,
    depth: usize,
}

fn unsupported<T>(place: &str, what: impl Into<String>) -> Result<T, SchemaError> {
    Err(SchemaError::Unsupported { place: place.to_owned(), what: what.into() })
}

impl Writer<'_> {
    /// An expression that can be repeated and stand in a sequence.
    fn schema(&mut self, schema: &Json, place: &str) -> Result<String, SchemaError> {
        if self.depth == MOST_DEPTH {
            return Err(SchemaError::TooLarge);
        }
        self.depth += 1;
        let written = self.strictly(schema, place);
        self.depth -= 1;
        match written {
            Err(SchemaError::Unsupported { .. }) if self.unknown == Unknown::PassedOver => {
                Ok(generic(schema.get("type")).to_owned())
            }
            other => other,
        }
    }

    fn strictly(&mut self, schema: &Json, place: &str) -> Result<String, SchemaError> {
        let fields = match schema {
            Json::Bool(true) => return Ok("value".to_owned()),
            Json::Object(fields) => fields,
            _ => return unsupported(place, "a schema is an object, or true"),
        };
        let has = |name: &str| fields.contains_key(name);
        if let Some(reference) = fields.get("$ref") {
            self.only(schema, place, &["$ref"])?;
            let Some(reference) = reference.as_str() else { return unsupported(place, "`$ref` must be a text") };
            return self.reference(reference, place);
        }
        for name in ["anyOf", "oneOf"] {
            if let Some(choices) = fields.get(name) {
                self.only(schema, place, &[name])?;
                return self.any_of(choices, &format!("{place}/{name}"));
            }
        }
        if let Some(all) = fields.get("allOf") {
            self.only(schema, place, &["allOf"])?;
            return match all.as_array() {
                Some([one]) => self.schema(one, &format!("{place}/allOf/0")),
                _ => unsupported(place, "`allOf` is known only with a single schema in it"),
            };
        }
        if let Some(value) = fields.get("const") {
            self.only(schema, place, &["const", "type"])?;
            return Ok(literal(&value.spaced()));
        }
        if let Some(values) = fields.get("enum") {
            self.only(schema, place, &["enum", "type"])?;
            let values = values.as_array().filter(|values| !values.is_empty());
            let Some(values) = values else { return unsupported(place, "`enum` must be a list of at least one value") };
            let values: Vec<_> = values.iter().map(|value| literal(&value.spaced())).collect();
            return Ok(self.grammar.rule(values.join(" | "))?.to_string());
        }
        match fields.get("type") {
            Some(Json::String(kind)) => self.of_type(kind, schema, place),
            Some(Json::Array(kinds)) => {
                let mut choices = Vec::new();
                for kind in kinds {
                    let Some(kind) = kind.as_str() else { return unsupported(place, "`type` must name types") };
                    choices.push(self.of_type(kind, schema, place)?);
                }
                if choices.is_empty() {
                    return unsupported(place, "`type` must name a type");
                }
                Ok(self.grammar.rule(choices.join(" | "))?.to_string())
            }
            Some(_) => unsupported(place, "`type` must be a text or a list of texts"),
            None if has("properties") || has("additionalProperties") => self.of_type("object", schema, place),
            None if has("items") => self.of_type("array", schema, place),
            None => {
                self.only(schema, place, &[])?;
                Ok("value".to_owned())
            }
        }
    }

    /// Refuses fields other than these and annotations.
    fn only(&self, schema: &Json, place: &str, known: &[&str]) -> Result<(), SchemaError> {
        let mut names = schema.as_object().into_iter().flat_map(|fields| fields.keys());
        match names.find(|name| !known.contains(&name.as_str()) && !ANNOTATIONS.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) if known.is_empty() => unsupported(place, format!("`{name}` is not known without a `type`")),
            Some(name) => unsupported(place, format!("`{name}` is not known here (beside {})", known.join(", "))),
        }
    }

    fn reference(&mut self, reference: &str, place: &str) -> Result<String, SchemaError> {
        if let Some(rule) = self.refs.get(reference) {
            return Ok(rule.to_string());
        }
        let Some(schema) = find(self.root, reference) else {
            return unsupported(place, format!("`$ref` to \"{reference}\": only what is in this schema can be meant"));
        };
        let rule = self.grammar.reserve()?;
        self.refs.insert(reference.to_owned(), rule);
        let mut body = self.schema(schema, reference)?;
        if body == rule.to_string() {
            if self.unknown == Unknown::Refused {
                return unsupported(reference, "it means only itself");
            }
            body = "value".to_owned();
        }
        self.grammar.define(rule, body)?;
        Ok(rule.to_string())
    }

    fn any_of(&mut self, choices: &Json, place: &str) -> Result<String, SchemaError> {
        let Some(choices) = choices.as_array().filter(|choices| !choices.is_empty()) else {
            return unsupported(place, "it must be a list of at least one schema");
        };
        let written = choices.iter().enumerate();
        let written: Result<Vec<_>, _> =
            written.map(|(index, choice)| self.schema(choice, &format!("{place}/{index}"))).collect();
        Ok(self.grammar.rule(written?.join(" | "))?.to_string())
    }

    fn of_type(&mut self, kind: &str, schema: &Json, place: &str) -> Result<String, SchemaError> {
        // With several types each takes what is meant for it.
        let is_one = schema.get("type").is_none_or(|kinds| kinds.as_str().is_some());
        let known: &[&str] = match kind {
            "object" => &["type", "properties", "required", "additionalProperties", "minProperties"],
            "array" => &["type", "items", "minItems", "maxItems"],
            "string" => &["type", "minLength", "maxLength", "format"],
            "integer" => &["type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
            "number" | "boolean" | "null" => &["type"],
            other => return unsupported(place, format!("there is no type \"{other}\"")),
        };
        if is_one {
            self.only(schema, place, known)?;
        } else {
            const EITHER: &[&str] = &[
                "type",
                "properties",
                "required",
                "additionalProperties",
                "items",
                "minItems",
                "maxItems",
                "minLength",
                "maxLength",
                "format",
                "minimum",
                "maximum",
            ];
            self.only(schema, place, EITHER)?;
            if kind == "number" && (schema.get("minimum").is_some() || schema.get("maximum").is_some()) {
                return unsupported(place, "bounds of a `number` are not known");
            }
        }
        match kind {
            "object" => self.object(schema, place),
            "array" => self.array(schema, place),
            "string" => self.string(schema, place),
            "integer" => self.integer(schema, place),
            kind => Ok(kind.to_owned()),
        }
    }

    fn object(&mut self, schema: &Json, place: &str) -> Result<String, SchemaError> {
        let empty = Default::default();
        let properties = match schema.get("properties") {
            None => &empty,
            Some(Json::Object(properties)) => properties,
            Some(_) => return unsupported(place, "`properties` must be an object"),
        };
        let required: Vec<&str> = match schema.get("required") {
            None => Vec::new(),
            Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
            Some(_) => return unsupported(place, "`required` must be a list of names"),
        };
        if let Some(name) = required.iter().find(|name| !properties.contains_key(**name)) {
            return unsupported(place, format!("`required` names \"{name}\", which `properties` does not"));
        }
        if schema.get("minProperties").is_some_and(|least| least.as_usize().is_none_or(|least| least > required.len()))
        {
            return unsupported(place, "`minProperties` is more than are required");
        }
        if properties.is_empty() {
            return match schema.get("additionalProperties") {
                None | Some(Json::Bool(true)) => Ok("object".to_owned()),
                Some(Json::Bool(false)) => Ok(literal("{}")),
                Some(values) => {
                    let value = self.schema(values, &format!("{place}/additionalProperties"))?;
                    let member = self.grammar.rule(format!("string \":\" sp {value}"))?;
                    Ok(self.grammar.rule(format!("\"{{\" ( {member} ( \",\" sp {member} )* )? \"}}\""))?.to_string())
                }
            };
        }
        let mut members = Vec::with_capacity(properties.len());
        for (name, property) in properties {
            let value = self.schema(property, &format!("{place}/properties/{name}"))?;
            let member = self.grammar.rule(format!("{} {value}", field(name)))?;
            members.push((member, required.contains(&name.as_str())));
        }
        let members = self.members(&members)?;
        Ok(self.grammar.rule(format!("\"{{\" {members} \"}}\""))?.to_string())
    }

    /// The members in their order, those that are not required left out or not, with commas between what is there.
    fn members(&mut self, members: &[(Rule, bool)]) -> Result<String, SchemaError> {
        // From the last to the first: what may follow when something stands before it, and when nothing does.
        let (mut after, mut first) = (literal(""), literal(""));
        for (index, &(member, is_required)) in members.iter().enumerate().rev() {
            let begun = format!("{member} {after}");
            first = if is_required { begun } else { self.grammar.rule(format!("{begun} | {first}"))?.to_string() };
            if index > 0 {
                let times = if is_required { "" } else { "?" };
                after = self.grammar.rule(format!("( \",\" sp {member} ){times} {after}"))?.to_string();
            }
        }
        Ok(first)
    }

    fn array(&mut self, schema: &Json, place: &str) -> Result<String, SchemaError> {
        let item = match schema.get("items") {
            None => "value".to_owned(),
            Some(items) => self.schema(items, &format!("{place}/items"))?,
        };
        let (least, most) = bounds(schema, "minItems", "maxItems", MOST_ITEMS, place)?;
        let item = self.grammar.rule(item)?;
        let further = |least: usize| {
            let most = most.map_or_else(String::new, |most| (most - 1).to_string());
            format!("{item} ( \",\" sp {item} ){{{least},{most}}}")
        };
        let items = match (least, most) {
            (_, Some(0)) => literal(""),
            (0, _) => format!("( {} )?", further(0)),
            (least, _) => further(least - 1),
        };
        Ok(self.grammar.rule(format!("\"[\" {items} \"]\""))?.to_string())
    }

    fn string(&mut self, schema: &Json, place: &str) -> Result<String, SchemaError> {
        let has_bounds = schema.get("minLength").is_some() || schema.get("maxLength").is_some();
        let body = match schema.get("format") {
            None if !has_bounds => return Ok("string".to_owned()),
            None => {
                let (least, most) = bounds(schema, "minLength", "maxLength", MOST_CHARS, place)?;
                format!("char{{{least},{}}}", most.map_or_else(String::new, |most| most.to_string()))
            }
            Some(_) if has_bounds => return unsupported(place, "`format` is not known together with a length"),
            Some(format) => match format.as_str() {
                Some("date") => DATE.to_owned(),
                Some("time") => TIME.to_owned(),
                Some("date-time") => format!("{DATE} \"T\" {TIME}"),
                Some("uuid") => UUID.to_owned(),
                _ => return unsupported(place, format!("the `format` {} is not known", format.spaced())),
            },
        };
        Ok(self.grammar.rule(format!("\"\\\"\" {body} \"\\\"\""))?.to_string())
    }

    fn integer(&mut self, schema: &Json, place: &str) -> Result<String, SchemaError> {
        let bound = |name: &str| match schema.get(name) {
            None => Ok(None),
            Some(value) => match value.as_i64() {
                Some(bound) => Ok(Some(bound)),
                None => unsupported(place, format!("`{name}` must be an integer here")),
            },
        };
        let least =
            bound("minimum")?.into_iter().chain(bound("exclusiveMinimum")?.map(|bound| bound.saturating_add(1)));
        let most = bound("maximum")?.into_iter().chain(bound("exclusiveMaximum")?.map(|bound| bound.saturating_sub(1)));
        match (least.max(), most.min()) {
            (None, None) => Ok("integer".to_owned()),
            (Some(0), None) => Ok(self.grammar.rule("\"0\" | [1-9] [0-9]{0,15}".to_owned())?.to_string()),
            (Some(1), None) => Ok(self.grammar.rule("[1-9] [0-9]{0,15}".to_owned())?.to_string()),
            (Some(least), Some(most)) if least <= most && most.saturating_sub(least) < MOST_INTEGERS => {
                let integers: Vec<_> = (least..=most).map(|integer| literal(&integer.to_string())).collect();
                Ok(self.grammar.rule(integers.join(" | "))?.to_string())
            }
            _ => unsupported(
                place,
                format!("only ranges of at most {MOST_INTEGERS} integers are known, and from 0 or 1 up"),
            ),
        }
    }
}

/// The bounds that two fields set.
fn bounds(
    schema: &Json,
    least: &str,
    most: &str,
    limit: usize,
    place: &str,
) -> Result<(usize, Option<usize>), SchemaError> {
    let bound = |name: &str| match schema.get(name) {
        None => Ok(None),
        Some(value) => match value.as_usize().filter(|&bound| bound <= limit) {
            Some(bound) => Ok(Some(bound)),
            None => unsupported(place, format!("`{name}` must be 0 to {limit} here")),
        },
    };
    let (at_least, at_most) = (bound(least)?.unwrap_or(0), bound(most)?);
    if at_most.is_some_and(|at_most| at_most < at_least) {
        return unsupported(place, format!("`{most}` is less than `{least}`"));
    }
    Ok((at_least, at_most))
}

/// The rule of any value of a type.
fn generic(kind: Option<&Json>) -> &'static str {
    match kind.and_then(Json::as_str) {
        Some("object") => "object",
        Some("array") => "array",
        Some("string") => "string",
        Some("integer") => "integer",
        Some("number") => "number",
        Some("boolean") => "boolean",
        Some("null") => "null",
        _ => "value",
    }
}

/// What a JSON pointer (RFC 6901) behind `#` means.
fn find<'a>(root: &'a Json, reference: &str) -> Option<&'a Json> {
    let pointer = reference.strip_prefix('#')?;
    let mut steps = pointer.split('/');
    // Before the first slash stands nothing, or the name of an anchor.
    if !steps.next()?.is_empty() {
        return None;
    }
    steps.try_fold(root, |json, step| {
        let name = step.replace("~1", "/").replace("~0", "~");
        match json {
            Json::Object(fields) => fields.get(&name),
            Json::Array(items) => items.get(name.parse::<usize>().ok()?),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        serde_json::from_str(text).expect("JSON")
    }

    fn refusal(text: &str) -> String {
        write(&json(text), Unknown::Refused, &mut Grammar::default()).expect_err(text).to_string()
    }

    /// The grammar of a schema up to the rules of JSON.
    fn grammar(text: &str) -> String {
        let mut grammar = Grammar::default();
        let root = write(&json(text), Unknown::Refused, &mut grammar).expect(text);
        let text = grammar.finish(&root);
        text.split("sp ::=").next().unwrap_or_default().to_owned()
    }

    #[test]
    fn an_object_has_its_fields_in_order_with_commas_between() {
        let object = grammar(
            r#"{"type": "object", "required": ["b"], "additionalProperties": false,
                "properties": {"a": {"type": "integer"}, "b": {"type": "string"}, "c": {"type": "boolean"}}}"#,
        );
        let expected = [
            r#"root ::= r7"#,
            r#"r0 ::= "\"a\":" sp integer"#,
            r#"r1 ::= "\"b\":" sp string"#,
            r#"r2 ::= "\"c\":" sp boolean"#,
        ];
        for line in expected {
            assert!(object.contains(line), "{line} is not in {object}");
        }
        assert!(object.ends_with("\n"), "{object}");
    }

    #[test]
    fn what_narrows_values_in_an_unknown_way_is_refused_by_name_and_place() {
        let cases = [
            (
                r#"{"type": "object", "properties": {"a": {"type": "string", "pattern": "x"}}}"#,
                "#/properties/a: `pattern`",
            ),
            (r#"{"type": "number", "minimum": 0.5}"#, "`minimum`"),
            (r#"{"type": "integer", "minimum": 5}"#, "256 integers"),
            (r#"{"type": "integer", "minimum": 5, "maximum": 4}"#, "256 integers"),
            (r#"{"type": "array", "uniqueItems": true}"#, "`uniqueItems`"),
            (r#"{"type": "array", "maxItems": 100000}"#, "`maxItems`"),
            (r#"{"type": "array", "minItems": 3, "maxItems": 2}"#, "less than"),
            (r#"{"type": "string", "format": "email"}"#, "\"email\""),
            (r#"{"type": "strin"}"#, "no type"),
            (r#"{"type": []}"#, "name a type"),
            (r#"{"type": "object", "required": ["a"]}"#, "`required` names \"a\""),
            (r#"{"not": {}}"#, "`not`"),
            (r#"{"allOf": [{}, {}]}"#, "`allOf`"),
            (r#"{"anyOf": []}"#, "at least one"),
            (r#"{"anyOf": [{}], "properties": {}}"#, "`properties`"),
            (r#"{"enum": []}"#, "`enum`"),
            (r##"{"$ref": "https://elsewhere.test/schema"}"##, "elsewhere"),
            (r##"{"$ref": "#/$defs/a"}"##, "only what is in this schema"),
            (r##"{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}"##, "only itself"),
            (r#"3"#, "a schema is an object"),
            (r#"false"#, "a schema is an object"),
        ];
        for (schema, named) in cases {
            let reason = refusal(schema);
            assert!(reason.contains(named), "{schema} gave: {reason}");
        }
    }

    #[test]
    fn a_tool_s_schema_is_followed_as_far_as_it_is_known() {
        let schema = r#"{"type": "object", "properties": {"a": {"type": "string", "pattern": "x"}, "b": {"not": {}}}}"#;
        let mut grammar = Grammar::default();
        let root = write(&json(schema), Unknown::PassedOver, &mut grammar).expect("a grammar");
        let text = grammar.finish(&root);
        assert!(text.contains(r#""\"a\":" sp string"#) && text.contains(r#""\"b\":" sp value"#), "{text}");
    }

    #[test]
    fn a_schema_without_end_is_refused() {
        let mut deep = "{}".to_owned();
        for _ in 0..100 {
            deep = format!(r#"{{"items": {deep}}}"#);
        }
        assert!(refusal(&deep).contains("too large"));
        let many: Vec<_> = (0..2000).map(|i| format!(r#""p{i}": {{"type": "string"}}"#)).collect();
        assert!(
            refusal(&format!(r#"{{"type": "object", "properties": {{{}}}}}"#, many.join(","))).contains("too large")
        );
        // Recursion is no lack of an end.
        let tree = r##"{"$defs": {"t": {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/t"}}}}}, "$ref": "#/$defs/t"}"##;
        assert!(!grammar(tree).is_empty());
    }

    #[test]
    fn pointers_lead_where_they_say() {
        let root = json(r#"{"a/b": [{"~": 1}]}"#);
        assert_eq!(find(&root, "#/a~1b/0/~0").and_then(Json::as_i64), Some(1));
        assert_eq!(find(&root, "#"), Some(&root));
        for nowhere in ["", "#a", "#/a", "#/a~1b/1", "#/a~1b/x"] {
            assert_eq!(find(&root, nowhere), None, "{nowhere}");
        }
    }
}
