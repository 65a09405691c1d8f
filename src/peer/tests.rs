//! Two peers of one process on loopback: what one sends the other gets, and nothing is left behind.

use std::net::Ipv4Addr;
use std::time::Duration;

use bytes::Bytes;

use super::caller::{Caller, Wish};
use super::*;
use crate::media::{AudioPacket, MediaTime, VideoPacket};

fn loopback() -> PeerSettings {
    PeerSettings { bind: vec![Ipv4Addr::LOCALHOST.into()], ..Default::default() }
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.unwrap_or_else(|_| panic!("no {what} within 20 s"))
}

/// The next event that `wanted` takes; others are passed over.
async fn event<T>(peer: &mut Peer, what: &str, mut wanted: impl FnMut(PeerEvent) -> Option<T>) -> T {
    within(what, async {
        loop {
            let event = peer.events.recv().await.unwrap_or_else(|| panic!("the events ended before {what}"));
            if let Some(found) = wanted(event) {
                return found;
            }
        }
    })
    .await
}

fn is_connected(event: PeerEvent) -> Option<()> {
    matches!(event, PeerEvent::Connected).then_some(())
}

async fn connect(wish: Wish) -> (Caller, Peer) {
    let (mut caller, offer) = Caller::offer(&loopback(), wish).await.unwrap();
    let (mut server, answer) = Peer::answer(&loopback(), &offer).await.unwrap();
    caller.accept(&answer).await.unwrap();
    event(&mut server, "connection of the server", is_connected).await;
    event(&mut caller.peer, "connection of the caller", is_connected).await;
    (caller, server)
}

/// A picture of `size` bytes that starts with parameter sets if it is a key frame.
fn picture(at: u64, key_frame: bool, size: usize) -> VideoPacket {
    let mut h264 = Vec::new();
    if key_frame {
        h264.extend([0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f, 0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80]);
    }
    h264.extend([0, 0, 0, 1, if key_frame { 0x65 } else { 0x41 }]);
    h264.extend((0..size).map(|n| 1 + (n % 250) as u8));
    VideoPacket { at: MediaTime(at), h264: Bytes::from(h264), key_frame }
}

fn sound(at: u64) -> AudioPacket {
    AudioPacket { at: MediaTime(at), opus: Bytes::from(vec![at as u8, 2, 3]) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sound_pictures_and_text_go_both_ways_with_one_clock() {
    let (mut caller, mut server) = connect(Wish::default()).await;
    assert!(server.has_video());

    caller.peer.send_text("from the page".into()).unwrap();
    server.send_text("from the server".into()).unwrap();
    let text = |event| if let PeerEvent::Text(text) = event { Some(text) } else { None };
    assert_eq!(event(&mut server, "text at the server", text).await, "from the page");
    assert_eq!(event(&mut caller.peer, "text at the caller", text).await, "from the server");

    caller.peer.media.send_audio(sound(960));
    let payload = event(&mut server, "sound at the server", |event| match event {
        PeerEvent::Audio { payload, .. } => Some(payload),
        _ => None,
    });
    assert_eq!(payload.await, sound(960).opus);

    // A key frame of 60 kB does not hold up the sound that follows it.
    assert!(server.media.send_video(picture(960, true, 60_000)));
    server.media.send_audio(sound(960));
    server.media.send_audio(sound(1920));
    assert!(server.media.send_video(picture(960 + 1920, false, 500)));
    let mut heard = Vec::new();
    for _ in 0..2 {
        heard.push(
            event(&mut caller.peer, "sound at the caller", |event| match event {
                PeerEvent::Audio { timestamp, .. } => Some(timestamp),
                _ => None,
            })
            .await,
        );
    }
    assert_eq!(heard[1].wrapping_sub(heard[0]), 960);
    let first = within("first picture", caller.pictures.recv()).await.unwrap().picture;
    let second = within("second picture", caller.pictures.recv()).await.unwrap().picture;
    assert!(first.key_frame && !second.key_frame);
    assert_eq!(first.h264, picture(960, true, 60_000).h264);
    assert_eq!(second.timestamp.wrapping_sub(first.timestamp), 3600);

    // By what the server reports, the caller puts sound and picture onto one clock.
    let mut beat = tokio::time::interval(Duration::from_millis(20));
    let reported = within("report of each track", async {
        for frame in 3.. {
            beat.tick().await;
            server.media.send_audio(sound(960 * frame));
            if caller.sender_times().len() == 2 {
                break;
            }
        }
        caller.sender_times()
    })
    .await;
    let at = |clock_rate: u32| reported.iter().find(|time| time.clock_rate == clock_rate).copied().unwrap();
    let (sound_at, picture_at) = (at(48_000), at(90_000));
    assert_eq!(sound_at.ntp, picture_at.ntp);
    let (since_sound, since_picture) =
        (sound_at.rtp.wrapping_sub(heard[0]), picture_at.rtp.wrapping_sub(first.timestamp));
    assert!((u64::from(since_sound) * 15 / 8).abs_diff(since_picture.into()) <= 2, "{sound_at:?} {picture_at:?}");
    caller.close().await;
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_picture_indication_asks_the_session_for_a_key_frame() {
    let (mut caller, mut server) = connect(Wish::default()).await;
    let wanted = |event| matches!(event, PeerEvent::KeyFrameWanted).then_some(());
    event(&mut server, "first key frame wish", wanted).await;
    assert!(server.media.send_video(picture(0, true, 100)));
    within("first picture", caller.pictures.recv()).await.unwrap();
    caller.request_key_frame();
    event(&mut server, "key frame wish", wanted).await;
    caller.close().await;
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_without_video_or_channel_has_a_call_too() {
    let (caller, server) = connect(Wish { video: false, event_channel: false }).await;
    assert!(!server.has_video());
    caller.close().await;
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_message_does_not_end_the_call() {
    let (mut caller, mut server) = connect(Wish::default()).await;
    let too_long = PeerError::TextTooLong { bytes: 70_000 };
    assert_eq!(caller.peer.send_text("x".repeat(70_000)).unwrap_err(), too_long);
    // Past our own limit, as another client would.
    caller.peer.send_unlimited("y".repeat(200_000)).unwrap();
    caller.peer.send_text("after".into()).unwrap();
    let text = |event| if let PeerEvent::Text(text) = event { Some(text.len()) } else { None };
    assert_eq!(event(&mut server, "large text", text).await, 200_000);
    assert_eq!(event(&mut server, "text after", text).await, 5);
    event(&mut caller.peer, "open channel", |event| matches!(event, PeerEvent::ChannelOpen).then_some(())).await;
    caller.close().await;
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_hangs_up_ends_the_call_at_once() {
    let (caller, mut server) = connect(Wish::default()).await;
    caller.close().await;
    let reason = event(&mut server, "end", |event| match event {
        PeerEvent::Closed { reason } => Some(reason),
        _ => None,
    });
    assert_eq!(reason.await, CloseReason::ByRemote);
    assert!(!server.media.is_live());
    assert!(server.events.recv().await.is_none());
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_without_candidates_connects_by_the_callers_own_checks() {
    let (mut caller, offer) = Caller::offer(&loopback(), Wish::default()).await.unwrap();
    let bare: String =
        offer.lines().filter(|line| !line.starts_with("a=candidate")).map(|line| format!("{line}\r\n")).collect();
    let (server, answer) = Peer::answer(&loopback(), &bare).await.unwrap();
    assert!(answer.contains("a=candidate") && answer.contains("a=end-of-candidates"));
    caller.accept(&answer).await.unwrap();
    event(&mut caller.peer, "connection", is_connected).await;
    caller.close().await;
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_is_what_browsers_need() {
    let (caller, offer) = Caller::offer(&loopback(), Wish::default()).await.unwrap();
    let (server, answer) = Peer::answer(&loopback(), &offer).await.unwrap();
    let streams: std::collections::HashSet<_> = answer
        .lines()
        .filter_map(|line| line.strip_prefix("a=msid:"))
        .map(|ids| ids.split(' ').next().unwrap())
        .collect();
    assert_eq!(streams.len(), 1, "one media stream for both tracks: {answer}");
    for part in
        ["opus/48000/2", "useinbandfec=1", "packetization-mode=1", "profile-level-id=42e01f", "nack pli", "rtx/90000"]
    {
        assert!(answer.contains(part), "{part} is missing in {answer}");
    }
    assert!(!answer.contains("stereo=1"));
    let video = answer.split("m=video").nth(1).unwrap();
    assert!(video.split("m=").next().unwrap().contains("a=sendonly"));
    let broken = Peer::answer(&loopback(), &offer.replace("H264", "VP8")).await.err().unwrap();
    assert_eq!((broken.code(), broken.is_client_fault()), ("no_h264", true));
    caller.close().await;
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_with_any_line_missing_or_broken_is_answered_or_refused_and_leaves_nothing() {
    let (caller, offer) = Caller::offer(&loopback(), Wish::default()).await.unwrap();
    let lines: Vec<&str> = offer.lines().collect();
    for skipped in 0..lines.len() {
        for replacement in [None, Some("a=:"), Some("m=video x y z")] {
            let broken: String = lines
                .iter()
                .enumerate()
                .filter_map(|(n, &line)| if n == skipped { replacement } else { Some(line) })
                .map(|line| format!("{line}\r\n"))
                .collect();
            match within("answer", Peer::answer(&loopback(), &broken)).await {
                Ok((server, _)) => server.close().await,
                Err(error) => assert!(error.is_client_fault(), "without {:?}: {error}", lines[skipped]),
            }
        }
    }
    caller.close().await;
}

/// Tasks are counted by the runtime, sockets by the kernel.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_calls_leave_no_socket_task_or_thread() {
    let sockets = || {
        std::fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
            .filter(|link| link.to_string_lossy().starts_with("socket:"))
            .count()
    };
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let (caller, server) = connect(Wish::default()).await;
    caller.close().await;
    server.close().await;
    let (threads_before, tasks_before) = (threads(), tasks());
    for _ in 0..50 {
        let (caller, server) = connect(Wish::default()).await;
        caller.close().await;
        server.close().await;
    }
    // A driver that has stopped is counted until its thread has put it away.
    within("end of all tasks", async {
        while tasks() > tasks_before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    // Other tests of this process may have calls of their own: a leak would be 50 or more of each.
    assert!(threads() <= threads_before + 20, "{} threads, {threads_before} before", threads());
    assert!(sockets() < 40, "{} sockets", sockets());
}
