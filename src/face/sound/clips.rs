//! For tests: speech of tests/fixtures/lips, of voices that were not in the training.
//!
//! 8-bit mu-law (G.711), to be small; tables beside it hold start and end in samples, stress and IPA.

use std::path::Path;

use crate::media::{MEDIA_HZ, TimedPhoneme};

pub const CLIP_HZ: u32 = 16_000;

/// See the module's text.
pub struct Clip {
    pub name: String,
    /// At [`CLIP_HZ`].
    pub pcm: Vec<i16>,
    pub phonemes: Vec<TimedPhoneme>,
}

/// All of them, by name.
pub fn clips() -> Result<Vec<Clip>, Box<dyn std::error::Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lips");
    let mut clips = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "wav") {
            continue;
        }
        let wav = std::fs::read(&path)?;
        let data = wav.windows(4).position(|four| four == b"data").ok_or("no data")? + 8;
        let row = |line: &str| {
            let [start, end, stressed, ipa] = line.split('\t').collect::<Vec<_>>()[..] else {
                return Err("columns".into());
            };
            let tick = |sample: &str| sample.parse().map(|sample: u64| sample * u64::from(MEDIA_HZ / CLIP_HZ));
            Ok::<_, Box<dyn std::error::Error>>(TimedPhoneme {
                ipa: ipa.into(),
                start: tick(start)?,
                end: tick(end)?,
                stressed: stressed == "1",
            })
        };
        let table = std::fs::read_to_string(path.with_extension("tsv"))?;
        clips.push(Clip {
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            pcm: wav[data..].iter().map(|byte| linear(*byte)).collect(),
            phonemes: table.lines().map(row).collect::<Result<_, _>>()?,
        });
    }
    clips.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(clips)
}

/// A sample of mu-law.
fn linear(byte: u8) -> i16 {
    let (sign, exponent, mantissa) = (byte & 0x80 == 0, (!byte >> 4) & 7, i16::from(!byte & 15));
    let value = (((mantissa << 3) + 0x84) << exponent) - 0x84;
    if sign { -value } else { value }
}
