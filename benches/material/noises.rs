//! Noises of a person who listens: coughs, a throat cleared, claps. All are bursts of noise of a certain band, with a
//! quick beginning and a natural decay; no two are alike.

use std::f64::consts::TAU;

use visavis::media::MEDIA_HZ;

use super::random::Random;

const RATE: f64 = MEDIA_HZ as f64;
type Kind = (&'static str, fn(&mut Random) -> Vec<f64>);
/// By turns: coughs are the most frequent.
const KINDS: [Kind; 4] = [("cough", cough), ("clap", claps), ("cough", cough), ("throat", throat)];

/// The n-th noise, with its name.
pub fn noise(nth: usize) -> (String, Vec<i16>) {
    let (kind, make) = KINDS[nth % KINDS.len()];
    let name = format!("{kind} {nth}");
    let sound = make(&mut Random::new(&name));
    let peak = sound.iter().fold(f64::MIN_POSITIVE, |peak, one| one.abs().max(peak));
    (name, sound.iter().map(|one| (one / peak * 16_000.0) as i16).collect())
}

/// Two or three bursts of 80 to 250 ms, the first one the strongest.
fn cough(random: &mut Random) -> Vec<f64> {
    let mut sound = Vec::new();
    let bursts = 2 + usize::from(random.unit() < 0.5);
    for burst in 0..bursts {
        let length = random.within(0.08..0.25);
        let band = random.within(250.0..450.0)..random.within(3_000.0..5_000.0);
        let strength = random.within(0.6..1.0) * 0.8f64.powi(burst as i32);
        let decay = length / random.within(3.0..5.0);
        append(&mut sound, random, length, band, |t| strength * rise(t, 0.006) * (-t / decay).exp());
        silence(&mut sound, random.within(0.08..0.22));
    }
    sound
}

/// Half a second of low noise with the rattle of the vocal folds in it.
fn throat(random: &mut Random) -> Vec<f64> {
    let mut sound = Vec::new();
    let (length, rattle_hz) = (random.within(0.35..0.65), random.within(28.0..45.0));
    let shape = |t: f64| {
        let rattle = 0.55 + 0.45 * (TAU * rattle_hz * t).sin();
        rattle * rise(t, 0.05) * rise(length - t, 0.12)
    };
    append(&mut sound, random, length, 120.0..1_800.0, shape);
    sound
}

/// Two or three claps: very short, of all frequencies, with a little of the room after each.
fn claps(random: &mut Random) -> Vec<f64> {
    let mut sound = Vec::new();
    for _ in 0..2 + usize::from(random.unit() < 0.5) {
        let (hall, strength) = (random.within(0.015..0.03), random.within(0.8..1.0));
        let shape = |t: f64| strength * rise(t, 0.001) * ((-t / 0.004).exp() + 0.25 * (-t / hall).exp());
        append(&mut sound, random, 0.14, 600.0..9_000.0, shape);
        silence(&mut sound, random.within(0.1..0.2));
    }
    sound
}

/// From 0 to 1 in so many seconds.
fn rise(t: f64, seconds: f64) -> f64 {
    (t / seconds).clamp(0.0, 1.0)
}

fn silence(sound: &mut Vec<f64>, seconds: f64) {
    sound.resize(sound.len() + (seconds * RATE) as usize, 0.0);
}

/// Noise of the band (Hz), shaped by `envelope` (of seconds).
fn append(
    sound: &mut Vec<f64>,
    random: &mut Random,
    seconds: f64,
    band: std::ops::Range<f64>,
    envelope: impl Fn(f64) -> f64,
) {
    let mut filters = [
        Filter::high_pass(band.start),
        Filter::high_pass(band.start),
        Filter::low_pass(band.end),
        Filter::low_pass(band.end),
    ];
    for n in 0..(seconds * RATE) as usize {
        let white = random.within(-1.0..1.0);
        let filtered = filters.iter_mut().fold(white, |sample, filter| filter.step(sample));
        sound.push(filtered * envelope(n as f64 / RATE));
    }
}

/// A second-order Butterworth filter (Bristow-Johnson, Audio EQ Cookbook), direct form 2 transposed.
struct Filter {
    b: [f64; 3],
    a: [f64; 2],
    state: [f64; 2],
}

impl Filter {
    fn low_pass(hz: f64) -> Self {
        let cos = (TAU * hz / RATE).cos();
        Self::new(hz, [(1.0 - cos) / 2.0, 1.0 - cos, (1.0 - cos) / 2.0])
    }

    fn high_pass(hz: f64) -> Self {
        let cos = (TAU * hz / RATE).cos();
        Self::new(hz, [(1.0 + cos) / 2.0, -1.0 - cos, (1.0 + cos) / 2.0])
    }

    fn new(hz: f64, b: [f64; 3]) -> Self {
        let (sin, cos) = (TAU * hz / RATE).sin_cos();
        let alpha = sin * std::f64::consts::FRAC_1_SQRT_2;
        let a0 = 1.0 + alpha;
        Self { b: b.map(|one| one / a0), a: [-2.0 * cos / a0, (1.0 - alpha) / a0], state: [0.0; 2] }
    }

    fn step(&mut self, sample: f64) -> f64 {
        let out = self.b[0] * sample + self.state[0];
        self.state[0] = self.b[1] * sample - self.a[0] * out + self.state[1];
        self.state[1] = self.b[2] * sample - self.a[1] * out;
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Energy of a sound at a frequency (Goertzel), per sample.
    fn energy(pcm: &[i16], hz: f64) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, &sample) in pcm.iter().enumerate() {
            let (sin, cos) = (TAU * hz * n as f64 / RATE).sin_cos();
            re += f64::from(sample) * cos;
            im += f64::from(sample) * sin;
        }
        (re * re + im * im) / pcm.len() as f64
    }

    fn band(pcm: &[i16], hz: std::ops::Range<u32>) -> f64 {
        let bins: Vec<f64> = hz.step_by(97).map(|hz| energy(pcm, f64::from(hz))).collect();
        bins.iter().sum::<f64>() / bins.len() as f64
    }

    #[test]
    fn noises_are_repeatable_and_no_two_are_alike() {
        for nth in 0..8 {
            assert_eq!(noise(nth), noise(nth));
            assert_ne!(noise(nth).1, noise(nth + 4).1);
        }
    }

    #[test]
    fn a_cough_is_two_or_three_bursts_of_the_right_band() {
        for nth in [0, 2, 4, 6, 8] {
            let (name, pcm) = noise(nth);
            assert!(name.starts_with("cough"));
            // A burst begins after 60 ms of quiet.
            let loud = pcm.chunks(480).map(|window| window.iter().any(|one| one.unsigned_abs() > 800));
            let (mut bursts, mut quiet) = (0, usize::MAX / 2);
            for loud in loud {
                bursts += usize::from(loud && quiet >= 6);
                quiet = if loud { 0 } else { quiet + 1 };
            }
            assert!((2..=3).contains(&bursts), "{name}: {bursts} bursts");
            let (low, middle, high) = (band(&pcm, 20..120), band(&pcm, 500..3_000), band(&pcm, 12_000..16_000));
            assert!(middle > 10.0 * low && middle > 10.0 * high, "{name}: {low} {middle} {high}");
        }
    }

    #[test]
    fn a_clap_is_short_and_bright_and_a_throat_is_low() {
        let (clap, throat) = (noise(1).1, noise(3).1);
        let bright = |pcm: &[i16]| band(pcm, 4_000..8_000) / band(pcm, 200..1_500);
        assert!(bright(&clap) > 10.0 * bright(&throat), "{} and {}", bright(&clap), bright(&throat));
        let loudest = clap.iter().position(|one| one.unsigned_abs() == 16_000).unwrap_or_default();
        let later: Vec<i16> = clap[loudest + 2_400..loudest + 4_800].to_vec();
        assert!(later.iter().all(|one| one.unsigned_abs() < 4_000), "a clap is over after 50 ms");
    }

    #[test]
    fn a_filter_passes_its_band_and_stops_the_rest() {
        let level = |filter: &mut Filter, hz: f64| {
            let tone = |n: usize| (TAU * hz * n as f64 / RATE).sin();
            (0..9_600).map(|n| filter.step(tone(n))).skip(4_800).fold(0.0, |peak: f64, one| one.abs().max(peak))
        };
        assert!(level(&mut Filter::low_pass(1_000.0), 200.0) > 0.97);
        assert!(level(&mut Filter::low_pass(1_000.0), 7_900.0) < 0.02);
        assert!(level(&mut Filter::high_pass(1_000.0), 7_900.0) > 0.97);
        assert!(level(&mut Filter::high_pass(1_000.0), 100.0) < 0.02);
    }
}
