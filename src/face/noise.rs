//! Seeded randomness for motion: a small generator for choices, and smooth band-limited noise for drift.
//!
//! Not for secrets. Nothing here repeats within a call.

/// SplitMix64 (Steele, Lea, Flood 2014): one word of state, good enough for when to blink.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Makes what comes depend on `seed` too.
    pub fn mix(&mut self, seed: u64) {
        self.0 ^= seed;
    }

    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// Even in 0 to 1.
    pub fn unit(&mut self) -> f32 {
        (self.word() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// Even in `low` to `high`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    pub fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// A waiting time with the given mean, never under `least`: exponential beyond it, as blinks are.
    pub fn wait(&mut self, mean: f32, least: f32) -> f32 {
        let beyond = (mean - least).max(0.0);
        // Cut at three times the mean excess, so that nobody stares for half a minute; 0.95 is the cut law's mean.
        least + (beyond * -(1.0 - self.unit()).max(1e-6).ln()).min(3.0 * beyond) / 0.95
    }
}

/// Smooth noise over time in about -1 to 1, with its energy around `hz` and half of it.
#[derive(Clone, Debug)]
pub struct Drift {
    seed: u64,
    hz: f64,
}

impl Drift {
    pub fn new(dice: &mut Dice, hz: f32) -> Self {
        Self { seed: dice.word(), hz: f64::from(hz) }
    }

    pub fn at(&self, seconds: f64) -> f32 {
        // Two octaves whose ratio is irrational enough that their lattices never meet.
        1.25 * (0.65 * gradient(self.seed, seconds * self.hz * 0.731)
            + 0.45 * gradient(!self.seed, seconds * self.hz * 1.417))
    }
}

/// One-dimensional gradient noise (Perlin) with quintic fade, within ±1.
fn gradient(seed: u64, x: f64) -> f32 {
    let cell = x.floor();
    let f = (x - cell) as f32;
    let slope =
        |i: i64| (mix(seed ^ (i as u64).wrapping_mul(0xD6E8_FEB8_6659_FD93)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0;
    let (a, b) = (slope(cell as i64) * f, slope(cell as i64 + 1) * (f - 1.0));
    let fade = f * f * f * (f * (f * 6.0 - 15.0) + 10.0);
    2.0 * (a + (b - a) * fade)
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_is_smooth_and_stays_in_its_band() {
        let drift = Drift::new(&mut Dice::new(7), 0.2);
        let values: Vec<f32> = (0..15_000).map(|i| drift.at(f64::from(i) * 0.04)).collect();
        assert!(values.iter().all(|v| v.abs() < 1.6));
        assert!(values.iter().any(|v| v.abs() > 0.5));
        assert!(values.windows(2).all(|w| (w[1] - w[0]).abs() < 0.06 && w[0] != w[1]));
    }

    #[test]
    fn waits_have_their_mean_and_floor() {
        let mut dice = Dice::new(1);
        let waits: Vec<f32> = (0..20_000).map(|_| dice.wait(3.5, 0.8)).collect();
        let mean = waits.iter().sum::<f32>() / waits.len() as f32;
        assert!((mean - 3.5).abs() < 0.1, "{mean}");
        assert!(waits.iter().all(|w| *w >= 0.8 && *w < 10.0));
    }
}
