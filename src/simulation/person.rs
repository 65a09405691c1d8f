//! A person with a voice and the ear that hears them: words with durations, and the real gate over them.
//!
//! The ear does what `hearing::Listener` does, with words in the place of samples.

use std::collections::VecDeque;

use crate::hearing::gate::{SpeechEvent, SpeechGate, VadSettings, WINDOW};
use crate::media::UtteranceId;

/// Time of one window of the gate.
pub const WINDOW_MILLIS: u64 = WINDOW as u64 / 16;
/// A syllable, roughly.
const MILLIS_A_LETTER: u64 = 60;
const GAP_MILLIS: u64 = 20;

/// A stretch of a person's sound.
#[derive(Clone, Debug, PartialEq)]
pub enum Sound {
    Word(String),
    /// Voice without words: a cough, a hum.
    Noise(u64),
    Pause(u64),
}

impl Sound {
    fn millis(&self) -> u64 {
        match self {
            Self::Word(word) => word.chars().count() as u64 * MILLIS_A_LETTER,
            Self::Noise(millis) | Self::Pause(millis) => *millis,
        }
    }
}

/// What the person still has to say.
#[derive(Debug, Default)]
pub struct Person {
    /// Start and end in milliseconds.
    sounds: VecDeque<(u64, u64, Sound)>,
}

impl Person {
    /// Says this from `now` on, or after what is being said. "<800>" is a pause, "*300*" voice without words.
    pub fn say(&mut self, now: u64, text: &str) {
        let mut at = self.sounds.back().map_or(now, |(_, end, _)| now.max(*end));
        for token in text.split_whitespace() {
            let sound = match token.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) {
                Some(millis) => Sound::Pause(millis.parse().expect("milliseconds of a pause")),
                None => match token.strip_prefix('*').and_then(|rest| rest.strip_suffix('*')) {
                    Some(millis) => Sound::Noise(millis.parse().expect("milliseconds of a noise")),
                    None => Sound::Word(token.to_owned()),
                },
            };
            let end = at + sound.millis();
            self.sounds.push_back((at, end, sound));
            at = end + GAP_MILLIS;
        }
    }

    pub fn is_silent(&self) -> bool {
        self.sounds.is_empty()
    }

    /// What the detector says of this window: it goes on saying voice for three windows after the last.
    fn seems_voiced(&self, start: u64) -> bool {
        (0..=3).any(|lag| start >= lag * WINDOW_MILLIS && self.voiced(start - lag * WINDOW_MILLIS))
    }

    /// Voice in most of this window.
    fn voiced(&self, start: u64) -> bool {
        let end = start + WINDOW_MILLIS;
        let sounds = self.sounds.iter().filter(|(_, _, sound)| !matches!(sound, Sound::Pause(_)));
        sounds.map(|(from, to, _)| end.min(*to).saturating_sub(start.max(*from))).sum::<u64>() * 2 > WINDOW_MILLIS
    }

    /// Words that end before `end`, oldest first; forgets nothing.
    fn words(&self, start: u64, end: u64) -> Vec<String> {
        let within = self.sounds.iter().filter(|(from, to, _)| *from >= start && *to <= end);
        within
            .filter_map(|(_, _, sound)| if let Sound::Word(word) = sound { Some(word.clone()) } else { None })
            .collect()
    }

    /// Nothing more is said in one breath after `end`: the next sound is no pause, or there is none.
    fn is_complete(&self, end: u64) -> bool {
        self.sounds.iter().all(|(from, _, _)| *from < end)
    }

    fn forget_before(&mut self, start: u64) {
        while self.sounds.front().is_some_and(|(_, to, _)| *to < start) {
            self.sounds.pop_front();
        }
    }
}

/// What the ear says, with its words.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    Suspected { at: u64 },
    Faded,
    Started { at: u64 },
    Paused { at: u64, cut: Cut },
    Resumed,
    Grew { cut: Cut },
}

/// What a recogniser would read, and a judge hear, in an utterance.
#[derive(Clone, Debug, PartialEq)]
pub struct Cut {
    pub utterance: UtteranceId,
    pub text: String,
    pub complete: bool,
}

#[derive(Debug)]
pub struct Ear {
    gate: SpeechGate,
    /// Where the current speech begins.
    start: Option<u64>,
    /// Ends of the utterances that were handed out at pauses.
    last: Option<(UtteranceId, u64)>,
    grown: u64,
    next: u64,
}

impl Default for Ear {
    fn default() -> Self {
        Self { gate: SpeechGate::new(VadSettings::default()), start: None, last: None, grown: 0, next: 0 }
    }
}

impl Ear {
    /// Hears the window that begins at `start`.
    pub fn hear(&mut self, start: u64, person: &mut Person) -> Option<Heard> {
        let end = start + WINDOW_MILLIS;
        let event = self.gate.push(if person.seems_voiced(start) { 0.95 } else { 0.02 }, false);
        let millis = |samples: u64| samples / 16;
        if self.start.is_none() && !matches!(event, Some(SpeechEvent::Started { .. })) {
            person.forget_before(start.saturating_sub(1000));
        }
        Some(match event {
            Some(SpeechEvent::Suspected { at }) => Heard::Suspected { at: millis(at) },
            Some(SpeechEvent::Faded) => Heard::Faded,
            Some(SpeechEvent::Started { at }) => {
                self.start = Some(millis(at).saturating_sub(300));
                self.grown = end;
                Heard::Started { at: millis(at) }
            }
            Some(SpeechEvent::Paused { at }) => {
                // The utterance reaches a little beyond the voice.
                let cut = self.cut(millis(at) + WINDOW_MILLIS, person);
                self.last = Some((cut.utterance, millis(at) + WINDOW_MILLIS));
                Heard::Paused { at: millis(at), cut }
            }
            Some(SpeechEvent::Resumed { .. }) => {
                self.grown = end;
                Heard::Resumed
            }
            None if self.start.is_some() && self.gate.is_voiced() && end >= self.grown + 600 => {
                self.grown = end;
                Heard::Grew { cut: self.cut(end, person) }
            }
            None => return None,
        })
    }

    fn cut(&mut self, end: u64, person: &Person) -> Cut {
        self.next += 1;
        let words = person.words(self.start.unwrap_or_default(), end);
        Cut { utterance: UtteranceId(self.next), text: words.join(" "), complete: person.is_complete(end) }
    }

    /// As `Listener::take`: says again that somebody speaks, if they do.
    pub fn take(&mut self, utterance: UtteranceId, now: u64) -> Option<Heard> {
        self.gate.take();
        let (_, end) = self.last.filter(|(last, _)| *last == utterance)?;
        self.start.take()?;
        self.gate.is_voiced().then(|| {
            self.start = Some(end);
            self.grown = now;
            Heard::Started { at: end }
        })
    }
}
