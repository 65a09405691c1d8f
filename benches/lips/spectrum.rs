//! What a sound looks like every 5 ms: levels of bands in dB. For finding speech in received sound, and for seeing
//! where in it lips must be shut.

use realfft::RealFftPlanner;
use visavis::media::MEDIA_HZ;

/// Samples from one step to the next (5 ms).
pub const HOP: usize = MEDIA_HZ as usize / 200;
/// Samples that a step looks at (21 ms), around its middle.
const WINDOW: usize = 1024;
/// Bands from 100 Hz to 8 kHz, evenly spaced for the ear.
pub const BANDS: usize = 24;
/// Nothing quieter than this below the loudest is told apart.
const RANGE_DB: f64 = 55.0;

/// Levels in dB, step by step.
#[derive(Clone, Debug, Default)]
pub struct Spectrum {
    /// Of each band.
    pub bands: Vec<[f64; BANDS]>,
    /// Of vowels: 250 to 2500 Hz.
    pub voice: Vec<f64>,
    /// Of hisses against vowels: above 4.5 kHz, less [`Spectrum::voice`].
    pub hiss: Vec<f64>,
    /// 500 to 4000 Hz, where p and b are silent and m is faint.
    pub mouth: Vec<f64>,
    /// Of all of it.
    pub loudness: Vec<f64>,
}

impl Spectrum {
    /// Of sound at [`MEDIA_HZ`]; step `n` is centred on sample `n * HOP`.
    pub fn of(pcm: &[i16]) -> Self {
        let fft = RealFftPlanner::<f64>::new().plan_fft_forward(WINDOW);
        let (mut input, mut output) = (fft.make_input_vec(), fft.make_output_vec());
        let hann: Vec<f64> =
            (0..WINDOW).map(|n| 0.5 - 0.5 * (std::f64::consts::TAU * n as f64 / WINDOW as f64).cos()).collect();
        let mut spectrum = Self::default();
        for step in 0..pcm.len().div_ceil(HOP) {
            for (n, slot) in input.iter_mut().enumerate() {
                let sample = (step * HOP + n).checked_sub(WINDOW / 2).and_then(|at| pcm.get(at));
                *slot = sample.map_or(0.0, |&sample| f64::from(sample)) * hann[n];
            }
            if fft.process(&mut input, &mut output).is_err() {
                // Lengths are those that the plan made.
                break;
            }
            let power: Vec<f64> = output.iter().map(|bin| bin.norm_sqr()).collect();
            let level = |low: f64, high: f64| {
                let bin = |hz: f64| (hz * WINDOW as f64 / f64::from(MEDIA_HZ)).round() as usize;
                let (low, high) = (bin(low), bin(high).max(bin(low) + 1));
                10.0 * (power[low..high].iter().sum::<f64>() + 1e4).log10()
            };
            spectrum.bands.push(std::array::from_fn(|band| level(edge(band), edge(band + 1))));
            let voice = level(250.0, 2500.0);
            spectrum.voice.push(voice);
            spectrum.hiss.push(level(4500.0, 7600.0) - voice);
            spectrum.mouth.push(level(500.0, 4000.0));
            spectrum.loudness.push(level(80.0, 8000.0));
        }
        spectrum.flatten();
        spectrum
    }

    /// Brings each band to a mean of 0 and all that is nearly silent to one level, so that a codec changes little.
    fn flatten(&mut self) {
        let loudest = self.bands.iter().flatten().copied().fold(f64::MIN, f64::max);
        for step in &mut self.bands {
            for level in step {
                *level = (*level - loudest).max(-RANGE_DB) + RANGE_DB;
            }
        }
    }

    pub fn len(&self) -> usize {
        self.bands.len()
    }

    /// From the first to the last step that is not silent (within 40 dB of the loudest).
    pub fn sounding(&self) -> Option<std::ops::Range<usize>> {
        let loudest = self.loudness.iter().copied().fold(f64::MIN, f64::max);
        let sounds = |level: &f64| *level > loudest - 40.0;
        Some(self.loudness.iter().position(sounds)?..self.loudness.iter().rposition(sounds)? + 1)
    }
}

/// Lower edge of a band in Hz (mel scale, O'Shaughnessy 1987).
fn edge(band: usize) -> f64 {
    let mel = |hz: f64| 1127.0 * (1.0 + hz / 700.0).ln();
    let (low, high) = (mel(100.0), mel(8000.0));
    700.0 * (((low + (high - low) * band as f64 / BANDS as f64) / 1127.0).exp() - 1.0)
}
