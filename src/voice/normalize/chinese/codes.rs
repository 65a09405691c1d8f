//! Numbers that are said digit by digit in Chinese: telephones, trains, rooms, years, codes. Pure.

use super::numbers::{One, digits};
use super::units::is_counted;
use crate::voice::normalize::numbers::{self as written, Number, after_any};

/// What goes before a telephone number.
const TELEPHONES: &[&str] = &["电话", "手机", "手机号", "号码", "热线", "传真", "分机", "拨打", "拨", "打", "致电"];
/// What goes before other numbers that are said digit by digit.
const CODES: &[&str] = &[
    "密码",
    "验证码",
    "编号",
    "学号",
    "账号",
    "帐号",
    "卡号",
    "尾号",
    "邮编",
    "邮政编码",
    "QQ",
    "代码",
    "工号",
    "订单号",
    "口令",
    "序列号",
    "证号",
    "车牌号",
];
/// Between the two ends of a range.
const TO: &str = "-~–—～−";

/// G1234次: a train's letter and its digits.
pub fn train(before: Option<char>, text: &str) -> Option<(String, usize)> {
    let rest = &text[1..];
    let length = written::digits(rest);
    let is_train = text.starts_with(['G', 'D', 'C', 'K', 'T', 'Z'])
        && before.is_none_or(|c| !c.is_ascii_alphanumeric())
        && (1..=4).contains(&length)
        && ["次", "列车", "高铁", "动车"].iter().any(|word| rest[length..].trim_start().starts_with(word));
    is_train.then(|| (format!("{} {}", &text[..1], digits(&rest[..length], One::Yao)), 1 + length))
}

/// A number that is said digit by digit, in groups.
pub fn telephone(rest: &str) -> Option<(String, usize)> {
    let abroad = rest.strip_prefix("+86").map_or(0, |after| 3 + usize::from(after.starts_with([' ', '-'])));
    let mut groups = Vec::new();
    let mut end = abroad;
    loop {
        let length = written::digits(&rest[end..]);
        if length == 0 {
            break;
        }
        groups.push(&rest[end..end + length]);
        end += length;
        let joined = after_any(&rest[end..], "- ").is_some_and(|after| written::digits(after) > 0);
        if !joined || groups.len() == 4 {
            break;
        }
        end += 1;
    }
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let mobile = groups
        .first()
        .is_some_and(|group| group.starts_with('1') && group[1..].starts_with(['3', '4', '5', '6', '7', '8', '9']));
    let area = groups.first().is_some_and(|group| group.starts_with('0'));
    let service = groups.first().is_some_and(|group| group.starts_with("400") || group.starts_with("800"));
    let groups: Vec<&str> = match lengths.as_slice() {
        [11] if mobile => vec![&groups[0][..3], &groups[0][3..7], &groups[0][7..]],
        [3, 4, 4] if mobile => groups,
        [3, 8] | [4, 7 | 8] if area => groups,
        [10] if service => vec![&groups[0][..3], &groups[0][3..6], &groups[0][6..]],
        [3, 3, 4] if service => groups,
        _ => return None,
    };
    let ends = !rest[end..].starts_with(|c: char| c.is_ascii_alphanumeric());
    let fraction = after_any(&rest[end..], ".,").is_some_and(|after| written::digits(after) > 0);
    if !ends || fraction {
        return None;
    }
    let said: Vec<String> = groups.iter().map(|group| digits(group, One::Yao)).collect();
    let said = if abroad > 0 { format!("加八六，{}", said.join("，")) } else { said.join("，") };
    Some((said, end))
}

/// Years, rooms, codes: the digits one by one.
pub fn by_digits(before: &str, number: Number<'_>, after: &str) -> Option<String> {
    if !number.is_plain() {
        return None;
    }
    let (whole, length) = (number.whole, number.whole.len());
    let begins = |words: &[&str]| words.iter().any(|word| after.starts_with(word));
    // 2020-2026年: the first is a year too.
    let range = after_any(after, TO).filter(|other| written::digits(other) == length).map(|other| &other[length..]);
    let is_year = |after: &str| after.starts_with('年') && !after.starts_with("年级");
    let year = is_year(after) || range.is_some_and(is_year);
    let recent = whole.starts_with(['0', '5', '6', '7', '8', '9']) && !after.starts_with("年代");
    let generation = length == 2 && whole.ends_with(['0', '5']) && after.starts_with('后');
    let dated = length == 4 && whole.starts_with(['1', '2']) && whole != "1000" && year;
    if dated || generation || (length == 2 && year && recent) {
        return Some(digits(whole, One::Yi));
    }
    let room = (3..=4).contains(&length) && begins(&["房", "室", "号房", "包厢", "教室"]);
    let bus = length == 3 && begins(&["路公交", "路车", "路"]);
    let before = before.trim_end_matches([' ', ':', '：', '为', '是', '了', '号']);
    let follows = |words: &[&str]| words.iter().any(|word| before.ends_with(word));
    // 打110或120
    let other = before.trim_end_matches(['或', '者', '和', '、']);
    let after_other = other.len() < before.len() && other.ends_with(|c: char| c.is_ascii_digit());
    let first = if after_other { other.trim_end_matches(|c: char| c.is_ascii_digit()) } else { before };
    let dialled = TELEPHONES.iter().any(|word| first.ends_with(word));
    let dialled = (3..=8).contains(&length) && dialled && !is_counted(after) && !begins(&["多", "折"]);
    if room || bus || dialled {
        return Some(digits(whole, One::Yao));
    }
    let code = length >= 3 && follows(CODES);
    let long = length >= 12 && !whole.ends_with("0000");
    let zero = length > 1 && whole.starts_with('0');
    (code || long || zero).then(|| digits(whole, One::Yi))
}
