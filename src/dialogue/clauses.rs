//! Cuts a stream of text into clauses that can be spoken, as early as that can be done without harm.
//!
//! PURE. Stands between the language model's tokens and the voice. A clause ends at `。！？；`, at `.!?;`
//! followed by a space, and at a newline; the first clause of an answer may end sooner (a comma, or a joint
//! before a word such as "and") so that nobody waits for a long sentence. Whether a mark ends a clause is
//! decided by the characters around it, never by how the stream was chunked, so any chunking gives the
//! same clauses.

/// A clause is cut at the next word boundary when it grows past this many characters, whatever it holds.
const LONGEST_CLAUSE: usize = 220;
/// The first clause may be cut at a comma once it holds this many words (or CJK characters).
const FIRST_CLAUSE_WORDS: usize = 3;
/// The first clause is cut before a joining word once it holds this many words.
const FIRST_CLAUSE_JOINT_WORDS: usize = 7;

/// Words after which a full stop ends nothing. Compared in lower case, without the stop.
const ABBREVIATIONS: &[&str] = &[
    "dr", "mr", "mrs", "ms", "prof", "rev", "gen", "sen", "st", "mt", "vs", "e.g", "i.e", "cf", "approx", "fig", "no",
    "vol", "inc", "ltd", "co", "corp", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sept", "sep", "oct", "nov",
    "dec", "a.m", "p.m",
];

/// Words before which a long first clause may be cut.
const JOINTS: &[&str] = &[
    "and", "but", "or", "so", "because", "which", "who", "that", "while", "when", "where", "if", "although", "with",
    "for", "in", "from", "to", "as", "by", "on", "at", "of",
];

/// Streaming splitter; one for each answer.
#[derive(Debug, Default)]
pub struct ClauseSplitter {
    /// Text not yet given out.
    pending: String,
    /// Clauses given out so far.
    given: usize,
}

impl ClauseSplitter {
    /// Takes more text and gives back the clauses that it completed, trimmed and never empty.
    pub fn push(&mut self, text: &str) -> Vec<String> {
        let mut clauses = Vec::new();
        for character in text.chars() {
            if let Some(end) = self.end_before(character) {
                self.cut(end, &mut clauses);
            }
            if character == '\n' {
                self.cut(self.pending.len(), &mut clauses);
            } else {
                self.pending.push(character);
            }
        }
        clauses
    }

    /// Ends the stream: what is left is the last clause.
    pub fn finish(&mut self) -> Option<String> {
        let mut clauses = Vec::new();
        self.cut(self.pending.len(), &mut clauses);
        clauses.pop()
    }

    fn cut(&mut self, end: usize, into: &mut Vec<String>) {
        let rest = self.pending.split_off(end);
        let clause = std::mem::replace(&mut self.pending, rest);
        let clause = clause.trim();
        // A mark alone (the rest of "?!", a list's dash) has no sound and is no clause.
        if clause.chars().any(char::is_alphanumeric) {
            self.given += 1;
            into.push(clause.to_owned());
        }
    }

    /// Where the pending text ends a clause, now that `next` is known to follow it.
    fn end_before(&self, next: char) -> Option<usize> {
        let text = self.pending.as_str();
        let closed = text.trim_end_matches(is_closer);
        let mark = closed.chars().next_back()?;
        // `."` and `。」`: closing quotes belong to the clause that they close.
        if is_closer(next) && ends_sentence(mark) {
            return None;
        }
        if matches!(mark, '。' | '！' | '？' | '；' | '…') {
            return (!matches!(next, '。' | '！' | '？' | '；' | '…')).then_some(text.len());
        }
        if next.is_whitespace() {
            if matches!(mark, '!' | '?' | ';') || (mark == '.' && !is_abbreviation(closed)) {
                return Some(text.len());
            }
        } else if matches!(mark, '!' | '?') && is_cjk(next) {
            return Some(text.len());
        }
        if self.given == 0
            && let Some(end) = first_clause_end(text, mark, next)
        {
            return Some(end);
        }
        (next.is_whitespace() && text.chars().count() >= LONGEST_CLAUSE
            || is_cjk(next) && text.chars().filter(|c| is_cjk(*c)).count() >= LONGEST_CLAUSE / 3)
            .then_some(text.len())
    }
}

/// The rule for the first clause: a comma after a few words, or the last joint before a long run.
fn first_clause_end(text: &str, mark: char, next: char) -> Option<usize> {
    let words = count_words(text);
    let comma = match mark {
        '，' | '、' | '：' => true,
        ',' | ':' | '—' | '–' => next.is_whitespace(),
        _ => false,
    };
    if comma && words >= FIRST_CLAUSE_WORDS {
        return Some(text.len());
    }
    if !next.is_whitespace() {
        return None;
    }
    // `text` ends a word: if that word is a joint, the clause ends before it.
    let start = text.rfind(char::is_whitespace)?;
    let word = text[start..].trim();
    (JOINTS.contains(&word) && count_words(&text[..start]) >= FIRST_CLAUSE_JOINT_WORDS).then_some(start)
}

fn count_words(text: &str) -> usize {
    text.chars().filter(|c| is_cjk(*c)).count() + text.split_whitespace().filter(|w| !w.chars().any(is_cjk)).count()
}

fn ends_sentence(mark: char) -> bool {
    matches!(mark, '.' | '!' | '?' | '。' | '！' | '？' | '；' | '…')
}

fn is_closer(character: char) -> bool {
    matches!(character, '"' | '\'' | ')' | ']' | '”' | '’' | '」' | '』' | '）' | '》' | '*' | '_')
}

fn is_cjk(character: char) -> bool {
    matches!(character, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// Whether the full stop that ends `text` belongs to its word: "Dr.", "U.S.", "1." at a line's start, "$29.".
fn is_abbreviation(text: &str) -> bool {
    let Some(body) = text.strip_suffix('.') else { return false };
    let word =
        body.rsplit(|c: char| c.is_whitespace() || is_closer(c) || matches!(c, '(' | '“' | '"')).next().unwrap_or("");
    let lower = word.to_lowercase();
    if ABBREVIATIONS.contains(&lower.as_str()) {
        return true;
    }
    let letters: Vec<char> = word.chars().collect();
    // "J." and "U.S.": single letters with stops between them. "I." ends a sentence.
    let initials = !letters.is_empty()
        && letters
            .iter()
            .enumerate()
            .all(|(i, c)| if i % 2 == 0 { c.is_alphabetic() && !is_cjk(*c) } else { *c == '.' })
        && letters.len() % 2 == 1
        && word != "I";
    // A number that opens the clause is a list's number ("1. Take ...").
    let list_number = !word.is_empty() && word.chars().all(|c| c.is_ascii_digit()) && body.trim().len() == word.len();
    initials || list_number
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    fn split(text: &str) -> Vec<String> {
        let mut splitter = ClauseSplitter::default();
        let mut clauses = splitter.push(text);
        clauses.extend(splitter.finish());
        clauses
    }

    #[test]
    fn sentences_end_at_their_marks_in_english_and_chinese() {
        assert_eq!(split("Hello there! How are you? Fine."), ["Hello there!", "How are you?", "Fine."]);
        assert_eq!(
            split("你好！今天天气很好。我们去公园吧？好；走"),
            ["你好！", "今天天气很好。", "我们去公园吧？", "好；", "走"]
        );
        assert_eq!(split("One\nTwo\n\n- Three"), ["One", "Two", "- Three"]);
    }

    #[test]
    fn stops_inside_numbers_and_abbreviations_end_nothing() {
        assert_eq!(split("Pi is 3.14 or so. Yes."), ["Pi is 3.14 or so.", "Yes."]);
        assert_eq!(split("Dr. Smith lives in the U.S. today."), ["Dr. Smith lives in the U.S. today."]);
        assert_eq!(split("It costs $29.99 a month."), ["It costs $29.99 a month."]);
        assert_eq!(split("1. Open it. 2. Close it."), ["1. Open it.", "2. Close it."]);
        assert_eq!(split("Visit example.com/a?b=c now."), ["Visit example.com/a?b=c now."]);
    }

    #[test]
    fn a_price_waits_for_what_follows() {
        let mut splitter = ClauseSplitter::default();
        assert!(splitter.push("It costs $29.").is_empty());
        assert!(splitter.push("99 a month.").is_empty());
        assert_eq!(splitter.push(" Good"), ["It costs $29.99 a month."]);
    }

    #[test]
    fn closing_quotes_stay_with_their_clause() {
        assert_eq!(split("He said \"Go.\" Then he left."), ["He said \"Go.\"", "Then he left."]);
        assert_eq!(split("他说：“走吧。”然后他走了。"), ["他说：“走吧。”", "然后他走了。"]);
    }

    #[test]
    fn the_first_clause_does_not_wait_for_a_long_sentence() {
        let mut splitter = ClauseSplitter::default();
        assert_eq!(splitter.push("Well, that is a good question, and"), ["Well, that is a good question,"]);
        let mut splitter = ClauseSplitter::default();
        assert_eq!(
            splitter.push("The quick brown fox jumped over the lazy dog and then it "),
            ["The quick brown fox jumped over the lazy dog"]
        );
        // Later clauses keep their commas.
        assert_eq!(split("Yes! One, two, three, four, five."), ["Yes!", "One, two, three, four, five."]);
        // A thousands separator is no comma.
        assert_eq!(split("There are 86,400 seconds."), ["There are 86,400 seconds."]);
    }

    #[test]
    fn marks_alone_are_no_clause() {
        assert_eq!(split("... !? \n — \n"), Vec::<String>::new());
        assert_eq!(split("Really?! Yes."), ["Really?!", "Yes."]);
    }

    #[test]
    fn any_chunking_gives_the_same_clauses() {
        let text = "Well, Dr. Smith paid $29.99 in the U.S. in 2024, and he said \"No!\" to it. 你好，世界。今天3.14度！\nNext; e.g. this one? ok";
        let whole = split(text);
        let mut random = StdRng::seed_from_u64(7);
        for _ in 0..200 {
            let mut splitter = ClauseSplitter::default();
            let mut clauses = Vec::new();
            let mut rest: Vec<char> = text.chars().collect();
            while !rest.is_empty() {
                let size = random.random_range(1..=rest.len().min(9));
                let chunk: String = rest.drain(..size).collect();
                clauses.extend(splitter.push(&chunk));
            }
            clauses.extend(splitter.finish());
            assert_eq!(clauses, whole);
        }
    }
}
