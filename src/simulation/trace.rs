//! One line for each thing that happens in a simulated call, for people to read and for snapshots to compare.
//!
//! What the ear and the engines say is indented by one step, orders by two; what a client is told stands at `->`.

use crate::dialogue::{Event, Input, Output, Request, ResponseRequest};

pub fn input(input: &Input) -> String {
    match input {
        Input::VoiceSuspected { .. } => "  ear: voice?".into(),
        Input::VoiceFaded => "  ear: it was none".into(),
        Input::SpeechStarted { at, .. } => format!("  ear: speech since {}", at.as_millis()),
        Input::SpeechPaused { at, utterance, .. } => {
            format!("  ear: pause since {} (u{})", at.as_millis(), utterance.0)
        }
        Input::SpeechResumed => "  ear: it goes on".into(),
        Input::SpeechGrew { utterance } => format!("  ear: grown (u{})", utterance.0),
        other => format!("  {other:?}"),
    }
}

pub fn order(order: &Output) -> String {
    match order {
        Output::Transcribe { utterance, .. } => format!("    transcribe u{}", utterance.0),
        Output::StopTranscribing { utterance } => format!("    stop transcribing u{}", utterance.0),
        Output::Judge { utterance } => format!("    judge u{}", utterance.0),
        Output::TakeInput { utterance } => format!("    take up to u{}", utterance.0),
        Output::ReadAhead { prompt } => {
            format!("    read ahead {:?}", prompt.last().map(|last| last.content.as_str()).unwrap_or_default())
        }
        Output::Generate { turn, prompt, .. } => {
            format!(
                "    answer {} to {:?}",
                turn.0,
                prompt.last().map(|last| last.content.as_str()).unwrap_or_default()
            )
        }
        Output::StopGenerating { turn } => format!("    stop generating {}", turn.0),
        Output::Speak(clause) => format!("    speak {}.{} {:?}", clause.turn.0, clause.index, clause.text),
        Output::FinishSpeech { turn } => format!("    no more sound of {}", turn.0),
        Output::Play { turn } => format!("    play {}", turn.0),
        Output::Discard { turn } => format!("    discard {}", turn.0),
        Output::Hold => "    HOLD".into(),
        Output::Release => "    RELEASE".into(),
        Output::Silence { up_to } => format!("    SILENCE up to {}", up_to.0),
        other => format!("    {other:?}"),
    }
}

pub fn event(event: &Event) -> String {
    let line = match event {
        Event::SpeechStarted { item, at_millis } => format!("speech started at {at_millis} ({item})"),
        Event::SpeechStopped { item, at_millis } => format!("speech stopped at {at_millis} ({item})"),
        Event::InputCommitted { item, .. } => format!("committed ({item})"),
        Event::ItemAdded { item, .. } => format!("added {} {:?}", item.id, item.text.as_deref().unwrap_or_default()),
        Event::ItemDone { item, .. } => format!("done {}", item.id),
        Event::TranscriptGrew { item, delta } => format!("heard {delta:?} ({item})"),
        Event::Transcribed { item, heard } => format!("transcribed {:?} ({item})", heard.text),
        Event::ReplyStarted { turn, .. } => format!("answer {} begins", turn.0),
        Event::ReplyText { turn, delta, .. } => format!("text of {}: {delta:?}", turn.0),
        Event::ReplyDone { turn, item, ending, .. } => {
            format!("answer {} {ending:?}: {:?}", turn.0, item.text.as_deref().unwrap_or_default())
        }
        Event::PlayoutStarted { turn } => format!("{} sounds", turn.0),
        Event::PlayoutStopped { turn } => format!("{} has sounded", turn.0),
        Event::PlayoutCleared { turn } => format!("{} cleared", turn.0),
        Event::Word { word, .. } => format!("word {word:?}"),
        Event::BargeIn { turn, since, outcome } => {
            format!("voice since {} over {}: {outcome:?}", since.as_millis(), turn.0)
        }
        Event::Truncated { item, audio_end_millis } => format!("truncated {item} at {audio_end_millis}"),
        Event::ItemRetrieved { item } => {
            let whole = if item.complete { "whole" } else { "cut" };
            format!("history, {whole}: {:?}", item.text.as_deref().unwrap_or_default())
        }
        other => format!("{other:?}"),
    };
    format!("-> {line}")
}

pub fn request(request: &Request) -> String {
    match request {
        Request::CreateItem { item, .. } => format!("CLIENT types {:?}", item.text),
        Request::CreateResponse(ResponseRequest { said: Some(said), .. }) => format!("CLIENT lets it say {said:?}"),
        Request::CreateResponse(_) => "CLIENT asks for an answer".into(),
        other => format!("CLIENT {other:?}"),
    }
}
