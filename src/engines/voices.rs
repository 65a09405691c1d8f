//! The voices: which there are, who says a clause, and who steps in when one fails.
//!
//! A call has its voices in order: the first that speaks the clause's language says it. One that fails is replaced by
//! the next, from the first word that was not given away; one that fails again and again is left alone for a while
//! ([`Breaker`]). Nobody waits here: a local voice works on its thread, a remote one in a task of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

use super::jobs::{PARTS, SpeakJob};
use super::worker::{LoadError, Overloaded, Work, Worker};
use crate::breaker::Breaker;
use crate::clock;
use crate::media::{Clause, Speech};
use crate::metrics::Metrics;
use crate::voice::remote::RemoteVoice;
use crate::voice::{Voice, VoiceError, language, primary_language};

/// Names of voices, in the order in which they are asked.
pub type Choice = Arc<[Arc<str>]>;

/// Loads the engine of a voice.
pub type Load = Box<dyn FnMut() -> Result<Box<dyn Voice>, LoadError> + Send>;

/// Makes the remote voice of a name, if that is one.
pub type Remote = Box<dyn Fn(&str) -> Option<Result<Arc<dyn RemoteVoice>, VoiceError>> + Send + Sync>;

/// Remote voices that calls asked for by name; more are refused.
const MOST_ASKED_FOR: usize = 64;

/// A voice as it can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub name: Arc<str>,
    /// Language tag such as `en-US`; empty: several.
    pub language: String,
    /// Who speaks, for an engine of several voices.
    pub speaker: Arc<str>,
}

impl Listed {
    /// The name as people read it: `Heart` of `kokoro/af_heart`, `Joe` of `piper-joe`.
    pub fn title(&self) -> String {
        let name = self.name.rsplit('/').next().unwrap_or_default();
        let name = name.strip_prefix("piper-").unwrap_or(name);
        // Kokoro's begin with language and sex.
        let name =
            if self.name.starts_with("kokoro/") { name.split_once('_').map_or(name, |(_, own)| own) } else { name };
        let mut letters = name.chars().map(|c| if c == '_' { ' ' } else { c });
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    }
}

enum Engine {
    Local(Arc<Worker<SpeakJob>>),
    Remote(Arc<dyn RemoteVoice>),
}

struct Known {
    listed: Listed,
    engine: Engine,
    breaker: Mutex<Breaker>,
}

/// See the module's text.
pub struct Voices {
    known: Mutex<HashMap<Arc<str>, Arc<Known>>>,
    remote: Remote,
    runtime: Handle,
    metrics: Arc<Metrics>,
    /// Clauses that calls wait for.
    pressing: Arc<watch::Sender<usize>>,
}

/// That a call waits for a clause.
pub struct Pressing(Arc<watch::Sender<usize>>);

impl Drop for Pressing {
    fn drop(&mut self) {
        self.0.send_modify(|clauses| *clauses -= 1);
    }
}

impl Voices {
    /// Remote voices will speak on `runtime`.
    pub fn new(remote: Remote, runtime: Handle, metrics: Arc<Metrics>) -> Self {
        Self { known: Mutex::default(), remote, runtime, metrics, pressing: Arc::default() }
    }

    pub(super) fn press(&self) -> Pressing {
        self.pressing.send_modify(|clauses| *clauses += 1);
        Pressing(self.pressing.clone())
    }

    /// Waits until some call waits for a clause, or until none does.
    pub(super) async fn until_pressed(&self, pressed: bool) {
        // The sender lives as long as this.
        let _ = self.pressing.subscribe().wait_for(|clauses| (*clauses > 0) == pressed).await;
    }

    /// Adds the voices of an engine. A name that is there already keeps its voice.
    pub fn add(&self, engine: &Arc<Worker<SpeakJob>>, voices: impl IntoIterator<Item = Listed>) {
        for listed in voices {
            self.insert(listed, Engine::Local(engine.clone()));
        }
    }

    fn insert(&self, listed: Listed, engine: Engine) -> Arc<Known> {
        let name = listed.name.clone();
        let new = || Arc::new(Known { listed, engine, breaker: Mutex::default() });
        self.known().entry(name).or_insert_with(new).clone()
    }

    pub fn knows(&self, name: &str) -> bool {
        matches!(self.find(name), Some(Ok(_)))
    }

    /// All voices that were loaded, found or asked for, by name.
    pub fn list(&self) -> Vec<Listed> {
        let mut list: Vec<Listed> = self.known().values().map(|known| known.listed.clone()).collect();
        list.sort_by(|a, b| a.name.cmp(&b.name));
        list
    }

    /// Those that are here, and of the remote ones those that the settings name.
    pub fn offered(&self, configured: &[Arc<str>]) -> Vec<Listed> {
        // A remote voice is there from when it is first asked for.
        let named: Vec<_> = configured.iter().filter(|name| self.knows(name)).collect();
        let is_local = |known: &Known| matches!(known.engine, Engine::Local(_));
        let known = self.known();
        let offered = known.values().filter(|known| is_local(known) || named.contains(&&known.listed.name));
        let mut list: Vec<Listed> = offered.map(|known| known.listed.clone()).collect();
        list.sort_by(|a, b| a.name.cmp(&b.name));
        list
    }

    /// Loads the engine of a voice now; a remote one has nothing to load. `None`: nobody knows the voice.
    pub fn load(&self, name: &str) -> Option<Result<oneshot::Receiver<Result<(), LoadError>>, VoiceError>> {
        let known = match self.find(name)? {
            Ok(known) => known,
            Err(error) => return Some(Err(error)),
        };
        Some(Ok(match &known.engine {
            Engine::Local(worker) => worker.load(),
            Engine::Remote(_) => {
                let (loaded, waiter) = oneshot::channel();
                let _ = loaded.send(Ok(()));
                waiter
            }
        }))
    }

    /// The first voice for a language, or the first at all.
    pub fn first<'a>(&self, voices: &'a [Arc<str>], language: &str) -> Option<&'a Arc<str>> {
        let speaks = |name: &&Arc<str>| matches!(self.find(name), Some(Ok(known)) if known.speaks(language));
        voices.iter().find(speaks).or(voices.first())
    }

    /// Loads what a call in this language will need, so that nobody waits for it then.
    pub fn prepare(&self, voices: &[Arc<str>], language: &str) {
        if let Some(name) = self.first(voices, language) {
            drop(self.load(name));
        }
    }

    fn find(&self, name: &str) -> Option<Result<Arc<Known>, VoiceError>> {
        if let Some(known) = self.known().get(name) {
            return Some(Ok(known.clone()));
        }
        let voice = match (self.remote)(name)? {
            Ok(voice) => voice,
            Err(error) => return Some(Err(error)),
        };
        if self.known().values().filter(|known| matches!(known.engine, Engine::Remote(_))).count() >= MOST_ASKED_FOR {
            return None;
        }
        let listed = Listed { name: name.into(), language: String::new(), speaker: "".into() };
        Some(Ok(self.insert(listed, Engine::Remote(voice))))
    }

    /// Lets the clause be said. What becomes of it comes by its reply.
    pub fn speak(&self, mut job: SpeakJob) -> Result<(), Overloaded> {
        let spoken = language::of(job.rest(), &job.language);
        let now = clock::now();
        let mut left = Vec::new();
        for (index, name) in job.voices.iter().enumerate().skip(job.told.tried) {
            match self.find(name) {
                Some(Ok(known)) => left.push((index, known)),
                Some(Err(error)) => drop(job.told.failure.get_or_insert_with(|| error.to_string())),
                None => {}
            }
        }
        let fits = |(_, known): &&(usize, Arc<Known>)| known.speaks(&spoken);
        let ready = |(_, known): &&(usize, Arc<Known>)| known.breaker().allows(now);
        // A voice that failed is better than silence, and one of another language says why it cannot.
        let chosen = left.iter().filter(fits).find(ready).or_else(|| left.iter().find(fits)).or(left.first());
        let Some((index, known)) = chosen else {
            let reason = job.told.failure.take();
            let names = job.voices.join(", ");
            job.fail(reason.unwrap_or_else(|| format!("none of the voices {names} is known")));
            return Ok(());
        };
        job.told.tried = index + 1;
        job.style.speaker = known.listed.speaker.clone();
        match &known.engine {
            Engine::Local(worker) => worker.submit(job),
            Engine::Remote(voice) => {
                drop(self.runtime.spawn(say_remotely(voice.clone(), job, self.metrics.clone())));
                Ok(())
            }
        }
    }

    /// A voice could not say all of a clause: the next one goes on.
    fn step_in(&self, mut job: SpeakJob, error: &VoiceError) {
        // What cannot be said by a voice is no fault of it.
        if !matches!(error, VoiceError::Unspeakable { .. }) {
            self.metrics.error("voice", error);
            if let Some(Ok(known)) = job.asked().and_then(|name| self.find(name))
                && let Some(pause) = known.breaker().failed(clock::now())
            {
                let (voice, seconds) = (&*known.listed.name, pause.as_secs());
                tracing::warn!(voice, seconds, "failed again and again: left alone for a while");
            }
        }
        job.told.failure.get_or_insert_with(|| error.to_string());
        if job.rest().trim().is_empty() {
            // It failed after its last word.
            return job.done();
        }
        if job.told.tried < job.voices.len() {
            self.metrics.voice_failovers.inc();
        }
        if let Err(overloaded) = self.speak(job) {
            self.metrics.error("voice_overloaded", &overloaded);
        }
    }

    fn succeeded(&self, name: Option<&Arc<str>>) {
        if let Some(Ok(known)) = name.and_then(|name| self.find(name)) {
            known.breaker().succeeded();
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Known>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn speaks(&self, language: &str) -> bool {
        match &self.engine {
            Engine::Local(_) => primary_language(&self.listed.language) == language,
            Engine::Remote(voice) => voice.speaks(language),
        }
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the thread of a voice does.
pub struct Speak {
    pub load: Load,
    pub metrics: Arc<Metrics>,
}

impl Work for Speak {
    type Engine = Box<dyn Voice>;
    type Job = SpeakJob;

    fn load(&mut self) -> Result<Self::Engine, LoadError> {
        (self.load)()
    }

    fn work(&mut self, engine: &mut Self::Engine, job: SpeakJob) {
        if job.is_unwanted() {
            // Its reply tells the session that the voice has room again.
            return;
        }
        let mut saying = Saying::new(job, &self.metrics);
        let (rest, style) = (saying.rest(), saying.job.style.clone());
        let result = engine.speak(&rest, &style, &mut |part| saying.hear(part));
        saying.finish(result);
    }

    fn refuse(&mut self, job: SpeakJob, reason: String) {
        let all = job.all.clone();
        all.step_in(job, &VoiceError::NotLoaded { reason });
    }
}

async fn say_remotely(voice: Arc<dyn RemoteVoice>, job: SpeakJob, metrics: Arc<Metrics>) {
    let mut wanted = job.wanted();
    let mut saying = Saying::new(job, &metrics);
    let (rest, style) = (saying.rest(), saying.job.style.clone());
    let result = {
        let mut listen = |part| saying.hear(part);
        tokio::select! {
            biased;
            () = wanted.lost() => return,
            result = voice.speak(&rest, &style, &mut listen) => result,
        }
    };
    saying.finish(result);
}

/// A clause that a voice is saying.
struct Saying<'a> {
    job: SpeakJob,
    metrics: &'a Metrics,
    start: Instant,
    /// Bytes of the clause before what this voice says.
    offset: usize,
    /// Beyond the parts that there is room for.
    held_back: Option<Speech>,
}

impl<'a> Saying<'a> {
    fn new(job: SpeakJob, metrics: &'a Metrics) -> Self {
        let offset = job.told.bytes;
        Self { job, metrics, start: clock::now(), offset, held_back: None }
    }

    /// What this voice is to say.
    fn rest(&self) -> Clause {
        let Clause { turn, index, .. } = self.job.clause;
        Clause { turn, index, text: self.job.rest().to_owned() }
    }

    /// Gives a part away; false if no more is wanted.
    fn hear(&mut self, mut part: Speech) -> bool {
        let told = &mut self.job.told;
        if told.parts == 0 {
            self.metrics.voice_first_seconds.observe((clock::now() - self.start).as_secs_f64());
        }
        for word in &mut part.words {
            word.text = word.text.start + self.offset..word.text.end + self.offset;
            told.bytes = told.bytes.max(word.text.end);
        }
        part.text.clone_from(&self.job.clause.text);
        told.parts += 1;
        match &mut self.held_back {
            _ if told.parts < PARTS => self.job.tell(part),
            Some(held_back) => held_back.extend(part),
            None => self.held_back = Some(part),
        }
        !self.job.is_unwanted()
    }

    fn finish(mut self, result: Result<(), VoiceError>) {
        self.metrics.voice_seconds.observe((clock::now() - self.start).as_secs_f64());
        if let Some(part) = self.held_back.take() {
            self.job.tell(part);
        }
        let all = self.job.all.clone();
        match result {
            Ok(()) => {
                all.succeeded(self.job.asked());
                self.job.done();
            }
            Err(error) => all.step_in(self.job, &error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn voices_have_names_for_people() {
        for (name, title) in [
            ("piper-joe", "Joe"),
            ("kokoro/zf_xiaobei", "Xiaobei"),
            ("openai/alloy", "Alloy"),
            ("edge", "Edge"),
            ("my_own_voice", "My own voice"),
        ] {
            let listed = Listed { name: name.into(), language: String::new(), speaker: "".into() };
            assert_eq!(listed.title(), title);
        }
    }
}
