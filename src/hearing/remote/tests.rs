//! The real client against the stand-in.

use super::stand_in::{Act, End, StandIn};
use super::*;
use crate::hearing::Language;
use crate::hearing::hints::Source;
use crate::media::HEARING_HZ;

const SAID: &str = r#"{"text":" What is the time?"}"#;

/// So many seconds of a sound that is loud enough.
fn sound(seconds: f32) -> Vec<f32> {
    (0..(seconds * HEARING_HZ as f32) as usize).map(|n| (n as f32 * 0.11).sin() * 0.3).collect()
}

fn settings(stand_in: &StandIn) -> OpenAiHearingSettings {
    let limits = HearingLimits { retry_wait_millis: 0, ..HearingLimits::default() };
    let api_key_env = String::new();
    OpenAiHearingSettings { base_url: stand_in.url.clone(), api_key_env, limits, ..OpenAiHearingSettings::default() }
}

fn recognizer(settings: OpenAiHearingSettings) -> OpenAiRecognizer {
    OpenAiRecognizer::with_environment(settings, |_| None).expect("a recogniser")
}

fn both() -> Languages {
    let mut languages = Languages::among(&["en", "zh"]).expect("languages");
    languages.spoken("en", 3.0, false);
    languages
}

/// What `recognizer` hears, and the texts that came before it.
async fn heard_of(
    recognizer: &OpenAiRecognizer,
    request: &RemoteRequest<'_>,
) -> (Vec<String>, Result<Transcript, HearingProblem>) {
    let mut parts = Vec::new();
    let ended = recognizer.transcribe(request, &mut |part| parts.push(part.to_owned())).await;
    let ended = ended.map_err(|error| match error {
        AsrError::Remote { recognizer: name, url, problem } => {
            assert!(name == recognizer.name() && url.contains("://"), "{name} {url}");
            problem
        }
        error => panic!("{error}"),
    });
    (parts, ended)
}

async fn heard(settings: OpenAiHearingSettings) -> Result<Transcript, HearingProblem> {
    let (pcm, languages, hints) = (sound(2.0), both(), Hints::default());
    let request = RemoteRequest { pcm: &pcm, languages: &languages, hints: &hints };
    heard_of(&recognizer(settings), &request).await.1
}

/// How it ends with a server that does `act` and nothing else.
async fn ended(act: Act) -> HearingProblem {
    let stand_in = StandIn::start([act.clone(), act]).await;
    heard(settings(&stand_in)).await.expect_err("an error")
}

#[tokio::test]
async fn the_request_is_what_the_settings_and_the_call_say() {
    let stand_in = StandIn::start([Act::json(SAID), Act::json(SAID)]).await;
    let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    let full = OpenAiHearingSettings {
        model: "whisper-9".into(),
        api_key_env: "HEARING_KEY".into(),
        headers: map(&[("api-key", "env:OTHER_KEY"), ("x-plain", "yes")]),
        query: map(&[("api-version", "1")]),
        fields: map(&[("include[]", "logprobs")]),
        temperature: Some(0.5),
        sound: SoundForm::Ogg,
        ..settings(&stand_in)
    };
    let environment = |variable: &str| match variable {
        "HEARING_KEY" => Some(" sk-123\n".to_owned()),
        "OTHER_KEY" => Some("other-456".to_owned()),
        _ => None,
    };
    let recognizer_ = OpenAiRecognizer::with_environment(full.clone(), environment).expect("a recogniser");
    let mut hints = Hints::default();
    hints.list(Source::Settings, ["Vexler"]);
    let (pcm, languages) = (sound(1.5), Languages::only("zh-CN").expect("languages"));
    let request = RemoteRequest { pcm: &pcm, languages: &languages, hints: &hints };
    let (_, said) = heard_of(&recognizer_, &request).await;
    let said = said.expect("a transcript");
    assert_eq!((said.text.as_str(), said.language.as_str(), said.seconds), ("What is the time?", "zh", 1.5));
    assert!(heard(settings(&stand_in)).await.is_ok());

    let [first, second] = stand_in.heard().try_into().expect("two requests");
    let expected: Vec<(&str, &str)> = vec![
        ("include[]", "logprobs"),
        ("language", "zh"),
        ("model", "whisper-9"),
        ("prompt", "以下是普通话的句子。我们刚才说到Vexler。"),
        ("response_format", "verbose_json"),
        ("temperature", "0.5"),
    ];
    assert_eq!(first.fields, expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect());
    assert_eq!((first.file_name.as_str(), first.file_kind.as_str()), ("speech.ogg", "audio/ogg"));
    assert!(first.file.starts_with(b"OggS") && first.file.len() < 8_000, "{}", first.file.len());
    assert_eq!(first.headers["authorization"], "Bearer sk-123");
    assert!(first.headers["api-key"] == "other-456" && first.headers["x-plain"] == "yes");
    assert_eq!(first.query, "api-version=1");

    let fields: Vec<&str> = second.fields.keys().map(String::as_str).collect();
    assert_eq!((fields, second.fields["response_format"].as_str()), (vec!["model", "response_format"], "json"));
    assert_eq!((second.file_name.as_str(), second.file.len()), ("speech.wav", 44 + 64_000));
    assert!(!second.headers.contains_key("authorization"));

    let shown = format!("{recognizer_:?}");
    assert!(!shown.contains("sk-123") && !shown.contains("other-456"), "keys are not shown: {shown}");
    let missing = OpenAiRecognizer::with_environment(full.clone(), |_| None).map(drop);
    assert!(missing.is_err_and(|error| error.to_string().contains("HEARING_KEY")));
    let unusable = OpenAiRecognizer::with_environment(full, |_| Some("a\nb".into())).map(drop);
    assert!(unusable.is_err_and(|error| error.to_string().contains("HEARING_KEY")));
}

#[tokio::test]
async fn the_language_is_the_server_s_where_it_may_be() {
    let verbose = |language: &str| Act::json(&format!(r#"{{"text":"嗯 hello","language":"{language}"}}"#));
    let stand_in = StandIn::start([
        verbose("chinese"),
        verbose("welsh"),
        verbose("welsh"),
        Act::json(r#"{"text":"你好。"}"#),
        Act::json(r#"{"text":"Hi."}"#),
    ])
    .await;
    assert_eq!(heard(settings(&stand_in)).await.map(|said| said.language), Ok("zh".into()));
    assert_eq!(heard(settings(&stand_in)).await.map(|said| said.language), Ok("en".into()));
    let languages: Vec<_> = stand_in.heard().iter().map(|heard| heard.fields.get("language").cloned()).collect();
    assert_eq!(languages, [None, None, Some("en".to_owned())], "what is not spoken here is asked again");
    assert_eq!(heard(settings(&stand_in)).await.map(|said| said.language), Ok("zh".into()), "by its script");

    let (pcm, languages, hints) = (sound(0.6), both(), Hints::default());
    let request = RemoteRequest { pcm: &pcm, languages: &languages, hints: &hints };
    assert!(heard_of(&recognizer(settings(&stand_in)), &request).await.1.is_ok());
    assert_eq!(stand_in.heard()[4].fields["language"], "en", "a short one is in the call's language");
}

#[tokio::test]
async fn text_comes_as_it_is_made() {
    let delta = |text: &str| format!(r#"{{"type":"transcript.text.delta","delta":"{text}"}}"#);
    let (one, two) = (delta("What is"), delta(" the time?"));
    let done = r#"{"type":"transcript.text.done","text":"What is the time?","usage":{}}"#;
    let stand_in = StandIn::start([
        Act::events(&[&one, &two, done]),
        Act::events(&[r#"{"text":" What is"}"#, r#"{"text":" the time?"}"#, "[DONE]"]),
        Act::json(SAID),
    ])
    .await;
    let recognizer = recognizer(OpenAiHearingSettings { stream: true, ..settings(&stand_in) });
    let (pcm, languages, hints) = (sound(2.0), both(), Hints::default());
    let request = RemoteRequest { pcm: &pcm, languages: &languages, hints: &hints };
    for parts in [vec!["What is", "What is the time?"], vec!["What is", "What is the time?"], vec![]] {
        let (told, said) = heard_of(&recognizer, &request).await;
        assert_eq!(told, parts);
        assert_eq!(said.map(|said| said.text), Ok("What is the time?".into()));
    }
    assert!(stand_in.heard().iter().all(|heard| heard.fields["stream"] == "true"));
}

#[tokio::test]
async fn hints_that_come_back_alone_are_asked_about_again() {
    let hinted = r#"{"text":"Vexler, Quorra Lindt."}"#;
    let acts =
        [hinted, r#"{"text":"I see."}"#, hinted, r#"{"text":"Wexler Cora Lynd"}"#, r#"{"text":"Is Vexler here?"}"#];
    let stand_in = StandIn::start(acts.map(Act::json)).await;
    let mut hints = Hints::default();
    hints.list(Source::Settings, ["Quorra Lindt", "Vexler"]);
    let (pcm, languages) = (sound(2.0), both());
    let request = RemoteRequest { pcm: &pcm, languages: &languages, hints: &hints };
    let recognizer = recognizer(settings(&stand_in));
    for text in ["I see.", "Vexler, Quorra Lindt.", "Is Vexler here?"] {
        assert_eq!(heard_of(&recognizer, &request).await.1.map(|said| said.text), Ok(text.into()));
    }
    let asked: Vec<bool> = stand_in.heard().iter().map(|heard| heard.fields.contains_key("prompt")).collect();
    assert_eq!(asked, [true, false, true, false, true]);
}

#[tokio::test]
async fn silence_is_not_sent_and_too_much_is_refused() {
    let stand_in = StandIn::start([]).await;
    let (languages, hints) = (both(), Hints::default());
    let recognizer = recognizer(settings(&stand_in));
    for pcm in [vec![], vec![0.0; 32_000], vec![0.0005; 32_000]] {
        let request = RemoteRequest { pcm: &pcm, languages: &languages, hints: &hints };
        let said = heard_of(&recognizer, &request).await.1.expect("silence");
        assert_eq!((said.text.as_str(), said.language.as_str()), ("", "en"));
    }
    let pcm = vec![0.1; (OpenAiRecognizer::MOST_SECONDS + 1) * HEARING_HZ as usize];
    let request = RemoteRequest { pcm: &pcm, languages: &languages, hints: &hints };
    let long = heard_of(&recognizer, &request).await.1;
    assert_eq!(long, Err(HearingProblem::TooLong { seconds: 601, most: 600 }));
    assert!(stand_in.heard().is_empty());
}

#[tokio::test]
async fn refusals_say_what_was_said_and_only_what_may_pass_is_asked_again() {
    let json = "application/json";
    let problem = ended(Act::new(401, json, r#"{"error":{"message":"Incorrect API key provided"}}"#)).await;
    assert!(matches!(&problem, HearingProblem::Refused { status: 401, .. }), "{problem}");
    assert!(problem.to_string().contains("Incorrect API key") && problem.to_string().contains("check the key"));
    let problem = ended(Act::new(404, json, r#"{"detail":"Model 'x' not found"}"#)).await;
    assert!(matches!(&problem, HearingProblem::UnknownModel { .. }), "{problem}");
    let problem = ended(Act::new(400, json, r#"{"error":{"message":"Invalid file format."}}"#)).await;
    assert!(matches!(&problem, HearingProblem::UnknownSound { .. }), "{problem}");
    let elsewhere = Act::new(307, "text/plain", "").with("location", "http://127.0.0.1:9/v1/audio/transcriptions");
    let problem = ended(elsewhere).await;
    assert!(matches!(&problem, HearingProblem::Refused { status: 307, .. }), "{problem}");

    for status in [429, 500, 503] {
        let refusal = Act::new(status, json, "{}").with("retry-after", "0");
        let stand_in = StandIn::start([refusal.clone(), Act::json(SAID)]).await;
        let said = heard(settings(&stand_in)).await;
        assert_eq!(said.map(|said| said.text), Ok("What is the time?".into()), "{status}");
        let [first, second] = stand_in.heard().try_into().expect("two requests");
        assert!(first.file == second.file && first.fields == second.fields, "the same is asked again");
        let problem = ended(refusal).await;
        assert!(matches!(&problem, HearingProblem::Refused { status: s, .. } if *s == status), "{problem}");
    }
    let busy = Act::new(429, json, r#"{"error":"quota"}"#).with("retry-after", "3600");
    let stand_in = StandIn::start([busy, Act::json(SAID)]).await;
    let problem = heard(settings(&stand_in)).await;
    assert!(matches!(problem, Err(HearingProblem::Refused { again_millis: Some(3_600_000), .. })), "{problem:?}");
    assert_eq!(stand_in.heard().len(), 1, "nobody waits an hour");
}

#[tokio::test]
async fn a_server_that_stalls_is_left() {
    let limits =
        HearingLimits { first_byte_timeout_millis: 300, stall_timeout_millis: 200, ..HearingLimits::default() };
    let cases = [
        (Act::json(SAID).ending(End::Mute), HearingProblem::Late { millis: 300 }),
        (Act::json(r#"{"text":"Wh"#).ending(End::Stall), HearingProblem::Stalled { millis: 200 }),
        (Act::events(&[r#"{"text":"Wh"}"#]).ending(End::Stall), HearingProblem::Stalled { millis: 200 }),
        (Act::new(500, "text/plain", "").ending(End::Stall), {
            let reason = "Internal Server Error".to_owned();
            HearingProblem::Refused { status: 500, reason, again_millis: None }
        }),
    ];
    for (act, problem) in cases {
        let stand_in = StandIn::start([act]).await;
        let limits = HearingLimits { retries: 0, ..limits.clone() };
        let ended = heard(OpenAiHearingSettings { limits, ..settings(&stand_in) }).await;
        assert_eq!(ended, Err(problem));
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_asked_for_again() {
    let delta = r#"{"type":"transcript.text.delta","delta":"What"}"#;
    let cut = [
        Act::json(r#"{"text":"Wh"#).ending(End::Break),
        Act::json(r#"{"text":"Wh"#).with("content-length", "4000").ending(End::Break),
        Act::events(&[delta]).ending(End::Break),
        Act::events(&[delta]),
        Act::events(&[delta, r#"{"type":"error","error":{"message":"overloaded"}}"#]),
    ];
    for act in cut {
        let problem = ended(act.clone()).await;
        assert!(matches!(problem, HearingProblem::CutOff { .. }), "{problem}");
        let stand_in = StandIn::start([act, Act::json(SAID)]).await;
        assert_eq!(heard(settings(&stand_in)).await.map(|said| said.text), Ok("What is the time?".into()));
    }
}

#[tokio::test]
async fn what_is_no_transcript_is_called_what_it_is() {
    let page = "<!DOCTYPE html><html><body>Please sign in to the network</body></html>";
    for (kind, body, said) in [
        ("text/html; charset=utf-8", page, "Please sign in"),
        ("application/json", r#"{"error":{"message":"out of credit"}}"#, "out of credit"),
        ("application/json", r#"{"text":"\ud83d"}"#, "ud83d"),
        ("application/json", "[[[[", "[[[["),
        ("audio/wav", "RIFF", "RIFF"),
        ("text/event-stream", "data: <html>\n\n", "<html>"),
        ("text/plain", "", "EOF"),
    ] {
        let problem = ended(Act::new(200, kind, body)).await;
        assert!(matches!(&problem, HearingProblem::Rubbish { .. }), "{problem}");
        assert!(problem.to_string().contains(said), "{problem}");
    }
    let deep = ended(Act::json(&format!(r#"{{"x":{}"#, "[".repeat(200_000)))).await;
    assert!(matches!(deep, HearingProblem::Rubbish { .. }), "{deep}");
}

#[tokio::test]
async fn an_endless_answer_is_left() {
    let endless = format!(r#"{{"text":"{}"#, "yes ".repeat(300_000));
    let problem = ended(Act::json(&endless).ending(End::Stall)).await;
    assert!(matches!(&problem, HearingProblem::Rubbish { .. }) && problem.to_string().contains("1048576"), "{problem}");
    let delta = format!(r#"{{"type":"transcript.text.delta","delta":"{}"}}"#, "yes ".repeat(5_000));
    let problem = ended(Act::events(&[delta.as_str(); 5]).ending(End::Stall)).await;
    assert!(matches!(&problem, HearingProblem::Rubbish { .. }) && problem.to_string().contains("65536"), "{problem}");
}

#[tokio::test]
async fn nobody_there_is_an_error() {
    let stand_in = StandIn::start([]).await;
    let gone = settings(&stand_in);
    drop(stand_in);
    let problem = heard(gone).await;
    assert!(matches!(problem, Err(HearingProblem::Unreachable { .. })), "{problem:?}");
}

#[tokio::test]
async fn who_does_not_want_the_answer_any_more_drops_it_and_the_server_sees_that() {
    for act in [Act::json(SAID).ending(End::Mute), Act::json(SAID).ending(End::Stall)] {
        let stand_in = StandIn::start([act, Act::json(SAID)]).await;
        tokio::select! {
            ended = heard(settings(&stand_in)) => panic!("{ended:?}"),
            () = stand_in.asked() => {}
        }
        stand_in.left().await;
        assert!(heard(settings(&stand_in)).await.is_ok());
    }
}

#[test]
fn it_is_asked_for_the_languages_that_are_set() {
    let settings = |languages: &[&str]| OpenAiHearingSettings {
        languages: languages.iter().map(|code| (*code).to_owned()).collect(),
        api_key_env: String::new(),
        ..OpenAiHearingSettings::default()
    };
    assert!(recognizer(settings(&[])).hears(&Languages::any(Language::ENGLISH)));
    let chinese = recognizer(settings(&["zh-CN"]));
    assert!(chinese.hears(&both()) && chinese.hears(&Languages::any(Language::ENGLISH)));
    assert!(!chinese.hears(&Languages::only("en").expect("English")));
}
