//! Plain samples as they come, a sample cut in two put together again.

use super::super::RemoteProblem;
use super::other_kind;

/// Bytes by which another kind of content is known.
const SIGNATURE: usize = 16;

/// See the module's text.
pub struct Pcm {
    rate_hz: u32,
    /// The first bytes, until they are known to be no other kind of content.
    first: Option<Vec<u8>>,
    /// The first half of a sample.
    half: Option<u8>,
}

impl Pcm {
    pub fn new(rate_hz: u32) -> Self {
        Self { rate_hz, first: Some(Vec::new()), half: None }
    }

    pub fn push(&mut self, bytes: &[u8], pcm: &mut Vec<f32>) -> Result<Option<u32>, RemoteProblem> {
        if let Some(first) = &mut self.first {
            first.extend(bytes.iter().take(SIGNATURE - first.len().min(SIGNATURE)));
            if let Some(kind) = other_kind(first) {
                return Err(RemoteProblem::rubbish(format!("{kind} instead of samples")));
            }
            if first.len() >= SIGNATURE {
                self.first = None;
            }
        }
        let mut bytes = bytes.iter().copied();
        while let Some(low) = self.half.take().or_else(|| bytes.next()) {
            let Some(high) = bytes.next() else {
                self.half = Some(low);
                break;
            };
            pcm.push(f32::from(i16::from_le_bytes([low, high])) / 32_768.0);
        }
        Ok(Some(self.rate_hz))
    }

    pub fn finish(&mut self) -> Result<Option<u32>, RemoteProblem> {
        match self.half.take() {
            Some(_) => Err(RemoteProblem::CutOff { reason: "half a sample at the end".into() }),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_cut_in_two_are_whole_again() -> Result<(), RemoteProblem> {
        let samples: Vec<i16> = vec![0, 1, -1, 256, i16::MAX, i16::MIN, -5];
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        for chunk in 1..=bytes.len() {
            let (mut decoder, mut pcm) = (Pcm::new(24_000), Vec::new());
            for chunk in bytes.chunks(chunk) {
                decoder.push(chunk, &mut pcm)?;
            }
            decoder.finish()?;
            let heard: Vec<i16> = pcm.iter().map(|sample| (sample * 32_768.0) as i16).collect();
            assert_eq!(heard, samples, "chunks of {chunk}");
        }
        Ok(())
    }

    #[test]
    fn a_web_page_is_not_played() {
        let (mut decoder, mut pcm) = (Pcm::new(24_000), Vec::new());
        let page = b"<html><body>Sign in</body></html>";
        let refused = page.chunks(3).find_map(|chunk| decoder.push(chunk, &mut pcm).err());
        assert!(refused.is_some_and(|problem| problem.to_string().contains("a web page")));
        assert!(pcm.len() < 4);
    }
}
