//! Numbers as they are said in Chinese. Pure.

/// How 1 is said where digits are said one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum One {
    /// 一, in years, decimals and codes.
    Yi,
    /// 幺, which cannot be mistaken for 七 over a telephone: telephones, rooms, trains, as people in China say them.
    Yao,
}

const DIGITS: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
/// Names of the groups of four digits, from the last.
const GROUPS: [&str; 4] = ["", "万", "亿", "万亿"];
/// Digits of the largest number with a name; longer ones are said digit by digit.
const LONGEST: usize = 16;

/// Each of the digits in `text`; what is no digit is left out.
pub fn digits(text: &str, one: One) -> String {
    let said = |digit: u32| if digit == 1 && one == One::Yao { '幺' } else { DIGITS[digit as usize % 10] };
    text.chars().filter_map(|c| c.to_digit(10)).map(said).collect()
}

/// `whole` (digits, perhaps with commas) as a count: 12,345 is 一万二千三百四十五, 2000 is 两千.
pub fn cardinal(whole: &str) -> String {
    let all: Vec<u32> = whole.chars().filter_map(|c| c.to_digit(10)).collect();
    let first = all.iter().position(|&digit| digit != 0).unwrap_or(all.len());
    let number = &all[first..];
    if number.is_empty() {
        return "零".to_owned();
    }
    if number.len() > LONGEST {
        return digits(whole, One::Yi);
    }
    let mut said = String::new();
    // A zero that was passed over, and is said before the next digit.
    let mut gap = false;
    let groups = number.len().div_ceil(4);
    for index in (0..groups).rev() {
        let end = number.len() - 4 * index;
        let group = &number[end.saturating_sub(4)..end];
        let leads = said.is_empty();
        if leads && group == [2] && index > 0 {
            said.push('两');
        } else {
            group_of_four(group, leads, &mut gap, &mut said);
        }
        gap = group.iter().all(|&digit| digit == 0);
        if !gap {
            // 亿 is said once, after 万亿 only if nothing comes between.
            let more = index == 3 && number[end..end + 4].iter().any(|&digit| digit != 0);
            said.push_str(if more { "万" } else { GROUPS[index] });
        }
    }
    said
}

fn group_of_four(group: &[u32], leads: bool, gap: &mut bool, said: &mut String) {
    for (at, &digit) in group.iter().enumerate() {
        let place = group.len() - 1 - at;
        if digit == 0 {
            *gap = true;
            continue;
        }
        if std::mem::take(gap) && !said.is_empty() {
            said.push('零');
        }
        let first = leads && at == 0;
        // 十二, but 一百一十二.
        if !(digit == 1 && place == 1 && first) {
            said.push(if digit == 2 && place > 1 && first { '两' } else { DIGITS[digit as usize] });
        }
        said.extend([None, Some('十'), Some('百'), Some('千')][place]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_their_names() {
        for (whole, expected) in [
            ("0", "零"),
            ("00", "零"),
            ("2", "二"),
            ("10", "十"),
            ("12", "十二"),
            ("20", "二十"),
            ("101", "一百零一"),
            ("110", "一百一十"),
            ("112", "一百一十二"),
            ("200", "两百"),
            ("222", "两百二十二"),
            ("1,002", "一千零二"),
            ("1010", "一千零一十"),
            ("2000", "两千"),
            ("2,345", "两千三百四十五"),
            ("10000", "一万"),
            ("12,345", "一万二千三百四十五"),
            ("20000", "两万"),
            ("22000", "两万二千"),
            ("100500", "十万零五百"),
            ("120000", "十二万"),
            ("10000500", "一千万零五百"),
            ("100000000", "一亿"),
            ("200030000", "两亿零三万"),
            ("1400000000", "十四亿"),
            ("1000000000000", "一万亿"),
            ("2500000000000", "两万五千亿"),
            ("105000", "十万五千"),
            ("100005000", "一亿零五千"),
            ("99999999999999999", "九九九九九九九九九九九九九九九九九"),
        ] {
            assert_eq!(cardinal(whole), expected, "{whole}");
        }
    }

    #[test]
    fn digits_are_said_one_by_one() {
        assert_eq!(digits("2026", One::Yi), "二零二六");
        assert_eq!(digits("110-119", One::Yao), "幺幺零幺幺九");
    }
}
