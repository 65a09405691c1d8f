//! Stop strings in streamed text. What might be the beginning of a stop string is held back until the next text
//! decides; what comes before a stop string goes out, the stop string itself never does.

/// Looks for the stop string that ends first; of several that end at the same place, the longest.
#[derive(Debug, Default)]
pub struct StopText {
    stops: Vec<String>,
    held: String,
}

/// What may go out after a push.
#[derive(Debug, PartialEq, Eq)]
pub enum Passed {
    /// No stop string so far.
    Text(String),
    /// A stop string was found; this is the last text before it.
    Last(String),
}

impl StopText {
    /// Empty strings are left out: they would stop everything.
    pub fn new(stops: impl IntoIterator<Item = String>) -> Self {
        Self { stops: stops.into_iter().filter(|stop| !stop.is_empty()).collect(), held: String::new() }
    }

    /// Takes the next text. After [`Passed::Last`] nothing more may be pushed.
    pub fn push(&mut self, text: &str) -> Passed {
        self.held.push_str(text);
        let first = self
            .stops
            .iter()
            .filter_map(|stop| self.held.find(stop.as_str()).map(|start| (start + stop.len(), start)))
            .min();
        if let Some((_, start)) = first {
            let mut held = std::mem::take(&mut self.held);
            held.truncate(start);
            return Passed::Last(held);
        }
        let keep_from = self.undecided_from();
        let undecided = self.held.split_off(keep_from);
        Passed::Text(std::mem::replace(&mut self.held, undecided))
    }

    /// The text that was held back, when the answer ends without the stop string that it might have become.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// Byte index where the longest end of `held` starts that is also the beginning of a stop string.
    fn undecided_from(&self) -> usize {
        let longest = self.stops.iter().map(String::len).max().unwrap_or(0);
        let earliest = self.held.len().saturating_sub(longest.saturating_sub(1));
        (earliest..self.held.len())
            .filter(|&index| self.held.is_char_boundary(index))
            .find(|&index| self.stops.iter().any(|stop| stop.starts_with(&self.held[index..])))
            .unwrap_or(self.held.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All text that goes out, and whether a stop string ended it.
    fn run<'a>(stops: &[&str], chunks: impl IntoIterator<Item = &'a str>) -> (String, bool) {
        let mut stop = StopText::new(stops.iter().map(|&stop| stop.to_owned()));
        let mut out = String::new();
        for chunk in chunks {
            match stop.push(chunk) {
                Passed::Text(text) => out.push_str(&text),
                Passed::Last(text) => return (out + &text, true),
            }
        }
        (out + &stop.finish(), false)
    }

    fn character_by_character(text: &str) -> Vec<&str> {
        text.split_inclusive(|_: char| true).collect()
    }

    #[test]
    fn any_chunking_gives_the_same_text() {
        let cases: &[(&[&str], &str, &str, bool)] = &[
            (&["\nUser:"], "Hello.\nUs\nUser: me", "Hello.\nUs", true),
            (&["abc", "b"], "xabc", "xa", true),
            (&["停止"], "一二停三停止四", "一二停三", true),
            (&["###"], "a ## b #", "a ## b #", false),
            (&[], "nothing stops this", "nothing stops this", false),
            (&["aab"], "aaab", "a", true),
        ];
        for &(stops, text, wanted, stopped) in cases {
            assert_eq!(run(stops, [text]), (wanted.to_owned(), stopped), "{text:?} whole");
            assert_eq!(run(stops, character_by_character(text)), (wanted.to_owned(), stopped), "{text:?} by character");
        }
    }

    #[test]
    fn text_that_cannot_become_a_stop_string_goes_out_at_once() {
        let mut stop = StopText::new(["END".to_owned()]);
        assert_eq!(stop.push("the EN"), Passed::Text("the ".to_owned()));
        assert_eq!(stop.push("tire"), Passed::Text("ENtire".to_owned()));
    }
}
