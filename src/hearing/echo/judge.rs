//! Weighs what the filter left of the microphone's sound against what it may leave of an echo.
//!
//! In bands, because speech is sparse: a person who talks over the echo stands out in some bands by 10 dB and more,
//! while an echo that fits badly is above its estimate by a little in all. What may be left: the filter's own doubt,
//! a share of the echo that no filter explains (codecs, clipping, the end of the reverberation; learned while only
//! echo is heard), and noise. A delay that jumps makes the remainder as loud as the echo, therefore the microphone
//! must also be louder than the echo as a whole is thought to be.

use realfft::num_complex::Complex32;

use super::fft::{Fft, hann};
use super::filter::{BINS, BLOCK, FRAME};

pub const BANDS: usize = 9;
/// Where the bands begin, in bins of 31.25 Hz, and the end of the last one: 190 Hz to 5.9 kHz, about 2 Bark each.
const EDGES: [usize; BANDS + 1] = [6, 11, 17, 25, 36, 50, 70, 100, 140, 190];
/// Blocks that are judged together (64 ms).
const SPAN: usize = 4;
/// Bounds of one band's say, dB.
const LEAST_DB: f32 = -3.0;
const MOST_DB: f32 = 12.0;
/// What is left of an echo's power one block later: a room of 0.6 s.
const TAIL: f32 = 0.7;
/// Steps of the unexplained share for a block above and one below it: it settles where 3 of 4 blocks are below.
const LEAK_UP: f32 = 1.06;
const LEAK_DOWN: f32 = 0.98;
const LEAK_LEAST: f32 = 0.03;
const LEAK_MOST: f32 = 3.0;
/// The noise rises by 1.4 dB a second at most: speech pauses more often than that misleads.
const NOISE_UP: f32 = 1.005;
const NOISE_DOWN: f32 = 0.2;
/// An echo is heard in a band from this far above its noise, and at all from so many bands.
const AUDIBLE: f32 = 4.0;
const AUDIBLE_BANDS: usize = 3;
/// Power of a band that counts as none.
const NOTHING: f32 = 1e-7;
/// A filter that has just begun is allowed this much more, which wears off in so many blocks with echo.
const YOUNG_DB: f32 = 2.0;
const YOUNG_BLOCKS: u32 = 64;
/// From this excess on somebody else is heard.
pub const PERSON_DB: f32 = 3.5;

type Bands = [f32; BANDS];

#[derive(Clone, Copy, Default)]
struct Block {
    mic: Bands,
    error: Bands,
    /// What of the error an echo may leave.
    left: Bands,
    /// Echo and noise as they are thought to be.
    whole: Bands,
}

pub struct Judge {
    mic: Analysis,
    error: Analysis,
    noise: Option<Bands>,
    /// Power of the echo as the filter has it, with a room's decay.
    echo: Bands,
    /// Share of the echo's power that the filter does not explain.
    leak: Bands,
    audible: bool,
    blocks: [Block; SPAN],
    age: u32,
}

impl Judge {
    pub fn new() -> Self {
        Self {
            mic: Analysis::new(),
            error: Analysis::new(),
            noise: None,
            echo: [0.0; BANDS],
            leak: [1.0; BANDS],
            audible: false,
            blocks: [Block::default(); SPAN],
            age: 0,
        }
    }

    /// Forgets the noise: some time went by unheard.
    pub fn wake(&mut self) {
        self.noise = None;
    }

    /// Forgets the echo: another filter begins, or none is left.
    pub fn begin(&mut self) {
        self.echo = [0.0; BANDS];
        self.leak = [1.0; BANDS];
        self.age = 0;
    }

    /// Takes a block of the microphone's sound, what the filter left of it, and the filter's own doubt.
    pub fn push(&mut self, mic: &[f32], error: &[f32], own: &[f32]) {
        let (mic, error) = (self.mic.push(mic), self.error.push(error));
        let mut block = Block::default();
        let mut echo = [0.0; BANDS];
        let mut doubt = [0.0; BANDS];
        for band in 0..BANDS {
            for bin in EDGES[band]..EDGES[band + 1] {
                block.mic[band] += mic[bin].norm_sqr();
                block.error[band] += error[bin].norm_sqr();
                echo[band] += (mic[bin] - error[bin]).norm_sqr();
                // A windowed frame has 3/4 of the energy of an unwindowed block.
                doubt[band] += 0.75 * own[bin];
            }
        }
        let noise = self.noise.insert(match self.noise {
            None => block.mic,
            Some(noise) => std::array::from_fn(|band| follow_noise(noise[band], block.mic[band])),
        });
        for band in 0..BANDS {
            self.echo[band] = echo[band].max(TAIL * self.echo[band]);
            let other = doubt[band] + 2.0 * noise[band] + NOTHING;
            block.left[band] = self.leak[band] * self.echo[band] + other;
            block.whole[band] = self.echo[band] + other;
        }
        let audible: [bool; BANDS] = std::array::from_fn(|band| echo[band] > AUDIBLE * noise[band]);
        let left: Bands = std::array::from_fn(|band| (block.error[band] - noise[band]).max(0.0));
        self.audible = audible.iter().filter(|&&audible| audible).count() >= AUDIBLE_BANDS;
        self.blocks.rotate_left(1);
        self.blocks[SPAN - 1] = block;

        if self.excess_db() < PERSON_DB {
            for band in (0..BANDS).filter(|&band| audible[band]) {
                let above = left[band] > self.leak[band] * self.echo[band];
                let step = if above { LEAK_UP } else { LEAK_DOWN };
                self.leak[band] = (self.leak[band] * step).clamp(LEAK_LEAST, LEAK_MOST);
            }
            self.age += u32::from(self.audible);
        }
    }

    /// How far the last 64 ms are above what echo and noise account for, dB.
    pub fn excess_db(&self) -> f32 {
        let young = 1.0 - self.age.min(YOUNG_BLOCKS) as f32 / YOUNG_BLOCKS as f32;
        let unexplained = self.mean_db(|block| (&block.error, &block.left));
        let louder = self.mean_db(|block| (&block.mic, &block.whole));
        // Before the first echo there is no filter to be young.
        let allowed = if self.echo == [0.0; BANDS] { 0.0 } else { YOUNG_DB * young };
        unexplained.min(louder) - allowed
    }

    /// Whether the filter thinks that an echo is to be heard now.
    pub fn is_audible(&self) -> bool {
        self.audible
    }

    /// Power of the noise in a bin of a windowed frame.
    pub fn noise(&self, bin: usize) -> f32 {
        let band = EDGES[1..BANDS].iter().take_while(|&&edge| edge <= bin).count();
        self.noise.map_or(0.0, |noise| noise[band] / (EDGES[band + 1] - EDGES[band]) as f32)
    }

    /// Energy of the last window (two blocks) above the noise; the high bands are raised as speech falls.
    pub fn loudness(&self) -> f32 {
        let noise = self.noise.unwrap_or_default();
        let above = |band: usize| {
            let mic = self.blocks[SPAN - 1].mic[band] + self.blocks[SPAN - 2].mic[band];
            (EDGES[band] * EDGES[band]) as f32 * (mic - AUDIBLE * noise[band]).max(0.0)
        };
        (0..BANDS).map(above).sum()
    }

    /// Mean over the bands of the ratio of two powers.
    fn mean_db(&self, of: impl Fn(&Block) -> (&Bands, &Bands)) -> f32 {
        let ratio = |band: usize| {
            let (mut power, mut allowed) = (0.0, NOTHING);
            for block in &self.blocks {
                let (of_power, of_allowed) = of(block);
                power += of_power[band];
                allowed += of_allowed[band];
            }
            (10.0 * (power / allowed).log10()).clamp(LEAST_DB, MOST_DB)
        };
        (0..BANDS).map(ratio).sum::<f32>() / BANDS as f32
    }
}

/// The quietest of the last seconds, about.
fn follow_noise(noise: f32, power: f32) -> f32 {
    if power < noise { noise + NOISE_DOWN * (power - noise) } else { noise * NOISE_UP }
}

/// Windowed spectra of a sound that comes in blocks.
struct Analysis {
    fft: Fft,
    window: Vec<f32>,
    /// The last two blocks.
    frame: Vec<f32>,
    time: Vec<f32>,
    spectrum: Vec<Complex32>,
}

impl Analysis {
    fn new() -> Self {
        Self {
            fft: Fft::new(FRAME),
            window: hann(FRAME),
            frame: vec![0.0; FRAME],
            time: vec![0.0; FRAME],
            spectrum: vec![Complex32::default(); BINS],
        }
    }

    fn push(&mut self, block: &[f32]) -> &[Complex32] {
        self.frame.copy_within(BLOCK.., 0);
        self.frame[BLOCK..].copy_from_slice(block);
        for ((to, sample), weight) in self.time.iter_mut().zip(&self.frame).zip(&self.window) {
            *to = sample * weight;
        }
        self.fft.forward(&mut self.time, &mut self.spectrum);
        &self.spectrum
    }
}
