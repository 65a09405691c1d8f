//! A sentence with a hesitation in it: silence at a boundary between two words. The sentence was spoken as a whole, so
//! its melody does not end there, as in "I would like to ... know the way".

use anyhow::bail;
use visavis::media::{MEDIA_HZ, TimedWord};

use super::voices::Said;

/// Window in which loudness is looked at: 5 ms.
const STEP: usize = MEDIA_HZ as usize / 200;
/// How far beyond the words' own ends the quietest place may lie: 30 ms.
const REACH: usize = MEDIA_HZ as usize * 30 / 1000;
/// Without words: the stretch of the sentence around the place, as a share of its length.
const AROUND: f64 = 0.08;
/// The voice dies away and comes back over 5 ms, so that the cut does not click.
const FADE: usize = STEP;

/// The text without its mark "|", and where the word after the mark begins in it.
pub fn unmark(marked: &str) -> anyhow::Result<(String, usize)> {
    let Some((before, after)) = marked.split_once('|') else { bail!("no \"|\" in {marked:?}") };
    let (before, after) = (before.trim(), after.trim());
    if before.is_empty() || after.is_empty() {
        bail!("the hesitation is not within the sentence {marked:?}");
    }
    Ok((format!("{before} {after}"), before.len() + 1))
}

/// Stops for `seconds` before the word that begins at byte `at` of the text, which is `share` of it.
pub fn hesitate(said: &Said, share: f64, at: usize, seconds: f64) -> Vec<i16> {
    let place = boundary(said, share, at);
    let (mut before, mut after) = (said.pcm[..place].to_vec(), said.pcm[place..].to_vec());
    let ramp = |n: usize| n as f64 / FADE as f64;
    for (n, sample) in before.iter_mut().rev().take(FADE).enumerate() {
        *sample = (f64::from(*sample) * ramp(n)) as i16;
    }
    for (n, sample) in after.iter_mut().take(FADE).enumerate() {
        *sample = (f64::from(*sample) * ramp(n)) as i16;
    }
    let silence = vec![0; (seconds * f64::from(MEDIA_HZ)) as usize];
    [before, silence, after].concat()
}

/// The quietest place between the two words, or near that share of the sentence if nobody told where words are.
fn boundary(said: &Said, share: f64, at: usize) -> usize {
    let length = said.pcm.len();
    let (from, to) = match said.words.iter().position(|word| word.text.start >= at) {
        Some(after @ 1..) => {
            let (left, right): (&TimedWord, &TimedWord) = (&said.words[after - 1], &said.words[after]);
            ((left.end as usize).saturating_sub(REACH), right.start as usize + REACH)
        }
        _ => (((share - AROUND) * length as f64) as usize, ((share + AROUND) * length as f64) as usize),
    };
    let (from, to) = (from.min(length), to.min(length));
    let loudness = |start: &usize| -> u64 {
        let end = (start + STEP).min(length);
        said.pcm[*start..end].iter().map(|&one| u64::from(one.unsigned_abs()).pow(2)).sum()
    };
    let quietest = (from..to.saturating_sub(STEP)).step_by(STEP / 4).min_by_key(loudness);
    quietest.map_or((from + to) / 2, |start| start + STEP / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: usize = MEDIA_HZ as usize;

    /// Two seconds of a tone that is quiet from 0.50 to 0.52 s and from 1.00 to 1.02 s.
    fn sentence(words: Vec<TimedWord>) -> Said {
        let quiet = |n: usize| [0.5, 1.0].iter().any(|s| (0.0..0.02).contains(&(n as f64 / RATE as f64 - s)));
        let tone = |n: usize| if n % 96 < 48 { 8_000 } else { -8_000 };
        let pcm = (0..2 * RATE).map(|n| if quiet(n) { 20 } else { tone(n) }).collect();
        Said { pcm, words }
    }

    fn silence_of(pcm: &[i16]) -> (f64, f64) {
        let zero: Vec<usize> = (0..pcm.len()).filter(|&n| pcm[n] == 0).collect();
        (zero[0] as f64 / RATE as f64, zero.len() as f64 / RATE as f64)
    }

    #[test]
    fn the_mark_leaves_the_text_and_says_where_the_next_word_begins() -> anyhow::Result<()> {
        let (text, at) = unmark("I would like to | know.")?;
        assert_eq!((text.as_str(), &text[at..]), ("I would like to know.", "know."));
        assert!(unmark("no mark").is_err() && unmark("| first").is_err() && unmark("last |").is_err());
        Ok(())
    }

    #[test]
    fn the_silence_falls_between_the_words_where_it_is_quietest() {
        let word = |text, start: f64, end: f64| TimedWord {
            text,
            start: (start * RATE as f64) as u64,
            end: (end * RATE as f64) as u64,
        };
        // The share points elsewhere: words go before it.
        let said = sentence(vec![word(0..1, 0.1, 0.49), word(2..7, 0.51, 0.9), word(8..12, 1.1, 1.9)]);
        let pcm = hesitate(&said, 0.9, 2, 0.7);
        assert_eq!(pcm.len(), said.pcm.len() + RATE * 7 / 10);
        let (start, length) = silence_of(&pcm);
        assert!((0.495..0.525).contains(&start), "silence from {start} s on");
        assert!((length - 0.7).abs() < 0.012, "{length} s of silence");
    }

    #[test]
    fn without_words_it_falls_near_the_same_share_of_the_sound() {
        let pcm = hesitate(&sentence(Vec::new()), 0.52, 10, 0.4);
        let (start, _) = silence_of(&pcm);
        assert!((0.995..1.025).contains(&start), "silence from {start} s on");
    }

    #[test]
    fn nothing_of_the_sentence_is_lost_and_the_edges_do_not_click() {
        let said = sentence(Vec::new());
        let pcm = hesitate(&said, 0.52, 10, 0.4);
        let place = pcm.iter().zip(&said.pcm).position(|(cut, whole)| cut != whole).map_or(0, |n| n);
        assert_eq!(pcm[..place], said.pcm[..place]);
        assert_eq!(pcm[pcm.len() - RATE / 2..], said.pcm[said.pcm.len() - RATE / 2..]);
        let loudest_step = |pcm: &[i16]| pcm.windows(2).map(|pair| pair[0].abs_diff(pair[1])).max();
        assert!(loudest_step(&pcm) <= loudest_step(&said.pcm));
    }
}
