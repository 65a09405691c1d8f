//! Levels as a microphone's, and files of sound.

use std::path::Path;

use super::random::Random;

/// Peak of a voice near a microphone, in dB of full scale.
const PEAK_DB: std::ops::Range<f64> = -12.0..-6.0;

/// Draws the peak of one recording, in samples.
pub fn microphone_peak(random: &mut Random) -> f64 {
    32_768.0 * 10f64.powf(random.within(PEAK_DB) / 20.0)
}

/// Scales so that the largest sample is `peak`; silence stays silence.
pub fn set_peak(pcm: &mut [i16], peak: f64) {
    let largest = pcm.iter().map(|one| one.unsigned_abs()).max().unwrap_or_default();
    if largest > 0 {
        let gain = peak / f64::from(largest);
        pcm.iter_mut().for_each(|one| *one = (f64::from(*one) * gain).round() as i16);
    }
}

/// Mono, 16 bits.
pub fn write(path: &Path, pcm: &[i16], rate_hz: u32) -> anyhow::Result<()> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: rate_hz,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec)?;
    for &sample in pcm {
        file.write_sample(sample)?;
    }
    Ok(file.finalize()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_are_those_of_a_microphone() {
        for name in ["a", "b", "c", "d"] {
            let peak = microphone_peak(&mut Random::new(name));
            let mut pcm = [100, -200, 50, 0];
            set_peak(&mut pcm, peak);
            let db = 20.0 * (f64::from(-pcm[1]) / 32_768.0).log10();
            assert!((-12.01..=-5.99).contains(&db), "{db} dB");
            assert_eq!(pcm[3], 0);
        }
        let mut silence = [0; 4];
        set_peak(&mut silence, 10_000.0);
        assert_eq!(silence, [0; 4]);
    }
}
