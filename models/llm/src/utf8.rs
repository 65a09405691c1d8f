//! Bytes of tokens to text. A token may end in the middle of a character (Chinese and emoji often do), so the
//! unfinished end is held back until its remaining bytes come. Not a validator: bytes that can never become a
//! character turn into U+FFFD, as in [`String::from_utf8_lossy`].

/// Holds at most the three bytes of an unfinished character.
#[derive(Debug, Default)]
pub struct Utf8Decoder {
    unfinished: Vec<u8>,
}

impl Utf8Decoder {
    /// Takes the next bytes and returns the text that is now complete. A character that never completes (the
    /// answer was cut inside it) is never returned: half a character is nothing to say.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.unfinished.extend_from_slice(bytes);
        let mut text = String::with_capacity(self.unfinished.len());
        let mut rest = self.unfinished.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    rest = &[];
                    break;
                }
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    text.push_str(&String::from_utf8_lossy(valid));
                    match error.error_len() {
                        Some(invalid) => {
                            text.push(char::REPLACEMENT_CHARACTER);
                            rest = &after[invalid..];
                        }
                        None => {
                            rest = after;
                            break;
                        }
                    }
                }
            }
        }
        let consumed = self.unfinished.len() - rest.len();
        self.unfinished.drain(..consumed);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(chunks: &[&[u8]]) -> String {
        let mut decoder = Utf8Decoder::default();
        chunks.iter().map(|chunk| decoder.push(chunk)).collect()
    }

    #[test]
    fn any_chunking_gives_the_same_text() {
        let text = "Hi, 你好，法国的首都是巴黎。 👩‍🚀 e\u{301} ß".as_bytes();
        for size in 1..=text.len() {
            let chunks: Vec<&[u8]> = text.chunks(size).collect();
            assert_eq!(decode(&chunks).as_bytes(), text, "in chunks of {size} bytes");
        }
    }

    #[test]
    fn bytes_that_are_no_text_become_replacement_characters_in_any_chunking() {
        let bytes = b"a\xff\xe4\xbd\xe5\xa5\xbd\xc0z\xf0\x9f\x98";
        let whole = decode(&[bytes]);
        assert_eq!(whole, "a\u{fffd}\u{fffd}好\u{fffd}z");
        for size in 1..bytes.len() {
            let chunks: Vec<&[u8]> = bytes.chunks(size).collect();
            assert_eq!(decode(&chunks), whole, "in chunks of {size} bytes");
        }
    }

    #[test]
    fn a_character_is_held_until_its_last_byte() {
        let mut decoder = Utf8Decoder::default();
        assert_eq!(decoder.push(b"x\xe4\xbd"), "x");
        assert_eq!(decoder.push(b"\xa0"), "你");
    }
}
