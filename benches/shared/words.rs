//! Word errors of a transcript: the least number of words to change, add or leave out. Case and punctuation do not
//! count, nor whether a number is written in digits.

/// Edits over words, countable together for many sentences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WordErrors {
    pub wrong: usize,
    pub words: usize,
}

impl WordErrors {
    pub fn of(truth: &str, heard: &str) -> Self {
        let (truth, heard) = (words(truth), words(heard));
        Self { wrong: distance(&truth, &heard), words: truth.len() }
    }

    pub fn percent(self) -> f64 {
        100.0 * self.wrong as f64 / self.words as f64
    }
}

impl std::iter::Sum for WordErrors {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self { wrong: sum.wrong + one.wrong, words: sum.words + one.words })
    }
}

fn words(text: &str) -> Vec<String> {
    let kept = text.to_lowercase().replace('’', "'").replace(|c: char| !c.is_alphanumeric() && c != '\'', " ");
    kept.split_whitespace().flat_map(spelled).collect()
}

/// A number in digits as it is spoken; anything else as it is.
fn spelled(word: &str) -> Vec<String> {
    const SMALL: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    let said = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    match word.parse::<usize>() {
        Ok(number @ 0..=19) => said(&[SMALL[number]]),
        Ok(number @ 20..=99) if number % 10 == 0 => said(&[TENS[number / 10 - 2]]),
        Ok(number @ 20..=99) => said(&[TENS[number / 10 - 2], SMALL[number % 10]]),
        _ => vec![word.to_owned()],
    }
}

/// Levenshtein's distance.
fn distance(truth: &[String], heard: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (i, word) in truth.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in heard.iter().enumerate() {
            let change = diagonal + usize::from(word != other);
            let best = change.min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], best);
        }
    }
    row[heard.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(truth: &str, heard: &str) -> (usize, usize) {
        let errors = WordErrors::of(truth, heard);
        (errors.wrong, errors.words)
    }

    #[test]
    fn words_that_were_changed_added_or_left_out_count() {
        assert_eq!(wrong("Ever tried. Ever failed.", "ever tried, ever failed"), (0, 4));
        assert_eq!(wrong("a b c d", "a x c d"), (1, 4));
        assert_eq!(wrong("a b c d", "a c d e"), (2, 4));
        assert_eq!(wrong("a b", ""), (2, 2));
        assert_eq!(wrong("don't", "don’t"), (0, 1));
    }

    #[test]
    fn digits_are_words() {
        assert_eq!(wrong("What is two plus two?", "What is 2 plus 2?"), (0, 5));
        assert_eq!(wrong("from fifty down to twenty-one", "from 50 down to 21"), (0, 6));
        assert_eq!(wrong("seven", "17"), (1, 1));
    }

    #[test]
    fn the_rate_of_many_sentences_is_over_all_their_words() {
        let sum: WordErrors = [WordErrors::of("a b c", "a b"), WordErrors::of("d", "d")].into_iter().sum();
        assert_eq!((sum.wrong, sum.words, sum.percent()), (1, 4, 25.0));
    }
}
