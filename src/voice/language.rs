//! Which language a text is in, as far as its script tells. Pure.

use super::primary_language;

/// Part of a text's letters in another script from which it counts as being in that.
const SHARE: usize = 3;

/// Primary tag of the language of `text`; `default` (a language tag) for what its script leaves open.
pub fn of(text: &str, default: &str) -> String {
    let default = primary_language(default);
    let mut counts = [("zh", 0), ("ja", 0), ("ko", 0), ("ru", 0), ("hi", 0), ("ar", 0), ("el", 0)];
    let mut letters = 0;
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        letters += 1;
        let language = match c {
            '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '\u{20000}'..='\u{3ffff}' => "zh",
            '\u{3040}'..='\u{30ff}' => "ja",
            '\u{ac00}'..='\u{d7af}' | '\u{1100}'..='\u{11ff}' => "ko",
            '\u{400}'..='\u{52f}' => "ru",
            '\u{900}'..='\u{97f}' => "hi",
            '\u{600}'..='\u{6ff}' => "ar",
            '\u{370}'..='\u{3ff}' => "el",
            _ => continue,
        };
        if let Some((_, count)) = counts.iter_mut().find(|(name, _)| *name == language) {
            *count += 1;
        }
    }
    let [(_, han), (_, kana), ..] = counts;
    // Japanese is written in Han characters and kana, Chinese without kana.
    if (kana > 0 || default == "ja") && (han + kana) * SHARE >= letters && han + kana > 0 {
        return "ja".to_owned();
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count).filter(|(_, count)| *count > 0);
    match most {
        Some((language, count)) if count * SHARE >= letters => language.to_owned(),
        // A language that is written in Latin letters.
        _ if counts.iter().all(|(language, _)| *language != default) => default,
        _ if letters == 0 => default,
        _ => "en".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_decides_and_the_default_where_it_is_open() {
        for (text, default, language) in [
            ("The capital of France is Paris.", "en", "en"),
            ("La capital de Francia es París.", "es-ES", "es"),
            ("The capital is Paris.", "zh-CN", "en"),
            ("法国的首都是巴黎。", "en", "zh"),
            ("我用GPU跑3个test模型", "en", "zh"),
            ("The word 世界 means world.", "en", "en"),
            ("フランスの首都はパリです。", "zh", "ja"),
            ("東京", "ja", "ja"),
            ("Столица Франции — Париж.", "en", "ru"),
            ("서울은 한국의 수도입니다", "en", "ko"),
            ("12:30 !", "zh", "zh"),
            ("12:30 !", "en", "en"),
        ] {
            assert_eq!(of(text, default), language, "{text:?}");
        }
    }
}
