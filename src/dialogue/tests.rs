//! Whole conversations with the core, told as inputs and what comes of them.

mod floor;
mod said;
mod tools;

use super::*;
use crate::media::{TimedWord, UtteranceId};

fn settings() -> Settings {
    Settings {
        instructions: "Be brief.".into(),
        language: "en".into(),
        answers_speech: true,
        interruptible: true,
        text_only: false,
        turn_end: TurnEnd::Silence { millis: 500 },
    }
}

const PATIENCE: Patience = Patience {
    complete: 0.6,
    complete_millis: 200,
    statement_millis: 400,
    unsure: 0.3,
    unsure_millis: 600,
    open_millis: 1500,
    incomplete_millis: 1200,
};

/// A dialogue whose outputs are collected after each input.
struct Talk {
    dialogue: Dialogue,
    now: Duration,
    events: Vec<Event>,
    orders: Vec<Output>,
}

impl Talk {
    fn new() -> Self {
        Self { dialogue: Dialogue::new(settings(), 32), now: Duration::ZERO, events: Vec::new(), orders: Vec::new() }
    }

    /// A dialogue that judges thoughts.
    fn thoughtful() -> Self {
        let mut talk = Self::new();
        talk.dialogue.set_settings(Settings { turn_end: TurnEnd::Thought(PATIENCE), ..settings() });
        talk
    }

    fn input(&mut self, input: Input) -> &mut Self {
        self.dialogue.handle(self.now, input);
        while let Some(output) = self.dialogue.poll() {
            match output {
                Output::Emit(event) => self.events.push(event),
                order => self.orders.push(order),
            }
        }
        self
    }

    fn ask(&mut self, request: Request) -> &mut Self {
        self.input(Input::Client { request, event_id: Some("ev".into()) })
    }

    fn says(&mut self, text: &str) -> &mut Self {
        self.starts().stops(1).heard(1, text)
    }

    /// Time goes by, and what falls due in it happens.
    fn wait(&mut self, millis: u64) -> &mut Self {
        let end = self.now + Duration::from_millis(millis);
        while let Some(due) = self.dialogue.deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.input(Input::Tick);
        }
        self.now = end;
        self.input(Input::Tick)
    }

    fn starts(&mut self) -> &mut Self {
        self.input(Input::SpeechStarted { at: self.now, at_millis: 100 })
    }

    /// The voice ends; 100 ms later that is seen.
    fn pauses(&mut self, utterance: u64) -> &mut Self {
        let at = self.now;
        self.wait(100).input(Input::SpeechPaused { at, at_millis: 900, utterance: UtteranceId(utterance) })
    }

    fn stops(&mut self, utterance: u64) -> &mut Self {
        self.pauses(utterance).wait(400)
    }

    fn judged(&mut self, utterance: u64, complete: f32) -> &mut Self {
        self.input(Input::Judged { utterance: UtteranceId(utterance), complete: Some(complete) })
    }

    /// An answer of two clauses plays, of which some ticks were heard. A word is 10 ticks a character.
    fn answers(&mut self, turn: u64, played: u64) -> &mut Self {
        self.token(turn, "It is big. It is old. ").voiced(turn, 0, 1000).voiced(turn, 1, 1000).done(turn);
        self.input(Input::PlayoutStarted { turn: TurnId(turn) })
            .input(Input::Played { turn: TurnId(turn), ticks: played })
    }

    fn heard(&mut self, utterance: u64, text: &str) -> &mut Self {
        let result = Ok(Heard { text: text.into(), seconds: 0.8 });
        self.input(Input::Transcribed { utterance: UtteranceId(utterance), result })
    }

    fn types(&mut self, text: &str) -> &mut Self {
        let item = NewItem { id: None, role: Role::User, matter: Matter::Words, text: text.into() };
        self.ask(Request::CreateItem { item, place: Place::End })
    }

    fn token(&mut self, turn: u64, text: &str) -> &mut Self {
        self.input(Input::Token { turn: TurnId(turn), text: text.into() })
    }

    fn done(&mut self, turn: u64) -> &mut Self {
        self.input(Input::GenerationDone { turn: TurnId(turn), usage: Usage::default() })
    }

    fn voiced(&mut self, turn: u64, clause: u32, ticks: u64) -> &mut Self {
        let words = [(0..2, 0, 300), (3..5, 300, 600), (6..10, 600, 1000)];
        let words =
            words.map(|(text, start, end)| TimedWord { text, start: start * ticks / 1000, end: end * ticks / 1000 });
        let turn = TurnId(turn);
        self.input(Input::Voiced { turn, clause, ticks, words: words.to_vec() })
            .input(Input::VoiceDone { turn, clause })
    }

    fn transcribing(&self) -> Vec<u64> {
        self.orders
            .iter()
            .filter_map(|o| if let Output::Transcribe { utterance, .. } = o { Some(utterance.0) } else { None })
            .collect()
    }

    fn prompts(&self) -> Vec<&Vec<Message>> {
        self.orders
            .iter()
            .filter_map(|o| if let Output::Generate { prompt, .. } = o { Some(prompt) } else { None })
            .collect()
    }

    fn orders(&self, wanted: &Output) -> usize {
        self.orders.iter().filter(|order| *order == wanted).count()
    }

    fn clauses(&self) -> Vec<&str> {
        self.orders
            .iter()
            .filter_map(|o| if let Output::Speak(clause) = o { Some(clause.text.as_str()) } else { None })
            .collect()
    }

    fn endings(&self) -> Vec<&Ending> {
        self.events
            .iter()
            .filter_map(|e| if let Event::ReplyDone { ending, .. } = e { Some(ending) } else { None })
            .collect()
    }

    fn error_codes(&self) -> Vec<&str> {
        self.events.iter().filter_map(|e| if let Event::Error { code, .. } = e { Some(*code) } else { None }).collect()
    }

    fn position(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().position(wanted).expect("the event happened")
    }
}

#[test]
fn a_spoken_question_is_answered_in_clauses() {
    let mut talk = Talk::new();
    talk.says("What is the capital of France?");
    assert_eq!(talk.prompts()[0].last().unwrap().content, "What is the capital of France?");
    talk.token(1, "It is Paris. ").token(1, "It lies").token(1, " on the Seine.").done(1);
    assert_eq!(talk.clauses(), ["It is Paris.", "It lies on the Seine."]);
    assert!(talk.endings().is_empty(), "an answer is done once all of it is voiced");
    talk.voiced(1, 0, 48_000).input(Input::PlayoutStarted { turn: TurnId(1) }).voiced(1, 1, 48_000);
    assert_eq!(talk.endings(), [&Ending::Completed]);
    assert!(!talk.dialogue.is_idle());
    talk.input(Input::PlayoutEnded { turn: TurnId(1) });
    assert!(talk.dialogue.is_idle());
    let done = talk.position(|e| matches!(e, Event::ReplyDone { .. }));
    let stopped = talk.position(|e| matches!(e, Event::PlayoutStopped { .. }));
    assert!(done < stopped);
}

#[test]
fn the_events_of_an_utterance_come_in_the_protocols_order() {
    let mut talk = Talk::new();
    talk.says("Hello.");
    let at = |wanted: fn(&Event) -> bool| talk.position(wanted);
    let order = [
        at(|e| matches!(e, Event::SpeechStarted { .. })),
        at(|e| matches!(e, Event::SpeechStopped { .. })),
        at(|e| matches!(e, Event::InputCommitted { .. })),
        at(|e| matches!(e, Event::ItemAdded { .. })),
        at(|e| matches!(e, Event::ItemDone { .. })),
        at(|e| matches!(e, Event::Transcribed { .. })),
        at(|e| matches!(e, Event::ReplyStarted { .. })),
    ];
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn an_interrupted_answer_is_remembered_as_far_as_it_was_heard() {
    let mut talk = Talk::new();
    talk.says("Tell me about Paris.");
    talk.token(1, "It is big. It is old. ").voiced(1, 0, 48_000).voiced(1, 1, 48_000);
    talk.input(Input::PlayoutStarted { turn: TurnId(1) }).input(Input::Played { turn: TurnId(1), ticks: 64_000 });
    talk.starts();
    assert_eq!(talk.endings(), [] as [&Ending; 0], "it may be a cough");
    talk.pauses(2).heard(2, "And Rome?");
    assert!(talk.orders.contains(&Output::Silence { up_to: TurnId(1) }));
    assert!(talk.orders.contains(&Output::StopGenerating { turn: TurnId(1) }));
    assert_eq!(talk.endings(), [&Ending::Interrupted]);
    let cleared = talk.position(|e| matches!(e, Event::PlayoutCleared { .. }));
    let truncated = talk.position(|e| matches!(e, Event::Truncated { .. }));
    let done = talk.position(|e| matches!(e, Event::ReplyDone { .. }));
    assert!(cleared < truncated && truncated < done);
    // What comes late for the cut answer changes nothing.
    let before = talk.orders.len();
    talk.token(1, "late. ").done(1).voiced(1, 2, 900);
    assert_eq!(talk.orders.len(), before);
    talk.wait(400);
    let prompt: Vec<_> = talk.prompts().last().unwrap().iter().map(|m| m.content.as_str()).collect();
    assert_eq!(prompt, ["Be brief.", "Tell me about Paris.", "It is big. It", "And Rome?"]);
}

#[test]
fn silence_in_words_gets_no_answer() {
    let mut talk = Talk::new();
    talk.says("  ");
    assert!(talk.prompts().is_empty());
    assert!(talk.dialogue.is_idle());
}

#[test]
fn a_person_who_goes_on_is_answered_once() {
    let mut talk = Talk::new();
    talk.starts().stops(1).starts().heard(1, "I would like");
    assert!(talk.prompts().is_empty(), "somebody is speaking");
    talk.stops(2).heard(2, "a coffee.");
    assert_eq!(talk.prompts().len(), 1);
    assert_eq!(talk.prompts()[0].last().unwrap().content, "I would like\na coffee.");
}

#[test]
fn a_failing_model_is_told_in_words_and_the_next_turn_works() {
    let mut talk = Talk::new();
    talk.says("Hello?");
    talk.input(Input::GenerationFailed { turn: TurnId(1), message: "connection refused".into() });
    assert_eq!(talk.error_codes(), ["language_model_failed"]);
    assert!(talk.clauses()[0].starts_with("Sorry"));
    for clause in 0..talk.clauses().len() as u32 {
        talk.voiced(1, clause, 1000);
    }
    assert!(matches!(talk.endings()[..], [Ending::Failed { .. }]));
    talk.input(Input::PlayoutStarted { turn: TurnId(1) }).input(Input::PlayoutEnded { turn: TurnId(1) });
    talk.says("Are you there?");
    let prompt = talk.prompts()[1];
    assert!(prompt.iter().all(|message| !message.content.contains("Sorry")), "an apology is no part of the prompt");
}

#[test]
fn a_model_cut_off_in_mid_answer_keeps_what_was_said() {
    let mut talk = Talk::new();
    talk.dialogue.set_settings(Settings { language: "zh".into(), ..settings() });
    talk.says("你好");
    talk.token(1, "你好！我是").input(Input::GenerationFailed { turn: TurnId(1), message: "eof".into() });
    assert_eq!(talk.clauses(), ["你好！", "我是", "抱歉，我的回答中断了，请再问一次。"]);
}

#[test]
fn typed_text_waits_to_be_asked_about_and_answers_never_overlap() {
    let mut talk = Talk::new();
    talk.types("What is 2 + 2?");
    assert!(talk.prompts().is_empty());
    talk.ask(Request::CreateResponse(ResponseRequest::default()));
    assert_eq!(talk.prompts().len(), 1);
    talk.ask(Request::CreateResponse(ResponseRequest::default()));
    assert_eq!(talk.error_codes(), ["conversation_already_has_active_response"]);
    talk.token(1, "Four.").done(1).voiced(1, 0, 10);
    talk.ask(Request::CreateResponse(ResponseRequest::default()));
    assert_eq!(talk.prompts().len(), 2, "a new answer may be made while the last one plays");
}

#[test]
fn clear_alone_stops_an_answer_that_only_plays() {
    let mut talk = Talk::new();
    talk.types("Hi").ask(Request::CreateResponse(ResponseRequest::default()));
    talk.token(1, "Hello.").done(1).voiced(1, 0, 48_000).input(Input::PlayoutStarted { turn: TurnId(1) });
    talk.ask(Request::CancelResponse { response: None });
    assert_eq!(talk.error_codes(), ["response_cancel_not_active"]);
    talk.ask(Request::ClearOutput);
    assert!(talk.events.contains(&Event::PlayoutCleared { turn: TurnId(1) }));
    assert_eq!(talk.endings(), [&Ending::Completed], "it was made whole before it was cut");
    assert!(talk.dialogue.is_idle());
}

#[test]
fn cancel_ends_the_making_and_leaves_an_empty_item() {
    let mut talk = Talk::new();
    talk.types("Hi").ask(Request::CreateResponse(ResponseRequest::default()));
    talk.ask(Request::CancelResponse { response: None });
    assert_eq!(talk.endings(), [&Ending::Cancelled]);
    assert!(talk.dialogue.is_idle());
}

#[test]
fn a_written_answer_is_not_spoken() {
    let mut talk = Talk::new();
    talk.types("Hi").ask(Request::CreateResponse(ResponseRequest { text_only: Some(true), ..Default::default() }));
    talk.token(1, "Hello there.").done(1);
    assert!(talk.clauses().is_empty());
    assert_eq!(talk.endings(), [&Ending::Completed]);
    assert!(talk.dialogue.is_idle());
}

#[test]
fn an_answer_out_of_band_leaves_no_trace() {
    let mut talk = Talk::new();
    talk.types("Secret").ask(Request::CreateResponse(ResponseRequest {
        out_of_band: true,
        input: Some(vec![Message::new(Role::User, "Summarise.")]),
        ..Default::default()
    }));
    assert_eq!(talk.prompts()[0].len(), 2);
    talk.token(1, "Done.").done(1).voiced(1, 0, 0);
    talk.ask(Request::CreateResponse(ResponseRequest::default()));
    assert_eq!(talk.prompts()[1].iter().map(|m| m.content.as_str()).collect::<Vec<_>>(), ["Be brief.", "Secret"]);
}

#[test]
fn unknown_and_doubled_items_are_errors_that_name_the_event() {
    let mut talk = Talk::new();
    talk.ask(Request::RetrieveItem { item: ItemId("nobody".into()) });
    let new = NewItem { id: Some(ItemId("mine".into())), role: Role::User, matter: Matter::Words, text: "a".into() };
    talk.ask(Request::CreateItem { item: new.clone(), place: Place::End });
    talk.ask(Request::CreateItem { item: new, place: Place::End });
    assert_eq!(talk.error_codes(), ["item_not_found", "item_already_exists"]);
    assert!(
        talk.events.iter().all(|e| !matches!(e, Event::Error { event_id, .. } if event_id.as_deref() != Some("ev")))
    );
}

#[test]
fn without_answers_to_speech_the_client_asks_and_the_text_is_awaited() {
    let mut talk = Talk::new();
    talk.dialogue.set_settings(Settings { answers_speech: false, ..settings() });
    talk.starts().stops(1);
    talk.ask(Request::CreateResponse(ResponseRequest::default()));
    assert!(talk.prompts().is_empty(), "the transcript belongs into the prompt");
    talk.heard(1, "Hello.");
    assert_eq!(talk.prompts()[0].last().unwrap().content, "Hello.");
}

#[test]
fn words_are_told_as_they_are_heard() {
    let mut talk = Talk::new();
    talk.says("Hi").answers(1, 1400);
    let told: Vec<_> = talk
        .events
        .iter()
        .filter_map(|e| if let Event::Word { word, .. } = e { Some(word.as_str()) } else { None })
        .collect();
    assert_eq!(told, ["It", "is", "big.", "It", "is"]);
}

#[test]
fn a_monologue_in_pieces_becomes_one_item() {
    let mut talk = Talk::new();
    talk.starts()
        .input(Input::SpeechPiece { utterance: UtteranceId(1) })
        .input(Input::SpeechPiece { utterance: UtteranceId(2) });
    talk.stops(3).heard(3, "three.").heard(1, "One,").heard(2, "two,");
    assert_eq!(talk.prompts()[0].last().unwrap().content, "One, two, three.");
}
