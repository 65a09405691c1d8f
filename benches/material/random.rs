//! Repeatable chance: what is drawn depends on a name alone, so a benchmark says the same in every run, whichever part
//! of it is run.

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub struct Random(u64);

impl Random {
    pub fn new(name: &str) -> Self {
        Self(hash(name))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0..1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn within(&mut self, range: std::ops::Range<f64>) -> f64 {
        range.start + self.unit() * (range.end - range.start)
    }
}

/// FNV-1a.
fn hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A file name that people can read and that differs between any two texts.
pub fn slug(text: &str) -> String {
    let kept: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect();
    let words: Vec<&str> = kept.split_whitespace().take(6).collect();
    format!("{}-{:08x}", words.join("-"), hash(text) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_even_and_depends_on_the_name_alone() {
        let draw = |name| {
            let mut random = Random::new(name);
            (0..1_000).map(|_| random.unit()).collect::<Vec<f64>>()
        };
        assert_eq!(draw("cough 1"), draw("cough 1"));
        assert_ne!(draw("cough 1"), draw("cough 2"));
        let drawn = draw("cough 1");
        let mean = drawn.iter().sum::<f64>() / 1_000.0;
        assert!((mean - 0.5).abs() < 0.03, "mean {mean}");
        assert!(drawn.iter().all(|one| (0.0..1.0).contains(one)));
    }

    #[test]
    fn names_of_files_tell_texts_apart() {
        assert!(slug("What is it?").starts_with("what-is-it-"));
        assert_ne!(slug("What is it?"), slug("What is it."));
    }
}
