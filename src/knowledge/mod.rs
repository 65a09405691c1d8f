//! The persona's knowledge: a folder of Markdown and text files, and the passages of it that answer a question.
//!
//! [`Knowledge::open`] reads the folder; a thread takes in what changes in it. [`Knowledge::find`] gives the passages for
//! what somebody said, none for small talk; [`prompt`] makes them a text for the language model. No model is asked here
//! and nothing leaves the machine.
//!
//! The way of a page: [`folder`] finds it, [`page`] decodes it, [`blocks`] and [`passages`] divide it, [`words`] makes
//! terms of it, [`index`] keeps those. The way of a question: [`question`], [`index`], then the limits below.

mod blocks;
mod error;
mod folder;
mod index;
mod library;
mod page;
mod passages;
mod prompt;
mod question;
mod settings;
mod stop_words;
#[cfg(test)]
mod tests;
mod watch;
mod words;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use index::{Hit, Index};
use library::Library;
use watch::Watch;

pub use error::KnowledgeError;
pub use prompt::prompt;
pub use settings::KnowledgeSettings;

/// A passage below this is not about what was said: see [`Hit::relevance`]. Chosen on `questions.toml`, for which
/// `tests::the_limit_divides_questions_from_small_talk` prints the figures.
/// Rather low: what is added in vain costs time, what is not found makes the model invent something.
const LEAST: f32 = 0.35;
/// The same for a question that leans on what was said before, which shares only some words with the page.
const LEAST_LEANING: f32 = 0.25;
/// A passage with less than this share of the best one's relevance is left out: it costs time to read.
const LEAST_OF_BEST: f32 = 0.5;

/// A part of a page that answers a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Path of the file in the folder.
    pub page: String,
    /// The headings above it, the page's own first.
    pub headings: Vec<String>,
    pub text: String,
}

impl Passage {
    /// As a person would name the place.
    pub fn source(&self) -> String {
        match self.headings.is_empty() {
            true => self.page.clone(),
            false => format!("{}: {}", self.page, self.headings.join(" > ")),
        }
    }
}

/// All that is known. Cheap to clone; the folder is watched until the last clone is gone.
#[derive(Clone)]
pub struct Knowledge {
    shared: Arc<Shared>,
    most: usize,
    budget_tokens: usize,
    _watch: Arc<Watch>,
}

struct Shared {
    now: RwLock<Arc<State>>,
}

struct State {
    index: Index,
    pages: usize,
    left_out: BTreeMap<String, String>,
}

impl State {
    fn of(index: Index, library: &Library) -> Arc<Self> {
        Arc::new(Self { index, pages: library.len(), left_out: library.left_out() })
    }
}

impl Knowledge {
    /// Reads and indexes the whole folder, which may take a second; `None` if none is set.
    pub fn open(settings: &KnowledgeSettings) -> Result<Option<Self>, KnowledgeError> {
        match settings.folder.as_os_str().is_empty() {
            true => Ok(None),
            false => {
                let known = Self::watching(&settings.folder, settings.passages, watch::INTERVAL, || {})?;
                Ok(Some(Self { budget_tokens: settings.budget_tokens, ..known }))
            }
        }
    }

    /// `changed` is called whenever something was taken in.
    fn watching(
        folder: &Path,
        most: usize,
        interval: Duration,
        mut changed: impl FnMut() + Send + 'static,
    ) -> Result<Self, KnowledgeError> {
        let mut library = Library::new(folder)?;
        library.refresh()?;
        let state = State::of(library.index()?, &library);
        tracing::info!(pages = state.pages, passages = state.index.len(), "knowledge is read");
        let shared = Arc::new(Shared { now: RwLock::new(state) });
        let taking = shared.clone();
        let watch = Watch::start(library, interval, move |index, library| {
            let state = State::of(index, library);
            tracing::info!(pages = state.pages, passages = state.index.len(), "knowledge has changed");
            *taking.now.write().unwrap_or_else(PoisonError::into_inner) = state;
            changed();
        })?;
        Ok(Self { shared, most, budget_tokens: KnowledgeSettings::default().budget_tokens, _watch: Arc::new(watch) })
    }

    /// Most tokens that its passages may add to a prompt.
    pub fn budget_tokens(&self) -> usize {
        self.budget_tokens
    }

    /// The passages that may answer `question`, best first; none if it is small talk. `recent`: what was said before by
    /// both sides, oldest first; a short question leans on it. Takes some 0.1 ms
    /// for a thousand pages.
    pub fn find(&self, question: &str, recent: &[&str]) -> Vec<Passage> {
        let state = self.now();
        match find(&state.index, question, recent, self.most) {
            Ok(hits) => hits.iter().filter_map(|hit| Some(state.index.passage(hit.number)?.as_ref().clone())).collect(),
            Err(error) => {
                tracing::error!("the knowledge could not be searched: {error}");
                Vec::new()
            }
        }
    }

    /// Pages that are known.
    pub fn pages(&self) -> usize {
        self.now().pages
    }

    /// Files of the folder that are not known or only in part, with the reason.
    pub fn left_out(&self) -> BTreeMap<String, String> {
        self.now().left_out.clone()
    }

    fn now(&self) -> Arc<State> {
        self.shared.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn find(index: &Index, question: &str, recent: &[&str], most: usize) -> Result<Vec<Hit>, tantivy::TantivyError> {
    let question = question::read(question, recent);
    let least = if question.borrowed.is_empty() { LEAST } else { LEAST_LEANING };
    let mut hits = index.search(&question.all())?;
    let best = hits.first().map_or(0.0, |hit| hit.relevance);
    hits.retain(|hit| hit.relevance >= least.max(best * LEAST_OF_BEST));
    hits.truncate(most);
    Ok(hits)
}
