//! Splits speakable text into sentences and their parts, because espeak-ng loses the punctuation that a voice
//! needs for its melody. Pure; the clauses of an answer are cut elsewhere, this works within one.

use super::traced::Traced;

/// What a voice says in one breath: parts that end with punctuation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sentence {
    pub parts: Vec<Part>,
}

/// Words and the mark after them, as one of `, ; : . ! ?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub text: Traced,
    pub punctuation: Option<char>,
}

impl Sentence {
    /// Ends with a full stop, an exclamation or a question mark.
    pub fn is_complete(&self) -> bool {
        self.parts.last().is_some_and(|part| matches!(part.punctuation, Some('.' | '!' | '?')))
    }
}

/// The sentences of `text`, without parts that have nothing to say.
pub fn sentences(text: &Traced) -> Vec<Sentence> {
    let (bytes, chars): (Vec<usize>, Vec<char>) = text.as_str().char_indices().unzip();
    let mut sentences = vec![Sentence::default()];
    let mut words = Traced::default();
    let mut index = 0;
    while let Some(&c) = chars.get(index) {
        let byte = bytes[index];
        let mark = mark(c).filter(|_| ends_part(&chars, index));
        index += 1;
        let Some(mut mark) = mark else {
            // Quotes and brackets have no sound, and espeak-ng would read some of them.
            if "\"“”„«»()（）「」『』".contains(c) {
                words.say(" ", text.from(byte));
            } else {
                words.copy(text, byte..byte + c.len_utf8());
            }
            continue;
        };
        // "?!", "...", "!\"": one mark, and the first one that says more than a full stop counts.
        while let Some(&next) = chars.get(index).filter(|next| is_mark_or_quote(**next)) {
            if mark == '.' && matches!(next, '!' | '?') {
                mark = next;
            }
            index += 1;
        }
        let part = std::mem::take(&mut words).trimmed();
        let Some(sentence) = sentences.last_mut() else { continue };
        if says_something(&part) {
            sentence.parts.push(Part { text: part, punctuation: Some(mark) });
        } else if let Some(last) = sentence.parts.last_mut() {
            last.punctuation = Some(mark);
        }
        if sentence.is_complete() {
            sentences.push(Sentence::default());
        }
    }
    if says_something(&words)
        && let Some(sentence) = sentences.last_mut()
    {
        sentence.parts.push(Part { text: words.trimmed(), punctuation: None });
    }
    sentences.retain(|sentence| !sentence.parts.is_empty());
    sentences
}

fn says_something(text: &Traced) -> bool {
    text.as_str().chars().any(char::is_alphanumeric)
}

/// The mark that a voice knows for `c`.
fn mark(c: char) -> Option<char> {
    Some(match c {
        ',' | '，' | '、' | '—' | '–' => ',',
        '.' | '。' | '…' => '.',
        '!' | '！' => '!',
        '?' | '？' => '?',
        ';' | '；' => ';',
        ':' | '：' => ':',
        _ => return None,
    })
}

fn is_mark_or_quote(c: char) -> bool {
    mark(c).is_some() || "\"”»'’)）」』".contains(c)
}

/// Whether the mark at `index` ends a part, and is not inside a number, a name or an abbreviation.
fn ends_part(chars: &[char], index: usize) -> bool {
    let c = chars[index];
    if !",.!?;:–".contains(c) {
        return true;
    }
    let next = chars.get(index + 1);
    if next.is_some_and(|next| !next.is_whitespace() && !is_mark_or_quote(*next)) {
        return false;
    }
    let more = chars[index + 1..].iter().find(|c| c.is_alphanumeric());
    if c != '.' || more.is_none() {
        return true;
    }
    // "U.S. economy", "J. Smith": a single letter, or letters with dots between them.
    let word: Vec<char> = chars[..index].iter().rev().take_while(|c| !c.is_whitespace()).copied().collect();
    let initial = word.len() == 1 && word[0].is_uppercase() && word[0] != 'I';
    let dotted = word.len() > 1 && word.contains(&'.') && word.iter().all(|c| c.is_alphabetic() || *c == '.');
    !(initial || dotted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<Vec<(String, Option<char>)>> {
        let parts = |s: Sentence| s.parts.into_iter().map(|p| (p.text.as_str().to_owned(), p.punctuation)).collect();
        sentences(&Traced::whole(text)).into_iter().map(parts).collect()
    }

    fn part(text: &str, mark: Option<char>) -> (String, Option<char>) {
        (text.to_owned(), mark)
    }

    #[test]
    fn sentences_keep_the_marks_of_their_parts() {
        assert_eq!(
            split("Well, who is it?! \"Me,\" he said... And then"),
            vec![
                vec![part("Well", Some(',')), part("who is it", Some('?'))],
                vec![part("Me", Some(',')), part("he said", Some('.'))],
                vec![part("And then", None)],
            ]
        );
    }

    #[test]
    fn numbers_times_and_abbreviations_are_whole() {
        assert_eq!(
            split("Pi is 3.14 at 10:30, in the U.S. economy of J. Smith."),
            vec![vec![part("Pi is 3.14 at 10:30", Some(',')), part("in the U.S. economy of J. Smith", Some('.')),]]
        );
        assert_eq!(split("So do I. You?"), vec![vec![part("So do I", Some('.'))], vec![part("You", Some('?'))]]);
    }

    #[test]
    fn chinese_marks_end_parts_without_a_space() {
        assert_eq!(
            split("你好，世界。再见"),
            vec![vec![part("你好", Some(',')), part("世界", Some('.'))], vec![part("再见", None)]]
        );
    }

    #[test]
    fn marks_alone_say_nothing() {
        assert!(split("... ?! — \"\"").is_empty());
    }

    #[test]
    fn parts_know_where_their_words_were_written() {
        let text = "Ça va, \"dit-elle\".";
        let sentences = sentences(&Traced::whole(text));
        let part = &sentences[0].parts[1].text;
        assert_eq!((part.as_str(), &text[part.from(0)..]), ("dit-elle", "dit-elle\"."));
    }
}
