//! Who has the floor: pauses that may be a turn's end, and voices over an answer.

use super::*;

#[test]
fn text_made_in_a_pause_is_used_when_the_turn_ends_there() {
    let mut talk = Talk::new();
    talk.starts().pauses(1).heard(1, "How are you?");
    assert_eq!(talk.prompts().len(), 1, "an answer is drafted");
    assert!(talk.endings().is_empty() && talk.orders(&Output::Play { turn: TurnId(1) }) == 0, "the turn may go on");
    talk.token(1, "Fine.").done(1).voiced(1, 0, 1000).wait(400);
    assert_eq!(talk.transcribing(), [1], "transcribed once");
    assert_eq!(talk.prompts().len(), 1, "the draft is the answer");
    assert_eq!(talk.orders(&Output::Play { turn: TurnId(1) }), 1);
    assert_eq!(talk.endings(), [&Ending::Completed]);
    let asked = talk.position(|e| matches!(e, Event::Transcribed { .. }));
    let answered = talk.position(|e| matches!(e, Event::ReplyStarted { .. }));
    let told = talk.position(|e| matches!(e, Event::ReplyText { .. }));
    assert!(asked < answered && answered < told);
}

#[test]
fn text_made_in_a_pause_is_dropped_when_the_person_goes_on() {
    let mut talk = Talk::new();
    talk.starts().pauses(1).input(Input::SpeechResumed);
    assert!(talk.orders.contains(&Output::StopTranscribing { utterance: UtteranceId(1) }));
    talk.heard(1, "I would").stops(2).heard(2, "I would like tea.");
    assert_eq!(talk.prompts()[0].last().unwrap().content, "I would like tea.");
    assert_eq!(talk.prompts().len(), 1);
}

#[test]
fn a_draft_is_dropped_without_a_trace_when_the_person_goes_on() {
    let mut talk = Talk::new();
    talk.starts().pauses(1).heard(1, "Tell me about Paris.").token(1, "It is big. ").input(Input::SpeechResumed);
    assert_eq!(talk.orders(&Output::StopGenerating { turn: TurnId(1) }), 1);
    assert_eq!(talk.orders(&Output::Discard { turn: TurnId(1) }), 1);
    talk.stops(2).heard(2, "Tell me about Paris and Rome.").token(2, "Both are old.").done(2).voiced(2, 0, 1000);
    assert_eq!(talk.endings(), [&Ending::Completed]);
    let prompt: Vec<_> = talk.prompts()[1].iter().map(|m| m.content.as_str()).collect();
    assert_eq!(prompt, ["Be brief.", "Tell me about Paris and Rome."]);
    assert!(talk.events.iter().all(|e| !matches!(e, Event::ReplyText { turn: TurnId(1), .. })));
}

#[test]
fn a_complete_thought_ends_the_turn_soon_and_an_open_one_waits() {
    let mut talk = Talk::thoughtful();
    talk.starts().pauses(1).judged(1, 0.9).heard(1, "What is the time?").wait(99);
    assert!(talk.dialogue.is_hearing());
    talk.wait(1);
    assert!(!talk.dialogue.is_hearing() && talk.orders(&Output::Play { turn: TurnId(1) }) == 1);

    // The melody says it is not over, or the words do.
    for (complete, text, silence) in [
        (0.1, "What is the time?", 1200),
        (0.9, "I would like to", 1500),
        (0.5, "Well yes.", 600),
        (0.7, "Who is it from?", 1200),
    ] {
        let mut talk = Talk::thoughtful();
        talk.starts().pauses(1).judged(1, complete).heard(1, text).wait(silence - 101);
        assert!(talk.dialogue.is_hearing(), "{text}");
        talk.wait(1);
        assert!(!talk.dialogue.is_hearing(), "{text}");
    }
}

#[test]
fn voice_over_an_answer_holds_it_and_a_cough_lets_it_go_on() {
    let mut talk = Talk::new();
    talk.says("Tell me about Paris.").answers(1, 500);
    talk.input(Input::VoiceSuspected { at: talk.now });
    assert_eq!(talk.orders(&Output::Hold), 1);
    talk.wait(90).input(Input::VoiceFaded);
    assert_eq!(talk.orders(&Output::Release), 1);
    assert!(talk.events.iter().any(|e| matches!(e, Event::BargeIn { outcome: Outcome::Resumed, .. })));

    // A longer one is confirmed as speech, and has no words.
    talk.input(Input::VoiceSuspected { at: talk.now }).starts().pauses(2).heard(2, "");
    assert_eq!(talk.orders(&Output::Release), 2);
    assert_eq!(talk.orders(&Output::TakeInput { utterance: UtteranceId(2) }), 1);
    talk.input(Input::PlayoutEnded { turn: TurnId(1) });
    assert!(talk.dialogue.is_idle());
    assert_eq!(talk.endings(), [&Ending::Completed]);
    assert_eq!(talk.prompts().len(), 1, "a cough gets no answer");
    let started = talk.events.iter().filter(|e| matches!(e, Event::SpeechStarted { .. })).count();
    assert_eq!(started, 1, "nobody is told of it");
}

#[test]
fn a_sign_of_listening_lets_the_answer_go_on_but_answers_a_question() {
    let mut talk = Talk::new();
    talk.says("Tell me about Paris.").answers(1, 500);
    talk.input(Input::VoiceSuspected { at: talk.now }).starts().pauses(2).heard(2, "Yeah.");
    assert_eq!((talk.orders(&Output::Release), talk.prompts().len()), (1, 1));

    let mut talk = Talk::new();
    talk.says("Hello.").token(1, "Do you want tea?").done(1).voiced(1, 0, 48_000);
    talk.input(Input::PlayoutStarted { turn: TurnId(1) }).input(Input::Played { turn: TurnId(1), ticks: 40_000 });
    talk.starts().stops(2).heard(2, "Yeah.");
    assert_eq!(talk.prompts().len(), 2);
}

#[test]
fn words_over_an_answer_end_it_before_the_person_has_finished() {
    let mut talk = Talk::new();
    talk.says("Tell me about Paris.").answers(1, 500).starts();
    talk.input(Input::SpeechGrew { utterance: UtteranceId(2) }).heard(2, "Stop, I meant");
    assert!(talk.orders.contains(&Output::Silence { up_to: TurnId(1) }));
    let silence = talk.orders.iter().position(|o| matches!(o, Output::Silence { .. }));
    let release = talk.orders.iter().position(|o| matches!(o, Output::Release));
    assert!(silence < release, "nothing of the old answer comes through");
    assert!(talk.events.iter().any(|e| matches!(e, Event::BargeIn { outcome: Outcome::Ended, .. })));
    assert!(talk.dialogue.is_hearing());
}

#[test]
fn noise_that_never_ends_does_not_hold_an_answer_for_ever() {
    let mut talk = Talk::new();
    talk.says("Tell me about Paris.").answers(1, 500);
    talk.input(Input::VoiceSuspected { at: talk.now }).starts().wait(2400);
    assert_eq!(talk.orders(&Output::Release), 0);
    talk.wait(200);
    assert_eq!(talk.orders(&Output::Release), 1);
    assert_eq!(talk.endings(), [&Ending::Completed]);
}
