//! Token texts from `vocabulary.txt`, one token a line, or `vocabulary.json`, a list of them; the bytes of each are
//! written in GPT-2's printable alphabet.
//!
//! GPT-2 writes each byte as one character: the printable Latin-1 ones as themselves, the other 68 as
//! U+0100 and up in byte order.

use std::borrow::Cow;

use super::ConvertError;

/// The first token that is not text; whisper.cpp names it and all after it by itself.
const FIRST_SPECIAL: &str = "<|endoftext|>";

/// Bytes of every text token; `size` is the number of rows of the token embedding.
pub fn text_tokens(vocabulary: &str, size: usize) -> Result<Vec<Vec<u8>>, ConvertError> {
    // The first token of every Whisper model is "!", so a list of text lines does not begin with a bracket.
    let lines: Vec<Cow<'_, str>> = match vocabulary.trim_start().starts_with('[') {
        true => serde_json::from_str(vocabulary).map_err(|error| ConvertError::Vocabulary(error.to_string()))?,
        false => vocabulary.lines().map(Cow::Borrowed).collect(),
    };
    if lines.len() != size {
        return Err(ConvertError::Vocabulary(format!("it has {} tokens, the weights {size}", lines.len())));
    }
    let texts = lines
        .iter()
        .position(|token| token == FIRST_SPECIAL)
        .ok_or_else(|| ConvertError::Vocabulary(format!("no token {FIRST_SPECIAL}")))?;
    let alphabet = alphabet();
    lines[..texts]
        .iter()
        .enumerate()
        .map(|(n, token)| {
            token
                .chars()
                .map(|c| alphabet.iter().position(|&known| known == c).map(|byte| byte as u8))
                .collect::<Option<Vec<u8>>>()
                .ok_or_else(|| ConvertError::Vocabulary(format!("token {n}, {token:?}, is not byte-level text")))
        })
        .collect()
}

/// The character of each byte.
fn alphabet() -> [char; 256] {
    let mut next = 0x100_u32;
    std::array::from_fn(|byte| match byte as u8 {
        b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff => char::from(byte as u8),
        _ => {
            let c = char::from_u32(next).unwrap_or(char::REPLACEMENT_CHARACTER);
            next += 1;
            c
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_become_their_bytes() {
        let tokens = text_tokens("!\nĠthe\nåľº\n\nĊ\n<|endoftext|>\n<|0.00|>\n", 7).unwrap();
        assert_eq!(tokens, ["!".as_bytes(), b" the", "场".as_bytes(), b"", b"\n"]);
        let list = r#"["!", "Ġthe", "\u00e5\u013e\u00ba", "<|endoftext|>", "<|0.00|>"]"#;
        assert_eq!(text_tokens(list, 5).unwrap(), ["!".as_bytes(), b" the", "场".as_bytes()]);
    }

    #[test]
    fn a_vocabulary_of_another_model_is_refused() {
        for (text, size) in
            [("a\n<|endoftext|>", 3), ("a\nb", 2), ("a b\n<|endoftext|>", 2), ("", 1), ("[\"!\"", 1), ("[]", 0)]
        {
            assert!(matches!(text_tokens(text, size), Err(ConvertError::Vocabulary(_))), "{text:?}");
        }
    }
}
