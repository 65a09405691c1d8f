//! A voice that reads phonemes: text in, sound and timed phonemes and words out, as they are made.
//!
//! The way of a clause: words ([`normalize`]), sentences and their punctuation, symbols and whose word each is
//! ([`Reader`]), one run of the [`Network`] for each sentence, which is made sound stretch by stretch ([`stretches`])
//! and finished ([`sound`](super::sound)).

use std::ops::Range;

use super::network::Network;
use super::reader::Reader;
use super::sentences::sentences;
use super::sound::{Loudness, REACH, Stretch, tick};
use super::stretches::stretches;
use super::timing::{self, Symbol};
use super::{Listen, Voice, VoiceError, VoiceStyle, normalize, primary_language, words};
use crate::media::{Clause, Speech, TimedPhoneme, TimedWord};

/// Silence after a sentence, and after a clause within one.
const SENTENCE_TAIL_MILLIS: usize = 180;
const CLAUSE_TAIL_MILLIS: usize = 80;
/// Sound that is made before any of it is given away: of an answer's first clause, for which somebody waits, and of
/// others, which are made while the one before them plays.
const FIRST_STRETCH_MILLIS: usize = 350;
const LATER_STRETCH_MILLIS: usize = 1000;

/// See the module's text.
#[derive(Debug)]
pub struct PhoneticVoice<N> {
    network: N,
    reader: Reader,
    loudness: Loudness,
}

/// A clause of which the words up to `told` were given away.
struct Telling<'a> {
    clause: &'a Clause,
    ranges: Vec<Range<usize>>,
    told: usize,
}

/// What one run of the model says.
struct Sentenced {
    symbols: Vec<Symbol>,
    /// Milliseconds of silence after it.
    tail: usize,
}

impl<N: Network> PhoneticVoice<N> {
    pub fn new(network: N) -> Self {
        let (reader, loudness) = Default::default();
        Self { network, reader, loudness }
    }

    /// Speaks once into nothing, so that the first real clause finds all memory in place.
    pub fn warm_up(&mut self, style: &VoiceStyle) -> Result<(), VoiceError> {
        let tongue = self.network.tongue(style);
        self.reader.warm_up(tongue)?;
        let text = if primary_language(tongue.language) == "zh" {
            "你好，今天天气怎么样？"
        } else {
            "Hello there, how are you today?"
        };
        let clause = Clause { turn: Default::default(), index: 0, text: text.to_owned() };
        self.speak(&clause, style, &mut |_| true)
    }

    /// Says one run; false if nobody listens any more.
    fn say(
        &mut self,
        telling: &mut Telling<'_>,
        sentenced: &Sentenced,
        is_last: bool,
        style: &VoiceStyle,
        listen: Listen<'_>,
    ) -> Result<bool, VoiceError> {
        let run = self.network.run(&sentenced.symbols, style)?;
        let rate = self.network.rate();
        let (phonemes, words) = (timing::phonemes(&run.symbols, rate), timing::words(&run.symbols));
        let millis = if telling.clause.index == 0 { FIRST_STRETCH_MILLIS } else { LATER_STRETCH_MILLIS };
        let starts: Vec<usize> = words.iter().map(|(_, span)| span.start as usize).collect();
        // Where the sound begins, once it has.
        let mut head = None;
        for hops in stretches(&starts, run.hops, run.hop, millis * rate as usize / 1000) {
            let reach = REACH.div_ceil(run.hop.max(1));
            let around = hops.start.saturating_sub(reach)..(hops.end + reach).min(run.hops);
            let pcm = self.network.sound(&run, around.clone())?;
            let stretch = Stretch { pcm: &pcm, first: around.start * run.hop, rate };
            let Some(head) = head.or_else(|| stretch.head()).inspect(|&found| head = Some(found)) else { continue };
            let ends = hops.end == run.hops;
            let (start, mut end, mut silent) = ((hops.start * run.hop).max(head), hops.end * run.hop, usize::MAX);
            if ends {
                silent = stretch.tail().unwrap_or(end).max(start);
                end = silent + sentenced.tail * rate as usize / 1000;
            }
            let pcm = self.loudness.finish(&stretch, &(start..end), &(head..silent))?;
            let at = |sample: u64| tick((sample as usize).clamp(start, end), rate) - tick(start, rate);
            let here = |start: u64| ends || (start as usize) < hops.end * run.hop;
            let begun = words.iter().filter(|(_, span)| here(span.start));
            let spans = begun.map(|(word, span)| (*word, at(span.start)..at(span.end)));
            let part = Speech {
                words: telling.words(spans, ends && is_last),
                phonemes: placed(&phonemes, at, ends.then_some(pcm.len() as u64)),
                ..telling.part(pcm)
            };
            if !listen(part) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl<N: Network> Voice for PhoneticVoice<N> {
    fn name(&self) -> &str {
        self.network.name()
    }

    fn speak(&mut self, clause: &Clause, style: &VoiceStyle, listen: Listen<'_>) -> Result<(), VoiceError> {
        let tongue = self.network.tongue(style);
        let text = normalize::for_speech(&clause.text, tongue.language);
        if !can_read(tongue.language, text.as_str()) {
            return Err(VoiceError::Unspeakable { voice: self.network.name().to_owned(), text: clause.text.clone() });
        }
        let mut telling = Telling { clause, ranges: words::ranges(&clause.text), told: 0 };
        let mut runs = Vec::new();
        for sentence in sentences(&text) {
            let spelt = |symbols, language: &str| self.network.spelt(symbols, language);
            let symbols = self.reader.symbols(tongue, &sentence, &telling.ranges, &spelt)?;
            let tail = if sentence.is_complete() { SENTENCE_TAIL_MILLIS } else { CLAUSE_TAIL_MILLIS };
            let mut rest = symbols.as_slice();
            while rest.iter().any(|symbol| symbol.symbol.is_alphabetic()) {
                let (now, later) = rest.split_at(run_length(rest, self.network.longest_run()));
                let tail = if later.is_empty() { tail } else { CLAUSE_TAIL_MILLIS };
                runs.push(Sentenced { symbols: now.to_vec(), tail });
                rest = later;
            }
        }
        for (index, run) in runs.iter().enumerate() {
            if !self.say(&mut telling, run, index + 1 == runs.len(), style, listen)? {
                return Ok(());
            }
        }
        if telling.told < telling.ranges.len() {
            // Nothing of it has a sound.
            let words = telling.words(std::iter::empty(), true);
            listen(Speech { words, ..telling.part(Vec::new()) });
        }
        Ok(())
    }
}

impl Telling<'_> {
    fn part(&self, pcm: Vec<i16>) -> Speech {
        let Clause { turn, index, text } = self.clause;
        Speech { turn: *turn, clause: *index, text: text.clone(), pcm, phonemes: Vec::new(), words: Vec::new() }
    }

    /// The words that begin at `spans`, and the silent ones before them; `to_end`: and all that are left. What was told
    /// already goes on without being told again.
    fn words(&mut self, spans: impl Iterator<Item = (usize, Range<u64>)>, to_end: bool) -> Vec<TimedWord> {
        let first = self.told;
        let mut found = vec![None; self.ranges.len()];
        for (word, span) in spans.filter(|(word, _)| (first..self.ranges.len()).contains(word)) {
            found[word] = Some(span);
            self.told = self.told.max(word + 1);
        }
        if to_end {
            self.told = self.ranges.len();
        }
        words::timed(self.ranges[first..self.told].to_vec(), &found[first..self.told])
    }
}

/// The phonemes that sound in a stretch. `at`: where a sample lies in it; `end`: its end, up to which it is quiet after
/// the last of them.
fn placed(phonemes: &[TimedPhoneme], at: impl Fn(u64) -> u64, end: Option<u64>) -> Vec<TimedPhoneme> {
    let placed = phonemes.iter().map(|p| TimedPhoneme { start: at(p.start), end: at(p.end), ..p.clone() });
    let mut placed: Vec<_> = placed.filter(|phoneme| phoneme.end > phoneme.start).collect();
    match (placed.last_mut(), end) {
        (Some(last), Some(end)) if last.ipa.is_empty() => last.end = end,
        (Some(last), Some(end)) if last.end < end => {
            let start = last.end;
            placed.push(TimedPhoneme { ipa: "".into(), start, end, stressed: false });
        }
        _ => {}
    }
    placed
}

/// How many of `symbols` go into one run: all, or up to the last space that fits.
fn run_length(symbols: &[Symbol], longest: usize) -> usize {
    if symbols.len() <= longest {
        return symbols.len();
    }
    let space = symbols[..longest].iter().rposition(|symbol| symbol.symbol == ' ');
    space.map_or(longest, |at| at + 1)
}

fn can_read(language: &str, text: &str) -> bool {
    const OTHER_SCRIPTS: &[&str] = &["ar", "el", "fa", "hi", "ja", "ka", "kk", "ko", "ne", "ru", "sr", "uk", "zh"];
    if OTHER_SCRIPTS.contains(&primary_language(language).as_str()) {
        return true;
    }
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let latin = text.chars().filter(|&c| is_latin(c)).count();
    letters == 0 || latin * 2 >= letters
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic()
        || matches!(c, '\u{AA}' | '\u{BA}' | '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}' | '\u{FB00}'..='\u{FB06}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{MEDIA_HZ, TurnId};
    use crate::onnx::Runtime;
    use crate::testing::weight;
    use crate::voice::piper::Piper;
    use crate::voice::whole;

    type Outcome = Result<(), VoiceError>;

    fn joe() -> Result<PhoneticVoice<Piper>, VoiceError> {
        let runtime = Runtime::load(&weight("onnxruntime"))?;
        Ok(PhoneticVoice::new(Piper::load(&runtime, &weight("piper-joe"), &weight("piper-joe-config"), 1)?))
    }

    fn clause(text: &str) -> Clause {
        Clause { turn: TurnId(3), index: 1, text: text.to_owned() }
    }

    fn seconds(speech: &Speech) -> f32 {
        speech.pcm.len() as f32 / MEDIA_HZ as f32
    }

    #[test]
    fn a_sentence_has_sound_and_phonemes_that_fit_each_other() -> Outcome {
        let speech = whole(&mut joe()?, &clause("Hello there! I'm choosing five blue toys."), &VoiceStyle::default())?;
        assert_eq!((speech.turn, speech.clause), (TurnId(3), 1));
        assert!((1.5..5.0).contains(&seconds(&speech)), "{} s", seconds(&speech));
        let peak = speech.pcm.iter().map(|s| s.unsigned_abs()).max().unwrap_or(0);
        assert!((3_000..29_200).contains(&peak), "peak {peak}");

        let said: Vec<&str> = speech.phonemes.iter().map(|p| &*p.ipa).filter(|ipa| !ipa.is_empty()).collect();
        assert_eq!(&said[..6], ["h", "ə", "l", "oʊ", "ð", "ɛ"]);
        for whole in ["aɪ", "tʃ", "uː", "ɔɪ"] {
            assert!(said.contains(&whole), "{whole} in {said:?}");
        }
        assert!(speech.phonemes.iter().any(|p| p.stressed));
        assert!(speech.phonemes.windows(2).all(|pair| pair[0].end <= pair[1].start), "{:?}", speech.phonemes);
        assert_eq!(speech.phonemes.last().map(|p| p.end), Some(speech.pcm.len() as u64));

        // Where the phonemes say it is quiet, it is: the pause after the last word.
        let Some(pause) = speech.phonemes.last() else { return Ok(()) };
        let tail = &speech.pcm[pause.end as usize - 4800..pause.end as usize];
        assert!(pause.ipa.is_empty() && tail.iter().all(|s| s.abs() < 600));
        Ok(())
    }

    /// The words of `speech` as they are written.
    fn written(speech: &Speech) -> Vec<&str> {
        speech.words.iter().map(|word| &speech.text[word.text.clone()]).collect()
    }

    /// The phonemes that begin within the word, pauses left out.
    fn phonemes_of(speech: &Speech, word: &TimedWord) -> Vec<String> {
        let within = speech.phonemes.iter().filter(|p| (word.start..word.end).contains(&p.start) && !p.ipa.is_empty());
        within.map(|phoneme| phoneme.ipa.to_string()).collect()
    }

    fn level(pcm: &[i16]) -> f64 {
        (pcm.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / pcm.len().max(1) as f64).sqrt()
    }

    #[test]
    fn each_word_has_its_own_phonemes_even_where_words_are_joined() -> Outcome {
        let speech = whole(&mut joe()?, &clause("The capital of the country is \"Paris\"."), &VoiceStyle::default())?;
        assert_eq!(written(&speech), ["The", "capital", "of", "the", "country", "is", "\"Paris\"."]);
        let phonemes: Vec<String> = speech.words.iter().map(|word| phonemes_of(&speech, word).join(" ")).collect();
        assert_eq!(phonemes, ["ð ə", "k æ p ɪ ɾ ə l", "ʌ v", "ð ə", "k ʌ n t ɹ i", "ɪ z", "p æ ɹ ɪ s"]);
        Ok(())
    }

    #[test]
    fn every_word_of_nasty_texts_has_its_place_and_its_sound() -> Outcome {
        let mut joe = joe()?;
        let long = "Of the many rivers of the world only 12 are longer than the one in the north ".repeat(4);
        // Each text with the number of its words that are silent.
        for (text, silent) in [
            ("Dr. Smith paid $29.99 for 1,234 of the \"best\" apples!", 0),
            ("**Bold** — and `code_name`, see [the docs](https://example.com/a?b=c) 🎉🎉 now...", 2),
            (
                "# A list:\n- one & two\n- 50% of it, e.g. 3*4 = 12\r\n\n> don't (really) say \u{201c}I\u{2019}m\u{201d}",
                4,
            ),
            ("我 Call it 世界 or Привет, as in the U.S. at 10:30!", 0),
            ("😀 Yes 😀 and/or no —well—maybe iPhone 😀", 3),
            (&long, 0),
            ("Pneumonoultramicroscopicsilicovolcanoconiosis".repeat(8).as_str(), 0),
        ] {
            let speech = whole(&mut joe, &clause(text), &VoiceStyle { speed: 1.5, ..VoiceStyle::default() })?;
            assert_eq!(written(&speech).concat(), text.split_whitespace().collect::<String>());
            let end = speech.pcm.len() as u64;
            assert!(speech.words.iter().all(|w| w.start <= w.end && w.end <= end), "{text:?}: {:?}", speech.words);
            assert!(speech.words.windows(2).all(|w| w[0].end <= w[1].start), "{text:?}: {:?}", speech.words);
            let mut without = 0;
            for word in &speech.words {
                if word.start == word.end {
                    without += 1;
                    continue;
                }
                let level = level(&speech.pcm[word.start as usize..word.end as usize]);
                assert!(level > 100.0, "{:?} of {text:?} has a level of {level:.0}", &text[word.text.clone()]);
            }
            assert_eq!(without, silent, "{text:?}: {:?} {:?}", written(&speech), speech.words);
        }
        Ok(())
    }

    #[test]
    fn a_pause_between_sentences_belongs_to_no_word() -> Outcome {
        let speech = whole(&mut joe()?, &clause("I see it now. You do not."), &VoiceStyle::default())?;
        let [.., now, you, _, _] = speech.words.as_slice() else { panic!("{:?}", speech.words) };
        assert!(you.start - now.end > u64::from(MEDIA_HZ) / 10, "{now:?} {you:?}");
        let pause = &speech.pcm[now.end as usize + 2400..you.start as usize];
        assert!(level(pause) < level(&speech.pcm) / 10.0, "{} {}", level(pause), level(&speech.pcm));
        Ok(())
    }

    #[test]
    fn what_has_no_sound_still_has_its_words() -> Outcome {
        let speech = whole(&mut joe()?, &clause("😀 !!"), &VoiceStyle::default())?;
        assert_eq!(written(&speech), ["😀", "!!"]);
        assert!(speech.words.iter().all(|word| (word.start, word.end) == (0, 0)));
        Ok(())
    }

    #[test]
    fn speed_changes_the_length() -> Outcome {
        let mut joe = joe()?;
        let mut at = |speed| {
            let speech = whole(
                &mut joe,
                &clause("This is a test of the speed of speech."),
                &VoiceStyle { speed, ..VoiceStyle::default() },
            )?;
            Ok::<_, VoiceError>(seconds(&speech))
        };
        let (slow, normal, fast) = (at(0.5)?, at(1.0)?, at(1.5)?);
        assert!(slow > 1.6 * normal && fast < 0.85 * normal, "{slow} {normal} {fast}");
        Ok(())
    }

    #[test]
    fn nothing_to_say_gives_no_sound_and_another_script_is_refused() -> Outcome {
        let mut joe = joe()?;
        for text in ["", "...", "😀 !!", "**"] {
            assert!(whole(&mut joe, &clause(text), &VoiceStyle::default())?.pcm.is_empty(), "{text:?}");
        }
        let refused = whole(&mut joe, &clause("法国的首都是巴黎。"), &VoiceStyle::default());
        assert!(matches!(refused, Err(VoiceError::Unspeakable { .. })));
        Ok(())
    }

    #[test]
    fn a_voice_whose_lengths_are_hidden_still_moves_the_mouth() -> Outcome {
        let mut joe = joe()?;
        let runtime = Runtime::load(&weight("onnxruntime"))?;
        joe.network = Piper::uncut(&runtime, &weight("piper-joe"), &weight("piper-joe-config"))?;
        let speech = whole(&mut joe, &clause("Hello there, my friend."), &VoiceStyle::default())?;
        assert!(speech.phonemes.len() > 10);
        assert_eq!(speech.phonemes.last().map(|p| p.end), Some(speech.pcm.len() as u64));
        Ok(())
    }
}
