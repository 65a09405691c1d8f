//! Server-sent events (WHATWG HTML, section 9.2) as they come, cut at any byte: the data of each.

use super::HearingProblem;

/// Bytes of one event.
const MOST_BYTES: usize = 256 * 1024;

/// See the module's text.
#[derive(Debug, Default)]
pub struct Events {
    /// Of the line that is not whole yet.
    line: Vec<u8>,
    /// The last line ended in a carriage return: a newline after it belongs to it.
    returned: bool,
    data: Vec<u8>,
    has_data: bool,
}

impl Events {
    /// Takes bytes; the data of each event that they complete goes to `done`.
    pub fn push(&mut self, bytes: &[u8], done: &mut Vec<Vec<u8>>) -> Result<(), HearingProblem> {
        for &byte in bytes {
            match byte {
                b'\n' if self.returned => self.returned = false,
                b'\n' | b'\r' => {
                    self.returned = byte == b'\r';
                    self.end_line(done);
                }
                byte => {
                    self.returned = false;
                    self.line.push(byte);
                }
            }
            if self.line.len() + self.data.len() > MOST_BYTES {
                return Err(HearingProblem::rubbish(format!("an event of more than {MOST_BYTES} bytes")));
            }
        }
        Ok(())
    }

    fn end_line(&mut self, done: &mut Vec<Vec<u8>>) {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            done.extend(std::mem::take(&mut self.has_data).then_some(data));
            return;
        }
        // Other fields (event, id, retry) and comments say nothing that the data does not.
        let Some(value) = line.strip_prefix(b"data").filter(|rest| rest.is_empty() || rest.starts_with(b":")) else {
            return;
        };
        let value = value.strip_prefix(b":").unwrap_or(value);
        if self.has_data {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
        self.has_data = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str, chunk: usize) -> Vec<String> {
        let (mut events, mut done) = (Events::default(), Vec::new());
        text.as_bytes().chunks(chunk).for_each(|chunk| events.push(chunk, &mut done).expect("short events"));
        done.into_iter().map(|data| String::from_utf8(data).expect("text")).collect()
    }

    #[test]
    fn events_cut_at_any_byte_are_the_same() {
        let text = ": hello\r\nevent: delta\r\ndata: {\"a\":\r\ndata:  1}\r\n\r\ndata:二\n\nretry: 3\n\ndata\n\ndatax: 3\r\rdata: half";
        for chunk in [1, 2, 3, 7, 1_000] {
            assert_eq!(events(text, chunk), ["{\"a\":\n 1}", "二", ""], "chunks of {chunk}");
        }
    }

    #[test]
    fn an_endless_event_is_refused() {
        let (mut events, mut done) = (Events::default(), Vec::new());
        let line = [b"data: ".as_slice(), &[b'x'; 1_000], b"\n"].concat();
        let refused = (0..1_000).find_map(|_| events.push(&line, &mut done).err());
        assert!(matches!(refused, Some(HearingProblem::Rubbish { .. })) && done.is_empty());
        let mut events = Events::default();
        assert!(events.push(&[b'x'; MOST_BYTES + 1], &mut done).is_err());
    }
}
