//! Finds the tool calls in streamed text: what stands between the marks is a call, the rest is text. What might be the
//! beginning of a mark is held back until the next text decides, and so is the space before it.
//!
//! Some models, small ones and those trained on code above all, leave the marks out. So an answer that is a JSON object
//! from its first character on is held back until the object ends, and is a call if it has the form of one.

use serde::Deserialize;

use crate::json::{Json, quoted};
use crate::tools::{CLOSE, OPEN};

/// A piece of an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// Never empty.
    Text(String),
    Call {
        name: String,
        arguments: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing but space has come.
    Start,
    Text,
    /// Between the marks.
    Call,
    /// In an object without marks, with which the answer began.
    Bare,
}

/// See the module's text.
#[derive(Debug)]
pub struct CallText {
    /// Names of the tools.
    names: Vec<String>,
    held: String,
    place: Place,
    /// Calls between marks that have begun.
    begun: usize,
    /// A call has ended: space that follows it is none of the text's.
    after_call: bool,
}

/// The JSON of a call. Llama's models say `parameters`.
#[derive(Deserialize)]
struct Body {
    name: String,
    #[serde(alias = "parameters")]
    arguments: Option<Json>,
}

impl CallText {
    /// `names`: those of the tools.
    pub fn new(names: Vec<String>) -> Self {
        Self { names, held: String::new(), place: Place::Start, begun: 0, after_call: false }
    }

    /// Calls between marks that have begun, whole or not.
    pub fn begun(&self) -> usize {
        self.begun
    }

    pub fn is_inside(&self) -> bool {
        self.place == Place::Call
    }

    /// Whether a call between marks has begun and nothing of it has come yet.
    pub fn is_at_start(&self) -> bool {
        self.is_inside() && self.held.is_empty()
    }

    /// Whether all that has come is or may be a call without marks.
    pub fn is_bare(&self) -> bool {
        matches!(self.place, Place::Start | Place::Bare)
    }

    /// Whether a call without marks has come to the end of a tool's name.
    pub fn names_tool(&self) -> bool {
        let named = || {
            let rest = self.held.trim_start().strip_prefix("{\"name\":")?;
            Some(self.names.iter().any(|name| rest.trim_start().starts_with(&quoted(name))))
        };
        self.place == Place::Bare && named().unwrap_or(false)
    }

    /// Takes the next text.
    pub fn push(&mut self, text: &str) -> Vec<Part> {
        self.held.push_str(text);
        let mut parts = Vec::new();
        if self.place == Place::Start && !self.held.trim_start().is_empty() {
            self.place = if self.held.trim_start().starts_with('{') { Place::Bare } else { Place::Text };
        }
        if self.place == Place::Bare {
            self.push_bare(&mut parts);
        }
        while matches!(self.place, Place::Text | Place::Call) {
            let mark = if self.is_inside() { CLOSE } else { OPEN };
            let Some(place) = self.held.find(mark) else { break };
            let rest = self.held.split_off(place + mark.len());
            self.held.truncate(place);
            let before = std::mem::replace(&mut self.held, rest);
            if self.is_inside() {
                self.after_call = true;
                self.place = Place::Text;
                parts.push(call(&before).unwrap_or_else(|| Part::Text(format!("{OPEN}{before}{CLOSE}"))));
            } else {
                self.text(before.trim_end(), &mut parts);
                self.begun += 1;
                self.place = Place::Call;
            }
        }
        if self.place == Place::Text {
            let rest = self.held.split_off(self.undecided_from());
            let decided = std::mem::replace(&mut self.held, rest);
            self.text(&decided, &mut parts);
        }
        parts
    }

    /// Takes a call without marks out of what is held, or finds that it is none.
    fn push_bare(&mut self, parts: &mut Vec<Part>) {
        let mut objects = serde_json::Deserializer::from_str(&self.held).into_iter::<Json>();
        let end = match objects.next() {
            Some(Err(error)) if error.is_eof() => return,
            Some(Ok(_)) => objects.byte_offset(),
            Some(Err(_)) | None => 0,
        };
        let found = call(&self.held[..end]);
        self.place = Place::Text;
        if let Some(Part::Call { name, arguments }) = found.filter(|part| self.is_offered(part)) {
            self.held.drain(..end);
            self.after_call = true;
            parts.push(Part::Call { name, arguments });
        }
    }

    fn is_offered(&self, part: &Part) -> bool {
        matches!(part, Part::Call { name, .. } if self.names.contains(name))
    }

    /// What was held back, when the answer ends. A call that has not ended is none.
    pub fn finish(&mut self) -> Option<Part> {
        let held = std::mem::take(&mut self.held);
        let mut parts = Vec::new();
        if !self.is_inside() {
            self.text(&held, &mut parts);
        }
        parts.pop()
    }

    fn text(&mut self, text: &str, parts: &mut Vec<Part>) {
        let text = if self.after_call { text.trim_start() } else { text };
        if !text.is_empty() {
            self.after_call = false;
            parts.push(Part::Text(text.to_owned()));
        }
    }

    /// Byte index where the end of `held` begins that may be space before a mark, and the beginning of one.
    fn undecided_from(&self) -> usize {
        let longest = (1..OPEN.len()).rev().find(|&length| self.held.ends_with(&OPEN[..length])).unwrap_or(0);
        self.held[..self.held.len() - longest].trim_end().len()
    }
}

/// The call that is written so, if it is one.
fn call(body: &str) -> Option<Part> {
    let body: Body = serde_json::from_str(body.trim()).ok()?;
    let arguments = match body.arguments {
        None | Some(Json::Null) => "{}".to_owned(),
        Some(object @ Json::Object(_)) => object.spaced(),
        // Some models write the object as a text.
        Some(Json::String(text)) => {
            serde_json::from_str::<Json>(&text).ok().filter(|json| json.as_object().is_some())?.spaced()
        }
        Some(_) => return None,
    };
    Some(Part::Call { name: body.name, arguments })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adjacent texts joined.
    fn run<'a>(chunks: impl IntoIterator<Item = &'a str>) -> Vec<Part> {
        let mut calls = CallText::new(vec!["weather".to_owned()]);
        let mut parts: Vec<Part> = Vec::new();
        let mut all: Vec<Part> = chunks.into_iter().flat_map(|chunk| calls.push(chunk)).collect();
        all.extend(calls.finish());
        for part in all {
            match (parts.last_mut(), part) {
                (Some(Part::Text(before)), Part::Text(text)) => before.push_str(&text),
                (_, part) => parts.push(part),
            }
        }
        parts
    }

    fn text(text: &str) -> Part {
        Part::Text(text.to_owned())
    }

    fn called(name: &str, arguments: &str) -> Part {
        Part::Call { name: name.to_owned(), arguments: arguments.to_owned() }
    }

    const BARE: &str = "{\"name\": \"weather\", \"arguments\": {\"city\": \"东京\"}}";
    const WEATHER: &str = "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"东京\"}}\n</tool_call>";

    #[test]
    fn calls_are_found_in_any_chunking() {
        let city = "{\"city\": \"东京\"}";
        let cases = [
            (WEATHER.to_owned(), vec![called("weather", city)]),
            (format!("Let me see. \n{WEATHER}\n"), vec![text("Let me see."), called("weather", city)]),
            (format!("{WEATHER}\n{WEATHER}"), vec![called("weather", city), called("weather", city)]),
            (format!("{WEATHER}\n Done."), vec![called("weather", city), text("Done.")]),
            ("1 < 2 <tool".to_owned(), vec![text("1 < 2 <tool")]),
            ("a <tool_cal b ".to_owned(), vec![text("a <tool_cal b ")]),
            ("<tool_call>{\"name\": \"a\"}</tool_call>".to_owned(), vec![called("a", "{}")]),
            ("<tool_call>{\"name\":\"a\",\"parameters\":{}}</tool_call>".to_owned(), vec![called("a", "{}")]),
            ("<tool_call>{\"name\":\"a\",\"arguments\":\"{}\"}</tool_call>".to_owned(), vec![called("a", "{}")]),
            ("<tool_call>rubbish</tool_call>".to_owned(), vec![text("<tool_call>rubbish</tool_call>")]),
            (
                "<tool_call>{\"name\":\"a\",\"arguments\":3}</tool_call>".to_owned(),
                vec![text("<tool_call>{\"name\":\"a\",\"arguments\":3}</tool_call>")],
            ),
            ("Well. <tool_call>{\"name\": \"a".to_owned(), vec![text("Well.")]),
            (BARE.to_owned(), vec![called("weather", city)]),
            (format!(" {BARE}\n Done."), vec![called("weather", city), text("Done.")]),
            (
                "{\"name\": \"Bob\", \"arguments\": {}} is he.".to_owned(),
                vec![text("{\"name\": \"Bob\", \"arguments\": {}} is he.")],
            ),
            ("{\"a\": 1} {x".to_owned(), vec![text("{\"a\": 1} {x")]),
            ("{name".to_owned(), vec![text("{name")]),
            (format!("It is {BARE}"), vec![text(&format!("It is {BARE}"))]),
            ("{\"name\": \"weather\"".to_owned(), vec![text("{\"name\": \"weather\"")]),
        ];
        for (answer, expected) in cases {
            assert_eq!(run([answer.as_str()]), expected, "{answer} whole");
            let characters: Vec<String> = answer.chars().map(String::from).collect();
            assert_eq!(run(characters.iter().map(String::as_str)), expected, "{answer} by character");
        }
    }

    #[test]
    fn text_that_cannot_become_a_call_goes_out_at_once() {
        let mut calls = CallText::new(vec!["weather".to_owned()]);
        assert_eq!(calls.push("It is 3 <"), [text("It is 3")]);
        assert_eq!(calls.push(" 4."), [text(" < 4.")]);
        assert_eq!(calls.push("<tool_call>"), []);
        assert!(calls.is_at_start() && calls.begun() == 1);
        assert_eq!(calls.push("{"), []);
        assert!(calls.is_inside() && !calls.is_at_start());
    }

    #[test]
    fn a_call_without_marks_is_known_by_the_name_of_its_tool() {
        let mut calls = CallText::new(vec!["weather".to_owned()]);
        assert!(calls.is_bare() && !calls.names_tool());
        assert_eq!(calls.push("{\"name\": \"weather"), []);
        assert!(calls.is_bare() && !calls.names_tool());
        assert_eq!(calls.push("\""), []);
        assert!(calls.names_tool());
    }
}
