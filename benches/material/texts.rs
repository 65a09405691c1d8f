//! The texts of texts.toml.

use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    pub questions: Vec<String>,
    pub hesitations: Vec<String>,
    pub typed: Vec<String>,
    pub long_answers: Vec<String>,
    pub talk_overs: Vec<String>,
    pub signs: Vec<String>,
    pub espeak_signs: Vec<String>,
    pub espeak_voices: Vec<String>,
    pub recordings: Vec<Recorded>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    pub file: String,
    pub parts: Vec<Part>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    pub from: f64,
    pub to: f64,
    pub text: String,
}

impl Texts {
    pub fn read() -> Result<Self, toml::de::Error> {
        toml::from_str(include_str!("texts.toml"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::hesitation::unmark;
    use super::*;

    #[test]
    fn there_are_as_many_different_texts_as_the_benchmark_promises() -> Result<(), toml::de::Error> {
        let texts = Texts::read()?;
        for (list, count) in [(&texts.questions, 50), (&texts.hesitations, 40), (&texts.talk_overs, 20)] {
            assert_eq!((list.len(), list.iter().collect::<HashSet<_>>().len()), (count, count));
        }
        for marked in &texts.hesitations {
            assert!(unmark(marked).is_ok(), "{marked}");
        }
        Ok(())
    }
}
