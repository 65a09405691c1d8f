//! The index of all passages: tantivy in memory, one segment, made anew when a page changes.
//!
//! In memory because a folder of a thousand pages is indexed faster than the rest of the server starts, and nothing
//! can be stale or damaged. One segment that is never changed, so a passage's number is its place in the list, the
//! statistics are exact, and whoever searches needs no lock.

use std::sync::Arc;

use tantivy::collector::TopDocs;
use tantivy::directory::RamDirectory;
use tantivy::query::{BooleanQuery, BoostQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{DocId, DocSet, Index as Tantivy, ReloadPolicy, Searcher, TantivyDocument, TantivyError, Term};

use super::Passage;
use super::passages::is_ideograph;
use super::words::terms;

/// A term in a heading counts this much more than in the text.
const HEADING: f32 = 1.6;
/// A pair of Chinese characters that occurs nowhere is mostly one across two words, and says this much of another.
const UNKNOWN_PAIR: f32 = 0.3;
/// Passages that are looked at more closely, by BM25.
const CANDIDATES: usize = 40;
/// Where indexing begins to allocate, in bytes; it takes more as it needs.
const ARENA: usize = 16 << 20;

/// What is asked for: terms with their weights, no term twice.
pub type Wanted = [(String, f32)];

#[derive(Clone, Copy, Debug)]
pub struct Hit {
    /// Of the passage.
    pub number: usize,
    /// BM25 in units of a term that occurs in one passage, times the share of what was asked for that occurs in this
    /// one. Without the first a page is found by any rare word, without the second by one word in a short heading.
    pub relevance: f32,
}

pub struct Index {
    searcher: Searcher,
    heading: Field,
    body: Field,
    passages: Vec<Arc<Passage>>,
}

/// A passage with the words by which it is found beside its own.
pub struct Entry {
    pub passage: Arc<Passage>,
    /// Headings, file name, keywords.
    pub heading: String,
}

impl Index {
    pub fn build(entries: &mut dyn Iterator<Item = Entry>) -> Result<Self, TantivyError> {
        let mut schema = Schema::builder();
        // The tokenizer's name is not looked at: terms come as they are.
        let indexing = TextFieldIndexing::default().set_tokenizer("raw").set_index_option(IndexRecordOption::WithFreqs);
        let options = TextOptions::default().set_indexing_options(indexing);
        let heading = schema.add_text_field("heading", options.clone());
        let body = schema.add_text_field("body", options);
        let index = Tantivy::builder().schema(schema.build());
        let mut writer = index.single_segment_index_writer::<TantivyDocument>(RamDirectory::create(), ARENA)?;
        let mut passages = Vec::new();
        for entry in entries {
            let mut document = TantivyDocument::new();
            document.add_pre_tokenized_text(heading, tokenized(&entry.heading));
            document.add_pre_tokenized_text(body, tokenized(&entry.passage.text));
            writer.add_document(document)?;
            passages.push(entry.passage);
        }
        let index = writer.finalize()?;
        let searcher = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?.searcher();
        Ok(Self { searcher, heading, body, passages })
    }

    pub fn passage(&self, number: usize) -> Option<&Arc<Passage>> {
        self.passages.get(number)
    }

    pub fn len(&self) -> usize {
        self.passages.len()
    }

    /// The most relevant passages first.
    pub fn search(&self, wanted: &Wanted) -> Result<Vec<Hit>, TantivyError> {
        if wanted.is_empty() || self.passages.is_empty() {
            return Ok(Vec::new());
        }
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::with_capacity(2 * wanted.len());
        for (term, weight) in wanted {
            for (field, boost) in [(self.body, 1.0), (self.heading, HEADING)] {
                let term = TermQuery::new(Term::from_field_text(field, term), IndexRecordOption::WithFreqs);
                clauses.push((Occur::Should, Box::new(BoostQuery::new(Box::new(term), weight * boost))));
            }
        }
        let best = TopDocs::with_limit(CANDIDATES).order_by_score();
        let mut found = self.searcher.search(&BooleanQuery::new(clauses), &best)?;
        found.sort_by_key(|(_, address)| address.doc_id);
        let passages: Vec<DocId> = found.iter().map(|(_, address)| address.doc_id).collect();
        let mut covered = vec![0.0; passages.len()];
        let mut all = 0.0;
        for (term, weight) in wanted {
            let says = weight * self.rarity(term)?;
            all += says;
            for (covered, contains) in covered.iter_mut().zip(self.contain(term, &passages)?) {
                *covered += if contains { says } else { 0.0 };
            }
        }
        let unit = rarity(1, self.passages.len());
        let hits = found.iter().zip(covered).map(|((score, address), covered)| Hit {
            number: address.doc_id as usize,
            relevance: score / unit * covered / all,
        });
        let mut hits: Vec<Hit> = hits.collect();
        hits.sort_by(|a, b| b.relevance.total_cmp(&a.relevance));
        Ok(hits)
    }

    /// In how many passages the term occurs decides how much it says.
    fn rarity(&self, term: &str) -> Result<f32, TantivyError> {
        let body = self.searcher.doc_freq(&Term::from_field_text(self.body, term))?;
        let heading = self.searcher.doc_freq(&Term::from_field_text(self.heading, term))?;
        let rarity = rarity(body.max(heading) as usize, self.passages.len());
        let unknown_pair = body + heading == 0 && term.starts_with(is_ideograph);
        Ok(if unknown_pair { UNKNOWN_PAIR * rarity } else { rarity })
    }

    /// In which of the passages, which are in order of their numbers, the term occurs.
    fn contain(&self, term: &str, passages: &[DocId]) -> Result<Vec<bool>, TantivyError> {
        let mut contain = vec![false; passages.len()];
        let segment = self.searcher.segment_reader(0);
        for field in [self.body, self.heading] {
            let term = Term::from_field_text(field, term);
            let postings = segment.inverted_index(field)?.read_postings(&term, IndexRecordOption::Basic)?;
            let Some(mut postings) = postings else { continue };
            for (contains, passage) in contain.iter_mut().zip(passages) {
                if postings.doc() < *passage {
                    postings.seek(*passage);
                }
                *contains |= postings.doc() == *passage;
            }
        }
        Ok(contain)
    }
}

/// BM25's weight of a term that occurs in `with` of `all` passages.
fn rarity(with: usize, all: usize) -> f32 {
    let (with, all) = (with as f32, all as f32);
    (1.0 + (all - with + 0.5) / (with + 0.5)).ln()
}

fn tokenized(text: &str) -> PreTokenizedString {
    let tokens = terms(text).into_iter().enumerate();
    let tokens = tokens.map(|(position, text)| Token { position, text, ..Token::default() });
    PreTokenizedString { text: String::new(), tokens: tokens.collect() }
}
