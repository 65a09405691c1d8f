//! Shares the sounds of a spoken text among its words, by what each word sounds like on its own.
//!
//! Within a text a word may lose its stress, change its vowels, be joined with the next one ("of the" is one word
//! of espeak-ng's) or be several ("29"). The cheapest way to change the words' own sounds, one after another, into
//! those of the text (Wagner and Fischer, "The string-to-string correction problem", 1974) says which is whose.
//! Pure.

use super::timing::is_vowel;

/// What is known of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alone<'a> {
    /// Its sounds when it stands on its own, spaces between those of several words; none if it is silent.
    Known(&'a [char]),
    /// It is one word of the text, whatever its sounds.
    OneWord,
    /// It is one or several words of the text, as "29" is.
    Several,
    /// It is one word of the text or silent, as "/" and "-" are.
    Perhaps,
}

/// Two sounds that are not the same; a sound too many or too few.
const CHANGE: u32 = 2;
/// Two vowels, of which one may be the weak form of the other.
const VOWELS: u32 = 1;
/// A space between words that is not there: they are joined.
const JOINT: u32 = 1;
/// A space within a word.
const BREAK: u32 = 3;
/// Nothing is left for a word whose sounds are not known, or more than one word.
const ILL_FIT: u32 = 6;
/// A bound on memory (5 bytes each): beyond it the text is shared by length.
const MOST_CELLS: usize = 2_000_000;

/// For each of `said` (sounds, and spaces between its words) the index of the word that it belongs to. `None`: there
/// is too much of it, or no word has a sound.
pub fn share(said: &[char], words: &[Alone]) -> Option<Vec<usize>> {
    let steps = steps(words);
    let width = said.len() + 1;
    if steps.is_empty() || (steps.len() + 1).saturating_mul(width) > MOST_CELLS {
        return None;
    }
    // `costs[j]`: all steps so far and the first `j` of `said`; `moves` remembers how each was reached.
    let mut moves = Vec::with_capacity((steps.len() + 1) * width);
    let mut costs: Vec<u32> = Vec::with_capacity(width);
    for at in 0..width {
        costs.push(at as u32 * CHANGE);
        moves.push(Move::Extra);
    }
    for &(step, _) in &steps {
        let mut next: Vec<u32> = Vec::with_capacity(width);
        for at in 0..width {
            let mut best = (costs[at] + step.skipped(), Move::Skip);
            if let Some(before) = at.checked_sub(1) {
                if let Some(cost) = step.taking(said[before])
                    && costs[before] + cost < best.0
                {
                    best = (costs[before] + cost, Move::Take);
                }
                let extra = next[before] + step.with_extra(said[before]);
                if extra < best.0 {
                    best = (extra, Move::Extra);
                }
            }
            next.push(best.0);
            moves.push(best.1);
        }
        costs = next;
    }
    // Back from the end; what was extra belongs to the step before it.
    let mut owners = vec![0; said.len()];
    let (mut row, mut at) = (steps.len(), said.len());
    while row > 0 || at > 0 {
        let owner = steps[row.saturating_sub(1)].1;
        match moves[row * width + at] {
            Move::Skip => row -= 1,
            Move::Take => {
                row -= 1;
                at -= 1;
                owners[at] = owner;
            }
            Move::Extra => {
                at -= 1;
                owners[at] = owner;
            }
        }
    }
    Some(owners)
}

#[derive(Clone, Copy, Debug)]
enum Move {
    /// The step has nothing in what was said.
    Skip,
    /// The step is the sound.
    Take,
    /// The sound comes on top of the step.
    Extra,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Sound(char),
    Space,
    /// Any sounds, but no space.
    Any,
    /// Any sounds and spaces.
    Anything,
    /// A space and then any sounds, or nothing.
    Sign,
}

impl Step {
    fn skipped(self) -> u32 {
        match self {
            Self::Sound(_) => CHANGE,
            Self::Space => JOINT,
            Self::Any | Self::Anything => ILL_FIT,
            Self::Sign => 0,
        }
    }

    /// `None`: the step cannot be `said` at all.
    fn taking(self, said: char) -> Option<u32> {
        match (self, said) {
            (Self::Space | Self::Sign, ' ') => Some(0),
            (Self::Sign, _) => Some(JOINT),
            (Self::Space, _) | (_, ' ') => None,
            (Self::Any | Self::Anything, _) => Some(0),
            (Self::Sound(sound), said) if sound == said => Some(0),
            (Self::Sound(sound), said) if is_vowel(sound) && is_vowel(said) => Some(VOWELS),
            (Self::Sound(_), _) => Some(CHANGE),
        }
    }

    /// `said` comes right after the step's own.
    fn with_extra(self, said: char) -> u32 {
        match (self, said) {
            (Self::Any | Self::Sign, ' ') => ILL_FIT,
            (Self::Any | Self::Anything | Self::Sign, _) => 0,
            (_, ' ') => BREAK,
            _ => CHANGE,
        }
    }
}

/// The words' sounds and the spaces between them, each with the index of the word; a space leads to the word after it.
fn steps(words: &[Alone]) -> Vec<(Step, usize)> {
    let mut steps = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let own: Vec<Step> = match word {
            Alone::Known(sounds) => {
                sounds.iter().map(|&c| if c == ' ' { Step::Space } else { Step::Sound(c) }).collect()
            }
            Alone::OneWord => vec![Step::Any],
            Alone::Several => vec![Step::Anything],
            Alone::Perhaps => vec![Step::Sign],
        };
        if !steps.is_empty() && !own.is_empty() && *word != Alone::Perhaps {
            steps.push((Step::Space, index));
        }
        steps.extend(own.into_iter().map(|step| (step, index)));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each of `words` gets of `said`; `?` is one word whose sounds are not known, `#` one or several, `/`
    /// one or none.
    fn shares(said: &str, words: &[&str]) -> Vec<String> {
        let letters: Vec<Vec<char>> = words.iter().map(|word| word.chars().collect()).collect();
        let alone = letters.iter().map(|word| match word.as_slice() {
            ['?'] => Alone::OneWord,
            ['#'] => Alone::Several,
            ['/'] => Alone::Perhaps,
            word => Alone::Known(word),
        });
        let alone: Vec<Alone> = alone.collect();
        let said: Vec<char> = said.chars().collect();
        let mut shares = vec![String::new(); words.len()];
        for (owner, c) in share(&said, &alone).unwrap_or_default().into_iter().zip(said) {
            shares[owner].push(c);
        }
        shares.into_iter().map(|share| share.trim().to_owned()).collect()
    }

    #[test]
    fn joined_words_are_parted_where_their_sounds_meet() {
        assert_eq!(shares("kæpɪɾəl ʌvðə sɪɾi", &["kæpɪɾəl", "ʌv", "ðə", "sɪɾi"]), ["kæpɪɾəl", "ʌv", "ðə", "sɪɾi"]);
        // Weak forms, and a sound that links two words.
        assert_eq!(shares("fɚɹə wail təbi", &["fɔɹ", "ei", "wail", "tu", "bi"]), ["fɚɹ", "ə", "wail", "tə", "bi"]);
        assert_eq!(shares("lez ami", &["le", "ami"]), ["lez", "ami"]);
    }

    #[test]
    fn a_number_keeps_all_its_words_beside_joined_ones() {
        assert_eq!(
            shares("ʌvðə twɛnti nain kæts", &["ʌv", "ðə", "twɛnti nain", "kæts"]),
            ["ʌv", "ðə", "twɛnti nain", "kæts"]
        );
        assert_eq!(shares("wʌnhʌndɹɪd pɚsɛnt ɪz", &["wʌn hʌndɹɪd pɚsɛnt", "ɪz"]), ["wʌnhʌndɹɪd pɚsɛnt", "ɪz"]);
    }

    #[test]
    fn words_that_are_not_known_fill_the_places_that_are_left() {
        assert_eq!(
            shares("ðə kæpɪɾəl ʌvðə sɪɾi", &["ðə", "?", "ʌv", "ðə", "?"]),
            ["ðə", "kæpɪɾəl", "ʌv", "ðə", "sɪɾi"]
        );
        assert_eq!(shares("ʌvðə ʌv ðə", &["ʌv", "ðə", "?", "?"]), ["ʌv", "ðə", "ʌv", "ðə"]);
        assert_eq!(
            shares("ðə twɛnti nain kæts ɪnðə haʊs", &["ðə", "#", "?", "ɪn", "ðə", "?"]),
            ["ðə", "twɛnti nain", "kæts", "ɪn", "ðə", "haʊs"]
        );
    }

    #[test]
    fn silent_words_get_nothing_and_every_sound_is_given() {
        assert_eq!(shares("faiv θɹi", &["faiv", "", "θɹi"]), ["faiv", "", "θɹi"]);
        assert_eq!(shares("faiv θɹi", &["faiv", "/", "?"]), ["faiv", "", "θɹi"]);
        assert_eq!(shares("ɐ slæʃ ʌvðə", &["ei", "/", "ʌv", "ðə"]), ["ɐ", "slæʃ", "ʌv", "ðə"]);
        assert_eq!(shares("abc def xyz", &["uuu", "o"]).concat().replace(' ', ""), "abcdefxyz");
        assert_eq!(share(&['a'], &[Alone::Known(&[])]), None);
        assert_eq!(share(&['a'; 5000], &[Alone::Known(&['a'; 5000])]), None);
    }
}
