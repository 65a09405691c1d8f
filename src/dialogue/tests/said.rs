//! Texts that are said as they stand, without a model.

use super::*;

fn say(text: &str) -> Request {
    Request::CreateResponse(ResponseRequest { said: Some(text.into()), ..ResponseRequest::default() })
}

fn text_of(talk: &Talk, id: &str) -> (Option<String>, bool) {
    let item = talk.dialogue.item(&ItemId(id.into())).expect("it is in the history");
    (item.text.clone(), item.complete)
}

#[test]
fn it_is_spoken_in_clauses_told_like_an_answer_and_remembered() {
    let mut talk = Talk::new();
    talk.ask(say("Welcome to our shop. What may I show you?"));
    assert_eq!(talk.clauses(), ["Welcome to our shop.", "What may I show you?"]);
    assert!(talk.prompts().is_empty(), "no model is asked");
    let started = talk.position(|event| matches!(event, Event::ReplyStarted { .. }));
    let told = talk.position(
        |event| matches!(event, Event::ReplyText { delta, .. } if delta == "Welcome to our shop. What may I show you?"),
    );
    assert!(started < told);
    talk.voiced(1, 0, 1000).voiced(1, 1, 1000);
    assert_eq!(talk.endings(), [&Ending::Completed]);
    talk.types("Bread.").ask(Request::CreateResponse(ResponseRequest::default()));
    let said = talk.prompts()[0].iter().map(|message| (message.role, message.content.as_str())).collect::<Vec<_>>();
    assert_eq!(said[1..], [(Role::Assistant, "Welcome to our shop. What may I show you?"), (Role::User, "Bread."),]);
}

#[test]
fn words_over_it_end_it_where_it_was_heard() {
    let mut talk = Talk::new();
    talk.ask(say("It is big. It is old."));
    talk.voiced(1, 0, 48_000).voiced(1, 1, 48_000);
    talk.input(Input::PlayoutStarted { turn: TurnId(1) }).input(Input::Played { turn: TurnId(1), ticks: 48_000 });
    talk.says("Stop.");
    assert_eq!(text_of(&talk, "item_1"), (Some("It is big.".into()), false));
    assert_eq!(talk.orders(&Output::Silence { up_to: TurnId(1) }), 1);
}

#[test]
fn what_the_person_asked_meanwhile_is_still_answered() {
    let mut talk = Talk::new();
    talk.starts().stops(1).ask(say("One moment.")).heard(1, "What is the time?");
    assert!(talk.prompts().is_empty(), "one answer is made at a time");
    talk.voiced(1, 0, 1000);
    assert_eq!(talk.prompts().len(), 1);
    assert_eq!(talk.prompts()[0].last().map(|last| last.role), Some(Role::Assistant));
}

#[test]
fn what_is_too_long_or_comes_while_an_answer_is_made_is_refused() {
    let mut talk = Talk::new();
    talk.ask(say(&"a ".repeat(LONGEST_ITEM / 2 + 1)));
    assert_eq!(talk.error_codes(), ["string_above_max_length"]);
    assert!(talk.dialogue.is_idle());
    talk.ask(say(&"ab ".repeat(LONGEST_ITEM / 3))).ask(say("And more."));
    assert_eq!(talk.error_codes(), ["string_above_max_length", "conversation_already_has_active_response"]);
    assert!(talk.clauses().len() > 100);
}

#[test]
fn what_is_only_written_and_what_has_no_words_end_at_once() {
    let mut talk = Talk::new();
    talk.dialogue.set_settings(Settings { text_only: true, ..settings() });
    talk.ask(say("Welcome."));
    assert_eq!((talk.endings(), talk.clauses().len()), (vec![&Ending::Completed], 0));
    talk.dialogue.set_settings(settings());
    talk.ask(say("?!"));
    assert_eq!(talk.error_codes(), ["nothing_to_say"]);
    assert!(talk.dialogue.is_idle());
}
