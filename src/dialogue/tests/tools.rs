//! Answers that call tools, the server's and the client's.

use super::*;

impl Talk {
    fn calls(&mut self, turn: u64, id: &str, own: bool) -> &mut Self {
        let call = ToolCall { id: id.into(), name: "time".into(), arguments: "{}".into() };
        self.input(Input::ToolCalled { turn: TurnId(turn), call, own })
    }

    fn gives(&mut self, turn: u64, call_id: &str, output: &str) -> &mut Self {
        self.input(Input::ToolAnswered { turn: TurnId(turn), call_id: call_id.into(), output: output.into() })
    }

    fn called(&self) -> Vec<&str> {
        self.orders
            .iter()
            .filter_map(|o| if let Output::CallTool { call, .. } = o { Some(call.id.as_str()) } else { None })
            .collect()
    }
}

/// Role, words and number of calls of the last prompt.
fn last_prompt(talk: &Talk) -> Vec<(&'static str, &str, usize)> {
    let prompt = talk.prompts().pop().expect("a prompt");
    prompt.iter().map(|message| (message.role.name(), message.content.as_str(), message.calls.len())).collect()
}

#[test]
fn the_answer_goes_on_with_what_the_servers_tools_give_and_a_phrase_bridges_the_wait() {
    let mut talk = Talk::new();
    talk.says("What time is it?").calls(1, "a", true).calls(1, "b", true).done(1);
    assert_eq!(talk.called(), ["a", "b"]);
    assert_eq!(talk.clauses(), ["Let me look."]);
    talk.voiced(1, 0, 1000).gives(1, "b", "12:00").gives(1, "nobody's", "?");
    assert_eq!(talk.prompts().len(), 1, "one has not answered");
    talk.gives(1, "a", "UTC");
    let said = [
        ("system", "Be brief.", 0),
        ("user", "What time is it?", 0),
        ("assistant", "Let me look.", 2),
        ("tool", "UTC", 0),
        ("tool", "12:00", 0),
    ];
    assert_eq!(last_prompt(&talk), said);
    talk.token(1, "It is noon.").done(1).voiced(1, 1, 1000);
    assert_eq!(talk.endings(), [&Ending::Completed]);
    assert_eq!(talk.clauses(), ["Let me look.", "It is noon."]);
    let text =
        talk.events.iter().find_map(|e| if let Event::ReplyDone { item, .. } = e { item.text.clone() } else { None });
    assert_eq!(text.as_deref(), Some("Let me look. It is noon."));
    // The next prompt has it all, the results behind their calls.
    talk.input(Input::PlayoutEnded { turn: TurnId(1) }).says("Thanks.");
    let roles: Vec<_> = last_prompt(&talk).into_iter().map(|(role, ..)| role).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "tool", "assistant", "user"]);
}

#[test]
fn the_clients_tools_end_the_answer_with_their_calls_and_its_results_are_taken() {
    let mut talk = Talk::new();
    talk.says("What time is it?").token(1, "I will look it up. ").calls(1, "a", false).done(1).voiced(1, 0, 1000);
    let calls =
        talk.events.iter().find_map(|e| if let Event::ReplyDone { calls, .. } = e { Some(calls) } else { None });
    assert!(matches!(&calls.unwrap()[0].matter, Matter::Call(call) if call.id == "a"));
    assert!(talk.called().is_empty());
    let result = |call_id: &str| {
        let matter = Matter::Result { call_id: call_id.into() };
        let item = NewItem { id: None, role: Role::Tool, matter, text: "12:00".into() };
        Request::CreateItem { item, place: Place::End }
    };
    talk.ask(result("b"));
    assert_eq!(talk.error_codes(), ["call_not_found"]);
    talk.ask(result("a")).ask(Request::CreateResponse(ResponseRequest::default()));
    let said = [
        ("system", "Be brief.", 0),
        ("user", "What time is it?", 0),
        ("assistant", "I will look it up.", 1),
        ("tool", "12:00", 0),
    ];
    assert_eq!(last_prompt(&talk), said);
}

#[test]
fn a_draft_runs_no_tool_and_an_answer_that_is_cut_waits_for_none() {
    let mut talk = Talk::thoughtful();
    talk.starts().pauses(1).heard(1, "What time is it?").calls(1, "a", true).done(1);
    assert!(talk.called().is_empty(), "the person may go on");
    talk.judged(1, 0.9).wait(300);
    assert_eq!(talk.called(), ["a"]);
    talk.ask(Request::CancelResponse { response: None });
    assert_eq!(talk.orders(&Output::StopGenerating { turn: TurnId(1) }), 1);
    talk.gives(1, "a", "12:00");
    assert_eq!((talk.prompts().len(), talk.endings()), (1, vec![&Ending::Cancelled]));
}

#[test]
fn a_model_that_only_calls_tools_must_speak_in_the_end() {
    let mut talk = Talk::new();
    talk.says("What time is it?");
    for round in 0..4 {
        let id = round.to_string();
        talk.calls(1, &id, true).done(1).gives(1, &id, "later");
    }
    let allowed = |o: &Output| if let Output::Generate { may_call, .. } = o { Some(*may_call) } else { None };
    assert_eq!(talk.orders.iter().filter_map(allowed).collect::<Vec<_>>(), [true, true, true, true, false]);
}
