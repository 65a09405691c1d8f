//! The picture of sound that Wav2Lip was trained on: 80 mels a step, 80 steps a second, from -4 (silent) to 4.
//!
//! The steps and constants are those of `melspectrogram` in Wav2Lip's audio.py with its hparams.py: 16 kHz,
//! pre-emphasis, Hann windows of 800 samples every 200, magnitudes, Slaney mels, decibels. Wav2Lip names librosa 0.7.0,
//! which mirrors the sound at its ends (`pad_mode="reflect"`; since 0.9 librosa pads with zeros by default). What
//! comes before and after is therefore a choice here: a file is mirrored, a call's sound begins after silence.

use std::collections::VecDeque;
use std::sync::Arc;

use realfft::num_complex::Complex64;
use realfft::{RealFftPlanner, RealToComplex};

use super::filters::{Filter, filters};

pub const SAMPLE_HZ: usize = 16_000;
/// Mels of a step, low to high.
pub const MELS: usize = 80;
/// Samples from one step to the next: 80 steps a second.
pub const HOP: usize = 200;
/// Samples of a window; step `n` is centred at sample `n * HOP`.
pub const WINDOW: usize = 800;
const HALF: usize = WINDOW / 2;
const PREEMPHASIS: f64 = 0.97;
const LOW_HZ: f64 = 55.0;
const HIGH_HZ: f64 = 7600.0;
/// Decibels that become -4; those that become 4 are 100 more.
const MIN_LEVEL_DB: f64 = -100.0;
const REF_LEVEL_DB: f64 = 20.0;
const MAX_ABS: f64 = 4.0;

/// The mels at one instant, each from -4 to 4.
pub type Step = [f32; MELS];
/// A step of digital silence.
pub const SILENT: Step = [-MAX_ABS as f32; MELS];

/// What stands before the first sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// The sound itself, mirrored: for files, as Wav2Lip does it.
    Mirror,
    /// Silence: for the sound of a call.
    Silence,
}

/// Sound in, in pieces of any length; steps out as soon as their window is full, half a window (25 ms) later.
pub struct MelStream {
    fft: Arc<dyn RealToComplex<f64>>,
    hann: Vec<f64>,
    filters: Vec<Filter>,
    windowed: Vec<f64>,
    spectrum: Vec<Complex64>,
    scratch: Vec<Complex64>,
    /// Pre-emphasised samples from the next window's first on; at the start of a file those that wait to be mirrored.
    held: VecDeque<f64>,
    mirror_due: bool,
    last: f64,
}

impl MelStream {
    pub fn new(before: Before) -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(WINDOW);
        let turn = std::f64::consts::TAU / WINDOW as f64;
        let mut stream = Self {
            hann: (0..WINDOW).map(|n| 0.5 - 0.5 * (turn * n as f64).cos()).collect(),
            filters: filters(SAMPLE_HZ as f64, WINDOW, MELS, LOW_HZ, HIGH_HZ),
            windowed: fft.make_input_vec(),
            spectrum: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            fft,
            held: VecDeque::with_capacity(4 * WINDOW),
            mirror_due: false,
            last: 0.0,
        };
        stream.restart(before);
        stream
    }

    /// Forgets the sound so far; the next sample is the first.
    pub fn restart(&mut self, before: Before) {
        self.held.clear();
        self.last = 0.0;
        self.mirror_due = before == Before::Mirror;
        if before == Before::Silence {
            self.held.extend([0.0; HALF]);
        }
    }

    /// Appends the steps that `sound` (16 kHz, -1 to 1) completes.
    pub fn push(&mut self, sound: &[f32], steps: &mut Vec<Step>) {
        for sample in sound {
            let sample = f64::from(*sample);
            self.held.push_back(sample - PREEMPHASIS * self.last);
            self.last = sample;
            if self.mirror_due && self.held.len() > HALF {
                self.mirror_start();
            }
            if !self.mirror_due && self.held.len() == WINDOW {
                steps.push(self.step());
                self.held.drain(..HOP);
            }
        }
    }

    /// Ends a file: its last samples are mirrored. Appends the steps that remain; the next sample is the first of
    /// another file. Sound of less than two samples has no steps.
    pub fn finish(&mut self, steps: &mut Vec<Step>) {
        if self.mirror_due {
            if self.held.len() < 2 {
                return self.restart(Before::Mirror);
            }
            self.mirror_start();
        }
        let end = self.held.len();
        for back in 0..HALF {
            // Sound that is shorter than what is asked of its mirror goes back and forth.
            let from = end as i64 - 2 - back as i64;
            let sample = self.held[from.max(0) as usize];
            self.held.push_back(sample);
        }
        while self.held.len() >= WINDOW {
            steps.push(self.step());
            self.held.drain(..HOP);
        }
        self.restart(Before::Mirror);
    }

    fn mirror_start(&mut self) {
        let count = self.held.len();
        // Period of a sound that is mirrored at both ends.
        let period = 2 * (count - 1);
        let mirrored: Vec<f64> = (1..=HALF)
            .map(|n| {
                let at = n % period;
                self.held[at.min(period - at)]
            })
            .collect();
        for sample in mirrored {
            self.held.push_front(sample);
        }
        self.mirror_due = false;
    }

    /// The step of the first window of what is held.
    fn step(&mut self) -> Step {
        for ((to, sample), weight) in self.windowed.iter_mut().zip(&self.held).zip(&self.hann) {
            *to = sample * weight;
        }
        let done = self.fft.process_with_scratch(&mut self.windowed, &mut self.spectrum, &mut self.scratch);
        debug_assert!(done.is_ok(), "the vectors were made for this FFT");
        std::array::from_fn(|n| {
            let Filter { from, weights } = &self.filters[n];
            let bins = self.spectrum[*from..].iter().zip(weights);
            let level: f64 = bins.map(|(bin, weight)| bin.norm() * f64::from(*weight)).sum();
            normalised(level)
        })
    }
}

fn normalised(level: f64) -> f32 {
    let floor = 10f64.powf(MIN_LEVEL_DB / 20.0);
    let db = 20.0 * level.max(floor).log10() - REF_LEVEL_DB;
    let share = (db - MIN_LEVEL_DB) / -MIN_LEVEL_DB;
    (2.0 * MAX_ABS * share - MAX_ABS).clamp(-MAX_ABS, MAX_ABS) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by models/wav2lip/make_mel_reference.py with librosa.
    const SOUND: &[u8] = include_bytes!("../../../tests/fixtures/wav2lip/mel-sound.i16");
    const REFERENCE: &[u8] = include_bytes!("../../../tests/fixtures/wav2lip/mel-librosa.f32");

    fn sound() -> Vec<f32> {
        SOUND.chunks_exact(2).map(|b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32_768.0).collect()
    }

    fn of_file(sound: &[f32], chunk: usize) -> Vec<Step> {
        let mut stream = MelStream::new(Before::Mirror);
        let mut steps = Vec::new();
        sound.chunks(chunk).for_each(|piece| stream.push(piece, &mut steps));
        stream.finish(&mut steps);
        steps
    }

    #[test]
    fn the_numbers_are_those_of_librosa() {
        let expected: Vec<f32> =
            REFERENCE.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        let steps = of_file(&sound(), 1 << 20);
        assert_eq!(steps.len() * MELS, expected.len());
        let (mut worst, mut loudest) = (0f32, f32::MIN);
        for (step, expected) in steps.iter().zip(expected.chunks_exact(MELS)) {
            for (value, expected) in step.iter().zip(expected) {
                worst = worst.max((value - expected).abs());
                loudest = loudest.max(*expected);
            }
        }
        assert!(loudest > 1.0 && expected.contains(&-4.0), "the reference covers loud and silent");
        assert!(worst < 1e-5, "differs by up to {worst}");
    }

    #[test]
    fn any_chunking_gives_the_same_steps() {
        let sound = &sound()[..8_000];
        let whole = of_file(sound, sound.len());
        assert_eq!(whole.len(), sound.len() / HOP + 1);
        for chunk in [1, 7, 160, 401, 1_111] {
            assert_eq!(of_file(sound, chunk), whole, "chunks of {chunk}");
        }
    }

    #[test]
    fn a_call_differs_from_a_file_only_while_the_mirror_is_in_the_window() {
        let sound = &sound()[..8_000];
        let file = of_file(sound, sound.len());
        let mut stream = MelStream::new(Before::Silence);
        let mut call = Vec::new();
        stream.push(sound, &mut call);
        assert_eq!(call.len(), (sound.len() - HALF) / HOP + 1);
        assert_ne!(call[0], file[0]);
        assert_eq!(call[2..], file[2..call.len()]);
    }

    #[test]
    fn very_short_files_have_their_steps_and_silence_is_the_floor() {
        assert_eq!(of_file(&[], 1).len(), 0);
        assert_eq!(of_file(&[0.5], 1).len(), 0);
        assert_eq!(of_file(&[0.5, 0.5], 1).len(), 1);
        assert_eq!(of_file(&[0.1; 399], 100).len(), 2);
        assert_eq!(of_file(&[0.0; 1000], 100), [SILENT; 6]);
    }
}
