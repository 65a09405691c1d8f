//! What is said over the WebSocket of Microsoft's read-aloud service, both ways.
//!
//! A text message is headers, an empty line and a body; a binary one is two bytes that give the length of its headers,
//! the headers, and sound. `Path` says what it is. An answer is `turn.start`, sound and `audio.metadata` in any order,
//! and `turn.end`. (Protocol facts: the package `edge-tts` on PyPI.) PURE.

use std::ops::Range;

use bytes::Bytes;
use serde::Deserialize;

use super::super::RemoteProblem;
use super::super::text::cleaned;
use super::EdgeSettings;
use crate::media::MEDIA_HZ;

/// Times of the service count 100 ns.
const TICKS: u64 = 10_000_000;

/// A message from the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    Sound(Bytes),
    Words(Vec<Boundary>),
    /// The answer is whole.
    End,
    /// Nothing that is needed here.
    Other,
}

/// A piece of the text and when it is said, in ticks of 48 kHz from the beginning of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boundary {
    pub text: String,
    pub ticks: Range<u64>,
}

/// What is wanted: MP3 at 24 kHz, and when each word is said.
pub fn config(date: &str) -> String {
    let body = r#"{"context":{"synthesis":{"audio":{"metadataoptions":{"sentenceBoundaryEnabled":"false","wordBoundaryEnabled":"true"},"outputFormat":"audio-24khz-48kbitrate-mono-mp3"}}}}"#;
    format!(
        "X-Timestamp:{date}\r\nContent-Type:application/json; charset=utf-8\r\nPath:speech.config\r\n\r\n{body}\r\n"
    )
}

/// The text. The letter after the date is the browser's own.
pub fn speech(request: &str, date: &str, ssml: &str) -> String {
    format!(
        "X-RequestId:{request}\r\nContent-Type:application/ssml+xml\r\nX-Timestamp:{date}Z\r\nPath:ssml\r\n\r\n{ssml}"
    )
}

/// `text` in the voice and manner that are set, `speed` times as fast. Nothing in `text` is markup.
pub fn ssml(settings: &EdgeSettings, speed: f32, text: &str) -> String {
    let rate = (1.0 + settings.rate_percent as f32 / 100.0) * speed;
    let rate = ((rate - 1.0) * 100.0).round() as i32;
    let (voice, pitch) = (settings.full_voice(), settings.pitch_hz);
    let text: String = text.chars().map(|c| escaped(cleaned(c))).collect();
    format!(
        "<speak version='1.0' xmlns='http://www.w3.org/2001/10/synthesis' xml:lang='en-US'><voice name='{voice}'>\
         <prosody pitch='{pitch:+}Hz' rate='{rate:+}%' volume='+0%'>{text}</prosody></voice></speak>"
    )
}

/// Bytes of `c` in SSML.
pub fn size(c: char) -> usize {
    escaped(cleaned(c)).len()
}

fn escaped(c: char) -> String {
    match c {
        '&' => "&amp;".into(),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '"' => "&quot;".into(),
        '\'' => "&apos;".into(),
        c => c.into(),
    }
}

/// Reads a text message.
pub fn text(message: &str) -> Result<Incoming, RemoteProblem> {
    let (headers, body) = message
        .split_once("\r\n\r\n")
        .ok_or_else(|| RemoteProblem::rubbish(format!("a text message without headers: {:?}", beginning(message))))?;
    match header(headers.as_bytes(), "Path") {
        Some("turn.end") => Ok(Incoming::End),
        Some("audio.metadata") => words(body).map(Incoming::Words),
        Some(_) => Ok(Incoming::Other),
        None => Err(RemoteProblem::rubbish("a text message without a path")),
    }
}

/// Reads a binary message.
pub fn binary(message: &Bytes) -> Result<Incoming, RemoteProblem> {
    let wrong = |reason: &str| Err(RemoteProblem::rubbish(reason));
    let Some(&[high, low]) = message.first_chunk::<2>() else {
        return wrong("a binary message without the length of its headers");
    };
    let start = 2 + usize::from(u16::from_be_bytes([high, low]));
    let Some(headers) = message.get(2..start) else {
        return wrong("a binary message shorter than its headers");
    };
    match (header(headers, "Path"), header(headers, "Content-Type")) {
        (Some("audio"), Some("audio/mpeg")) => Ok(Incoming::Sound(message.slice(start..))),
        // The end of the sound.
        (Some("audio"), None) if message.len() == start => Ok(Incoming::Other),
        (Some("audio"), kind) => wrong(&format!("sound of the kind {kind:?}")),
        (path, _) => wrong(&format!("a binary message that is {path:?}")),
    }
}

fn header<'a>(headers: &'a [u8], name: &str) -> Option<&'a str> {
    let lines = std::str::from_utf8(headers).ok()?.split("\r\n");
    lines.filter_map(|line| line.split_once(':')).find(|(key, _)| *key == name).map(|(_, value)| value.trim())
}

fn words(body: &str) -> Result<Vec<Boundary>, RemoteProblem> {
    let wrong = |error: serde_json::Error| RemoteProblem::rubbish(format!("word boundaries: {error}"));
    let metadata: Metadata = serde_json::from_str(body).map_err(wrong)?;
    let words = metadata.items.into_iter().filter(|item| item.kind == "WordBoundary").filter_map(|item| item.data);
    Ok(words
        .map(|data| {
            let start = ticks(data.offset);
            Boundary { text: unescaped(&data.text.text), ticks: start..start.saturating_add(ticks(data.duration)) }
        })
        .collect())
}

fn ticks(time: i64) -> u64 {
    let time = u128::from(time.max(0).unsigned_abs()) * u128::from(MEDIA_HZ) / u128::from(TICKS);
    u64::try_from(time).unwrap_or(u64::MAX)
}

fn unescaped(text: &str) -> String {
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    plain.replace("&amp;", "&")
}

fn beginning(message: &str) -> String {
    message.chars().take(40).map(cleaned).collect()
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "Metadata")]
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(rename = "Type")]
    kind: String,
    #[serde(rename = "Data")]
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "Offset", default)]
    offset: i64,
    #[serde(rename = "Duration", default)]
    duration: i64,
    #[serde(default)]
    text: Text,
}

#[derive(Default, Deserialize)]
struct Text {
    #[serde(rename = "Text", default)]
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(headers: &str, sound: &[u8]) -> Bytes {
        let length = (headers.len() as u16).to_be_bytes();
        [&length, headers.as_bytes(), sound].concat().into()
    }

    #[test]
    fn no_text_breaks_out_of_the_speech() {
        let settings = EdgeSettings { rate_percent: -10, pitch_hz: 5, ..EdgeSettings::default() };
        let nasty =
            "]]></prosody></voice></speak><break time='9s'/> & \"q\" 'a' &amp; \u{0}\u{1b}\u{ffff}<!-- <![CDATA[ 好";
        let ssml = ssml(&settings, 1.5, nasty);
        let (before, rest) = ssml.split_once("volume='+0%'>").expect("prosody");
        assert!(before.contains("pitch='+5Hz' rate='+35%'"), "{before}");
        assert!(before.contains("'Microsoft Server Speech Text to Speech Voice (zh-CN, XiaoxiaoNeural)'"), "{before}");
        let inner = rest.strip_suffix("</prosody></voice></speak>").expect("the end is where it was");
        assert!(!inner.contains(['<', '>', '\'', '"', '\u{0}', '\u{1b}', '\u{ffff}']), "{inner}");
        assert_eq!(unescaped(inner), nasty.replace(['\u{0}', '\u{1b}', '\u{ffff}'], " "));
        assert_eq!(nasty.chars().map(size).sum::<usize>(), inner.len());
    }

    #[test]
    fn headers_say_what_a_message_is() {
        let word = r#"{"Metadata":[{"Type":"WordBoundary","Data":{"Offset":1000000,"Duration":5000000,"text":{"Text":"R&amp;D","Length":3,"BoundaryType":"WordBoundary"}}},{"Type":"SessionEnd","Data":{"Offset":9}}]}"#;
        let message = format!(
            "X-RequestId:1\r\nContent-Type:application/json; charset=utf-8\r\nPath:audio.metadata\r\n\r\n{word}"
        );
        let boundary = Boundary { text: "R&D".into(), ticks: 4_800..28_800 };
        assert_eq!(text(&message), Ok(Incoming::Words(vec![boundary])));
        assert_eq!(text("Path:turn.end\r\n\r\n{}"), Ok(Incoming::End));
        assert_eq!(text("X:1\r\nPath:turn.start\r\n\r\n"), Ok(Incoming::Other));
        let sound = frame("X-RequestId:1\r\nContent-Type:audio/mpeg\r\nPath:audio\r\n", b"abc");
        assert_eq!(binary(&sound), Ok(Incoming::Sound(Bytes::from_static(b"abc"))));
        assert_eq!(binary(&frame("Path:audio\r\n", b"")), Ok(Incoming::Other));
    }

    #[test]
    fn rubbish_is_called_so() {
        let texts = [
            "",
            "hello",
            "\r\n\r\n",
            "Path:audio.metadata\r\n\r\n{",
            "Path:audio.metadata\r\n\r\n{\"Metadata\":[{\"Type\":\"WordBoundary\",\"Data\":{\"text\":{\"Text\":\"\\ud800\"}}}]}",
        ];
        assert!(texts.iter().all(|message| matches!(text(message), Err(RemoteProblem::Rubbish { .. }))));
        let audio = "Content-Type:audio/mpeg\r\nPath:audio\r\n";
        let long = [&[0xff, 0xff], audio.as_bytes()].concat();
        let short = [&[0, 4], audio.as_bytes()].concat();
        let not_text = [&[0, 2], &[0xff, 0xfe][..]].concat();
        for message in [vec![], vec![0], long, short, not_text, frame("Path:audio\r\n", b"abc").to_vec()] {
            assert!(matches!(binary(&message.clone().into()), Err(RemoteProblem::Rubbish { .. })), "{message:?}");
        }
    }

    #[test]
    fn times_of_any_size_are_times() {
        assert_eq!((ticks(-5), ticks(0), ticks(10_000_000)), (0, 0, 48_000));
        assert!(ticks(i64::MAX) > 0);
    }
}
