//! The tables, as docs/benchmarks.md has them, and a list of what went wrong.

use signaling::events::{BargeInOutcome, Latency};
use visavis::call::{BargeIn, TurnReport};

use crate::Done;
use crate::outcomes::{Fate, fate, is_cut_short, is_missed};
use crate::statistics::percentile;
use crate::words::WordErrors;

type Step = (&'static str, fn(&Latency) -> Option<i64>);

/// The server's own account of an answer.
const STEPS: [Step; 7] = [
    ("turn committed", |answer| answer.committed_ms),
    ("final text", |answer| answer.transcribed_ms),
    ("first token", |answer| answer.first_token_ms),
    ("first clause", |answer| answer.first_clause_ms),
    ("first sound made", |answer| answer.first_sound_ms),
    ("first packet sent", |answer| answer.first_packet_ms),
    ("first picture with a moving mouth", |answer| answer.first_mouth_ms),
];

pub fn print(all: &[Done]) {
    for (name, title) in [
        ("plain", "plain questions: from the last voiced sample sent"),
        ("hesitation", "sentences with a hesitation: from the last voiced sample sent"),
        ("typed", "typed questions: from the question sent"),
    ] {
        if let Some(done) = find(all, name) {
            answers(done, title);
        }
    }
    for name in ["talk-over", "echo-talk-over"] {
        if let Some(done) = find(all, name) {
            talk_overs(done);
        }
    }
    if let Some(done) = find(all, "noise") {
        noises(done);
    }
    mistakes(all);
    word_errors(all);
    pictures(all);
    details(all);
}

fn find<'a>(all: &'a [Done], name: &str) -> Option<&'a Done> {
    all.iter().find(|done| done.section.name == name)
}

fn header(title: &str) {
    println!("| {title} | p50 | p95 | of |\n|---|---:|---:|---:|");
}

/// Nothing is printed for a step that nobody told of.
fn row(name: &str, values: Vec<f64>) {
    if !values.is_empty() {
        let (count, p50, p95) = (values.len(), percentile(values.clone(), 50), percentile(values, 95));
        println!("| {name} | {p50:.0} ms | {p95:.0} ms | {count} |");
    }
}

fn times(done: &Done, time: impl Fn(&TurnReport) -> Option<f64>) -> Vec<f64> {
    done.report.turns.iter().filter_map(time).collect()
}

fn answers(done: &Done, title: &str) {
    header(&format!("{} {title}", done.report.turns.len()));
    row("**to the first audible sample of the answer received**", times(done, |turn| turn.first_sound_after_ms));
    row("to the final text received", times(done, |turn| turn.transcribed_after_ms));
    for (name, step) in STEPS {
        let values = done.report.latencies.iter().filter_map(step).map(|millis| millis as f64).collect();
        row(&format!("by the server: {name}"), values);
    }
    println!();
}

fn talk_overs(done: &Done) {
    let echo = if done.talk.options.echo.is_some() { ", the answer echoed into the microphone" } else { "" };
    header(&format!(
        "{} times words over an answer{echo}: from their first voiced sample sent",
        done.report.turns.len()
    ));
    let cut = |turn: &TurnReport| turn.over.clone().filter(|_| fate(turn) == Fate::Ended);
    row("**to the last audible sample of the answer received**", times(done, |turn| cut(turn)?.last_sound_after_ms));
    barge_ins(&done.report.barge_ins, BargeInOutcome::Ended);
    println!();
}

fn noises(done: &Done) {
    header(&format!("{} times a noise or a sign of listening over an answer", done.report.turns.len()));
    let went_on = |turn: &TurnReport| turn.over.clone().filter(|_| fate(turn) == Fate::WentOn);
    row(
        "**from its last voiced sample sent to the next audible sample of the answer received**",
        times(done, |turn| went_on(turn)?.resumed_after_ms),
    );
    barge_ins(&done.report.barge_ins, BargeInOutcome::Resumed);
    println!();
}

fn barge_ins(all: &[BargeIn], outcome: BargeInOutcome) {
    let values = |time: fn(&BargeIn) -> Option<u64>| -> Vec<f64> {
        all.iter().filter(|one| one.outcome == outcome).filter_map(time).map(|millis| millis as f64).collect()
    };
    row(
        "by the server: first voiced sample in to the last packet of the answer out",
        values(|one| Some(one.silent_ms)),
    );
    row("by the server: from that packet to lips at rest", values(|one| one.lips_ms));
    row("by the server: first voiced sample in to the decision", values(|one| Some(one.decided_ms)));
}

fn count(done: &Done, wrong: impl Fn(&TurnReport) -> bool) -> usize {
    done.report.turns.iter().filter(|turn| wrong(turn)).count()
}

fn mistakes(all: &[Done]) {
    println!("| what went wrong | times | of |\n|---|---:|---:|");
    let mistake = |name: &str, what: &str, wrong: &dyn Fn(&TurnReport) -> bool| {
        let Some(done) = find(all, name) else { return };
        let tried = count(done, |turn| turn.over.is_some() || !name.contains("talk-over") && name != "noise");
        println!("| {what} | {} | {tried} |", count(done, wrong));
    };
    mistake("plain", "plain turns without an answer", &is_missed);
    mistake("plain", "plain turns answered before their end", &is_cut_short);
    mistake("hesitation", "hesitations taken for the end (wrong cut-ins)", &is_cut_short);
    mistake("hesitation", "sentences with a hesitation without an answer", &is_missed);
    mistake("typed", "typed questions without an answer", &is_missed);
    for (name, what) in [("talk-over", "words"), ("echo-talk-over", "words, with echo,")] {
        mistake(name, &format!("{what} over an answer that did not end it"), &|turn| {
            matches!(fate(turn), Fate::WentOn | Fate::Stuck)
        });
    }
    mistake("noise", "noises and signs of listening that ended an answer (false stops)", &|turn| {
        fate(turn) == Fate::Ended
    });
    mistake("noise", "of these after which it stayed silent", &|turn| fate(turn) == Fate::Stuck);
    mistake("echo", "answers ended by their own echo (false stops)", &|turn| turn.interrupted > 0);
    for (name, what) in [("talk-over", "words"), ("echo-talk-over", "words, with echo,"), ("noise", "noises")] {
        let Some(done) = find(all, name) else { continue };
        let untried = count(done, |turn| fate(turn) == Fate::Untried);
        if untried > 0 {
            let turns = done.report.turns.len();
            println!(
                "| {what} that found no answer to be over: it was too short, or ended before | {untried} | {turns} |"
            );
        }
    }
    println!();
}

fn word_errors(all: &[Done]) {
    println!("| word errors | | wrong | words |\n|---|---:|---:|---:|");
    for (name, what) in
        [("plain", "plain questions"), ("hesitation", "with a hesitation"), ("recordings", "recorded speech")]
    {
        let Some(done) = find(all, name) else { continue };
        let turns = done.report.turns.iter().zip(&done.talk.texts);
        let errors: WordErrors = turns.map(|(turn, text)| WordErrors::of(text, &turn.transcripts.join(" "))).sum();
        println!("| {what} | {:.1} % | {} | {} |", errors.percent(), errors.wrong, errors.words);
    }
    println!();
}

fn pictures(all: &[Done]) {
    let gaps: Vec<f64> = all.iter().flat_map(|done| done.report.video.gaps_ms.iter().copied()).collect();
    let seconds: f64 = all.iter().map(|done| done.report.video.seconds).sum();
    let lowest = all.iter().map(|done| done.report.video.fps).fold(f64::INFINITY, f64::min);
    let lost: u64 = all.iter().map(|done| done.report.audio.lost).sum();
    let holes: u64 = all.iter().map(|done| done.report.audio.gaps).sum();
    println!("| through all of it | |\n|---|---:|");
    println!("| pictures a second | {:.2} |", gaps.len() as f64 / seconds);
    println!("| in the worst section | {lowest:.2} |");
    println!("| gap between pictures at arrival, p95 | {:.0} ms |", percentile(gaps.clone(), 95));
    println!("| longest | {:.0} ms |", percentile(gaps, 100));
    println!("| packets of sound lost, gaps in its time | {lost}, {holes} |");
    println!("| time in calls | {seconds:.0} s |");
}

/// On the error output: not a table, but what to look at.
fn details(all: &[Done]) {
    for done in all {
        let name = done.section.name;
        for (turn, text) in done.report.turns.iter().zip(&done.talk.texts) {
            let errors = WordErrors::of(text, &turn.transcripts.join(" "));
            let spoken = matches!(name, "plain" | "hesitation" | "recordings");
            let mut notes = Vec::new();
            if is_missed(turn) {
                notes.push("no answer".to_owned());
            }
            if is_cut_short(turn) && name != "recordings" {
                notes.push("answered early".to_owned());
            }
            if spoken && errors.wrong > 0 {
                notes.push(format!("heard {:?}", turn.transcripts.join(" | ")));
            }
            if !spoken && !turn.transcripts.is_empty() && name != "talk-over" && name != "echo-talk-over" {
                notes.push(format!("heard {:?}", turn.transcripts.join(" | ")));
            }
            if let Some(over) = &turn.over {
                notes.push(format!("{:?} by {}", fate(turn), over.said.rsplit('/').next().unwrap_or_default()));
            }
            if turn.over.is_none() && turn.interrupted > 0 && name != "recordings" {
                notes.push("the server ended an answer over which nobody spoke".to_owned());
            }
            if !notes.is_empty() {
                eprintln!("{name}: {text}: {}", notes.join("; "));
            }
        }
        for error in &done.report.errors {
            eprintln!("{name}: error event: {error}");
        }
        if let Some(reason) = &done.report.ended_by_server {
            eprintln!("{name}: the server ended the call: {reason}");
        }
    }
}
