//! Where words lie in sound of which nobody tells it: by their letters, corrected by the pauses that are heard.
//!
//! A word has a weight, the letters that it is said with; the voice's rate says how much weight a tick carries. A pause
//! is where a comma or full stop is near, else between two words that are near. Each place that is fixed so holds for
//! what was before it, and the rate is learnt from it. At the end of the sound what is left shares the time that is
//! left. PURE.

use std::ops::Range;

use crate::media::MEDIA_HZ;
use crate::voice::words::is_cjk;

/// Weight that an unknown voice says in a second: 160 English words or 290 Chinese characters a minute.
const COMMON_RATE: f64 = 13.5;
/// A voice's rate stays within this factor of the common one, at speed 1.
const RATE_RANGE: f64 = 2.0;
/// How much a clause or a pause counts beside what was learnt before.
const LEARNING: f64 = 0.35;
/// Frames of 10 ms whose level decides what is a pause, and how many make one: a stop within a word is shorter.
const FRAME: u64 = MEDIA_HZ as u64 / 100;
const SHORTEST_PAUSE: u64 = 9 * FRAME;
/// How far a pause may lie from where it is expected, in weight: at a mark, and at the end of any word; and which part
/// of what was said since the last fixed place.
const AT_MARK: (f64, f64) = (7.0, 0.5);
const AT_WORD: (f64, f64) = (2.5, 0.15);

/// Weight that a voice says in a tick at speed 1, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate(f64);

impl Default for Rate {
    fn default() -> Self {
        Self(COMMON_RATE / f64::from(MEDIA_HZ))
    }
}

impl Rate {
    /// It said `weight` in `ticks`.
    pub fn learn(&mut self, weight: f64, ticks: u64) {
        let common = Self::default().0;
        let heard = (weight / ticks.max(1) as f64).clamp(common / RATE_RANGE, common * RATE_RANGE);
        self.0 += (heard - self.0) * LEARNING;
    }
}

/// A stretch without pause: weight that is said in it, and when.
#[derive(Clone, Debug)]
struct Run {
    weight: Range<f64>,
    ticks: Range<u64>,
}

/// See the module's text. Times are ticks of the clause's sound, its silence at the beginning cut.
#[derive(Debug)]
pub struct Estimate {
    /// Weight up to the end of each word.
    ends: Vec<f64>,
    /// Whether a pause is likely after each word.
    marked: Vec<bool>,
    /// Weight a tick.
    rate: f64,
    /// Runs whose places are fixed, in order.
    runs: Vec<Run>,
    /// Where the open run begins.
    weight: f64,
    start: u64,
    /// Sound heard so far, and where the silence at its end begins.
    heard: u64,
    quiet: Option<u64>,
    /// Words up to this one have their places for good.
    fixed: usize,
}

impl Estimate {
    /// `ranges`: the words of `text`; `rate`: of the voice at `speed` 1.
    pub fn new(text: &str, ranges: &[Range<usize>], rate: Rate, speed: f32) -> Self {
        let words = ranges.iter().map(|range| &text[range.clone()]);
        let weights: Vec<f64> = words.clone().map(weight_of).collect();
        let mut marked: Vec<bool> = words.map(|word| word.ends_with(is_mark)).collect();
        // A dash that stands alone is a mark of the word before it.
        for word in (1..marked.len()).rev().filter(|&word| weights[word] == 0.0) {
            marked[word - 1] |= marked[word];
        }
        let sum = |sum: &mut f64, weight: &f64| {
            *sum += weight;
            Some(*sum)
        };
        Self {
            ends: weights.iter().scan(0.0, sum).collect(),
            marked,
            rate: rate.0 * f64::from(speed),
            runs: Vec::new(),
            weight: 0.0,
            start: 0,
            heard: 0,
            quiet: None,
            fixed: 0,
        }
    }

    /// A frame of 10 ms, and whether it is silent.
    pub fn push(&mut self, is_quiet: bool) {
        let from = self.heard;
        self.heard += FRAME;
        match (is_quiet, self.quiet) {
            (true, None) => self.quiet = Some(from),
            (false, Some(start)) => {
                self.quiet = None;
                if from - start >= SHORTEST_PAUSE {
                    self.pause(start..from);
                }
            }
            _ => {}
        }
    }

    /// Words with the time at which they begin, as far as sound was heard: what comes after a silence that goes on is
    /// not known before its end.
    pub fn starts(&self) -> impl Iterator<Item = (usize, u64)> {
        let starts = (self.fixed..self.ends.len()).filter(|&word| self.weight_before(word) < self.ends[word]);
        let known = self.quiet.unwrap_or(self.heard);
        starts.map(|word| (word, self.start_of(word))).take_while(move |(_, start)| *start < known)
    }

    /// When a word is said; none of one that makes no sound.
    pub fn span(&self, word: usize) -> Option<Range<u64>> {
        let end = *self.ends.get(word)?;
        let before = self.weight_before(word);
        (before < end).then(|| {
            let start = self.start_of(word);
            start..self.end_at(end).max(start)
        })
    }

    /// The words before `word` are given away, and `word` begins at `start`: that is not changed any more.
    pub fn fix(&mut self, word: usize, start: u64) {
        let weight = self.weight_before(word);
        if weight > self.weight {
            self.close(weight, start, start);
        }
        self.fixed = self.fixed.max(word);
    }

    /// The sound ends at `end`, its silence included.
    pub fn finish(&mut self, end: u64) {
        let end = self.quiet.unwrap_or(end).clamp(self.start, end.max(self.start));
        let weight = self.total();
        self.close(weight.max(self.weight), end, end);
    }

    /// What is to be learnt from the whole clause: its weight and the ticks in which it was said.
    pub fn learnt(&self) -> (f64, u64) {
        (self.total(), self.runs.iter().map(|run| run.ticks.end - run.ticks.start).sum())
    }

    fn total(&self) -> f64 {
        self.ends.last().copied().unwrap_or_default()
    }

    fn weight_before(&self, word: usize) -> f64 {
        word.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default()
    }

    /// Fixes what is said up to `end`; what follows begins at `next`.
    fn close(&mut self, weight: f64, end: u64, next: u64) {
        self.runs.push(Run { weight: self.weight..weight, ticks: self.start..end.max(self.start) });
        (self.weight, self.start) = (weight, next.max(self.start));
    }

    fn pause(&mut self, pause: Range<u64>) {
        if pause.start <= self.start {
            // Right after a fixed place: it begins later.
            self.start = self.start.max(pause.end);
            return;
        }
        let said = (pause.start - self.start) as f64 * self.rate;
        let expected = self.weight + said;
        let near = |(least, part): (f64, f64)| f64::max(least, part * said);
        // The end of the last word is no place for a pause.
        let inner = (self.fixed..self.ends.len().saturating_sub(1)).filter(|&word| self.ends[word] > self.weight);
        let places = inner.filter(|&word| self.weight_before(word) < self.ends[word] && self.ends[word] < self.total());
        let distance = |word: usize| (self.ends[word] - expected).abs();
        let best = |marked: bool, most: f64| {
            let near = places.clone().filter(|&word| self.marked[word] == marked && distance(word) <= most);
            near.min_by(|&a, &b| distance(a).total_cmp(&distance(b)))
        };
        let Some(word) = best(true, near(AT_MARK)).or_else(|| best(false, near(AT_WORD))) else {
            // Within a word, or nobody knows where: time passes, and nothing is said.
            let weight = expected.min(self.total());
            return self.close(weight, pause.start, pause.end);
        };
        let said = self.ends[word] - self.weight;
        let heard = said / (pause.start - self.start) as f64;
        self.rate += (heard.clamp(self.rate / RATE_RANGE, self.rate * RATE_RANGE) - self.rate) * LEARNING;
        let weight = self.ends[word];
        self.close(weight, pause.start, pause.end);
    }

    fn start_of(&self, word: usize) -> u64 {
        let weight = self.weight_before(word);
        // What begins where a run ends begins after the pause.
        match self.runs.iter().find(|run| weight < run.weight.end) {
            Some(run) => run.at(weight),
            None => self.start + ((weight - self.weight).max(0.0) / self.rate) as u64,
        }
    }

    fn end_at(&self, weight: f64) -> u64 {
        match self.runs.iter().find(|run| weight <= run.weight.end) {
            Some(run) => run.at(weight),
            None => self.start + ((weight - self.weight).max(0.0) / self.rate) as u64,
        }
    }
}

impl Run {
    fn at(&self, weight: f64) -> u64 {
        let (length, ticks) = (self.weight.end - self.weight.start, self.ticks.end - self.ticks.start);
        let part = if length > 0.0 { ((weight - self.weight.start) / length).clamp(0.0, 1.0) } else { 0.0 };
        self.ticks.start + (part * ticks as f64) as u64
    }
}

/// How long a word takes to say, in Latin letters; nothing if it has neither letter nor digit.
fn weight_of(word: &str) -> f64 {
    let mut weight = 0.0;
    let mut capitals = 0_u32;
    for c in word.chars() {
        capitals = if c.is_uppercase() { capitals + 1 } else { 0 };
        weight += match c {
            // Letters of an abbreviation are named one by one.
            _ if capitals > 1 => 2.5,
            '0'..='9' => 3.5,
            '\u{3040}'..='\u{30ff}' => 1.7,
            '\u{ac00}'..='\u{d7a3}' => 2.5,
            _ if is_cjk(c) => 2.8,
            _ if c.is_alphanumeric() => 1.0,
            _ => 0.0,
        };
    }
    if weight > 0.0 {
        // Of its own accord no word is shorter than a breath between two.
        weight += if word.chars().any(is_cjk) { 0.0 } else { 0.5 };
        weight += 4.0 * word.chars().filter(|c| "$€£¥%&+=°".contains(*c)).count() as f64;
    }
    weight
}

/// Whether a voice is likely to pause at `c`.
fn is_mark(c: char) -> bool {
    ".,;:!?…—–。，、；：！？)）\"”".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::words::{self, timed};

    const MILLI: u64 = MEDIA_HZ as u64 / 1000;

    /// A voice of `rate` times the common one that pauses for so many milliseconds after the words of these numbers:
    /// its words, and the length of all.
    fn said(text: &str, rate: f64, pauses: &[(usize, u64)]) -> (Vec<Range<u64>>, u64) {
        let mut at = 0;
        let words = words::ranges(text).into_iter().enumerate().map(|(word, range)| {
            let length = weight_of(&text[range]) / (COMMON_RATE * rate) * f64::from(MEDIA_HZ);
            let span = at..at + length as u64;
            let pause = pauses.iter().find(|(after, _)| *after == word).map_or(0, |(_, millis)| millis * MILLI);
            at = span.end + pause;
            span
        });
        (words.collect(), at)
    }

    fn heard(estimate: &mut Estimate, words: &[Range<u64>], until: u64) {
        while estimate.heard + FRAME <= until {
            let at = estimate.heard + FRAME / 2;
            estimate.push(!words.iter().any(|word| word.contains(&at)));
        }
    }

    fn worst(estimate: &Estimate, words: &[Range<u64>]) -> u64 {
        let differences = words.iter().enumerate().filter(|(_, word)| !word.is_empty()).map(|(index, word)| {
            let found = estimate.span(index).expect("a word that sounds has its place");
            found.start.abs_diff(word.start).max(found.end.abs_diff(word.end)) / MILLI
        });
        differences.max().unwrap_or_default()
    }

    const TEXT: &str = "Well, the capital of France is Paris — a city of two million people, and it is old.";

    #[test]
    fn words_of_an_unknown_voice_are_found_by_its_pauses() {
        let ranges = words::ranges(TEXT);
        for rate in [0.75, 1.0, 1.3] {
            let (words, length) = said(TEXT, rate, &[(0, 180), (6, 250), (13, 200), (17, 180)]);
            let mut estimate = Estimate::new(TEXT, &ranges, Rate::default(), 1.0);
            heard(&mut estimate, &words, length);
            estimate.finish(length);
            let worst = worst(&estimate, &words);
            assert!(worst <= 40, "{worst} ms at {rate}");
        }
    }

    #[test]
    fn a_pause_without_mark_is_between_two_words() {
        let text = "one two three four five six seven eight nine ten";
        let (words, length) = said(text, 1.0, &[(3, 300)]);
        let mut estimate = Estimate::new(text, &words::ranges(text), Rate::default(), 1.0);
        heard(&mut estimate, &words, length);
        estimate.finish(length);
        assert!(worst(&estimate, &words) <= 30);
    }

    #[test]
    fn what_is_given_away_stays_and_what_follows_makes_room() {
        let ranges = words::ranges(TEXT);
        let (words, length) = said(TEXT, 0.7, &[(6, 400)]);
        let mut estimate = Estimate::new(TEXT, &ranges, Rate::default(), 1.0);
        let mut given = Vec::new();
        for until in (0..length).step_by(24_000) {
            heard(&mut estimate, &words, until);
            let from = given.last().map_or(0, |span: &Option<Range<u64>>| span.as_ref().map_or(0, |span| span.end));
            let begun = estimate.starts().filter(|(word, start)| *word > given.len() && *start >= from).last();
            if let Some((word, start)) = begun {
                given.extend((given.len()..word).map(|word| estimate.span(word)));
                estimate.fix(word, start);
            }
        }
        estimate.finish(length);
        assert!(given.len() > 8, "{}", given.len());
        given.extend((given.len()..ranges.len()).map(|word| estimate.span(word)));
        let spans: Vec<_> = given.into_iter().flatten().collect();
        assert!(spans.windows(2).all(|pair| pair[0].end <= pair[1].start), "{spans:?}");
        assert!(spans.last().is_some_and(|last| last.end <= length));
    }

    #[test]
    fn the_rate_of_a_voice_is_learnt_and_stays_possible() {
        let mut rate = Rate::default();
        for _ in 0..20 {
            let (words, length) = said(TEXT, 1.4, &[]);
            let mut estimate = Estimate::new(TEXT, &words::ranges(TEXT), rate, 1.0);
            heard(&mut estimate, &words, length);
            estimate.finish(length);
            let (weight, ticks) = estimate.learnt();
            rate.learn(weight, ticks);
        }
        assert!((rate.0 / Rate::default().0 - 1.4).abs() < 0.02, "{rate:?}");
        (0..50).for_each(|_| rate.learn(1e9, 0));
        assert!(rate.0 <= Rate::default().0 * (RATE_RANGE + 0.01));
    }

    #[test]
    fn any_text_and_any_silence_have_places_in_order() {
        for text in
            ["", "🎉", "—", "a", "你好，世界。我用GPU跑3个模型", "$29.99!!! ... U.S. (really)", &"x".repeat(2_000)]
        {
            let ranges = words::ranges(text);
            for pauses in [0_u64, 1, 7, 100] {
                let mut estimate = Estimate::new(text, &ranges, Rate::default(), 4.0);
                (0..200).for_each(|frame| estimate.push(frame % 13 < pauses));
                estimate.finish(200 * FRAME);
                let spans: Vec<_> = (0..ranges.len()).map(|word| estimate.span(word)).collect();
                let words = timed(ranges.clone(), &spans);
                assert!(words.windows(2).all(|pair| pair[0].end <= pair[1].start), "{text}: {words:?}");
                assert!(words.iter().all(|word| word.end <= 200 * FRAME), "{text}: {words:?}");
            }
        }
    }
}
