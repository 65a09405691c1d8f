//! The real client against the stand-in.

use super::super::testing::{MP3, TEXT, WORDS, checked, clause, complete, opus, pcm, said};
use super::super::{RemoteLimits, RemoteProblem, RemoteVoice};
use super::stand_in::{Act, End, StandIn};
use super::*;
use crate::voice::words;

fn settings(stand_in: &StandIn) -> OpenAiVoiceSettings {
    let limits = RemoteLimits { retry_wait_millis: 0, ..RemoteLimits::default() };
    let api_key_env = String::new();
    OpenAiVoiceSettings { base_url: stand_in.url.clone(), api_key_env, limits, ..OpenAiVoiceSettings::default() }
}

fn voice(stand_in: &StandIn) -> OpenAiVoice {
    OpenAiVoice::with_keys(settings(stand_in), |_| None).expect("a voice")
}

fn spoken() -> Act {
    Act::sound("audio/pcm", &pcm())
}

/// How a voice ends that does `act` and nothing else, and nothing was told.
async fn ended(act: Act) -> RemoteProblem {
    let stand_in = StandIn::start([act.clone(), act]).await;
    let (parts, ended) = said(&voice(&stand_in), &clause(TEXT)).await;
    assert!(parts.is_empty());
    ended.expect_err("an error")
}

#[tokio::test]
async fn every_format_is_told_in_parts_with_its_words() {
    let kinds = [
        (SoundFormat::Pcm, Act::sound("audio/pcm", &pcm())),
        (SoundFormat::Opus, Act::sound("audio/ogg", &opus())),
        (SoundFormat::Mp3, Act::sound("audio/mpeg", MP3)),
    ];
    for (response_format, act) in kinds {
        let stand_in = StandIn::start([act]).await;
        let settings = OpenAiVoiceSettings { response_format, ..settings(&stand_in) };
        let voice = OpenAiVoice::with_keys(settings, |_| None).expect("a voice");
        let clause = clause(TEXT);
        let (parts, ended) = said(&voice, &clause).await;
        assert_eq!(ended, Ok(()), "{response_format:?}");
        assert!(parts.len() >= 3 && parts[0].pcm.len() / 48 < 1_100, "{response_format:?}");
        let whole = complete(&clause, parts);
        for (word, (text, from, to)) in whole.words.iter().zip(WORDS) {
            let (start, end) = (word.start / 48, word.end / 48);
            assert!(
                start.abs_diff(*from) < 250 && end.abs_diff(*to) < 250,
                "{text}: {start} to {end}, not {from} to {to}"
            );
        }
        assert_eq!(stand_in.heard()[0].body["response_format"], response_format.name());
    }
}

#[tokio::test]
async fn the_request_is_what_the_settings_say() {
    let stand_in = StandIn::start([spoken(), spoken()]).await;
    let settings = OpenAiVoiceSettings {
        model: "tts-9".into(),
        voice: "nova".into(),
        api_key_env: "SPEECH_KEY".into(),
        speed: 1.5,
        instructions: "Whisper.".into(),
        ..settings(&stand_in)
    };
    let keys = |variable: &str| (variable == "SPEECH_KEY").then(|| " sk-123\n".to_owned());
    let voice_ = OpenAiVoice::with_keys(settings.clone(), keys).expect("a voice");
    assert!(
        voice_
            .speak(&clause("A\u{0}\u{1b} \"test\"."), &VoiceStyle { speed: 2.0, ..VoiceStyle::default() }, &mut |_| {
                true
            })
            .await
            .is_ok()
    );
    assert!(voice(&stand_in).speak(&clause("Test."), &VoiceStyle::default(), &mut |_| true).await.is_ok());
    let [first, second] = stand_in.heard().try_into().expect("two requests");
    let expected = serde_json::json!({
        "model": "tts-9", "voice": "nova", "input": "A   \"test\".", "response_format": "pcm", "speed": 3.0,
        "instructions": "Whisper."
    });
    assert_eq!((first.body, first.key.as_deref()), (expected, Some("Bearer sk-123")));
    assert!(second.key.is_none() && second.body.get("instructions").is_none());
    assert!(!format!("{voice_:?}").contains("sk-123"), "the key is not shown");

    let missing = OpenAiVoice::with_keys(settings.clone(), |_| None).map(drop);
    assert!(missing.is_err_and(|error| error.to_string().contains("SPEECH_KEY")));
    let unusable = OpenAiVoice::with_keys(settings, |_| Some("a\nb".into())).map(drop);
    assert!(unusable.is_err_and(|error| error.to_string().contains("SPEECH_KEY")));
}

#[tokio::test]
async fn refusals_say_what_was_said_and_only_what_may_pass_is_asked_again() {
    let json = "application/json";
    let problem = ended(Act::error(401, json, r#"{"error":{"message":"Incorrect API key provided"}}"#)).await;
    assert!(matches!(&problem, RemoteProblem::Refused { status: 401, .. }), "{problem}");
    assert!(problem.to_string().contains("Incorrect API key") && problem.to_string().contains("check the key"));
    let problem = ended(Act::error(404, json, r#"{"detail":"Voice 'alloy' not found"}"#)).await;
    assert!(matches!(&problem, RemoteProblem::UnknownVoice { .. }), "{problem}");
    let problem = ended(Act::error(404, "text/html", "<html>404</html>")).await;
    assert!(matches!(&problem, RemoteProblem::Refused { status: 404, .. }), "{problem}");
    let elsewhere = Act::error(307, "text/plain", "").with("location", "http://127.0.0.1:9/v1/audio/speech");
    let problem = ended(elsewhere).await;
    assert!(matches!(&problem, RemoteProblem::Refused { status: 307, .. }), "{problem}");

    for status in [429, 500, 503] {
        let refusal = Act::error(status, json, "{}").with("retry-after", "0");
        let stand_in = StandIn::start([refusal.clone(), spoken()]).await;
        let (parts, again) = said(&voice(&stand_in), &clause(TEXT)).await;
        assert_eq!(again, Ok(()), "{status}");
        complete(&clause(TEXT), parts);
        let problem = ended(refusal).await;
        assert!(matches!(&problem, RemoteProblem::Refused { status: s, .. } if *s == status), "{problem}");
    }
    let busy = Act::error(429, json, r#"{"error":"quota"}"#).with("retry-after", "3600");
    let stand_in = StandIn::start([busy, spoken()]).await;
    let (_, ended) = said(&voice(&stand_in), &clause(TEXT)).await;
    assert!(matches!(ended, Err(RemoteProblem::Refused { again_millis: Some(3_600_000), .. })), "{ended:?}");
    assert_eq!(stand_in.heard().len(), 1, "nobody waits an hour");
}

#[tokio::test]
async fn a_server_that_stalls_is_left_and_what_it_said_stands() {
    let limits = RemoteLimits { first_byte_timeout_millis: 300, stall_timeout_millis: 200, ..RemoteLimits::default() };
    let pcm = pcm();
    let cases = [
        (Act::sound("audio/pcm", &[]).ending(End::Stall), RemoteProblem::Late { millis: 300 }, 0),
        (Act::sound("audio/pcm", &pcm[..80_001]).ending(End::Stall), RemoteProblem::Stalled { millis: 200 }, 1),
    ];
    for (act, problem, least) in cases {
        let stand_in = StandIn::start([act]).await;
        let settings = OpenAiVoiceSettings { limits: limits.clone(), ..settings(&stand_in) };
        let voice = OpenAiVoice::with_keys(settings, |_| None).expect("a voice");
        let clause = clause(TEXT);
        let (parts, ended) = said(&voice, &clause).await;
        assert_eq!(ended, Err(problem));
        assert!(parts.len() >= least);
        if least > 0 {
            let told = checked(&clause, parts);
            assert!((1..8).contains(&told.words.len()), "{:?}", told.words);
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_no_whole_one() {
    let stand_in = StandIn::start([Act::sound("audio/pcm", &pcm()[..80_001]).ending(End::Break), spoken()]).await;
    let (parts, ended_) = said(&voice(&stand_in), &clause(TEXT)).await;
    assert!(matches!(ended_, Err(RemoteProblem::CutOff { .. })), "{ended_:?}");
    assert!((1..8).contains(&checked(&clause(TEXT), parts).words.len()));
    assert_eq!(stand_in.heard().len(), 1, "what was begun is not said again");
    let short = Act::sound("audio/pcm", &pcm()[..9]).with("content-length", "4000").ending(End::Break);
    let problem = ended(short).await;
    assert!(matches!(problem, RemoteProblem::CutOff { .. }), "{problem}");
}

#[tokio::test]
async fn what_is_no_sound_is_called_what_it_is() {
    let page = "<!DOCTYPE html><html><body>Please sign in to the network</body></html>";
    for (kind, body, said) in [
        ("text/html; charset=utf-8", page, "Please sign in"),
        ("application/json", r#"{"error":{"message":"out of credit"}}"#, "out of credit"),
        ("audio/pcm", page, "a web page"),
        ("application/octet-stream", r#"{"error":"busy"}"#, "JSON"),
        ("audio/wav", "RIFF\u{24}\0\0\0WAVEfmt \u{10}\0\0\0", "a WAV file"),
    ] {
        let problem = ended(Act::error(200, kind, body)).await;
        assert!(matches!(&problem, RemoteProblem::Rubbish { .. }), "{problem}");
        assert!(problem.to_string().contains(said), "{problem}");
    }
    for response_format in [SoundFormat::Mp3, SoundFormat::Opus] {
        let stand_in = StandIn::start([Act::sound("audio/x", &[0x55; 40_000])]).await;
        let settings = OpenAiVoiceSettings { response_format, ..settings(&stand_in) };
        let voice = OpenAiVoice::with_keys(settings, |_| None).expect("a voice");
        let (_, ended) = said(&voice, &clause(TEXT)).await;
        assert!(matches!(ended, Err(RemoteProblem::Rubbish { .. })), "{ended:?}");
    }
}

#[tokio::test]
async fn no_sound_too_much_of_it_and_nobody_there_are_errors() {
    assert_eq!(ended(Act::sound("audio/pcm", &[])).await, RemoteProblem::NoSound);
    assert_eq!(ended(Act::sound("audio/pcm", &[0; 48_000])).await, RemoteProblem::NoSound);
    let stand_in = StandIn::start([Act::sound("audio/pcm", &pcm().repeat(25))]).await;
    let (parts, endless) = said(&voice(&stand_in), &clause(TEXT)).await;
    assert_eq!(endless, Err(RemoteProblem::TooMuch { seconds: 60 }));
    checked(&clause(TEXT), parts);
    let gone = voice(&stand_in);
    drop(stand_in);
    let (_, ended) = said(&gone, &clause(TEXT)).await;
    assert!(matches!(ended, Err(RemoteProblem::Unreachable { .. })), "{ended:?}");
}

#[tokio::test]
async fn nothing_to_say_is_not_sent_and_a_long_word_is_said_whole() {
    let stand_in = StandIn::start([spoken()]).await;
    let voice = voice(&stand_in);
    let (parts, _) = said(&voice, &clause("🎉 …")).await;
    let [part] = parts.as_slice() else { panic!("{parts:?}") };
    assert!(part.pcm.is_empty() && part.words.len() == 2 && stand_in.heard().is_empty());
    let long = clause(&format!("{}.", "x".repeat(2_000)));
    let (parts, ended) = said(&voice, &long).await;
    assert_eq!(ended, Ok(()));
    assert_eq!(complete(&long, parts).words.len(), 1);
}

#[tokio::test]
async fn texts_of_all_kinds_have_each_word_once() {
    let texts = [
        "你好，世界。我用GPU跑3个模型。",
        "Привет — мир!",
        "a 😀 b …",
        "$29.99!!! (really?)",
        "1 2 3 4 5 6 7 8 9 10 11 12.",
    ];
    let stand_in = StandIn::start(texts.map(|_| spoken())).await;
    let voice = voice(&stand_in);
    for text in texts {
        let clause = clause(text);
        let (parts, ended) = said(&voice, &clause).await;
        assert_eq!(ended, Ok(()));
        assert_eq!(checked(&clause, parts).words.len(), words::ranges(text).len());
    }
}

#[tokio::test]
async fn who_listens_no_more_ends_the_request() {
    let stand_in = StandIn::start([spoken().ending(End::Stall)]).await;
    let mut parts = 0;
    let mut listen = |_| {
        parts += 1;
        false
    };
    assert!(voice(&stand_in).speak(&clause(TEXT), &VoiceStyle::default(), &mut listen).await.is_ok());
    assert_eq!(parts, 1);
}
