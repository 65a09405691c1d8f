//! The pages that are known now: reads what changed in the folder, keeps what did not, makes the index of all.
//!
//! Synchronous; whoever watches the folder calls [`Library::refresh`] from time to time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folder::{self, Form, Found, Stamp};
use super::index::{Entry, Index};
use super::{KnowledgeError, Passage, blocks, page, passages};

/// Most of the whole folder; pages beyond are left out. All of it is held in memory and indexed anew at each change.
const MOST_BYTES: u64 = 64 << 20;
const MOST_PASSAGES: usize = 100_000;

pub struct Library {
    root: PathBuf,
    pages: BTreeMap<String, Known>,
    left_out: BTreeMap<String, String>,
}

/// A page as it was read last.
struct Known {
    stamp: Stamp,
    /// By which all its passages are found: its name, title, keywords.
    hints: String,
    passages: Vec<(Arc<Passage>, String)>,
    /// Why there are no passages, or fewer than there might be.
    warning: Option<String>,
}

impl Library {
    /// Knows no page yet.
    pub fn new(folder: &Path) -> Result<Self, KnowledgeError> {
        let failed = |source| KnowledgeError::Folder { path: folder.to_owned(), source };
        let root = folder.canonicalize().map_err(failed)?;
        if !root.is_dir() {
            return Err(KnowledgeError::NoFolder { path: folder.to_owned() });
        }
        Ok(Self { root, pages: BTreeMap::new(), left_out: BTreeMap::new() })
    }

    /// Reads what is new or changed. `true` if the index must be made anew. Each page that is left out is named once,
    /// and again when it changes.
    pub fn refresh(&mut self) -> Result<bool, KnowledgeError> {
        let failed = |source| KnowledgeError::Folder { path: self.root.clone(), source };
        let mut listing = folder::list(&self.root).map_err(failed)?;
        let mut bytes = 0;
        let (left_out, reason) = (&mut listing.left_out, format!("there are more than {MOST_BYTES} bytes before it"));
        listing.pages.retain(|name, found| {
            bytes += found.stamp.bytes.min(page::LONGEST_BYTES as u64);
            let fits = bytes <= MOST_BYTES;
            if !fits {
                left_out.insert(name.clone(), reason.clone());
            }
            fits
        });
        let before = self.pages.len();
        self.pages.retain(|name, _| listing.pages.contains_key(name));
        let mut changed = self.pages.len() < before;
        for (name, found) in listing.pages {
            if self.pages.get(&name).is_none_or(|known| known.stamp != found.stamp) {
                let known = Known::read(&name, &found);
                if let Some(reason) = &known.warning {
                    tracing::warn!(page = name, "the knowledge lacks this page or a part of it: {reason}");
                }
                self.pages.insert(name, known);
                changed = true;
            }
        }
        for (name, reason) in &listing.left_out {
            if self.left_out.get(name) != Some(reason) {
                tracing::warn!(page = name, "the knowledge lacks this page: {reason}");
            }
        }
        self.left_out = listing.left_out;
        Ok(changed)
    }

    pub fn index(&self) -> Result<Index, KnowledgeError> {
        let entries = self.pages.values().flat_map(|page| {
            page.passages.iter().map(|(passage, inner)| {
                let heading = format!("{} {} {inner}", page.hints, passage.headings.join(" "));
                Entry { passage: passage.clone(), heading }
            })
        });
        if entries.clone().nth(MOST_PASSAGES).is_some() {
            tracing::warn!("the knowledge has more than {MOST_PASSAGES} passages: the last pages are not searched");
        }
        Ok(Index::build(&mut entries.take(MOST_PASSAGES))?)
    }

    pub fn len(&self) -> usize {
        self.pages.len()
    }

    /// Pages that are not known, or only in part, with the reason.
    pub fn left_out(&self) -> BTreeMap<String, String> {
        let cut = self.pages.iter().filter_map(|(name, page)| Some((name.clone(), page.warning.clone()?)));
        cut.chain(self.left_out.clone()).collect()
    }
}

impl Known {
    fn read(name: &str, found: &Found) -> Self {
        let file_words = Path::new(name).with_extension("").to_string_lossy().replace(['/', '_', '-'], " ");
        let mut known = Self { stamp: found.stamp, hints: file_words, passages: Vec::new(), warning: None };
        let page = match page::read(&found.path) {
            Ok(page) => page,
            Err(error) => {
                known.warning = Some(error.to_string());
                return known;
            }
        };
        if page.cut {
            known.warning = Some(format!("it is longer than {} bytes: the rest is not searched", page::LONGEST_BYTES));
        }
        known.hints = format!("{} {}", known.hints, page.hints);
        let blocks = match Form::of(name) {
            Some(Form::Markdown) => blocks::markdown(&page.text),
            _ => blocks::plain(&page.text),
        };
        let drafts = passages::split(blocks).into_iter();
        known.passages = drafts
            .map(|draft| {
                let inner = draft.inner.join(" ");
                let passage = Passage { page: name.to_owned(), headings: draft.headings, text: draft.text };
                (Arc::new(passage), inner)
            })
            .collect();
        known
    }
}
