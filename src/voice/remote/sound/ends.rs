//! Silence at the ends of a clause, cut as the sound comes: at the beginning to 10 ms, at the end to what is asked.
//!
//! Pauses within the clause stay as they are; they are held back until it is known that something follows. Levels are
//! those of `voice::sound`, with the loudest frame so far in place of the loudest of all.

use crate::media::MEDIA_HZ;

const MILLI: usize = MEDIA_HZ as usize / 1000;
/// Silence left before the first sound.
const HEAD: usize = 10 * MILLI;
/// Frames whose level decides what is silence.
const FRAME: usize = 5 * MILLI;
/// The sound dies away over this much of what follows it.
const FADE: usize = 8 * MILLI;
/// Below the loudest frame by this factor (-46 dB), a frame is silence; so it is at -60 dBFS.
const SILENCE: f32 = 0.005;
const FLOOR: f32 = 0.001;

/// See the module's text.
#[derive(Debug, Default)]
pub struct Ends {
    /// Less than a frame.
    waiting: Vec<f32>,
    /// Silence that may lie within the clause; before its first sound, the last of it.
    held: Vec<f32>,
    loudest: f32,
    /// Samples that were cut before the first that goes out.
    cut: u64,
    sounds: bool,
}

impl Ends {
    pub fn push(&mut self, pcm: &[f32], out: &mut Vec<f32>) {
        self.waiting.extend_from_slice(pcm);
        let waiting = std::mem::take(&mut self.waiting);
        let frames = waiting.chunks_exact(FRAME);
        self.waiting = frames.remainder().to_vec();
        for frame in frames {
            self.frame(frame, out);
        }
    }

    /// Appends the silence after the last sound. True if there was any sound.
    pub fn finish(mut self, tail_millis: usize, out: &mut Vec<f32>) -> bool {
        let rest = std::mem::take(&mut self.waiting);
        if !rest.is_empty() {
            self.frame(&rest, out);
        }
        if !self.sounds {
            return false;
        }
        let tail = tail_millis * MILLI;
        let fade = FADE.min(tail).min(self.held.len());
        let faded = self.held[..fade].iter().enumerate();
        out.extend(faded.map(|(at, sample)| sample * (1.0 - (at as f32 + 0.5) / fade as f32)));
        out.resize(out.len() + tail - fade, 0.0);
        true
    }

    /// How much was cut before the first sample that went out; none before there was one.
    pub fn head(&self) -> Option<u64> {
        self.sounds.then_some(self.cut)
    }

    fn frame(&mut self, frame: &[f32], out: &mut Vec<f32>) {
        let level = (frame.iter().map(|sample| sample * sample).sum::<f32>() / frame.len() as f32).sqrt();
        self.loudest = self.loudest.max(level);
        if level <= FLOOR.max(self.loudest * SILENCE) {
            self.held.extend_from_slice(frame);
            if !self.sounds {
                let surplus = self.held.len().saturating_sub(HEAD);
                self.held.drain(..surplus);
                self.cut += surplus as u64;
            }
            return;
        }
        if !self.sounds {
            self.sounds = true;
            let length = self.held.len() as f32;
            self.held.iter_mut().enumerate().for_each(|(at, sample)| *sample *= (at as f32 + 0.5) / length);
        }
        out.append(&mut self.held);
        out.extend_from_slice(frame);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(pcm: &[f32], tail_millis: usize) -> (Vec<f32>, Option<u64>) {
        let (mut ends, mut out) = (Ends::default(), Vec::new());
        ends.push(pcm, &mut out);
        let head = ends.head();
        ends.finish(tail_millis, &mut out);
        (out, head)
    }

    fn loud(millis: usize) -> Vec<f32> {
        (0..millis * MILLI).map(|n| if n % 100 < 50 { 0.2 } else { -0.2 }).collect()
    }

    #[test]
    fn ends_are_cut_and_pauses_stay() {
        let quiet = |millis: usize| vec![0.0001; millis * MILLI];
        let (out, head) = run(&[quiet(300), loud(100), quiet(250), loud(50), quiet(400)].concat(), 80);
        assert_eq!(out.len() / MILLI, 10 + 100 + 250 + 50 + 80);
        assert_eq!(head, Some(290 * MILLI as u64));
        assert!(out[out.len() - 70 * MILLI..].iter().all(|&sample| sample == 0.0));
        // More than there was.
        assert_eq!(run(&loud(100), 180).0.len() / MILLI, 280);
    }

    #[test]
    fn silence_has_no_beginning() {
        assert_eq!(run(&vec![0.0; 48_000], 80), (Vec::new(), None));
        assert_eq!(run(&[], 80), (Vec::new(), None));
    }

    #[test]
    fn what_is_held_back_before_the_first_sound_does_not_grow() {
        let mut ends = Ends::default();
        let mut out = Vec::new();
        (0..1000).for_each(|_| ends.push(&[0.0; 4800], &mut out));
        assert!(ends.held.len() <= HEAD && out.is_empty());
    }
}
