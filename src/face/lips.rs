//! The mouth of the speech that is or will be played, at any instant of the call's media clock.
//!
//! Co-articulation after Cohen and Massaro (1993): each phoneme pulls on each part of the mouth with its own
//! strength and reach, and the mouth is the weighted mean of the pulls. On top of that p b m close the lips
//! and f v tuck the lower lip, whatever their neighbours. The mouth leads the sound by 40 ms, which is seen as
//! in sync. The result depends on the phonemes and the time asked only, so it is smooth by construction.

use std::collections::VecDeque;

use crate::face::Mouth;
use crate::face::visemes::{Gesture, Viseme, gestures_of, is_mark};
use crate::media::{MEDIA_HZ, MediaTime, Speech, TimedPhoneme};

/// Mouth before sound.
const LEAD_SECONDS: f32 = 0.040;
/// From the cut to lips at rest. Pictures come every 40 ms, sound every 20 ms: if the cut falls between two pictures,
/// the second one after it is drawn for 60 ms later.
const CUT_SECONDS: f32 = 0.060;
/// In which the mouth gets going when speech begins within a clause, from rest; [`LEAD_SECONDS`] of it before the sound.
const WAKE_SECONDS: f32 = 0.080;
/// A phoneme this long past pulls no more.
const PAST_SECONDS: f32 = 0.6;
/// About ten minutes of speech; more than that is not said ahead of the sound.
const MAX_GESTURES: usize = 8192;
/// Pull of the mouth at rest, against 1 of a phoneme.
const REST_PULL: f32 = 0.035;
/// Lips that close stay shut at least this long, so that a picture every 40 ms shows it.
const LEAST_CLOSURE_SECONDS: f32 = 0.045;
/// RMS of clear speech, relative to full scale, that counts as normal loudness.
const NORMAL_RMS: f32 = 0.10;

/// A gesture on the media clock.
#[derive(Clone, Copy, Debug)]
struct Pull {
    /// Seconds since the start of the call.
    start: f64,
    end: f64,
    gesture: Gesture,
    stressed: bool,
    /// 0.7 soft to 1.2 loud.
    loudness: f32,
    /// When it was cut off.
    cut: Option<f64>,
}

/// Follows the speech of one call; holds what is to come and the last half second.
#[derive(Clone, Debug, Default)]
pub struct Lips {
    pulls: VecDeque<Pull>,
    /// When speech last began within a clause, in seconds since the start of the call.
    woken: f64,
}

impl Lips {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a clause whose sound starts at `at`. `pcm` is its sound, mono at [`MEDIA_HZ`], from which the loudness
    /// of each phoneme is taken; empty stands for normal loudness.
    pub fn say(&mut self, at: MediaTime, phonemes: &[TimedPhoneme], pcm: &[i16]) {
        self.add(0, at, phonemes, pcm);
    }

    /// Adds the rest of a clause whose sample `from` is heard at `at`, out of a mouth at rest if that is not its first.
    pub fn say_from(&mut self, from: usize, at: MediaTime, speech: &Speech) {
        if from > 0 {
            self.woken = at.as_secs_f64();
        }
        self.add(from as u64, at, &speech.phonemes, &speech.pcm);
    }

    fn add(&mut self, from: u64, at: MediaTime, phonemes: &[TimedPhoneme], pcm: &[i16]) {
        for phoneme in phonemes.iter().filter(|phoneme| from == 0 || phoneme.end > from) {
            let start = phoneme.start.max(from);
            let (start, end) = (at + (start - from), at + (phoneme.end.max(start) - from));
            let (start, end) = (start.as_secs_f64(), end.as_secs_f64());
            if is_mark(&phoneme.ipa) {
                if let Some(last) = self.pulls.back_mut() {
                    last.end = last.end.max(end);
                }
                continue;
            }
            let loudness = loudness(pcm, phoneme);
            let parts = gestures_of(&phoneme.ipa).count();
            for (i, gesture) in gestures_of(&phoneme.ipa).enumerate() {
                if self.pulls.len() >= MAX_GESTURES {
                    return;
                }
                let part = |i: usize| start + (end - start) * i as f64 / parts as f64;
                let (start, end) = (part(i), part(i + 1));
                self.pulls.push_back(Pull { start, end, gesture, stressed: phoneme.stressed, loudness, cut: None });
            }
        }
    }

    /// Barge-in: all that was said so far ends at `at`, the mouth is at rest 80 ms later, which is two pictures.
    pub fn cut(&mut self, at: MediaTime) {
        let at = at.as_secs_f64();
        // What lies further ahead has no part in the mouth's way to rest.
        self.pulls.retain(|pull| pull.start < at + f64::from(PAST_SECONDS));
        for pull in &mut self.pulls {
            pull.cut = Some(pull.cut.map_or(at, |earlier| earlier.min(at)));
        }
    }

    /// The mouth at `t`. Forgets what is long past, so `t` may go back by half a second at most.
    pub fn mouth_at(&mut self, t: MediaTime) -> Mouth {
        let now = t.as_secs_f64();
        while let Some(first) = self.pulls.front() {
            let over = first.cut.map_or(first.end, |cut| cut.min(first.end));
            if over + f64::from(PAST_SECONDS) >= now {
                break;
            }
            self.pulls.pop_front();
        }
        let seen = now + f64::from(LEAD_SECONDS);
        let live = blend(self.pulls.iter().filter(|p| p.cut.is_none_or(|cut| now < cut)), seen);
        let live = Mouth::REST.towards(&live, smooth((seen - self.woken) as f32 / WAKE_SECONDS));
        // What was cut fades from where it stands to rest, over whatever is said next.
        let cuts = self.pulls.iter().filter_map(|p| p.cut).filter(|cut| now >= *cut);
        let Some(cut) = cuts.max_by(f64::total_cmp).filter(|cut| now - cut < f64::from(CUT_SECONDS)) else {
            return live;
        };
        let age = (now - cut) as f32 / CUT_SECONDS;
        let old = blend(self.pulls.iter().filter(|p| p.cut == Some(cut)), seen);
        let shut = Mouth::REST.towards(&old, 1.0 - smooth(age));
        let (live, shut, rest) = (live.channels(), shut.channels(), Mouth::REST.channels());
        Mouth::from_channels(std::array::from_fn(|i| live[i] + shut[i] - rest[i]))
    }

    /// True if nothing that was said reaches past `t`.
    pub fn is_silent_after(&self, t: MediaTime) -> bool {
        let now = t.as_secs_f64();
        self.pulls.iter().all(|p| p.cut.map_or(p.end, |cut| cut.min(p.end)) <= now)
    }
}

/// How a viseme pulls on one part of the mouth.
struct Grip {
    strength: f32,
    /// Seconds before its start and after its end at which the pull has fallen to 0.6 (one sigma).
    before: f32,
    after: f32,
}

/// The grips of a viseme on [jaw, lips, width and rounding, teeth and tongue].
fn grips(viseme: Viseme) -> [Grip; 4] {
    use Viseme::{AA, CH, DD, E, FF, IH, KK, NN, OH, OU, PP, RR, SS, Sil, TH};
    let (jaw, lips, round, tongue) = match viseme {
        Sil => (0.5, 0.5, 0.3, 0.5),
        PP => (0.5, 1.0, 0.35, 0.4),
        FF => (0.6, 1.0, 0.5, 1.0),
        TH => (0.6, 0.8, 0.4, 1.0),
        DD | NN => (0.45, 0.6, 0.2, 1.0),
        KK => (0.35, 0.4, 0.15, 0.5),
        CH => (0.8, 0.9, 0.9, 1.0),
        SS => (0.9, 0.9, 0.5, 1.0),
        RR => (0.5, 0.6, 0.6, 0.6),
        AA => (1.0, 1.0, 0.5, 0.5),
        E => (0.9, 0.9, 0.7, 0.5),
        IH => (0.8, 0.8, 0.8, 0.5),
        OH => (0.9, 0.9, 1.0, 0.6),
        OU => (0.8, 0.9, 1.2, 0.7),
    };
    let rounded = matches!(viseme, OU | OH | CH | RR);
    [
        Grip { strength: jaw, before: 0.050, after: 0.055 },
        Grip { strength: lips, before: 0.030, after: 0.032 },
        Grip {
            strength: round,
            before: if rounded { 0.075 } else { 0.040 },
            after: if rounded { 0.055 } else { 0.040 },
        },
        Grip { strength: tongue, before: 0.028, after: 0.028 },
    ]
}

/// Which of [`grips`] moves each of [`Mouth::channels`].
const GRIP_OF_CHANNEL: [usize; 9] = [0, 1, 2, 2, 1, 1, 3, 3, 0];

/// The weighted mean of all pulls at `seen`, then the closures on top.
fn blend<'a>(pulls: impl Iterator<Item = &'a Pull>, seen: f64) -> Mouth {
    let rest = Mouth::REST.channels();
    let mut sum = rest.map(|v| v * REST_PULL);
    let mut weight = [REST_PULL; 9];
    let (mut closed, mut tucked) = (0.0_f32, 0.0_f32);
    for pull in pulls {
        // Seconds outside of the phoneme, negative before it. Half a second away nothing is felt.
        let (early, late) = ((pull.start - seen) as f32, (seen - pull.end) as f32);
        if early > 0.45 || late > 0.45 {
            continue;
        }
        let target = target(pull);
        // The phoneme's core is felt in full, its edges already give way to the neighbour.
        let edge = 0.2 * (pull.end - pull.start) as f32;
        let grips = grips(pull.gesture.viseme).map(|grip| {
            let sigmas = if early > -edge { (early + edge) / grip.before } else { (late + edge).max(0.0) / grip.after };
            let vowel = if pull.gesture.viseme.is_vowel() && pull.stressed { 1.3 } else { 1.0 };
            grip.strength * vowel * (-0.5 * sigmas * sigmas).exp()
        });
        for (i, grip) in GRIP_OF_CHANNEL.into_iter().enumerate() {
            sum[i] += target[i] * grips[grip];
            weight[i] += grips[grip];
        }
        match pull.gesture.viseme {
            Viseme::PP => closed = closed.max(closure(pull, seen)),
            Viseme::FF => tucked = tucked.max(closure(pull, seen)),
            _ => {}
        }
    }
    let mut mouth = Mouth::from_channels(std::array::from_fn(|i| sum[i] / weight[i]));
    if tucked > 0.0 {
        let teeth = Viseme::FF.mouth();
        let reached = mouth.towards(&teeth, tucked);
        mouth =
            Mouth { width: mouth.width, round: mouth.round * (1.0 - 0.5 * tucked), stress: mouth.stress, ..reached };
    }
    mouth.open *= 1.0 - closed;
    mouth.teeth *= 1.0 - closed;
    mouth.tuck *= 1.0 - closed;
    mouth.jaw *= 1.0 - 0.75 * closed;
    mouth.press = mouth.press.max(closed);
    mouth
}

/// The mouth that a phoneme wants.
fn target(pull: &Pull) -> [f32; 9] {
    let gesture = pull.gesture;
    let mut mouth = Mouth::REST.towards(&gesture.viseme.mouth(), gesture.reach);
    if gesture.viseme.is_vowel() {
        let effort = pull.loudness * if pull.stressed { 1.08 } else { 0.88 };
        mouth.jaw *= effort;
        mouth.open *= 0.35 + 0.65 * effort;
        mouth.stress = if pull.stressed { pull.loudness.min(1.0) } else { 0.0 };
    }
    mouth.channels()
}

/// 1 while the lips of a p b m f v are shut, falling to 0 over a frame or so on either side.
fn closure(pull: &Pull, seen: f64) -> f32 {
    // Shut 12 ms before the burst, which comes towards the end of the phoneme.
    let start = pull.start - 0.005;
    let end = (pull.end - 0.012).max(start + f64::from(LEAST_CLOSURE_SECONDS));
    let outside = (start - seen).max(seen - end) as f32;
    1.0 - smooth(outside / 0.055)
}

/// 0 up to 0, 1 from 1, smooth between.
fn smooth(x: f32) -> f32 {
    let x = x.clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

/// Loudness of a phoneme within the clause's sound, 0.7 to 1.2.
fn loudness(pcm: &[i16], phoneme: &TimedPhoneme) -> f32 {
    // At least 40 ms, so that a short vowel is not judged by half a period.
    let least = u64::from(MEDIA_HZ / 25);
    let (start, end) = (phoneme.start as usize, phoneme.end.max(phoneme.start + least) as usize);
    let Some(sound) = pcm.get(start..end.min(pcm.len())).filter(|s| !s.is_empty()) else {
        return 1.0;
    };
    let energy: f32 = sound.iter().map(|s| (f32::from(*s) / 32768.0).powi(2)).sum();
    let rms = (energy / sound.len() as f32).sqrt();
    (rms / NORMAL_RMS).powf(0.4).clamp(0.7, 1.2)
}

#[cfg(test)]
#[path = "lips_tests.rs"]
mod tests;
