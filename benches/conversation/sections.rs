//! The sections of the benchmark: what is said in the call of each, and over what.

use std::time::Duration;

use visavis::call::{CallOptions, EchoPath, Utterance};

use crate::material::random::Random;
use crate::material::{Material, Spoken};

/// A quiet room.
const NOISE_FLOOR_DB: f64 = -65.0;
/// A laptop's loudspeaker at its own microphone.
const ECHO: EchoPath = EchoPath { gain_db: -20.0, delay: Duration::from_millis(120) };
/// A question without an answer by then was missed.
const MISSED_AFTER: Duration = Duration::from_secs(12);
/// The server's last account of an answer may come after its last sound.
const LINGER: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
pub struct Section {
    pub name: &'static str,
    /// Turns when nobody asks for fewer.
    count: usize,
    make: fn(&mut Material, usize) -> anyhow::Result<Talk>,
}

/// A call, and the true text of each turn that is spoken.
#[derive(Clone, Debug, Default)]
pub struct Talk {
    pub options: CallOptions,
    pub texts: Vec<String>,
}

pub const SECTIONS: &[Section] = &[
    Section { name: "plain", count: 50, make: plain },
    Section { name: "recordings", count: 11, make: recordings },
    Section { name: "typed", count: 30, make: typed },
    Section { name: "hesitation", count: 40, make: hesitation },
    Section { name: "talk-over", count: 20, make: talk_over },
    Section { name: "noise", count: 40, make: noise },
    Section { name: "echo", count: 20, make: echo },
    Section { name: "echo-talk-over", count: 10, make: echo_talk_over },
];

impl Section {
    pub fn talk(&self, material: &mut Material, most: usize) -> anyhow::Result<Talk> {
        let mut talk = (self.make)(material, self.count.min(most))?;
        talk.options.noise_floor_db = Some(NOISE_FLOOR_DB);
        talk.options.answer_timeout = MISSED_AFTER;
        talk.options.linger = LINGER;
        Ok(talk)
    }
}

impl Talk {
    fn say(&mut self, utterance: Utterance, text: &str) {
        self.options.utterances.push(utterance);
        self.texts.push(text.to_owned());
    }

    fn speak(&mut self, spoken: &Spoken) {
        self.say(Utterance::Spoken(spoken.path.clone()), &spoken.text);
    }

    fn type_in(&mut self, text: &str) {
        self.say(Utterance::Typed(text.to_owned()), text);
    }

    /// Speaks over the answer, between these seconds of its sound.
    fn over(&mut self, spoken: &Spoken, seconds: std::ops::Range<f64>) {
        let after = Duration::from_secs_f64(Random::new(&spoken.text).within(seconds));
        self.options.utterances.push(Utterance::Over { recording: spoken.path.clone(), after });
    }

    /// Hears no more than this of the answer, or so long after what was spoken over it.
    fn enough(&mut self, seconds: f64) {
        self.options.utterances.push(Utterance::Enough { after: Duration::from_secs_f64(seconds) });
    }
}

fn plain(material: &mut Material, count: usize) -> anyhow::Result<Talk> {
    let mut talk = Talk::default();
    for question in material.questions(count)? {
        talk.speak(&question);
        talk.enough(6.0);
    }
    Ok(talk)
}

fn recordings(material: &mut Material, count: usize) -> anyhow::Result<Talk> {
    let mut talk = Talk::default();
    for recording in material.recordings()?.iter().take(count) {
        talk.speak(recording);
        talk.enough(1.0);
    }
    Ok(talk)
}

fn typed(material: &mut Material, count: usize) -> anyhow::Result<Talk> {
    let mut talk = Talk::default();
    for text in material.texts.typed.iter().cycle().take(count) {
        talk.type_in(text);
        talk.enough(3.0);
    }
    Ok(talk)
}

fn hesitation(material: &mut Material, count: usize) -> anyhow::Result<Talk> {
    let mut talk = Talk::default();
    for sentence in material.hesitations(count)? {
        talk.speak(&sentence);
        talk.enough(0.7);
    }
    Ok(talk)
}

fn talk_over(material: &mut Material, count: usize) -> anyhow::Result<Talk> {
    let mut talk = Talk::default();
    let words = material.talk_overs(count)?;
    for (long, over) in material.texts.long_answers.iter().cycle().zip(&words) {
        talk.type_in(long);
        talk.over(over, 0.8..2.0);
        talk.enough(3.0);
    }
    Ok(talk)
}

fn noise(material: &mut Material, count: usize) -> anyhow::Result<Talk> {
    let mut talk = Talk::default();
    let noises = material.interruptions(count)?;
    for (long, over) in material.texts.long_answers.iter().cycle().zip(&noises) {
        talk.type_in(long);
        talk.over(over, 0.6..1.6);
        talk.enough(2.0);
    }
    Ok(talk)
}

fn echo(material: &mut Material, count: usize) -> anyhow::Result<Talk> {
    let mut talk = Talk::default();
    for long in material.texts.long_answers.iter().cycle().take(count) {
        talk.type_in(long);
        talk.enough(6.0);
    }
    talk.options.echo = Some(ECHO);
    Ok(talk)
}

fn echo_talk_over(material: &mut Material, count: usize) -> anyhow::Result<Talk> {
    let mut talk = talk_over(material, count)?;
    talk.options.echo = Some(ECHO);
    Ok(talk)
}
