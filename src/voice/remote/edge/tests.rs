//! The real client against the stand-in.

use super::super::testing::{MP3, TEXT, WORDS, checked, clause, complete, said};
use super::super::{RemoteLimits, RemoteProblem, RemoteVoice};
use super::stand_in::{Act, StandIn, Step, boundaries, end, sound, sounds, start, text};
use super::*;
use crate::voice::words;
use tokio_tungstenite::tungstenite::Bytes;

const MINUTE: i64 = 60;

fn settings(stand_in: &StandIn) -> EdgeSettings {
    let limits = RemoteLimits { retry_wait_millis: 0, ..RemoteLimits::default() };
    EdgeSettings { base_url: stand_in.url.clone(), voice: "en-US-JoeNeural".into(), limits, ..EdgeSettings::default() }
}

fn voice(stand_in: &StandIn) -> EdgeVoice {
    EdgeVoice::with_tls(settings(stand_in), || Ok(Arc::clone(&stand_in.tls))).expect("a voice")
}

/// The fixture as the service says it: each word's time some while before its sound.
fn answer() -> Act {
    let (mut words, sounds) = (boundaries(WORDS).into_iter(), sounds(MP3));
    let each = sounds.len() / WORDS.len();
    let middle =
        sounds.chunks(each).flat_map(|sounds| words.next().into_iter().chain(sounds.to_vec()).collect::<Vec<_>>());
    Act::Answer(start().into_iter().chain(middle).chain(end()).collect())
}

fn steps(middle: Vec<Step>) -> Act {
    Act::Answer([start(), middle].concat())
}

/// How a voice ends that does `act` and nothing else.
async fn ended(act: Act) -> RemoteProblem {
    let stand_in = StandIn::start(0, [act.clone(), act]).await;
    let (parts, ended) = said(&voice(&stand_in), &clause(TEXT)).await;
    assert!(parts.is_empty());
    ended.expect_err("an error")
}

#[tokio::test]
async fn a_clause_is_told_in_parts_with_its_words_where_they_are_said() {
    let stand_in = StandIn::start(0, [answer()]).await;
    let clause = clause(TEXT);
    let (parts, ended) = said(&voice(&stand_in), &clause).await;
    assert_eq!(ended, Ok(()));
    let lengths: Vec<usize> = parts.iter().map(|part| part.pcm.len() / 48).collect();
    assert!(lengths.len() >= 3 && (400..1100).contains(&lengths[0]), "{lengths:?} ms");
    let whole = complete(&clause, parts);
    // The silence before the first word, and what was added to it.
    let shift = |millis: u64| (millis + 46 + 10).saturating_sub(46 + 11);
    for (word, (text, from, to)) in whole.words.iter().zip(WORDS) {
        assert_eq!(&whole.text[word.text.clone()], *text);
        let (start, end) = (word.start / 48, word.end / 48);
        assert!(start.abs_diff(shift(*from)) <= 15 && end.abs_diff(shift(*to)) <= 15, "{text}: {start} to {end}");
    }
    // In the pause after "42," lips are closed, within words they are not.
    let pause = whole.phonemes.iter().find(|phoneme| (phoneme.start..phoneme.end).contains(&(2_150 * 48)));
    assert!(pause.is_some_and(|pause| pause.ipa.is_empty()), "{:?}", whole.phonemes);
    assert!(whole.phonemes.iter().filter(|phoneme| !phoneme.ipa.is_empty()).count() > 20);
}

#[tokio::test]
async fn the_request_is_what_the_service_wants() {
    let stand_in = StandIn::start(0, [answer()]).await;
    let settings = EdgeSettings { rate_percent: 20, pitch_hz: -3, ..settings(&stand_in) };
    let voice = EdgeVoice::with_tls(settings, || Ok(Arc::clone(&stand_in.tls))).expect("a voice");
    let clause = clause("Fish & <chips/> \u{1b}]]> \"42\"");
    assert!(voice.speak(&clause, &VoiceStyle { speed: 0.5, ..VoiceStyle::default() }, &mut |_| true).await.is_ok());
    let heard = stand_in.heard();
    let (headers, config) = heard[0].config.split_once("\r\n\r\n").expect("headers");
    assert!(headers.contains("Path:speech.config") && headers.contains("GMT+0000 (Coordinated Universal Time)"));
    let config: serde_json::Value = serde_json::from_str(config).expect("JSON");
    let audio = &config["context"]["synthesis"]["audio"];
    assert_eq!(audio["outputFormat"], "audio-24khz-48kbitrate-mono-mp3");
    assert_eq!(audio["metadataoptions"]["wordBoundaryEnabled"], "true");
    let (headers, ssml) = heard[0].speech.split_once("\r\n\r\n").expect("headers");
    assert!(headers.contains("Content-Type:application/ssml+xml") && headers.ends_with("Path:ssml"));
    assert!(ssml.contains("(en-US, JoeNeural)") && ssml.contains("pitch='-3Hz' rate='-40%'"), "{ssml}");
    assert!(ssml.contains(">Fish &amp; &lt;chips/&gt;  ]]&gt; &quot;42&quot;<"), "{ssml}");
}

#[tokio::test]
async fn a_wrong_clock_is_corrected_and_stays_so() {
    for ahead in [-3 * 60 * MINUTE, 2 * 24 * 60 * MINUTE] {
        let stand_in = StandIn::start(ahead, [answer(), answer()]).await;
        let voice = voice(&stand_in);
        let clause = clause(TEXT);
        for connections in [2, 3] {
            let (parts, ended) = said(&voice, &clause).await;
            assert_eq!((ended, stand_in.connections()), (Ok(()), connections));
            complete(&clause, parts);
        }
    }
}

#[tokio::test]
async fn word_times_may_come_after_the_sound_or_not_at_all() {
    for words in [boundaries(WORDS), Vec::new()] {
        let steps = [start(), sounds(MP3), words, end()].concat();
        let stand_in = StandIn::start(0, [Act::Answer(steps)]).await;
        let clause = clause(TEXT);
        let (parts, ended) = said(&voice(&stand_in), &clause).await;
        assert_eq!(ended, Ok(()));
        let whole = complete(&clause, parts);
        for (word, (text, from, _)) in whole.words.iter().zip(WORDS) {
            assert!((word.start / 48).abs_diff(*from) < 250, "{text} at {} instead of {from}", word.start / 48);
        }
    }
}

#[tokio::test]
async fn refusals_say_what_to_do_and_only_what_may_pass_is_asked_again() {
    let refused = |status| move |problem: &RemoteProblem| matches!(problem, RemoteProblem::Refused { status: s, .. } if *s == status);
    // 403 twice: the time was not the reason.
    let problem = ended(Act::Refuse(403)).await;
    assert!(refused(403)(&problem), "{problem}");
    let stand_in = StandIn::start(0, [Act::Refuse(401), answer()]).await;
    let (_, ended) = said(&voice(&stand_in), &clause(TEXT)).await;
    assert!(ended.is_err_and(|problem| refused(401)(&problem)));
    for status in [429, 503] {
        let stand_in = StandIn::start(0, [Act::Refuse(status), answer()]).await;
        let (parts, ended) = said(&voice(&stand_in), &clause(TEXT)).await;
        assert_eq!(ended, Ok(()));
        complete(&clause(TEXT), parts);
        let stand_in = StandIn::start(0, [Act::Refuse(status), Act::Refuse(status)]).await;
        let (_, ended) = said(&voice(&stand_in), &clause(TEXT)).await;
        assert!(ended.is_err_and(|problem| refused(status)(&problem)));
    }
}

#[tokio::test]
async fn nobody_there_and_nobody_trusted_are_not_reached() {
    let (one, other) = (StandIn::start(0, [answer()]).await, StandIn::start(0, []).await);
    let stranger = EdgeVoice::with_tls(settings(&one), || Ok(Arc::clone(&other.tls))).expect("a voice");
    let (_, ended) = said(&stranger, &clause(TEXT)).await;
    assert!(matches!(ended, Err(RemoteProblem::Unreachable { .. })), "{ended:?}");
    assert_eq!(one.connections(), 0);
    let gone = voice(&other);
    drop(other);
    let (_, ended) = said(&gone, &clause(TEXT)).await;
    assert!(matches!(ended, Err(RemoteProblem::Unreachable { .. })), "{ended:?}");
}

#[tokio::test]
async fn a_service_that_stalls_is_left_and_what_it_said_stands() {
    let limits = RemoteLimits { first_byte_timeout_millis: 300, stall_timeout_millis: 200, ..RemoteLimits::default() };
    let most = [boundaries(WORDS), sounds(&MP3[..MP3.len() * 3 / 4]), vec![Step::Stall]].concat();
    let cases = [
        (300, vec![Step::Stall], RemoteProblem::Late { millis: 300 }, 0),
        // Long enough for a machine that does other things too.
        (60_000, most, RemoteProblem::Stalled { millis: 200 }, 1),
    ];
    for (first_byte_timeout_millis, middle, problem, least) in cases {
        let limits = RemoteLimits { first_byte_timeout_millis, ..limits.clone() };
        let mut stand_in = StandIn::start(0, [steps(middle)]).await;
        let settings = EdgeSettings { limits, ..settings(&stand_in) };
        let voice = EdgeVoice::with_tls(settings, || Ok(Arc::clone(&stand_in.tls))).expect("a voice");
        let clause = clause(TEXT);
        let (parts, ended) = said(&voice, &clause).await;
        assert_eq!(ended, Err(problem));
        assert!(parts.len() >= least);
        if least > 0 {
            let told = checked(&clause, parts);
            assert!((2..8).contains(&told.words.len()), "{:?}", told.words);
        }
        assert_eq!(stand_in.gone.recv().await, Some(()), "the connection was ended");
    }
    let total = RemoteLimits { total_timeout_millis: 100, ..limits };
    let stand_in = StandIn::start(0, [steps(vec![Step::Stall])]).await;
    let settings = EdgeSettings { limits: total, ..settings(&stand_in) };
    let voice = EdgeVoice::with_tls(settings, || Ok(Arc::clone(&stand_in.tls))).expect("a voice");
    assert_eq!(said(&voice, &clause(TEXT)).await.1, Err(RemoteProblem::TookTooLong { millis: 100 }));
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_no_whole_one() {
    let half = [boundaries(WORDS), sounds(&MP3[..12_000])].concat();
    for last in [Step::Break, Step::Close(1011, "try again"), Step::Close(1000, "")] {
        let stand_in = StandIn::start(0, [steps([half.clone(), vec![last]].concat())]).await;
        let clause = clause(TEXT);
        let (parts, ended) = said(&voice(&stand_in), &clause).await;
        assert!(matches!(ended, Err(RemoteProblem::CutOff { .. })), "{ended:?}");
        assert!(checked(&clause, parts).words.len() < 8);
        assert_eq!(stand_in.connections(), 1, "what was begun is not said again");
    }
    // All the sound, and no end.
    let problem = ended(steps(vec![Step::Break])).await;
    assert!(matches!(problem, RemoteProblem::CutOff { .. }), "{problem}");
    let problem = ended(steps(vec![Step::Close(1007, "Unsupported voice en-US-JoeNeural.")])).await;
    assert!(matches!(problem, RemoteProblem::UnknownVoice { .. }), "{problem}");
}

#[tokio::test]
async fn rubbish_is_called_so() {
    let say = |message| steps(vec![Step::Say(message)]);
    let audio = "X-RequestId:0\r\nContent-Type:audio/mpeg\r\nPath:audio\r\n";
    let wrong_length = |length: u16| Message::binary([&length.to_be_bytes(), audio.as_bytes(), &MP3[..500]].concat());
    let web_page = b"<!DOCTYPE html><html><body>Please sign in to the network</body></html>".repeat(4);
    for act in [
        say(Message::text("hello there")),
        say(Message::text("Path:audio.metadata\r\n\r\n{\"Metadata\":[{]}")),
        say(Message::binary(Bytes::new())),
        say(Message::binary(vec![7])),
        say(wrong_length(u16::MAX)),
        say(wrong_length(3)),
        say(wrong_length(audio.len() as u16 + 40)),
        steps([vec![sound(&web_page)], end()].concat()),
        steps(vec![sound(&[0x55; 40_000])]),
    ] {
        let problem = ended(act).await;
        assert!(matches!(problem, RemoteProblem::Rubbish { .. }), "{problem}");
    }
    let problem = ended(steps([vec![sound(&web_page)], end()].concat())).await;
    assert!(problem.to_string().contains("a web page"), "{problem}");
}

#[tokio::test]
async fn an_answer_without_sound_is_asked_for_again_and_then_given_up() {
    let stand_in = StandIn::start(0, [steps(end()), answer()]).await;
    let (parts, again) = said(&voice(&stand_in), &clause(TEXT)).await;
    assert_eq!(again, Ok(()));
    complete(&clause(TEXT), parts);
    assert_eq!(ended(steps(end())).await, RemoteProblem::NoSound);
    // What it says about words does not make it sound.
    assert_eq!(ended(steps([boundaries(WORDS), end()].concat())).await, RemoteProblem::NoSound);
}

#[tokio::test]
async fn unknown_messages_and_broken_frames_within_the_sound_do_no_harm() {
    let mut mp3 = MP3.to_vec();
    mp3[9_000..9_100].fill(0xaa);
    let chat = [text("weather", "{}"), Step::Say(Message::Ping(Bytes::from_static(b"hi")))];
    let steps = [start(), chat.to_vec(), boundaries(WORDS), sounds(&mp3), end()].concat();
    let stand_in = StandIn::start(0, [Act::Answer(steps)]).await;
    let (parts, ended) = said(&voice(&stand_in), &clause(TEXT)).await;
    assert_eq!(ended, Ok(()));
    complete(&clause(TEXT), parts);
}

#[tokio::test]
async fn who_listens_no_more_ends_the_request() {
    let stall = [boundaries(WORDS), sounds(MP3), vec![Step::Stall]].concat();
    let mut stand_in = StandIn::start(0, [steps(stall.clone()), steps(stall)]).await;
    let voice = voice(&stand_in);
    let mut parts = 0;
    let ended = voice
        .speak(&clause(TEXT), &VoiceStyle::default(), &mut |_| {
            parts += 1;
            false
        })
        .await;
    assert!(ended.is_ok() && parts == 1, "{parts}");
    assert_eq!(stand_in.gone.recv().await, Some(()));
    // So does who drops the future.
    let (first, mut heard) = tokio::sync::mpsc::channel(64);
    let (clause, style) = (clause(TEXT), VoiceStyle::default());
    let mut listen = |_| first.try_send(()).is_ok();
    tokio::select! {
        _ = voice.speak(&clause, &style, &mut listen) => panic!("it stalls"),
        _ = heard.recv() => {}
    }
    assert_eq!(stand_in.gone.recv().await, Some(()));
}

#[tokio::test]
async fn a_long_text_goes_in_pieces_and_nothing_to_say_is_not_sent() {
    let text = format!("{TEXT} {} {TEXT}", "&".repeat(1_000));
    let clause_ = clause(&text);
    let stand_in = StandIn::start(0, [answer(), answer()]).await;
    let (parts, ended) = said(&voice(&stand_in), &clause_).await;
    assert_eq!((ended, stand_in.connections()), (Ok(()), 2));
    let whole = complete(&clause_, parts);
    let second = &whole.words[words::ranges(TEXT).len() + 1..];
    let starts: Vec<u64> = second.iter().map(|word| word.start / 48).collect();
    assert!(starts[0] > 3_000 && starts.windows(2).all(|pair| pair[0] < pair[1]), "{starts:?}");
    assert!(stand_in.heard().iter().all(|heard| heard.speech.len() < 4_096 + 600));

    for text in ["", "…!?", "🎉 — 🎉"] {
        let (parts, ended) = said(&voice(&stand_in), &clause(text)).await;
        let [part] = parts.as_slice() else { panic!("{parts:?}") };
        assert!(ended.is_ok() && part.pcm.is_empty());
        assert_eq!(part.words.len(), words::ranges(text).len());
    }
    assert_eq!(stand_in.connections(), 2);
}

#[tokio::test]
async fn many_clauses_are_said_at_once_and_sound_alike() {
    let stand_in = StandIn::start(0, vec![answer(); 6]).await;
    let voice = voice(&stand_in);
    let clause = clause(TEXT);
    let all = futures::future::join_all((0..6).map(|_| said(&voice, &clause))).await;
    for (parts, ended) in all {
        assert_eq!(ended, Ok(()));
        complete(&clause, parts);
    }
}

#[tokio::test]
async fn volume_is_beside_that_of_all_voices() {
    let stand_in = StandIn::start(0, [answer(), answer()]).await;
    let mut peaks = Vec::new();
    for volume_percent in [0, -75] {
        let settings = EdgeSettings { volume_percent, ..settings(&stand_in) };
        let voice = EdgeVoice::with_tls(settings, || Ok(Arc::clone(&stand_in.tls))).expect("a voice");
        let (parts, _) = said(&voice, &clause(TEXT)).await;
        let whole = checked(&clause(TEXT), parts);
        assert!(whole.phonemes.iter().filter(|phoneme| !phoneme.ipa.is_empty()).count() > 20, "lips move all the same");
        peaks.push(f32::from(whole.pcm.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or_default()));
    }
    assert!((0.2..0.35).contains(&(peaks[1] / peaks[0])), "{peaks:?}");
}

#[tokio::test]
async fn a_proxy_nearby_needs_no_certificate() {
    let stand_in = StandIn::plain([answer()]).await;
    let voice = EdgeVoice::with_tls(settings(&stand_in), || panic!("nobody asks for TLS")).expect("a voice");
    let (parts, ended) = said(&voice, &clause(TEXT)).await;
    assert_eq!(ended, Ok(()));
    complete(&clause(TEXT), parts);
}

#[test]
fn wrong_settings_make_no_voice() {
    let made = EdgeVoice::new(EdgeSettings { voice: "nobody".into(), ..EdgeSettings::default() });
    assert!(made.is_err_and(|error| error.to_string().contains("edge.voice")));
}
