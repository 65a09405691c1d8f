//! Whom a call sees: one of several faces, another one in mid-call, a portrait of a photo that was sent.

use std::time::Duration;

use serde_json::{Value, json};
use visavis::face::Area;
use visavis::media::I420;
use visavis::video::rgba_to_i420;

use crate::caller::Call;
use crate::server::Server;

const PHOTO: &[u8] = include_bytes!("../fixtures/astronaut.jpg");

/// The face as the server's own picture of it shows it.
async fn picture(server: &Server, name: &str) -> I420 {
    let answer = reqwest::get(format!("{}/v1/avatars/{name}/picture", server.url)).await.unwrap();
    assert_eq!(answer.status(), 200);
    let picture = image::load_from_memory(&answer.bytes().await.unwrap()).unwrap().into_rgba8();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut planes = I420::new(2, 2);
    rgba_to_i420(picture.as_raw(), width, height, Area::whole((width, height)), &mut planes);
    planes
}

/// Mean difference of a sample, over all three planes.
fn distance(a: &I420, b: &I420) -> f64 {
    let planes = |p: &I420| [p.y.clone(), p.u.clone(), p.v.clone()].concat();
    let (a, b) = (planes(a), planes(b));
    assert_eq!(a.len(), b.len());
    a.iter().zip(&b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
}

async fn post(server: &Server, photo: Vec<u8>) -> (u16, Value) {
    let url = format!("{}/v1/avatars", server.url);
    let answer = reqwest::Client::new().post(url).body(photo).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn seen_as(character: &str) -> Value {
    json!({"avatar": {"type": "video-avatar", "character": character}})
}

#[tokio::test]
async fn a_call_sees_whom_it_asks_for_and_somebody_else_in_mid_call() {
    let server = Server::start("");
    let (mascot, woman) = (picture(&server, "mascot").await, picture(&server, "woman").await);
    let apart = distance(&mascot, &woman);
    let mut call = Call::open_with(&server, &seen_as("mascot")).await;
    call.watch();
    // A head that moves differs a little from one that looks straight ahead.
    call.until_seen("the mascot", |seen| distance(seen, &mascot) < apart / 3.0).await;
    let update = json!({"type": "session.update", "session": {"type": "realtime", "avatar": {"character": "woman"}}});
    call.send(update.to_string());
    let updated = call.until("session.updated", |event| event["type"] == "session.updated").await;
    assert_eq!(updated["session"]["avatar"]["character"], "woman");
    call.until_seen("the woman", |seen| distance(seen, &woman) < apart / 3.0).await;

    let update = json!({"type": "session.update", "session": {"type": "realtime", "avatar": {"character": "nobody"}}});
    call.send(update.to_string());
    let error = call.until("an error", |event| event["type"] == "error").await;
    assert_eq!(error["error"]["param"], "session.avatar", "{error}");
    assert!(error["error"]["message"].as_str().unwrap().contains("mascot"), "it names those that are here: {error}");
    call.ask("What color is the sky?").await;
    let report = call.close().await;
    assert!(report.marked, "the stream says that a machine made it");
    assert!(report.audible_seconds() > 0.3);

    let (status, text) = Call::refused_with(&server, &seen_as("nobody")).await;
    assert!(status == 400 && text.contains("nobody"), "{status} {text}");
}

#[tokio::test]
async fn calls_at_rest_share_what_is_drawn() {
    let server = Server::start("");
    let mut calls = Vec::new();
    for _ in 0..3 {
        calls.push(Call::open(&server).await);
    }
    let shared = async {
        while !server.metrics().await.contains("visavis_video_encoders 1\n") {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), shared).await.expect("one stream serves three calls");
    for call in &mut calls {
        call.watch();
        call.until_seen("a face", |_| true).await;
    }
    for call in calls {
        call.close().await;
    }
}

#[tokio::test]
async fn a_photo_becomes_a_face_that_only_its_sender_knows() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&format!("[avatar]\nfolder = {:?}", folder.path()));
    let (status, made) = post(&server, PHOTO.to_vec()).await;
    assert_eq!((status, &made["kind"]), (201, &json!("portrait")), "{made}");
    let id = made["id"].as_str().unwrap();

    let listed: Value = reqwest::get(format!("{}/v1/avatars", server.url)).await.unwrap().json().await.unwrap();
    let names: Vec<&str> = listed["data"].as_array().unwrap().iter().map(|face| face["id"].as_str().unwrap()).collect();
    assert_eq!(names, ["woman", "man", "mascot"]);

    let portrait = picture(&server, id).await;
    let mut call = Call::open_with(&server, &seen_as(id)).await;
    call.watch();
    call.until_seen("the portrait", |seen| distance(seen, &portrait) < 6.0).await;
    call.ask("What color is the sky?").await;
    call.close().await;

    for (photo, told) in [
        (b"no picture".to_vec(), "cannot be read"),
        (PHOTO[..PHOTO.len() / 3].to_vec(), "picture"),
        (blank(), "no face"),
    ] {
        let (status, refused) = post(&server, photo).await;
        let message = refused["error"]["message"].as_str().unwrap_or_default();
        assert!(status == 400 && message.contains(told), "{status} {refused}");
    }
    assert_eq!(std::fs::read_dir(folder.path().join("sent")).unwrap().count(), 1, "nothing is left of what failed");

    let delete = || reqwest::Client::new().delete(format!("{}/v1/avatars/{id}", server.url)).send();
    assert_eq!(delete().await.unwrap().status(), 204);
    assert_eq!(delete().await.unwrap().status(), 404);
    let (status, _) = Call::refused_with(&server, &seen_as(id)).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_photo_speaks_with_a_network_of_the_users_own() {
    let folder = tempfile::tempdir().unwrap();
    let here = |path: &str| format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    let config = folder.path().join("config.toml");
    let settings = format!("[avatar]\nfolder = {:?}\nname = \"ada\"", folder.path().join("avatars"));
    std::fs::write(&config, &settings).unwrap();
    let visavis = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_visavis"));
        let told = command.arg("avatar").args(arguments).arg("--config").arg(&config).output().unwrap();
        (told.status.success(), String::from_utf8_lossy(&[told.stdout, told.stderr].concat()).into_owned())
    };
    let (done, told) = visavis(&["add", "ada", &here("tests/fixtures/wav2lip/telephone.mp4")]);
    assert!(!done && told.contains("--wav2lip"), "{told}");
    let (done, told) = visavis(&["add", "ada", &here("tests/fixtures/astronaut.jpg"), "--wav2lip"]);
    assert!(done && told.contains("commercially") && told.contains("avatar.wav2lip.model"), "{told}");
    assert!(visavis(&["list"]).1.contains("wav2lip"));
    let (done, told) = visavis(&["preview", "ada"]);
    assert!(!done && told.contains("avatar.wav2lip.model"), "{told}");

    let server =
        Server::start(&format!("{settings}\n[avatar.wav2lip]\nmodel = {:?}", here("models/wav2lip/small.onnx")));
    let rest = picture(&server, "ada").await;
    let mut call = Call::open(&server).await;
    call.watch();
    call.until_seen("the photo", |seen| distance(seen, &rest) < 4.0).await;
    call.ask("What color is the sky?").await;
    let shown = server.metrics().await;
    let inferred =
        shown.lines().find_map(|line| line.strip_prefix("visavis_wav2lip_frames_total{mouth=\"inferred\"} "));
    assert!(inferred.is_some_and(|count| count.parse::<u32>().unwrap() > 10), "{shown}");
    call.close().await;
}

/// A grey picture.
fn blank() -> Vec<u8> {
    let mut png = std::io::Cursor::new(Vec::new());
    image::GrayImage::from_pixel(300, 300, image::Luma([128])).write_to(&mut png, image::ImageFormat::Png).unwrap();
    png.into_inner()
}
