//! MCP servers that are programs, against a stand-in written for the shell.

use std::path::Path;

use super::*;

const TOOLS: usize = 10;

/// Settings of a stand-in.
fn server(name: &str, kind: &str, file: Option<&Path>, more: &str) -> String {
    let script = include_str!("stand_in.sh");
    let file = file.map_or(String::new(), |file| format!(", '{}'", file.display()));
    format!(
        "[[tools.mcp]]\nname = '{name}'\ncommand = 'sh'\nargs = ['-c', '''{script}''', 'stand-in', '{kind}'{file}]\n\
         env = {{ DESK = 'env:DESK_TOKEN' }}\n{more}\n"
    )
}

/// A stand-in that is connected.
async fn connected(more: &str) -> Toolbox {
    let toolbox = open(&server("desk", "plain", None, more));
    until(&toolbox, |toolbox| toolbox.list().len() == TOOLS).await;
    toolbox
}

#[tokio::test]
async fn its_tools_are_listed_and_called_and_arguments_stay_data() {
    let toolbox = connected("").await;
    let tools = toolbox.list();
    assert_eq!((tools[0].name.as_str(), tools[0].description.as_str()), ("echo", "about echo"));
    for text in ["hi", "$(reboot); `reboot`", "\"}}\n{\"jsonrpc\": \"2.0\", \"method\": \"exit\"}", "你好 \\ \u{0}"] {
        let arguments = serde_json::json!({ "text": text });
        let said = call(&toolbox, "echo", &arguments.to_string()).await.unwrap();
        assert_eq!(json(&said), arguments);
    }
    assert_eq!(call(&toolbox, "echo", r#"{"text": 5}"#).await.unwrap_err().kind(), "arguments");
    assert_eq!(toolbox.servers(), [ServerStatus { name: "desk".into(), tools: Ok(TOOLS) }]);
}

#[tokio::test]
async fn a_long_result_is_cut() {
    let toolbox = open(&(String::from("[tools]\nmax_result_bytes = 300\n") + &server("desk", "plain", None, "")));
    until(&toolbox, |toolbox| toolbox.list().len() == TOOLS).await;
    let said = call(&toolbox, "echo", &format!(r#"{{"text": "{}"}}"#, "很".repeat(1000))).await.unwrap();
    assert!(said.ends_with("longer than 300 bytes.]") && said.len() < 400, "{said}");
}

#[tokio::test]
async fn what_it_says_of_a_failure_reaches_the_model() {
    let toolbox = connected("").await;
    let failed = call(&toolbox, "fail", "{}").await.unwrap_err();
    assert_eq!(failed.for_model(), "Error: the tool says that it failed: the printer is on fire");
    let wrong = call(&toolbox, "wrong", "{}").await.unwrap_err();
    assert_eq!(wrong, ToolError::Arguments { tool: "wrong".into(), reason: "text must be upper case".into() });
    assert_eq!(call(&toolbox, "rubbish", "{}").await.unwrap(), "after the rubbish");
}

#[tokio::test]
async fn it_has_the_variables_it_is_given_and_none_of_ours() {
    let toolbox = connected("").await;
    let said = call(&toolbox, "secret", "{}").await.unwrap();
    // Those that a shell sets for itself.
    let own = ["OLDPWD", "PWD", "SHLVL", "_"];
    let words: Vec<&str> = said.split_whitespace().filter(|word| !own.contains(word)).collect();
    assert_eq!(words, ["[hidden]", "DESK", "PATH"]);
}

#[tokio::test]
async fn a_list_that_changes_is_asked_for_anew() {
    let toolbox = connected("").await;
    call(&toolbox, "change", "{}").await.unwrap();
    until(&toolbox, |toolbox| names(toolbox).contains(&"fresh".to_owned())).await;
    assert_eq!(call(&toolbox, "fresh", "{}").await.unwrap(), "called by another name");
}

#[tokio::test]
async fn one_that_stalls_in_a_call_is_told_to_stop_and_stays() {
    let toolbox = connected("timeout_millis = 300").await;
    assert_eq!(call(&toolbox, "stall", "{}").await.unwrap_err().kind(), "timeout");
    cancelled(&toolbox, 1).await;
    // So is one whose caller went away.
    let answered = timeout(Duration::from_millis(50), toolbox.call("stall", "{}", context())).await;
    assert!(answered.is_err(), "{answered:?}");
    cancelled(&toolbox, 2).await;
}

/// Asks until so many cancellations have arrived; they are sent without being waited for.
async fn cancelled(toolbox: &Toolbox, times: usize) {
    let arrived = async { while call(toolbox, "cancelled", "{}").await.unwrap() != times.to_string() {} };
    timeout(PATIENCE, arrived).await.expect("the cancellation arrives");
}

#[tokio::test]
async fn one_that_dies_loses_its_calls_and_is_started_again() {
    let toolbox = connected("").await;
    let first = call(&toolbox, "pid", "{}").await.unwrap();
    let (stalled, died) = tokio::join!(call(&toolbox, "stall", "{}"), call(&toolbox, "die", "{}"));
    for result in [stalled, died] {
        assert_eq!(result.map_err(|error| error.kind()), Err("lost"));
    }
    until(&toolbox, |toolbox| toolbox.list().len() == TOOLS).await;
    let second = loop {
        match call(&toolbox, "pid", "{}").await {
            Ok(second) => break second,
            // Its end is not noticed everywhere at the same moment.
            Err(error) => {
                assert!(matches!(error.kind(), "lost" | "down"), "{error}");
                tokio::task::yield_now().await;
            }
        }
    };
    assert_ne!(first, second);
}

#[tokio::test]
async fn one_that_stays_away_is_named_with_its_last_words() {
    let folder = tempfile::tempdir().unwrap();
    let toolbox = open(&server("desk", "plain", Some(&folder.path().join("dead")), ""));
    until(&toolbox, |toolbox| toolbox.list().len() == TOOLS).await;
    let mut changes = toolbox.changes();
    call(&toolbox, "die", "{}").await.unwrap_err();
    changes.changed().await.unwrap();
    let ServerStatus { tools: Err(reason), .. } = &toolbox.servers()[0] else { panic!("{:?}", toolbox.servers()) };
    assert!(reason.contains("exit status"), "{reason}");
    assert_eq!(names(&toolbox), [""; 0]);
    let error = call(&toolbox, "echo", "{}").await.unwrap_err();
    assert_eq!(error.kind(), "down");
    assert!(error.for_model().contains("cannot be reached"), "{}", error.for_model());
}

#[tokio::test]
async fn servers_that_cannot_work_do_not_stop_the_others() {
    let missing = "[[tools.mcp]]\nname = 'missing'\ncommand = 'no-such-program-anywhere'\n";
    let toolbox = open(
        &(server("broken", "broken", None, "")
            + missing
            + &server("mute", "mute", None, "timeout_millis = 100")
            + &server("bare", "bare", None, "")
            + &server("desk", "plain", None, "")),
    );
    let reason = |toolbox: &Toolbox, index: usize| toolbox.servers()[index].tools.clone().err().unwrap_or_default();
    until(&toolbox, |toolbox| toolbox.list().len() == TOOLS).await;
    until(&toolbox, |toolbox| reason(toolbox, 0).contains("no module named desk")).await;
    until(&toolbox, |toolbox| reason(toolbox, 1).contains("is it installed?")).await;
    until(&toolbox, |toolbox| reason(toolbox, 2).contains("did not list its tools within 100 ms")).await;
    until(&toolbox, |toolbox| toolbox.servers()[3].tools == Ok(0)).await;
}

#[tokio::test]
async fn endless_lists_end_and_odd_tools_are_left_out() {
    let toolbox = open(&server("many", "many", None, ""));
    until(&toolbox, |toolbox| !toolbox.list().is_empty()).await;
    assert_eq!(toolbox.list().len(), settings::MAX_TOOLS);

    let toolbox = open(&server("odd", "odd", None, ""));
    until(&toolbox, |toolbox| !toolbox.list().is_empty()).await;
    assert_eq!(names(&toolbox), ["get_item_one"]);
    assert_eq!(call(&toolbox, "get_item_one", "").await.unwrap(), "called by another name");
}

#[tokio::test]
async fn only_what_is_allowed_is_offered_and_names_are_unique() {
    let allow = "allow = ['echo', 'fail']";
    let toolbox = open(&(server("a", "plain", None, allow) + &server("b", "plain", None, "allow = ['echo', 'gone']")));
    until(&toolbox, |toolbox| toolbox.list().len() == 3).await;
    assert_eq!(names(&toolbox), ["a_echo", "fail", "b_echo"]);
    assert_eq!(json(&call(&toolbox, "b_echo", r#"{"text": "b"}"#).await.unwrap())["text"], "b");
    assert_eq!(call(&toolbox, "pid", "{}").await.unwrap_err().kind(), "unknown");
}

#[tokio::test]
async fn one_without_a_handshake_is_discovered() {
    let toolbox = open(&server("modern", "modern", None, ""));
    until(&toolbox, |toolbox| toolbox.list().len() == TOOLS).await;
    assert_eq!(call(&toolbox, "cancelled", "{}").await.unwrap(), "0");
}

#[tokio::test]
async fn programs_end_with_the_toolbox() {
    let notes = Arc::new(Notes::default());
    let toolbox =
        Toolbox::open(&settings(&server("desk", "plain", None, "")), notes.clone(), &environment, PACE).unwrap();
    until(&toolbox, |toolbox| toolbox.list().len() == TOOLS).await;
    let process = format!("/proc/{}", call(&toolbox, "pid", "{}").await.unwrap());
    assert!(Path::new(&process).exists());
    toolbox.close().await;
    assert!(!Path::new(&process).exists());
    assert_eq!(call(&toolbox, "echo", "{}").await.unwrap_err().kind(), "lost");
    assert_eq!(*notes.0.lock().unwrap(), ["desk: Some(10)", "pid: ok", "echo: lost"]);
}
