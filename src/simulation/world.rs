//! One call in virtual time: person, ear, dialogue, engines, timeline and the one who listens.
//!
//! It is to the two cores what the session and the media thread are: it carries out orders, keeps sound back until
//! it may be heard, and holds playout when told. Every step is a millisecond; the gate hears every 32, playout moves
//! every 20. What always holds is asserted here while it runs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::engines::Engines;
use super::listener::Listener;
use super::person::{Cut, Ear, Heard, Person, WINDOW_MILLIS};
use super::trace;
use crate::dialogue::{
    self, Dialogue, Event, Input, ItemId, Output, Place, Request, ResponseRequest, Role, Settings, ToolCall,
};
use crate::media::{AUDIO_FRAME, MediaTime, Speech, TimedWord, TurnId, UtteranceId};
use crate::playout::{Progress, Timeline};

/// What a script or the dice let happen.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    Says(String),
    Types(String),
    Asks(Request),
}

/// How long the engines take, in milliseconds, and what they make of it. Called for each job.
pub trait Minds {
    fn recognise(&mut self) -> u64;
    fn judge(&mut self) -> u64;
    /// Milliseconds to the first token, then between tokens; the answer's text; whether it fails after so many tokens.
    fn think(&mut self) -> Thinking;
    fn voice(&mut self) -> u64;
}

pub struct Thinking {
    pub first: u64,
    pub each: u64,
    pub text: String,
    pub fails_after: Option<usize>,
    /// It asks for a tool at the end, which takes so long.
    pub calls: Option<u64>,
}

enum Unplayed {
    Speech(Speech),
    Finish(TurnId),
}

impl Unplayed {
    fn turn(&self) -> TurnId {
        match self {
            Self::Speech(speech) => speech.turn,
            Self::Finish(turn) => *turn,
        }
    }
}

pub struct World<M> {
    pub now: u64,
    pub dialogue: Dialogue,
    minds: M,
    person: Person,
    ear: Ear,
    engines: Engines,
    cuts: BTreeMap<UtteranceId, Cut>,
    /// Parts of clauses that the voice is making.
    voicing: BTreeMap<(TurnId, u32), VecDeque<Speech>>,
    unplayed: VecDeque<Unplayed>,
    playable: TurnId,
    timeline: Timeline,
    progress: Progress,
    listener: Listener,
    /// Answers that were cut.
    silenced: TurnId,
    begun: BTreeSet<TurnId>,
    ended: BTreeSet<TurnId>,
    playing: BTreeSet<TurnId>,
    /// The items of the spoken answers.
    answers: BTreeMap<TurnId, ItemId>,
    /// Text of the item that was retrieved last.
    retrieved: Option<String>,
    /// Text that the client was told of each item in pieces.
    told: BTreeMap<String, String>,
    /// Words that were told while they were said and turned out otherwise.
    pub told_wrongly: u64,
    /// One line for everything that is said, done and told.
    pub trace: Vec<String>,
}

impl<M: Minds> World<M> {
    pub fn new(settings: Settings, minds: M) -> Self {
        Self {
            now: 0,
            dialogue: Dialogue::new(settings, 200),
            minds,
            person: Person::default(),
            ear: Ear::default(),
            engines: Engines::default(),
            cuts: BTreeMap::new(),
            voicing: BTreeMap::new(),
            unplayed: VecDeque::new(),
            playable: TurnId(0),
            timeline: Timeline::default(),
            progress: Progress::default(),
            listener: Listener::default(),
            silenced: TurnId(0),
            begun: BTreeSet::new(),
            ended: BTreeSet::new(),
            playing: BTreeSet::new(),
            answers: BTreeMap::new(),
            retrieved: None,
            told: BTreeMap::new(),
            told_wrongly: 0,
            trace: Vec::new(),
        }
    }

    pub fn act(&mut self, act: Act) {
        match act {
            Act::Says(text) => {
                self.note(format!("PERSON {text}"));
                self.person.say(self.now, &text);
            }
            Act::Types(text) => {
                let item = dialogue::NewItem { id: None, role: Role::User, matter: dialogue::Matter::Words, text };
                self.ask(Request::CreateItem { item, place: Place::End });
                self.ask(Request::CreateResponse(ResponseRequest::default()));
            }
            Act::Asks(request) => self.ask(request),
        }
    }

    fn ask(&mut self, request: Request) {
        self.note(trace::request(&request));
        self.input(Input::Client { request, event_id: None });
    }

    /// Goes on to this time.
    pub fn run_until(&mut self, millis: u64) {
        while self.now < millis {
            self.step();
        }
    }

    fn step(&mut self) {
        if self.now.is_multiple_of(WINDOW_MILLIS) && self.now >= WINDOW_MILLIS {
            let heard = self.ear.hear(self.now - WINDOW_MILLIS, &mut self.person);
            self.heard(heard);
        }
        while let Some(input) = self.engines.pop(self.now) {
            self.happen(input);
        }
        if self.dialogue.deadline().is_some_and(|due| due <= Duration::from_millis(self.now)) {
            self.input(Input::Tick);
        }
        if self.now.is_multiple_of(20) {
            self.play();
        }
        self.now += 1;
    }

    fn heard(&mut self, heard: Option<Heard>) {
        let time = |at: u64| Duration::from_millis(at);
        let Some(heard) = heard else { return };
        let input = match heard {
            Heard::Suspected { at } => Input::VoiceSuspected { at: time(at) },
            Heard::Faded => Input::VoiceFaded,
            Heard::Started { at } => Input::SpeechStarted { at: time(at), at_millis: at },
            Heard::Paused { at, cut } => Input::SpeechPaused { at: time(at), at_millis: at, utterance: self.keep(cut) },
            Heard::Resumed => Input::SpeechResumed,
            Heard::Grew { cut } => Input::SpeechGrew { utterance: self.keep(cut) },
        };
        self.note(trace::input(&input));
        self.input(input);
    }

    fn keep(&mut self, cut: Cut) -> UtteranceId {
        let utterance = cut.utterance;
        self.cuts.insert(utterance, cut);
        utterance
    }

    /// An engine has done something.
    fn happen(&mut self, input: Input) {
        if let Input::Voiced { turn, clause, .. } | Input::VoiceDone { turn, clause } = input {
            let part = match input {
                Input::Voiced { .. } => self.voicing.get_mut(&(turn, clause)).and_then(VecDeque::pop_front),
                _ => None,
            };
            if !self.dialogue.is_making(turn) {
                return;
            }
            let what = if part.is_some() { "a part of " } else { "all of " };
            self.note(format!("  voice: {what}answer {} clause {clause} is sound", turn.0));
            self.unplayed.extend(part.map(Unplayed::Speech));
        }
        self.input(input);
    }

    fn input(&mut self, input: Input) {
        self.dialogue.handle(Duration::from_millis(self.now), input);
        while let Some(output) = self.dialogue.poll() {
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: Output) {
        if let Output::Emit(event) = output {
            return self.emit(event);
        }
        self.note(trace::order(&output));
        match output {
            Output::Transcribe { utterance, .. } => {
                let text = self.cuts.get(&utterance).map(|cut| cut.text.clone()).unwrap_or_default();
                let heard = dialogue::Heard { text, seconds: 1.0 };
                let takes = self.minds.recognise();
                self.engines.recognise(self.now, takes, Input::Transcribed { utterance, result: Ok(heard) });
            }
            Output::StopTranscribing { utterance } => self.engines.drop_where(
                |input| matches!(input, Input::Transcribed { utterance: other, .. } if *other == utterance),
            ),
            Output::Judge { utterance } => {
                let complete = self.cuts.get(&utterance).map(|cut| if cut.complete { 0.9 } else { 0.02 });
                let takes = self.minds.judge();
                self.engines.at(self.now + takes, Input::Judged { utterance, complete });
            }
            Output::TakeInput { utterance } => {
                let heard = self.ear.take(utterance, self.now);
                // It comes through a queue, after what is being done now.
                if let Some(Heard::Started { at }) = heard {
                    let at = Duration::from_millis(at);
                    self.engines.at(self.now, Input::SpeechStarted { at, at_millis: at.as_millis() as u64 });
                }
            }
            Output::Generate { turn, may_call, .. } => self.think(turn, may_call),
            Output::CallTool { turn, call } => {
                let output = "What the tool found.".to_owned();
                let takes = call.arguments.parse().unwrap_or(0);
                self.engines.at(self.now + takes, Input::ToolAnswered { turn, call_id: call.id, output });
            }
            Output::StopGenerating { turn } => {
                self.engines.drop_where(|input| {
                    matches!(input, Input::Token { turn: other, .. } | Input::ToolCalled { turn: other, .. }
                        | Input::GenerationDone { turn: other, .. }
                        | Input::GenerationFailed { turn: other, .. } if *other == turn)
                });
                // What was under way still comes.
                self.engines.at(self.now + 1, Input::Token { turn, text: "late ".into() });
            }
            Output::Speak(clause) => {
                let (turn, index) = (clause.turn, clause.index);
                let parts = parts(self.listener.voice(turn, index, &clause.text));
                for part in &parts {
                    let (ticks, words) = (part.pcm.len() as u64, part.words.clone());
                    let takes = self.minds.voice();
                    self.engines.voice(self.now, takes, Input::Voiced { turn, clause: index, ticks, words });
                }
                self.engines.voice(self.now, 0, Input::VoiceDone { turn, clause: index });
                self.voicing.insert((turn, index), parts);
            }
            Output::FinishSpeech { turn } => self.unplayed.push_back(Unplayed::Finish(turn)),
            Output::Play { turn } => self.playable = self.playable.max(turn),
            Output::Discard { turn } => self.unplayed.retain(|next| next.turn() != turn),
            Output::Hold => self.timeline.hold(),
            Output::Release => {
                self.timeline.release();
                self.listener.released();
            }
            Output::Silence { up_to } => {
                self.silenced = self.silenced.max(up_to);
                self.timeline.silence(up_to);
                self.unplayed.retain(|next| matches!(next, Unplayed::Finish(_)) || next.turn() > up_to);
            }
            Output::ReadAhead { .. } | Output::CommitInput { .. } | Output::DiscardInput | Output::Emit(_) => {}
        }
    }

    fn think(&mut self, turn: TurnId, may_call: bool) {
        let thinking = self.minds.think();
        let mut at = self.now + thinking.first;
        for (number, token) in thinking.text.split_inclusive(' ').enumerate() {
            if thinking.fails_after == Some(number) {
                return self.engines.at(at, Input::GenerationFailed { turn, message: "gone".into() });
            }
            self.engines.at(at, Input::Token { turn, text: token.to_owned() });
            at += thinking.each;
        }
        if let Some(takes) = thinking.calls.filter(|_| may_call) {
            let call = ToolCall { id: format!("call_{at}"), name: "find".into(), arguments: takes.to_string() };
            self.engines.at(at, Input::ToolCalled { turn, call, own: true });
        }
        self.engines.at(at, Input::GenerationDone { turn, usage: dialogue::Usage::default() });
    }

    fn emit(&mut self, event: Event) {
        match &event {
            Event::ReplyStarted { turn, item, text_only, .. } => {
                assert!(self.begun.insert(*turn), "{turn:?} began twice");
                if !text_only {
                    self.answers.insert(*turn, item.id.clone());
                }
            }
            Event::ItemRetrieved { item } => self.retrieved.clone_from(&item.text),
            Event::Transcribed { item, heard } => {
                let told = self.told.get(&item.0).map(String::as_str).unwrap_or_default();
                self.told_wrongly += u64::from(!heard.text.starts_with(told));
            }
            Event::ReplyDone { turn, .. } => assert!(self.ended.insert(*turn), "{turn:?} ended twice"),
            Event::PlayoutStarted { turn } => assert!(self.playing.insert(*turn), "{turn:?} sounded twice"),
            Event::PlayoutStopped { turn } | Event::PlayoutCleared { turn } => {
                assert!(self.playing.remove(turn), "{turn:?} stopped without having sounded");
            }
            Event::ReplyText { turn, .. } => {
                assert!(self.begun.contains(turn) && !self.ended.contains(turn), "text of {turn:?} out of its time");
            }
            Event::TranscriptGrew { item, delta } => self.told.entry(item.0.clone()).or_default().push_str(delta),
            _ => {}
        }
        self.note(trace::event(&event));
    }

    /// What the media thread does every 20 ms.
    fn play(&mut self) {
        while let Some(next) = self.unplayed.front()
            && next.turn() <= self.playable
        {
            match self.unplayed.pop_front() {
                Some(Unplayed::Speech(speech)) => drop(self.timeline.push(speech)),
                Some(Unplayed::Finish(turn)) => self.timeline.finish(turn),
                None => {}
            }
        }
        let mut frame = [0; AUDIO_FRAME];
        let expected = self.timeline.now();
        let due = self.timeline.step(&mut frame);
        assert_eq!(due.at, expected);
        assert_eq!(self.timeline.now(), expected + AUDIO_FRAME as u64, "one frame for each step");
        assert_eq!(due.at, MediaTime(self.now / 20 * AUDIO_FRAME as u64), "one step for each 20 ms");
        if let Some(turn) = due.speaking {
            assert!(turn > self.silenced, "a frame of {turn:?}, which was silenced");
            assert!(!self.timeline.progress().held, "a frame of {turn:?} while it is held");
        }
        self.listener.hear(&frame);
        self.follow_playout();
    }

    fn follow_playout(&mut self) {
        let seen = self.timeline.progress();
        let last = std::mem::replace(&mut self.progress, seen);
        if seen == last {
            return;
        }
        if seen.turn != last.turn {
            if last.turn != TurnId(0) && !last.ended {
                self.input(Input::PlayoutEnded { turn: last.turn });
            }
            self.input(Input::PlayoutStarted { turn: seen.turn });
        }
        self.input(Input::Played { turn: seen.turn, ticks: seen.played });
        if seen.ended {
            self.input(Input::PlayoutEnded { turn: seen.turn });
        }
    }

    fn note(&mut self, what: String) {
        self.trace.push(format!("{:6} {what}", self.now));
    }

    /// Lets everything come to its end, and checks what must be true then.
    pub fn finish(mut self) -> Vec<String> {
        let limit = self.now + 120_000;
        while !(self.person.is_silent() && self.dialogue.is_idle() && self.engines.is_idle()) {
            assert!(self.now < limit, "the conversation does not come to rest:\n{}", self.trace.join("\n"));
            self.step();
        }
        assert_eq!(self.begun, self.ended, "every answer ends");
        assert!(self.playing.is_empty(), "every sound ends");
        self.listener.check_order();
        for (turn, item) in std::mem::take(&mut self.answers) {
            self.input(Input::Client { request: Request::RetrieveItem { item: item.clone() }, event_id: None });
            // The client may have deleted it.
            if let Some(text) = self.retrieved.take() {
                let heard = self.listener.heard(turn);
                assert_eq!(text, heard, "history of answer {} is what was heard:\n{}", turn.0, self.trace.join("\n"));
            }
        }
        self.trace
    }
}

/// A clause as a voice gives it: the first two words, then the rest.
fn parts(mut first: Speech) -> VecDeque<Speech> {
    let Some(cut) = first.words.get(2).map(|word| word.start) else { return [first].into() };
    let words = first.words.split_off(2).into_iter();
    let words = words.map(|word| TimedWord { start: word.start - cut, end: word.end - cut, ..word }).collect();
    let pcm = first.pcm.split_off(cut as usize);
    let rest = Speech { pcm, words, text: first.text.clone(), phonemes: Vec::new(), ..first };
    [first, rest].into()
}
