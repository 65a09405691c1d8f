//! Dice-thrown conversations: people who hesitate, cough, interrupt and type, engines that are slow or fail.
//!
//! The dice are seeded; a conversation that breaks a rule is named by its seed and can be run again alone.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::world::{Act, Minds, Thinking, World};
use crate::dialogue::{Patience, Request, ResponseRequest, Settings, TurnEnd};

const SENTENCES: &[&str] = &[
    "What is the capital of France?",
    "I would like to <700> order a pizza.",
    "Tell me <400> a story about a fox <900> and a bear who live in the woods.",
    "Stop.",
    "No, I meant <300> something else.",
    "Yeah.",
    "Mhm.",
    "*300*",
    "*120*",
    "*2900*",
    "Okay <200> okay <250> go on.",
    "And what about <1500> Rome?",
];

const ANSWERS: &[&str] = &[
    "Yes.",
    "The capital of France is Paris. It lies on the Seine, and it is old.",
    "Once upon a time, there was a fox. It lived in the woods. A bear came by. They became friends and ate honey.",
    "Do you want tea?",
    "",
];

struct Dice(StdRng);

impl Minds for Dice {
    fn recognise(&mut self) -> u64 {
        self.0.random_range(20..500)
    }

    fn judge(&mut self) -> u64 {
        self.0.random_range(20..200)
    }

    fn think(&mut self) -> Thinking {
        let text = ANSWERS[self.0.random_range(0..ANSWERS.len())].to_owned();
        let fails_after = self.0.random_bool(0.05).then(|| self.0.random_range(0..6));
        let calls = self.0.random_bool(0.1).then(|| self.0.random_range(0..1500));
        Thinking { first: self.0.random_range(10..900), each: self.0.random_range(1..80), text, fails_after, calls }
    }

    fn voice(&mut self) -> u64 {
        self.0.random_range(10..400)
    }
}

fn settings(dice: &mut StdRng) -> Settings {
    let patience = Patience {
        complete: 0.5,
        complete_millis: 200,
        statement_millis: 400,
        unsure: 0.1,
        unsure_millis: 600,
        open_millis: 1500,
        incomplete_millis: 1200,
    };
    Settings {
        instructions: "Be brief.".into(),
        language: "en".into(),
        answers_speech: dice.random_bool(0.9),
        interruptible: dice.random_bool(0.85),
        text_only: dice.random_bool(0.05),
        turn_end: match dice.random_bool(0.5) {
            true => TurnEnd::Thought(patience),
            false => TurnEnd::Silence { millis: dice.random_range(150..900) },
        },
    }
}

fn act(dice: &mut StdRng) -> Act {
    match dice.random_range(0..20) {
        0 | 1 => Act::Types("Hello there.".into()),
        2 => Act::Asks(Request::CancelResponse { response: None }),
        3 => Act::Asks(Request::ClearOutput),
        4 => Act::Asks(Request::CreateResponse(ResponseRequest::default())),
        5 => {
            let said = Some("Welcome to our shop, dear visitor. It is open.".into());
            Act::Asks(Request::CreateResponse(ResponseRequest { said, ..ResponseRequest::default() }))
        }
        _ => Act::Says(SENTENCES[dice.random_range(0..SENTENCES.len())].to_owned()),
    }
}

/// A conversation of about half a minute; panics where a rule is broken.
fn converse(seed: u64) {
    let mut dice = StdRng::seed_from_u64(seed);
    let settings = settings(&mut dice);
    let minds = Dice(StdRng::seed_from_u64(!seed));
    let mut world = World::new(settings, minds);
    for _ in 0..dice.random_range(2..12) {
        world.run_until(world.now + dice.random_range(50..5000));
        world.act(act(&mut dice));
    }
    world.finish();
}

#[test]
fn a_thousand_random_conversations_keep_every_rule() {
    for seed in 0..1000 {
        if let Err(panic) = std::panic::catch_unwind(|| converse(seed)) {
            eprintln!("conversation {seed} broke a rule");
            std::panic::resume_unwind(panic);
        }
    }
}
