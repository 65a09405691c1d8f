//! How tones change beside each other: 不, 一, and third tones in a row. Pure.
//!
//! After Duanmu, The Phonology of Standard Chinese (2007), chapters 10 and 11: 不 rises before a falling tone, 一 too, and
//! falls before the others; of two third tones that belong together the first rises.

use super::syllable::Syllable;

/// One character with its reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spoken {
    pub written: char,
    /// None for what has no sound.
    pub syllable: Option<Syllable>,
    /// Index of the word it belongs to; words follow one another.
    pub word: usize,
}

/// Changes the tones of `text`, characters that are said in one go.
pub fn change(text: &mut [Spoken]) {
    for at in 0..text.len() {
        let tone = match text[at].written {
            '不' => after_not(text, at),
            '一' => after_one(text, at),
            _ => None,
        };
        if let (Some(tone), Some(syllable)) = (tone, text[at].syllable) {
            text[at].syllable = Some(syllable.with_tone(tone));
        }
    }
    third_tones(text);
}

fn tone(text: &[Spoken], at: usize) -> Option<u8> {
    text.get(at).and_then(|spoken| spoken.syllable).map(|syllable| syllable.tone)
}

fn after_not(text: &[Spoken], at: usize) -> Option<u8> {
    (tone(text, at) == Some(4) && tone(text, at + 1) == Some(4)).then_some(2)
}

fn after_one(text: &[Spoken], at: usize) -> Option<u8> {
    if tone(text, at) != Some(1) || keeps_one(text, at) {
        return None;
    }
    let written = |at: usize| text.get(at).map(|spoken| spoken.written);
    // 看一看: between a verb and itself.
    if at > 0 && written(at - 1) == written(at + 1) {
        return Some(5);
    }
    // A neutral tone counts as what it comes from, and that is 个 in most cases.
    match tone(text, at + 1)? {
        4 => Some(2),
        5 if written(at + 1) == Some('个') => Some(2),
        1..=3 => Some(4),
        _ => None,
    }
}

/// Whether the 一 at `at` is a digit, an ordinal or the end of a word.
fn keeps_one(text: &[Spoken], at: usize) -> bool {
    const DIGITS: &str = "零〇一二三四五六七八九幺";
    let before = at.checked_sub(1).map(|before| text[before].written);
    let after = text.get(at + 1).map(|spoken| spoken.written);
    let ends_word =
        at > 0 && text[at - 1].word == text[at].word && text.get(at + 1).is_none_or(|next| next.word != text[at].word);
    let in_number = before.is_some_and(|c| DIGITS.contains(c) || "十点第初负".contains(c))
        || before.is_some_and(|c| "百千".contains(c)) && !after.is_some_and(|c| "百千".contains(c))
        || after.is_some_and(|c| DIGITS.contains(c) || "十月号".contains(c));
    // 一点五, but not 一点十五分 or 一点五分.
    let decimal = after == Some('点') && {
        let digits =
            text[at + 2..].iter().take_while(|spoken| DIGITS.contains(spoken.written) || spoken.written == '十');
        let (count, tens) =
            digits.fold((0, false), |(count, tens), spoken| (count + 1, tens || spoken.written == '十'));
        count > 0 && !tens && text.get(at + 2 + count).is_none_or(|next| next.written != '分')
    };
    let weekday = at > 1 && matches!((text[at - 2].written, text[at - 1].written), ('星', '期') | ('礼', '拜'));
    // 十一月一日, but not 一日三餐.
    let day = after == Some('日') && before == Some('月');
    let year = after == Some('年') && text.get(at + 2).is_some_and(|next| next.written == '级');
    ends_word || in_number || decimal || weekday || day || year
}

/// Of two third tones in a word the first rises, in 展览馆 each of the first two; then across words, where one of the two
/// is of one syllable: 我很好.
fn third_tones(text: &mut [Spoken]) {
    let alone = |text: &[Spoken], at: usize| {
        let same = |other: Option<&Spoken>| other.is_some_and(|other| other.word == text[at].word);
        !same(at.checked_sub(1).and_then(|before| text.get(before))) && !same(text.get(at + 1))
    };
    for across in [false, true] {
        for at in 1..text.len() {
            let within = text[at].word == text[at - 1].word;
            let both_low = tone(text, at - 1) == Some(3) && tone(text, at) == Some(3);
            if both_low && within != across && (within || alone(text, at - 1) || alone(text, at)) {
                text[at - 1].syllable = text[at - 1].syllable.map(|syllable| syllable.with_tone(2));
            }
        }
    }
}
