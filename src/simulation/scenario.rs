//! Scripted conversations whose traces are kept: what is said when, and every consequence, to be read and compared.
//!
//! A script is lines of `TIME who what`: `1000 says Hello <300> there.`, `5000 types Hi`, `6000 clears`, `7000 lets it say Hello.`, and one line
//! `answers TEXT` for each answer of the model. A changed trace is shown as a difference by the snapshot library.

use super::world::{Act, Minds, Thinking, World};
use crate::dialogue::{Patience, Request, ResponseRequest, Settings, TurnEnd};

/// Engines as quick as the real ones on two cores.
struct Script {
    answers: Vec<String>,
}

impl Minds for Script {
    fn recognise(&mut self) -> u64 {
        150
    }

    fn judge(&mut self) -> u64 {
        55
    }

    fn think(&mut self) -> Thinking {
        let text = if self.answers.is_empty() { "Yes.".into() } else { self.answers.remove(0) };
        Thinking { first: 90, each: 25, text, fails_after: None, calls: None }
    }

    fn voice(&mut self) -> u64 {
        80
    }
}

fn trace(script: &str) -> String {
    let lines = script.lines().map(str::trim).filter(|line| !line.is_empty());
    let (answers, acts): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with("answers "));
    let answers = answers.iter().map(|line| line["answers ".len()..].to_owned()).collect();
    let settings = Settings {
        instructions: "Be brief.".into(),
        language: "en".into(),
        answers_speech: true,
        interruptible: true,
        text_only: false,
        turn_end: TurnEnd::Thought(Patience {
            complete: 0.5,
            complete_millis: 200,
            statement_millis: 400,
            unsure: 0.1,
            unsure_millis: 600,
            open_millis: 1500,
            incomplete_millis: 1200,
        }),
    };
    let mut world = World::new(settings, Script { answers });
    for line in acts {
        let mut words = line.splitn(3, ' ');
        let time = words.next().and_then(|time| time.parse().ok()).expect("a line begins with its time");
        world.run_until(time);
        let (verb, rest) = (words.next().unwrap_or_default(), words.next().unwrap_or_default().to_owned());
        world.act(match verb {
            "says" => Act::Says(rest),
            "types" => Act::Types(rest),
            "lets" => {
                let said = rest.strip_prefix("it say ").map(str::to_owned);
                Act::Asks(Request::CreateResponse(ResponseRequest { said, ..ResponseRequest::default() }))
            }
            "clears" => Act::Asks(Request::ClearOutput),
            "cancels" => Act::Asks(Request::CancelResponse { response: None }),
            other => panic!("nobody {other:?} in a script"),
        });
    }
    // Each word as it is heard, and each token, would drown the rest.
    let trace = world.finish();
    let kept = trace.iter().filter(|line| !line.contains("-> word ") && !line.contains("-> text of "));
    kept.map(|line| format!("{line}\n")).collect()
}

macro_rules! scenario {
    ($($name:ident: $script:expr;)*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(trace($script));
        }
    )*};
}

scenario! {
    a_question_is_answered: "
        1000 says What is the capital of France?
        answers The capital of France is Paris. It lies on the Seine.
    ";
    a_hesitation_is_waited_for: "
        1000 says I would like to <900> know the time.
        answers It is noon.
    ";
    somebody_goes_on_before_the_answer_sounds: "
        1000 says What is the time? <230> In Rome?
        answers It is noon.
        answers It is one in Rome.
    ";
    a_cough_holds_the_answer_for_a_moment: "
        1000 says Tell me a story.
        answers Once upon a time, there was a fox who lived in the deep dark woods. The end.
        3200 says *260*
    ";
    a_sign_of_listening_lets_the_answer_go_on: "
        1000 says Tell me a story.
        answers Once upon a time, there was a fox who lived in the deep dark woods. The end.
        3200 says Mhm.
    ";
    words_end_the_answer: "
        1000 says Tell me a story.
        answers Once upon a time, there was a fox who lived in the deep dark woods. The end.
        3200 says Stop, what is two plus two?
        answers Four.
    ";
    a_typed_question_cuts_nothing_by_itself: "
        1000 types Hello.
        answers Hello to you.
        1300 clears
        2000 types Still there?
        answers Yes, I am.
    ";
    a_text_is_said_as_it_stands_and_then_a_question_is_answered: "
        500 lets it say Welcome to our shop. There is fresh bread, and milk, and honey from our own bees.
        3000 says Do you have eggs?
        answers Yes, we do.
    ";
}
