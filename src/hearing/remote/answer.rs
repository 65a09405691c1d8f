//! What a server answers, `json` or `verbose_json` or an event of a stream, as text without phantoms.

use serde::Deserialize;

use super::HearingProblem;
use super::refusal::message;
use crate::hearing::languages::Language;
use crate::hearing::phantom::{self, Evidence};

/// The whole answer, or the last event of a stream (OpenAI API reference, "Create transcription").
#[derive(Debug, Default, Deserialize)]
pub struct Answer {
    text: Option<String>,
    /// A code or an English name.
    language: Option<String>,
    segments: Option<Vec<Segment>>,
    logprobs: Option<Vec<Token>>,
}

/// A part of a text, and how sure the server is of it.
#[derive(Debug, Deserialize)]
struct Segment {
    text: String,
    avg_logprob: Option<f32>,
    no_speech_prob: Option<f32>,
}

#[derive(Debug, Deserialize)]
struct Token {
    logprob: f32,
}

/// An event of a stream.
#[derive(Debug, PartialEq)]
pub enum Event {
    /// More text.
    Delta(String),
    /// A part that is whole: some servers send those instead, without a last event.
    Segment(String),
    /// All of the text.
    Done(String),
    /// Nothing that matters here.
    Other,
}

#[derive(Deserialize)]
struct Typed {
    r#type: Option<String>,
    delta: Option<String>,
    text: Option<String>,
    error: Option<serde_json::Value>,
}

impl Answer {
    pub fn read(body: &[u8]) -> Result<Self, HearingProblem> {
        let answer: Self = serde_json::from_slice(body)
            .map_err(|error| HearingProblem::rubbish(format!("{error}: {}", message(body))))?;
        match answer.text.is_some() || answer.segments.is_some() {
            true => Ok(answer),
            false => Err(HearingProblem::rubbish(format!("an answer without a text: {}", message(body)))),
        }
    }

    pub fn of_text(text: String) -> Self {
        Self { text: Some(text), ..Self::default() }
    }

    /// The language that it names, if it is one that we know.
    pub fn language(&self) -> Option<Language> {
        Language::of(self.language.as_deref()?).ok()
    }

    /// What was said; `loudness` is that of the sound.
    pub fn said(&self, loudness: f32) -> String {
        let segments = self.segments.as_deref().unwrap_or_default();
        if segments.iter().any(|segment| segment.avg_logprob.is_some()) {
            let mut text = String::new();
            for segment in segments {
                let said = phantom::clean(&plain(&segment.text), &segment.evidence(loudness));
                let apart = segment.text.starts_with(char::is_whitespace) && !text.is_empty() && !said.is_empty();
                text.push_str(if apart { " " } else { "" });
                text.push_str(&said);
            }
            return once(text);
        }
        let text = match &self.text {
            Some(text) => text.clone(),
            None => segments.iter().map(|segment| segment.text.as_str()).collect(),
        };
        once(phantom::clean(&plain(&text), &self.evidence(loudness)))
    }

    fn evidence(&self, loudness: f32) -> Evidence {
        let tokens = self.logprobs.as_deref().unwrap_or_default();
        let Some(first) = tokens.first() else { return Evidence::unknown(loudness) };
        let mean = tokens.iter().map(|token| token.logprob).sum::<f32>() / tokens.len() as f32;
        Evidence { first_token: share(first.logprob), tokens: share(mean), ..Evidence::unknown(loudness) }
    }
}

impl Segment {
    /// Nothing is said of its first token: the others stand for it.
    fn evidence(&self, loudness: f32) -> Evidence {
        let tokens = share(self.avg_logprob.unwrap_or(0.0));
        let no_speech = self.no_speech_prob.unwrap_or(0.0).clamp(0.0, 1.0);
        Evidence { first_token: tokens, tokens, no_speech, loudness }
    }
}

impl Event {
    pub fn read(data: &[u8]) -> Result<Self, HearingProblem> {
        if data.trim_ascii() == b"[DONE]" {
            return Ok(Self::Other);
        }
        let event: Typed = serde_json::from_slice(data)
            .map_err(|error| HearingProblem::rubbish(format!("{error}: {}", message(data))))?;
        if event.error.is_some_and(|error| !error.is_null()) || event.r#type.as_deref() == Some("error") {
            return Err(HearingProblem::CutOff { reason: message(data) });
        }
        Ok(match (event.r#type.as_deref(), event.delta, event.text) {
            (Some("transcript.text.delta"), Some(delta), _) => Self::Delta(delta),
            (Some("transcript.text.done"), _, Some(text)) => Self::Done(text),
            (None, _, Some(text)) => Self::Segment(text),
            _ => Self::Other,
        })
    }
}

/// The probability of a logarithm.
fn share(logarithm: f32) -> f32 {
    logarithm.exp().clamp(0.0, 1.0)
}

/// Without control characters.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Without a phrase over and over at the end.
fn once(mut text: String) -> String {
    let length = phantom::without_repetition(&text).len();
    text.truncate(length);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOUD: f32 = 0.1;

    fn said(json: &str) -> String {
        Answer::read(json.as_bytes()).expect("an answer").said(LOUD)
    }

    #[test]
    fn the_text_is_that_of_either_form() {
        assert_eq!(said(r#"{"text":" Good morning. "}"#), "Good morning.");
        let verbose = r#"{"task":"transcribe","language":"english","duration":2.1,"text":" Good morning. It is me.",
            "segments":[{"id":0,"text":" Good morning.","avg_logprob":-0.2,"no_speech_prob":0.01,"tokens":[1,2]},
            {"id":1,"text":" It is me.","avg_logprob":-0.3,"no_speech_prob":0.01}]}"#;
        assert_eq!(said(verbose), "Good morning. It is me.");
        assert_eq!(Answer::read(verbose.as_bytes()).ok().and_then(|answer| answer.language()), Some(Language::ENGLISH));
        let chinese =
            r#"{"text":"x","segments":[{"text":"你好","avg_logprob":-0.2},{"text":"世界","avg_logprob":-0.2}]}"#;
        assert_eq!(said(chinese), "你好世界");
        assert_eq!(said(r#"{"text":"","segments":[]}"#), "");
        assert_eq!(
            said(r#"{"text":"a\u0000b\u001b[2Jc"}"#),
            "a b [2Jc",
            "an escape sequence is none without its escape"
        );
    }

    #[test]
    fn parts_that_nobody_said_are_left_out() {
        let verbose = r#"{"text":"","segments":[{"text":" What is the time?","avg_logprob":-0.2,"no_speech_prob":0.02},
            {"text":" I'm going to go.","avg_logprob":-1.4,"no_speech_prob":0.9},
            {"text":" Thank you.","avg_logprob":-1.5,"no_speech_prob":0.3},
            {"text":" Subtitles by the Amara.org community","avg_logprob":-0.1,"no_speech_prob":0.0}]}"#;
        assert_eq!(said(verbose), "What is the time?");
        let unsure = r#"{"text":"Thank you.","logprobs":[{"token":"Thank","logprob":-2.5},{"logprob":-0.1}]}"#;
        assert_eq!(said(unsure), "");
        assert_eq!(said(&unsure.replace("-2.5", "-0.1")), "Thank you.");
        let quiet = Answer::read(br#"{"text":"Thanks for watching!"}"#).expect("an answer");
        assert_eq!((quiet.said(0.002).as_str(), quiet.said(LOUD).as_str()), ("", "Thanks for watching!"));
        assert_eq!(said(&format!(r#"{{"text":"Well. {}"}}"#, "I am sure. ".repeat(9))), "Well. I am sure.");
    }

    #[test]
    fn what_is_no_answer_is_told_as_it_is() {
        for (body, told) in [
            ("<html>Please sign in</html>", "Please sign in"),
            (r#"{"error":{"message":"out of credit"}}"#, "out of credit"),
            (r#"{"text":"\ud800"}"#, "ud800"),
            (r#"{"text":3}"#, "invalid type"),
            ("", "EOF"),
            ("[]", "invalid"),
        ] {
            let problem = Answer::read(body.as_bytes()).map(drop).expect_err("no answer");
            assert!(
                matches!(&problem, HearingProblem::Rubbish { .. }) && problem.to_string().contains(told),
                "{problem}"
            );
        }
        let odd = r#"{"text":"a","segments":[{"text":"b","avg_logprob":1e30,"no_speech_prob":-7}],"usage":{"x":null}}"#;
        assert_eq!(said(odd), "b");
    }

    #[test]
    fn events_are_told_apart() {
        let read = |json: &str| Event::read(json.as_bytes());
        assert_eq!(read(r#"{"type":"transcript.text.delta","delta":" Hi"}"#), Ok(Event::Delta(" Hi".into())));
        assert_eq!(read(r#"{"type":"transcript.text.done","text":"Hi."}"#), Ok(Event::Done("Hi.".into())));
        assert_eq!(read(r#"{"text":"Hi.","start":0.0}"#), Ok(Event::Segment("Hi.".into())));
        for other in ["[DONE]", r#"{"type":"transcript.text.segment","text":"Hi."}"#, r#"{"type":"x"}"#] {
            assert_eq!(read(other), Ok(Event::Other));
        }
        for broken in [r#"{"type":"error","message":"overloaded"}"#, r#"{"error":{"message":"overloaded"}}"#] {
            assert_eq!(read(broken), Err(HearingProblem::CutOff { reason: "overloaded".into() }));
        }
        assert!(matches!(read("half of {"), Err(HearingProblem::Rubbish { .. })));
    }
}
