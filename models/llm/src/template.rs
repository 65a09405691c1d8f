//! The model's own chat template, rendered as the library renders it that models are trained with: Jinja with the
//! methods of Python's strings and dictionaries. Not the fallback for models whose template cannot be read so: that
//! is llama.cpp's, see `model`.
//!
//! `strftime_now` is left out on purpose: templates that find it write today's date, and a prompt that changes at
//! midnight shares nothing with what was processed before.

use indexmap::IndexMap;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind};

use crate::json::{Json, quoted};
use crate::model::{Message, PastCall};

/// Under which the template is known to the engine.
const NAME: &str = "chat";

/// A compiled template.
#[derive(Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    bos: String,
    eos: String,
}

impl ChatTemplate {
    /// `bos` and `eos` are the texts of the tokens that begin and end a text.
    pub fn new(source: String, bos: String, eos: String) -> Result<Self, Error> {
        let mut environment = Environment::new();
        environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", |reason: String| -> Result<Value, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, reason))
        });
        environment.add_filter("tojson", tojson);
        environment.add_template_owned(NAME, source)?;
        Ok(Self { environment, bos, eos })
    }

    /// The conversation up to where the assistant's answer begins.
    pub fn render(&self, messages: &[Message], tools: &[Json]) -> Result<String, Error> {
        let messages: Value = messages.iter().map(message).collect();
        let tools = if tools.is_empty() { Value::from(()) } else { tools.iter().map(value).collect() };
        let context = Value::from_pairs([
            ("messages", messages),
            ("tools", tools),
            ("add_generation_prompt", true.into()),
            ("bos_token", self.bos.as_str().into()),
            ("eos_token", self.eos.as_str().into()),
        ]);
        self.environment.get_template(NAME)?.render(context)
    }
}

fn message(message: &Message) -> Value {
    let mut fields: IndexMap<&str, Value> =
        [("role", message.role.into()), ("content", message.content.as_str().into())].into();
    if !message.calls.is_empty() {
        fields.insert("tool_calls", message.calls.iter().map(call).collect());
    }
    if let Some(id) = &message.answers_call {
        fields.insert("tool_call_id", id.as_str().into());
    }
    Value::from_pairs(fields)
}

fn call(call: &PastCall) -> Value {
    let function = Value::from_pairs([("name", call.name.as_str().into()), ("arguments", value(&call.arguments))]);
    Value::from_pairs([("id", call.id.as_str().into()), ("type", "function".into()), ("function", function)])
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(truth) => (*truth).into(),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), _, _) => number.into(),
            (_, Some(number), _) => number.into(),
            (_, _, number) => number.into(),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => items.iter().map(value).collect(),
        Json::Object(fields) => Value::from_pairs(fields.iter().map(|(name, field)| (name.as_str(), value(field)))),
    }
}

/// As Python's `json.dumps` without `ensure_ascii`; the engine's own escapes what HTML would trip over. An indent is
/// taken and not followed: no template is known that needs one.
#[expect(clippy::needless_pass_by_value, reason = "the shape of a filter")]
fn tojson(value: Value, options: Kwargs) -> Result<String, Error> {
    for option in options.args() {
        let _known_and_not_followed: Value = options.get(option)?;
    }
    Ok(json(&value)?.spaced())
}

fn json(value: &Value) -> Result<Json, Error> {
    Ok(match value.kind() {
        ValueKind::Undefined | ValueKind::None => Json::Null,
        ValueKind::Bool => Json::Bool(value.is_true()),
        ValueKind::Number => {
            let text = value.to_string();
            serde_json::from_str(&text).map_or_else(|_| Json::String(text), Json::Number)
        }
        ValueKind::Seq | ValueKind::Iterable => {
            Json::Array(value.try_iter()?.map(|item| json(&item)).collect::<Result<_, _>>()?)
        }
        ValueKind::Map => {
            let field = |name: Value| Ok::<_, Error>((name.to_string(), json(&value.get_item(&name)?)?));
            Json::Object(value.try_iter()?.map(field).collect::<Result<_, _>>()?)
        }
        _ => match value.as_str() {
            Some(text) => Json::String(text.to_owned()),
            None => {
                return Err(Error::new(
                    ErrorKind::InvalidOperation,
                    format!("{} is no JSON", quoted(&value.to_string())),
                ));
            }
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(source: &str) -> ChatTemplate {
        ChatTemplate::new(source.to_owned(), "<s>".to_owned(), "</s>".to_owned()).expect("a template")
    }

    fn render(source: &str, messages: &[Message], tools: &[Json]) -> String {
        template(source).render(messages, tools).expect("a prompt")
    }

    #[test]
    fn a_template_sees_messages_calls_and_results() {
        let source = "{{ bos_token }}\n\
            {%- for message in messages %}\n\
                {%- if message.tool_calls %}\n\
                    {%- for call in message.tool_calls %}[{{ call.function.name }} {{ call.function.arguments | tojson }}]{% endfor %}\n\
                {%- elif message.role == 'tool' %}({{ message.tool_call_id }}: {{ message['content'].strip() }})\n\
                {%- else %}{{ message.role.upper() + ' ' + message.content + eos_token }}\n\
                {%- endif %}\n\
            {%- endfor %}\n\
            {%- if add_generation_prompt %}ASSISTANT {% endif %}";
        let arguments = serde_json::from_str(r#"{"zone": "<UTC>", "at": 3, "a": [true, null]}"#).expect("JSON");
        let call = PastCall { id: "c1".to_owned(), name: "time".to_owned(), arguments };
        let messages = [
            Message::new("user", "When?"),
            Message { calls: vec![call], ..Message::new("assistant", "") },
            Message { answers_call: Some("c1".to_owned()), ..Message::new("tool", " noon\n") },
        ];
        let expected = r#"<s>USER When?</s>[time {"zone": "<UTC>", "at": 3, "a": [true, null]}](c1: noon)ASSISTANT "#;
        assert_eq!(render(source, &messages, &[]), expected);
    }

    #[test]
    fn tools_are_shown_in_the_order_in_which_they_were_written() {
        let tool = r#"{"type": "function", "function": {"name": "weather", "description": "It's <b>"}}"#;
        let source = "{% if tools %}{% for tool in tools %}{{ tool | tojson }}{% endfor %}{% else %}none{% endif %}";
        assert_eq!(render(source, &[], &[serde_json::from_str(tool).expect("JSON")]), tool);
        assert_eq!(render(source, &[], &[]), "none");
    }

    #[test]
    fn a_template_may_refuse() {
        let error = template("{{ raise_exception('roles must alternate') }}").render(&[], &[]).expect_err("a refusal");
        assert!(error.to_string().contains("roles must alternate"), "{error}");
        assert!(ChatTemplate::new("{% if %}".to_owned(), String::new(), String::new()).is_err());
    }
}
