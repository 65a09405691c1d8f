//! Chinese in simplified characters, where a recogniser writes traditional ones.
//!
//! PURE. Whisper takes either script, whatever text it is given as what came before. Each character alone: a few that
//! have two simplified forms by their meaning get the usual one.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Pairs of characters, after lines that begin with `#`.
const PAIRS: &str = include_str!("simplified.txt");

static SIMPLIFIED: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let lines = PAIRS.lines().filter(|line| !line.starts_with('#'));
    let characters: Vec<char> = lines.flat_map(str::chars).collect();
    characters.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
});

pub fn simplified(text: &str) -> String {
    text.chars().map(|character| SIMPLIFIED.get(&character).copied().unwrap_or(character)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traditional_characters_become_simplified_ones() {
        assert_eq!(simplified("請問從這裡到火車站怎麼走？"), "请问从这里到火车站怎么走？");
        assert_eq!(simplified("我們後天去聽音樂會，iPhone 沒電了。"), "我们后天去听音乐会，iPhone 没电了。");
    }

    #[test]
    fn what_is_simplified_stays() {
        for text in ["请问从这里到火车站怎么走？", "皇后乐队，干杯！", "", "Hello"] {
            assert_eq!(simplified(text), text);
        }
    }

    #[test]
    fn every_pair_is_whole_and_none_is_simplified_twice() {
        for (traditional, simple) in SIMPLIFIED.iter() {
            assert!(!SIMPLIFIED.contains_key(simple), "{traditional} {simple}");
        }
        assert!(SIMPLIFIED.len() > 2_000);
    }
}
