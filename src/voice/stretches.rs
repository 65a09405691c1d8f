//! Where a sentence's sound is cut, so that its beginning is heard while the rest is still made.
//!
//! PURE. A cut lies at the beginning of a word, so that every word is whole in one stretch. Each stretch is up to twice
//! as long as the one before: it plays longer than the next one takes to make, and there are few of them.

use std::ops::Range;

/// A rest shorter than this part of the stretch before it is not worth a cut.
const LEAST_REST: usize = 2;

/// Stretches of `hops` hops of `hop` samples each, in hops. `words`: samples at which words begin. The first stretch
/// holds `first` samples or up to the word that begins after them.
pub fn stretches(words: &[usize], hops: usize, hop: usize, first: usize) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let (mut start, mut length) = (0, first.max(1));
    for word in words.iter().filter(|&&word| hop > 0 && word % hop == 0).map(|word| word / hop) {
        let rest = hops.saturating_sub(word) * hop;
        if word > start && (word - start) * hop >= length && rest >= length / LEAST_REST {
            found.push(start..word);
            length = 2 * (word - start) * hop;
            start = word;
        }
    }
    found.push(start..hops);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_lie_at_words_and_stretches_grow() {
        let words: Vec<usize> = (0..40).map(|word| word * 2560).collect();
        assert_eq!(stretches(&words, 400, 256, 7000), [0..30, 30..90, 90..210, 210..400]);
        // Too little would be left.
        assert_eq!(stretches(&words[..4], 40, 256, 7000).iter().collect::<Vec<_>>(), [&(0..40)]);
        assert_eq!(stretches(&words[..5], 50, 256, 7000), [0..30, 30..50]);
    }

    #[test]
    fn without_words_or_hops_there_is_one_stretch() {
        assert_eq!(stretches(&[], 100, 256, 1000).iter().collect::<Vec<_>>(), [&(0..100)]);
        assert_eq!(
            stretches(&[300, 999], 100, 256, 100).iter().collect::<Vec<_>>(),
            [&(0..100)],
            "words that begin between two hops"
        );
        assert_eq!(stretches(&[5000], 1, 9000, 1000).iter().collect::<Vec<_>>(), [&(0..1)]);
        assert_eq!(stretches(&[0], 0, 0, 1000).iter().collect::<Vec<_>>(), [&(0..0)]);
    }
}
