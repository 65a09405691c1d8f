//! Whose word each word boundary of a server is: it names a piece of the text and when that is said.
//!
//! A server cuts words in its own way (a Chinese word of several characters, "$29.99" read as six words), so pieces are
//! found by their letters, in order. What is not found lies between its neighbours that are. PURE.

use std::ops::Range;

use super::super::RemoteProblem;
use crate::voice::words;

/// Words that may be passed over to find a piece: more, and a short one would be found where it is not meant.
const LOOK_AHEAD: usize = 12;
/// Where no word of a clause is any more: after an hour, in ticks.
const LATEST: u64 = 3_600 * crate::media::MEDIA_HZ as u64;
/// Boundaries of one clause, far beyond its letters.
const MOST: usize = 4_000;

/// See the module's text. Times are ticks of the clause's sound.
#[derive(Debug)]
pub struct Boundaries {
    /// Letters and digits of the text in lower case, and the word of each.
    letters: Vec<(char, usize)>,
    /// How many of them have their time.
    at: usize,
    spans: Vec<Option<Range<u64>>>,
    /// Of pieces that were not found, since the last that was.
    lost: Option<Range<u64>>,
    count: usize,
}

impl Boundaries {
    /// `ranges`: the words of `text`.
    pub fn new(text: &str, ranges: &[Range<usize>]) -> Self {
        let letters = text.char_indices().flat_map(|(at, c)| {
            let word = words::index_at(ranges, at);
            folded(c).map(move |letter| (letter, word))
        });
        Self { letters: letters.collect(), at: 0, spans: vec![None; ranges.len()], lost: None, count: 0 }
    }

    /// The server says that `piece` is said at `span`.
    pub fn push(&mut self, piece: &str, span: Range<u64>) -> Result<(), RemoteProblem> {
        self.count += 1;
        if self.count > MOST {
            return Err(RemoteProblem::rubbish("thousands of word boundaries for one clause"));
        }
        let piece: Vec<char> = piece.chars().flat_map(folded).collect();
        if piece.is_empty() {
            return Ok(());
        }
        // Not before what was said before, whatever the server thinks.
        let start = span.start.min(LATEST).max(self.end());
        let span = start..span.end.min(LATEST).max(start);
        let Some(found) = self.find(&piece) else {
            let lost = self.lost.take().map_or(span.clone(), |lost| lost.start..span.end.max(lost.end));
            self.lost = Some(lost);
            return Ok(());
        };
        let between = self.lost.take().unwrap_or(self.end()..span.start);
        self.spread(self.at..found, &between);
        let span = span.start.max(self.end())..span.end;
        self.spread(found..found + piece.len(), &span);
        self.at = found + piece.len();
        Ok(())
    }

    /// Nothing more comes, and the sound ends at `end`: words without time lie where there is room.
    pub fn finish(&mut self, end: u64) {
        let rest = self.lost.take().unwrap_or(self.end()..end.max(self.end()));
        self.spread(self.at..self.letters.len(), &rest);
        self.at = self.letters.len();
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Words with the time at which they begin, those that have one.
    pub fn starts(&self) -> impl Iterator<Item = (usize, u64)> {
        self.spans.iter().enumerate().filter_map(|(word, span)| Some((word, span.as_ref()?.start)))
    }

    pub fn span(&self, word: usize) -> Option<Range<u64>> {
        self.spans.get(word).cloned().flatten()
    }

    /// Where the last word that has its time ends.
    fn end(&self) -> u64 {
        let last = self.at.checked_sub(1).and_then(|last| self.spans[self.letters[last].1].as_ref());
        last.map_or(0, |span| span.end)
    }

    /// Where the letters of `piece` stand: directly after the last ones, or where a word begins soon after.
    fn find(&self, piece: &[char]) -> Option<usize> {
        let stands = |at: usize| {
            let here = self.letters.get(at..at + piece.len());
            here.is_some_and(|here| here.iter().map(|(letter, _)| letter).eq(piece))
        };
        let begins = |at: &usize| {
            *at == self.at || at.checked_sub(1).is_none_or(|before| self.letters[before].1 != self.letters[*at].1)
        };
        (self.at..self.letters.len()).filter(begins).take(LOOK_AHEAD).find(|&at| stands(at))
    }

    /// Gives each of `letters` its part of `span`; a word has the parts of all its letters.
    fn spread(&mut self, letters: Range<usize>, span: &Range<u64>) {
        let (count, length) = (letters.len() as u64, span.end.saturating_sub(span.start));
        for (index, at) in letters.enumerate() {
            let index = index as u64;
            let part = span.start + length * index / count..span.start + length * (index + 1) / count;
            let Some(word) = self.spans.get_mut(self.letters[at].1) else { continue };
            match word {
                Some(word) => word.end = word.end.max(part.end),
                None => *word = Some(part),
            }
        }
    }
}

/// The letters by which pieces are compared.
fn folded(c: char) -> impl Iterator<Item = char> {
    c.is_alphanumeric().then(|| c.to_lowercase()).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of `text` with the times that they get from `pieces`.
    fn placed<'a>(text: &'a str, pieces: &[(&str, Range<u64>)], end: u64) -> Vec<(&'a str, Option<Range<u64>>)> {
        let ranges = words::ranges(text);
        let mut boundaries = Boundaries::new(text, &ranges);
        for (piece, span) in pieces {
            assert_eq!(boundaries.push(piece, span.clone()), Ok(()));
        }
        boundaries.finish(end);
        ranges.iter().enumerate().map(|(word, range)| (&text[range.clone()], boundaries.span(word))).collect()
    }

    #[test]
    fn words_of_their_own_keep_their_times() {
        let pieces = [("Well", 0..10), ("it's", 12..20), ("NICE", 20..30)];
        let expected = [("\"Well,\"", Some(0..10)), ("—", None), ("it's", Some(12..20)), ("nice!", Some(20..30))];
        assert_eq!(placed("\"Well,\" — it's nice!", &pieces, 40), expected);
    }

    #[test]
    fn a_piece_of_several_words_is_shared_and_a_word_of_several_pieces_is_whole() {
        let pieces = [("你好", 0..10), ("世界", 12..20)];
        let expected = [("你", Some(0..5)), ("好，", Some(5..10)), ("世", Some(12..16)), ("界。", Some(16..20))];
        assert_eq!(placed("你好，世界。", &pieces, 30), expected);
        let pieces = [("and", 0..3), ("or", 4..6), ("so", 8..9)];
        assert_eq!(placed("and/or so", &pieces, 9), [("and/or", Some(0..6)), ("so", Some(8..9))]);
    }

    #[test]
    fn what_is_read_in_other_words_lies_between_its_neighbours() {
        let pieces = [("for", 0..5), ("twenty", 6..8), ("nine", 8..10), ("dollars", 10..19), ("only", 20..30)];
        let expected = [("for", Some(0..5)), ("$29", Some(6..19)), ("only", Some(20..30))];
        assert_eq!(placed("for $29 only", &pieces, 30), expected);
        // At the end, and of several words.
        let pieces = [("at", 0..5), ("half", 6..8), ("past", 8..16)];
        assert_eq!(placed("at 9 h", &pieces, 20), [("at", Some(0..5)), ("9", Some(6..11)), ("h", Some(11..16))]);
    }

    #[test]
    fn words_that_the_server_passes_over_get_the_room_that_is_left() {
        let pieces = [("one", 0..10), ("four", 40..50)];
        let expected = [("one", Some(0..10)), ("two", Some(10..22)), ("three", Some(22..40)), ("four", Some(40..50))];
        let placed = placed("one two three four", &pieces, 50);
        assert_eq!(placed.iter().map(|(word, _)| *word).collect::<Vec<_>>(), expected.clone().map(|(word, _)| word));
        for ((word, span), (_, expected)) in placed.iter().zip(expected) {
            let (Some(span), Some(expected)) = (span, expected) else { panic!("{word} has no time") };
            assert!(
                span.start.abs_diff(expected.start) <= 4 && span.end.abs_diff(expected.end) <= 4,
                "{word} {span:?}"
            );
        }
    }

    #[test]
    fn nonsense_from_the_server_leaves_the_words_in_order() {
        let text = "one two three four five";
        let backwards = |start, end| Range { start, end };
        let pieces = [
            ("five", backwards(90, 80)),
            ("", 0..1),
            ("two", backwards(5, 3)),
            ("one", 0..u64::MAX),
            ("zzz", 7..9),
            ("four", 1..2),
        ];
        let placed = placed(text, &pieces, 100);
        let spans: Vec<_> = placed.into_iter().filter_map(|(_, span)| span).collect();
        assert_eq!(spans.len(), 5);
        assert!(spans.windows(2).all(|pair| pair[0].start <= pair[1].start), "{spans:?}");
        let mut boundaries = Boundaries::new("a", &words::ranges("a"));
        assert!((0..10_000).any(|_| boundaries.push("b", 0..1).is_err()));
    }

    #[test]
    fn without_boundaries_nothing_begins() {
        let text = "a b";
        assert_eq!(Boundaries::new(text, &words::ranges(text)).starts().count(), 0);
    }
}
