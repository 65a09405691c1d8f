//! Finds which word of the transcript each symbol of espeak-ng's answer belongs to, and asks it little for that.
//!
//! espeak-ng tells the sounds of a whole text, in which words may be joined or be several. Where its words are as
//! many as can be expected, they are counted off. Else they are aligned with what is known of single words; and only
//! if a word that is not known then shares its sounds with another, espeak-ng is asked for single words, the short
//! ones first, because those are what it joins. Answers are kept. One costs about 0.3 ms a word.

use std::collections::HashMap;
use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

use super::align::{self, Alone};
use super::timing::{Kind, Symbol, kind};
use super::traced::Traced;
use super::{VoiceError, primary_language, words};

/// Words whose sounds are kept; more than that, and all are forgotten.
const MOST_KNOWN: usize = 4096;
/// Letters of words that may be joined with others.
const SHORT: usize = 5;

/// English words that espeak-ng joins with others: asked for at the start, for the sake of the first clause.
const ENGLISH_JOINTS: &str = "a am an are as at be been could did do does for from had has have i if in is it may \
    might more must no not of on once one or out should so that the there this to was we were which will with would you";

/// What is said for one word of the transcript, within one part of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Index of the word.
    pub word: usize,
    /// As it is given to espeak-ng: perhaps several words.
    pub text: String,
}

/// The units of `part`, a part of a clause whose words lie at `ranges`.
pub fn units(part: &Traced, ranges: &[Range<usize>]) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    let mut spaced = false;
    for (at, c) in part.as_str().char_indices() {
        if c.is_whitespace() {
            spaced = true;
            continue;
        }
        let word = words::index_at(ranges, part.from(at));
        match units.last_mut() {
            Some(unit) if unit.word == word => {
                if spaced {
                    unit.text.push(' ');
                }
                unit.text.push(c);
            }
            _ => units.push(Unit { word, text: c.to_string() }),
        }
        spaced = false;
    }
    units
}

/// Gives the IPA of any text.
pub type Ask<'a> = dyn FnMut(&str) -> Result<String, VoiceError> + 'a;

/// See the module's text.
#[derive(Debug, Default)]
pub struct Owners {
    /// Sounds of single units, spaces between those of several words.
    known: HashMap<String, Vec<char>>,
    /// Whether the words that are joined most often are among them.
    warm: bool,
}

impl Owners {
    /// Learns the words that are joined most often in `language` (ISO 639-1 code, region ignored).
    pub fn warm_up(&mut self, language: &str, ask: &mut Ask) -> Result<(), VoiceError> {
        if primary_language(language) != "en" {
            return Ok(());
        }
        let text = Traced::whole(ENGLISH_JOINTS);
        self.learn(&units(&text, &words::ranges(ENGLISH_JOINTS)), ask)?;
        self.warm = true;
        Ok(())
    }

    /// The symbols of `ipa`, which is what `units` sound like together.
    pub fn symbols(&mut self, ipa: &str, units: &[Unit], ask: &mut Ask) -> Result<Vec<Symbol>, VoiceError> {
        let sounds = sounds(ipa);
        let owners = self.owners(&sounds, units, ask)?;
        let mut owners = sounds.iter().zip(owners).filter(|(c, _)| **c != ' ').map(|(_, owner)| owner).peekable();
        let mut current = None;
        let symbols = ipa.nfd().map(|symbol| {
            let owner = match kind(symbol) {
                Kind::Sound => {
                    current = owners.next();
                    current
                }
                Kind::Stress => owners.peek().copied(),
                Kind::Modifier => current,
                Kind::Gap => None,
            };
            Symbol { symbol, word: owner.and_then(|owner| units.get(owner)).map(|unit| unit.word) }
        });
        Ok(symbols.collect())
    }

    /// Index of the unit of each of `sounds`.
    fn owners(&mut self, sounds: &[char], units: &[Unit], ask: &mut Ask) -> Result<Vec<usize>, VoiceError> {
        if units.len() < 2 {
            return Ok(vec![0; sounds.len()]);
        }
        if self.known.len() > MOST_KNOWN {
            self.known.clear();
            self.warm = false;
        }
        let certain = units.iter().all(|unit| has_letters(&unit.text));
        let odd = |unit: &&Unit| !is_plain(&unit.text) && self.known(unit).is_none();
        // One number has what the other words leave: but not beside a second one or a sign, or where a joint may hide.
        if !self.warm || !certain || units.iter().filter(odd).count() > 1 {
            for unit in units.iter().filter(|unit| !is_plain(&unit.text)) {
                self.learn([unit], ask)?;
            }
        }
        let count = |unit| match self.known(unit) {
            Some(own) => Some(runs(own).count()),
            None => is_plain(&unit.text).then_some(1),
        };
        let counts: Option<Vec<usize>> = units.iter().map(count).collect();
        if let Some(counts) = counts.filter(|counts| certain && counts.iter().sum::<usize>() == runs(sounds).count()) {
            return Ok(count_off(sounds, &counts));
        }
        let owners = self.share(sounds, units);
        if self.settled(&owners, sounds, units) {
            return Ok(owners);
        }
        self.learn(units.iter().filter(|unit| unit.text.chars().count() <= SHORT), ask)?;
        let owners = self.share(sounds, units);
        if self.settled(&owners, sounds, units) {
            return Ok(owners);
        }
        self.learn(units, ask)?;
        Ok(self.share(sounds, units))
    }

    /// Whether every unit whose sounds are not known shares none of its words, and has as many as it may have.
    fn settled(&self, owners: &[usize], sounds: &[char], units: &[Unit]) -> bool {
        units.iter().enumerate().all(|(index, unit)| {
            let whole = |run: Range<usize>| owners[run].iter().all(|owner| *owner == index);
            let own: Vec<_> = runs(sounds).filter(|run| owners[run.clone()].contains(&index)).collect();
            match self.alone(unit) {
                Alone::Known(_) | Alone::Perhaps => true,
                Alone::OneWord => own.len() == 1 && own.into_iter().all(whole),
                Alone::Several => !own.is_empty() && own.into_iter().all(whole),
            }
        })
    }

    fn share(&self, sounds: &[char], units: &[Unit]) -> Vec<usize> {
        let alone: Vec<Alone> = units.iter().map(|unit| self.alone(unit)).collect();
        align::share(sounds, &alone).unwrap_or_else(|| by_length(sounds, units))
    }

    fn alone(&self, unit: &Unit) -> Alone<'_> {
        match self.known(unit) {
            Some(own) => Alone::Known(own),
            None if is_plain(&unit.text) => Alone::OneWord,
            None if has_letters(&unit.text) => Alone::Several,
            None => Alone::Perhaps,
        }
    }

    fn known(&self, unit: &Unit) -> Option<&[char]> {
        self.known.get(&key(&unit.text)).map(Vec::as_slice)
    }

    /// Asks for the units that are not yet known. Signs alone are not asked for: whether they are read depends on
    /// what stands beside them.
    fn learn<'a>(&mut self, units: impl IntoIterator<Item = &'a Unit>, ask: &mut Ask) -> Result<(), VoiceError> {
        let units = units.into_iter().filter(|unit| has_letters(&unit.text));
        let mut keys: Vec<String> = units.map(|unit| key(&unit.text)).collect();
        keys.retain(|key| !self.known.contains_key(key));
        keys.sort();
        keys.dedup();
        if keys.len() > 1 {
            // One request for all; nothing is joined over a comma.
            let sounds = sounds(&ask(&keys.join(", "))?);
            if runs(&sounds).count() == keys.len() {
                let own = runs(&sounds).map(|run| sounds[run].to_vec());
                self.known.extend(keys.into_iter().zip(own));
                return Ok(());
            }
        }
        for key in keys {
            let sounds = sounds(&ask(&key)?);
            self.known.insert(key, sounds);
        }
        Ok(())
    }
}

/// Under which a unit is known: a capital at its start does not count.
fn key(text: &str) -> String {
    let mut rest = text.chars();
    match rest.next() {
        Some(first) if is_plain(text) && !rest.as_str().contains(char::is_uppercase) => {
            first.to_lowercase().chain(rest).collect()
        }
        _ => text.to_owned(),
    }
}

/// Whether espeak-ng can be expected to make one word of it: "don't", "well-known", "USA"; not "29", "iPhone" or
/// "and/or".
fn is_plain(text: &str) -> bool {
    let letters = text.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '’' | '\u{300}'..='\u{36f}'));
    let mut capitals = text.chars().filter(|c| c.is_alphabetic()).map(char::is_uppercase);
    capitals.next();
    let rest: Vec<bool> = capitals.collect();
    letters && has_letters(text) && rest.windows(2).all(|pair| pair[0] == pair[1])
}

fn has_letters(text: &str) -> bool {
    text.contains(char::is_alphanumeric)
}

/// The sounds of `ipa` and the spaces between its words: without stress, length and tone.
fn sounds(ipa: &str) -> Vec<char> {
    ipa.nfd().filter(|&c| c == ' ' || kind(c) == Kind::Sound).collect()
}

/// Where the words of `sounds` are.
fn runs(sounds: &[char]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    let runs = sounds.split(|c| *c == ' ').map(move |run| {
        let range = start..start + run.len();
        start = range.end + 1;
        range
    });
    runs.filter(|run| !run.is_empty())
}

/// The owners of words that are as many as all the counts together.
fn count_off(sounds: &[char], counts: &[usize]) -> Vec<usize> {
    let mut owners = vec![0; sounds.len()];
    let each = counts.iter().enumerate().flat_map(|(unit, &count)| std::iter::repeat_n(unit, count));
    for (run, unit) in runs(sounds).zip(each) {
        owners[run].fill(unit);
    }
    owners
}

/// By the letters of each unit, for what cannot be aligned.
fn by_length(sounds: &[char], units: &[Unit]) -> Vec<usize> {
    let lengths: Vec<usize> = units.iter().map(|unit| unit.text.chars().count()).collect();
    let total: usize = lengths.iter().sum();
    let mut owners = Vec::with_capacity(sounds.len());
    let mut before = 0;
    for (unit, length) in lengths.iter().enumerate() {
        before += length;
        owners.resize(sounds.len() * before / total.max(1), unit);
    }
    owners
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::phonemes::Phonemizer;

    type Outcome = Result<(), VoiceError>;

    /// What is said for each word of `text`, and how often espeak-ng was asked beyond the whole text.
    fn said(owners: &mut Owners, english: &mut Phonemizer, text: &str) -> Result<(Vec<String>, usize), VoiceError> {
        let ranges = words::ranges(text);
        let units = units(&Traced::whole(text), &ranges);
        let ipa = english.phonemes(text)?;
        let mut asked = 0;
        let symbols = owners.symbols(&ipa, &units, &mut |text| {
            asked += 1;
            english.phonemes(text)
        })?;
        let mut said = vec![String::new(); ranges.len()];
        for symbol in symbols {
            if let Some(word) = symbol.word {
                said[word].push(symbol.symbol);
            }
        }
        Ok((said, asked))
    }

    #[test]
    fn plain_words_are_counted_off_without_a_question() -> Outcome {
        let (said, asked) =
            said(&mut Owners::default(), &mut Phonemizer::start("en-us")?, "Paris is nice don’t you THINK")?;
        assert_eq!((said.join(" ").as_str(), asked), ("pˈæɹɪs ɪz nˈaɪs dˈoʊnt juː θˈɪŋk", 0));
        Ok(())
    }

    #[test]
    fn joined_words_cost_questions_only_once() -> Outcome {
        let (mut owners, mut english) = (Owners::default(), Phonemizer::start("en-us")?);
        let (first, asked) = said(&mut owners, &mut english, "The capital of the city in the north is to be seen")?;
        assert_eq!(first, ["ðə", "kˈæpɪɾəl", "ʌv", "ðə", "sˈɪɾi", "ɪn", "ðə", "nˈɔːɹθ", "ɪz", "tə", "bi", "sˈiːn"]);
        assert_eq!(asked, 1);
        let (second, asked) = said(&mut owners, &mut english, "In the middle of the remarkable century")?;
        assert_eq!((second.join(" ").as_str(), asked), ("ɪn ðə mˈɪdəl ʌv ðə ɹᵻmˈɑːɹkəbəl sˈɛntʃɚɹi", 0));
        Ok(())
    }

    #[test]
    fn after_a_warm_start_neither_joints_nor_a_number_cost_a_question() -> Outcome {
        let (mut owners, mut english) = (Owners::default(), Phonemizer::start("en-us")?);
        owners.warm_up("en-US", &mut |text| english.phonemes(text))?;
        let (said, asked) = said(&mut owners, &mut english, "In the 21 villages of the north there are cows")?;
        assert_eq!(said.join(" "), "ɪn ðə twˈɛntiwˈʌn vˈɪlɪdʒᵻz ʌv ðə nˈɔːɹθ ðɛɹ ˌɑːɹ kˈaʊz");
        assert_eq!(asked, 0);
        Ok(())
    }

    #[test]
    fn what_is_too_long_to_align_is_shared_by_length() -> Outcome {
        let units = [("x".repeat(3000), 4), ("y".repeat(1000), 7)].map(|(text, word)| Unit { word, text });
        let symbols = Owners::default().symbols(&"a".repeat(4000), &units, &mut |_| Ok("b".repeat(2000)))?;
        assert_eq!([2999, 3000, 3999].map(|at| symbols[at].word), [Some(4), Some(7), Some(7)]);
        Ok(())
    }

    #[test]
    fn numbers_signs_and_names_keep_their_words() -> Outcome {
        let (mut owners, mut english) = (Owners::default(), Phonemizer::start("en-us")?);
        for (text, expected) in [
            // As many words of espeak-ng's as are written, and yet others.
            ("of the 21 cats", "ʌv ðə twˈɛntiwˈʌn kˈæts"),
            ("of the / sign", "ʌv ðə slˈæʃ sˈaɪn"),
            ("an iPhone and/or 100% of the - best", "ɐn ˈaɪfˈoʊn ændslˈæʃɔːɹ wˈʌnhˈʌndɹɪdpɚsˈɛnt ʌv ðə  bˈɛst"),
            ("I am in Привет in the U.S. economy", "aɪ ɐm ɪn pˈɛːˈɛɹˈɪːvˈɛːjˈɛːtˈɛː ɪn ðə jˌuːˈɛs ɪkˈɑːnəmi"),
            ("[of] the {one}", "ʌv ðə wˈʌn"),
        ] {
            assert_eq!(said(&mut owners, &mut english, text)?.0.join(" "), expected, "{text:?}");
        }
        Ok(())
    }

    #[test]
    fn other_languages_are_shared_in_the_same_way() -> Outcome {
        for (voice, text, expected) in [
            ("fr-fr", "s'il vous plaît les amis", "sil vu plˈɛ lez amˈi"),
            ("de", "ich habe 21 Äpfel", "ɪç hɑːbə ˈaɪnʊnttsvˈantsɪç ˈɛpfəl"),
            ("it", "l'amico della casa", "lamˈiko dˌella kˈaza"),
        ] {
            let (said, _) = said(&mut Owners::default(), &mut Phonemizer::start(voice)?, text)?;
            assert_eq!(said.join(" ").nfc().collect::<String>(), expected);
        }
        let (said, _) = said(&mut Owners::default(), &mut Phonemizer::start("cmn")?, "法国的首都是巴黎")?;
        assert!(said.len() == 8 && said.iter().all(|sounds| !sounds.is_empty()), "{said:?}");
        Ok(())
    }
}
