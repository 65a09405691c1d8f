//! Are the lips closed when p, b and m sound? For every one of them, by the times of the voice, corrected to its sound,
//! and by the sound alone: the dip that shut lips leave in it.

use visavis::face::{Viseme, viseme_of};
use visavis::media::MEDIA_HZ;

use super::line::{Frame, Line};
use super::opening::CLOSED;
use super::spectrum::HOP;

/// Within which of the phoneme closed lips must be seen, in seconds.
const TOLERANCE: f64 = 0.040;
/// How far from the phoneme its dip may lie, and where the sound around it is looked at.
const DIP_REACH: f64 = 0.040;
const DIP_NEIGHBOURS: f64 = 0.120;
/// Least depth of a dip in dB.
const DIP_DEPTH: f64 = 6.0;
/// To which side phonemes are moved to see what chance does, and how far from other closures they must stay.
const CHANCE_SHIFTS: [f64; 4] = [-0.45, -0.3, 0.3, 0.45];
const CHANCE_CLEAR: f64 = 0.15;
/// The mouth leads the sound by so much on purpose.
pub const LEAD: f64 = 0.040;

/// A p, b or m.
#[derive(Clone, Debug)]
pub struct Closure {
    /// Index of its line.
    pub line: usize,
    pub letter: char,
    /// Seconds of the received sound.
    pub start: f64,
    pub end: f64,
    /// Lips closed in a picture from [`TOLERANCE`] before its start to as much after its end.
    pub met: bool,
    /// From its start to the first picture with closed lips of those that last into it; `None`: none, or it follows a
    /// pause, in which lips are closed anyway.
    pub first_closed: Option<f64>,
    /// Narrowest opening in that time, in pixels.
    pub narrowest: f64,
    pub dip: Option<Dip>,
}

/// Where the sound alone says that lips are shut.
#[derive(Clone, Copy, Debug)]
pub struct Dip {
    pub start: f64,
    pub end: f64,
    pub met: bool,
}

/// All of one line; `lag`: from the voice's times to its sound, in seconds.
pub fn closures(index: usize, line: &Line, lag: f64) -> Vec<Closure> {
    let mut found = Vec::new();
    let mut after_pause = true;
    for (phoneme, start, end) in line.phones(lag) {
        if viseme_of(&phoneme.ipa) == Viseme::PP && !phoneme.ipa.is_empty() {
            let within = seen(&line.frames, start - TOLERANCE, end + TOLERANCE);
            let narrowest = within.iter().map(|frame| frame.opening).fold(f64::INFINITY, f64::min);
            let dip = dip(line, start, end).map(|(start, end)| Dip {
                start,
                end,
                met: is_closed(&line.frames, start - TOLERANCE, end + TOLERANCE),
            });
            found.push(Closure {
                line: index,
                letter: phoneme.ipa.chars().next().unwrap_or_default(),
                start,
                end,
                met: narrowest < CLOSED,
                first_closed: if after_pause { None } else { first_closed(&line.frames, start, end) },
                narrowest,
                dip,
            });
        }
        after_pause = phoneme.ipa.is_empty();
    }
    found
}

/// How often lips are closed at times that are no closure's: of how many.
pub fn by_chance(line: &Line, closures: &[Closure]) -> (usize, usize) {
    let (mut met, mut all) = (0, 0);
    for closure in closures {
        for shift in CHANCE_SHIFTS {
            let (start, end) = (closure.start + shift, closure.end + shift);
            let clear =
                closures.iter().all(|other| end + CHANCE_CLEAR < other.start || start > other.end + CHANCE_CLEAR);
            if clear && start > line.sounding.start + 0.1 && end < line.sounding.end - 0.1 {
                all += 1;
                met += usize::from(is_closed(&line.frames, start - TOLERANCE, end + TOLERANCE));
            }
        }
    }
    (met, all)
}

/// Vowels of at least 60 ms in whose middle, as the mouth leads it, the lips are closed: of how many.
pub fn closed_in_vowels(line: &Line, lag: f64) -> (usize, usize) {
    let (mut closed, mut all) = (0, 0);
    for (phoneme, start, end) in line.phones(lag) {
        if viseme_of(&phoneme.ipa).is_vowel() && end - start >= 0.060 {
            let middle = (start + end) / 2.0 - LEAD;
            let nearest =
                line.frames.iter().min_by(|a, b| (a.seconds - middle).abs().total_cmp(&(b.seconds - middle).abs()));
            all += 1;
            closed += usize::from(nearest.is_some_and(|frame| frame.opening < CLOSED));
        }
    }
    (closed, all)
}

fn seen(frames: &[Frame], from: f64, to: f64) -> Vec<Frame> {
    frames.iter().filter(|frame| (from..=to).contains(&frame.seconds)).copied().collect()
}

fn is_closed(frames: &[Frame], from: f64, to: f64) -> bool {
    seen(frames, from, to).iter().any(|frame| frame.opening < CLOSED)
}

/// From `start` to the beginning of the pictures with closed lips that last into the phoneme.
fn first_closed(frames: &[Frame], start: f64, end: f64) -> Option<f64> {
    let at = |frame: &Frame| (start - TOLERANCE..=end + TOLERANCE).contains(&frame.seconds) && frame.opening < CLOSED;
    let first = frames.iter().position(at)?;
    let open = frames[..first].iter().rposition(|frame| frame.opening >= CLOSED).map_or(0, |open| open + 1);
    Some(frames[open].seconds - start)
}

/// From where to where the sound is faint between what is around it.
fn dip(line: &Line, start: f64, end: f64) -> Option<(f64, f64)> {
    let levels = &line.spectrum.mouth;
    let step = |seconds: f64| (seconds * f64::from(MEDIA_HZ) / HOP as f64).round().max(0.0) as usize;
    let seconds = |step: usize| (step * HOP) as f64 / f64::from(MEDIA_HZ);
    let (from, to) = (step(start - DIP_REACH), step(end + DIP_REACH).min(levels.len().checked_sub(1)?));
    let lowest = (from..=to).min_by(|&a, &b| levels[a].total_cmp(&levels[b]))?;
    let reach = step(DIP_NEIGHBOURS);
    let loudest = |range: &[f64]| range.iter().copied().fold(f64::MIN, f64::max);
    let before = loudest(&levels[lowest.saturating_sub(reach)..=lowest]);
    let after = loudest(&levels[lowest..(lowest + reach).min(levels.len())]);
    let depth = before.min(after) - levels[lowest];
    if depth < DIP_DEPTH {
        return None;
    }
    let faint = levels[lowest] + depth / 2.0;
    let first = (0..lowest).rev().find(|&at| levels[at] > faint).map_or(0, |at| at + 1);
    let last = (lowest..levels.len()).find(|&at| levels[at] > faint)?;
    Some((seconds(first), seconds(last)))
}

#[cfg(test)]
mod tests {
    use super::super::line::known;
    use super::*;

    fn share(closures: &[Closure]) -> f64 {
        closures.iter().filter(|one| one.met).count() as f64 / closures.len() as f64
    }

    #[test]
    fn lips_that_close_in_time_are_told_from_lips_that_do_not() {
        let in_time = known::line(0.0, 0.0);
        let found = closures(0, &in_time, 0.0);
        assert_eq!((found.len(), share(&found)), (15, 1.0));
        assert_eq!(closed_in_vowels(&in_time, 0.0).0, 0);
        let (met, all) = by_chance(&in_time, &found);
        assert!(met * 2 < all, "{met} of {all}");
        // A picture that comes 200 ms late shows other sounds.
        let late = known::line(0.0, 0.2);
        let found = closures(0, &late, 0.0);
        assert!(share(&found) < 0.7, "{}", share(&found));
        assert!(closed_in_vowels(&late, 0.0).0 > 3);
    }

    #[test]
    fn a_mouth_that_never_closes_meets_nothing() {
        let mut line = known::line(0.0, 0.0);
        for frame in &mut line.frames {
            frame.opening = frame.opening.max(3.0);
        }
        let found = closures(0, &line, 0.0);
        assert!(found.iter().all(|one| !one.met && one.narrowest == 3.0 && one.first_closed.is_none()));
    }

    #[test]
    fn the_dip_is_where_the_sound_is_faint() {
        let line = known::line(0.0, 0.0);
        let found = closures(0, &line, 0.0);
        let dips: Vec<(&Closure, Dip)> = found.iter().filter_map(|one| Some((one, one.dip?))).collect();
        assert!(dips.len() >= 12, "{}", dips.len());
        for (closure, dip) in dips {
            let off = ((dip.start - closure.start).abs(), (dip.end - closure.end).abs());
            assert!(off.0 < 0.012 && off.1 < 0.012, "{closure:?}");
        }
    }
}
