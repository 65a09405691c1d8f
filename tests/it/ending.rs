//! How calls and the server end: announced, in order, and with nothing left behind.

use std::time::Duration;

use crate::caller::{Call, Script, talk, typed};
use crate::server::Server;

#[tokio::test]
async fn an_idle_call_is_warned_and_then_ended() {
    let server = Server::start("[server]\nidle_timeout_seconds = 3\nend_warning_seconds = 2\n");
    let mut call = Call::open(&server).await;
    call.until_ended().await;
    let ending: Vec<_> = call.report.events("session.ending").cloned().collect();
    assert_eq!(ending.len(), 2, "{ending:?}");
    assert_eq!(ending[0]["reason"], "idle_timeout");
    assert!(ending[0]["remaining_ms"].as_u64().unwrap() > 1000);
    assert_eq!(ending[1]["remaining_ms"], 0);
    call.close().await;
    assert_eq!(server.status().await["calls"]["active"], 0);
}

#[tokio::test]
async fn hanging_up_ends_the_call_and_frees_its_place() {
    let server = Server::start("[server]\nmax_calls = 1\n");
    for _ in 0..3 {
        let report = talk(&server, Script::default().hang_up()).await;
        assert!(report.ended_by_server);
        assert_eq!(server.status().await["calls"]["active"], 0);
    }
    assert_eq!(server.status().await["calls"]["total"], 3);
}

#[tokio::test]
async fn sigterm_says_goodbye_to_calls_and_ends_the_server() {
    let mut server = Server::start("");
    let mut call = Call::open(&server).await;
    let ended = tokio::task::spawn_blocking(move || server.terminate());
    call.until_ended().await;
    let ending = call.report.events("session.ending").last().expect("a goodbye");
    assert_eq!(ending["reason"], "shutdown");
    call.close().await;
    assert!(ended.await.unwrap().success());
}

/// Threads, open files and memory of the server process.
fn held(pid: u32) -> (usize, usize, usize) {
    let count = |what: &str| std::fs::read_dir(format!("/proc/{pid}/{what}")).unwrap().count();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kilobytes = rss.trim().trim_end_matches(" kB").parse().unwrap();
    (count("task"), count("fd"), kilobytes)
}

#[tokio::test]
async fn calls_that_ended_leave_no_thread_and_no_socket() {
    let server = Server::start("");
    typed(&server, &["Hello!"]).await;
    let settled = async || {
        while server.status().await["calls"]["active"] != 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        held(server.pid())
    };
    let before = settled().await;
    for _ in 0..8 {
        talk(&server, Script::default().hang_up()).await;
    }
    let after = settled().await;
    assert!(after.0 <= before.0, "threads: {before:?} -> {after:?}");
    // HTTP connections that are kept open may come and go.
    assert!(after.1 <= before.1 + 4, "files: {before:?} -> {after:?}");
}
