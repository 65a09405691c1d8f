//! Dates, years and times as they are said in English. Pure.

use crate::voice::normalize::numbers::{self, after_any};

pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// After these words a number of four digits is a year.
const BEFORE_YEARS: &[&str] = &[
    "in", "since", "by", "from", "until", "till", "during", "before", "after", "around", "circa", "year", "early",
    "late", "mid", "spring", "summer", "autumn", "fall", "winter", "of", "and", "to",
];
const DECADES: [&str; 10] =
    ["hundreds", "tens", "twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties"];
/// Between the two ends of a range.
const TO: &str = "-–—";

/// 2026-11-22 and 22/11/2026; the month first, if it can be one.
pub fn written_date(rest: &str) -> Option<(String, usize)> {
    if let Some(([year, month, day], length)) = numbers::date(rest) {
        let month = month.parse::<usize>().ok().and_then(|month| MONTHS.get(month.checked_sub(1)?))?;
        return Some((format!("{month} {}, {}", ordinal(day), year_said(year)), length));
    }
    let groups: Vec<&str> = rest.splitn(3, '/').collect();
    let [one, two, rest_of_it] = groups.as_slice() else { return None };
    let year = &rest_of_it[..numbers::digits(rest_of_it)];
    let (one_value, two_value) = (one.parse::<usize>().ok()?, two.parse::<usize>().ok()?);
    let (month, day) = if one_value <= 12 { (one_value, two) } else { (two_value, one) };
    let month = MONTHS.get(month.checked_sub(1)?)?;
    let valid = one.len() <= 2
        && two.len() <= 2
        && year.len() == 4
        && day.parse().is_ok_and(|day: u32| (1..=31).contains(&day));
    valid.then(|| (format!("{month} {}, {}", ordinal(day), year_said(year)), one.len() + two.len() + 2 + 4))
}

/// 22 November 2026: "the 22nd of November, 20 26".
pub fn day_and_month(before: &str, rest: &str) -> Option<(String, usize)> {
    let day = numbers::digits(rest);
    let value: u32 = rest[..day].parse().ok().filter(|value| (1..=31).contains(value) && day <= 2)?;
    let after = rest[day..].strip_prefix(' ')?;
    let month = MONTHS.iter().find(|month| {
        after.strip_prefix(**month).is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric()))
    })?;
    let the = if before.trim_end().ends_with("the") { "" } else { "the " };
    let mut said = format!("{the}{} of {month}", ordinal(&value.to_string()));
    let mut length = day + 1 + month.len();
    let rest = &rest[length..];
    let after = rest.trim_start_matches([',', ' ']);
    if rest.starts_with([',', ' '])
        && let Some(year) = a_year(after)
    {
        said.push_str(&format!(", {year}"));
        length += rest.len() - after.len() + 4;
    }
    Some((said, length))
}

/// The year that `text` begins with, as it is said.
pub fn a_year(text: &str) -> Option<String> {
    let is_year =
        numbers::digits(text) == 4 && text.starts_with(['1', '2']) && !text[4..].starts_with(char::is_alphabetic);
    is_year.then(|| year_said(&text[..4]))
}

/// 1985 is "19 85", 1905 "19 oh 5", 2007 stays.
fn year_said(year: &str) -> String {
    match (&year[..2], &year[2..]) {
        ("20", _) if year.as_bytes()[2] == b'0' => year.to_owned(),
        (century, "00") => format!("{century} hundred"),
        (century, rest) if rest.starts_with('0') => format!("{century} oh {}", &rest[1..]),
        (century, rest) => format!("{century} {rest}"),
    }
}

/// A number of four digits that is a year by the word before it.
pub fn year(before: &str, rest: &str) -> Option<String> {
    let said = a_year(rest)?;
    let counts =
        ["people", "men", "women", "times", "years", "days", "of ", "km", "kg", "m ", "dollars", "euros", "more"];
    let after = rest[4..].strip_prefix(' ').unwrap_or_default();
    if rest[4..].starts_with(|c: char| ",.:-/%".contains(c)) && rest[5..].starts_with(|c: char| c.is_ascii_digit())
        || rest[4..].starts_with(['%', '°'])
        || counts.iter().any(|word| after.starts_with(word))
    {
        return None;
    }
    let last = before.trim_end().rsplit([' ', '(', '-']).next().unwrap_or_default();
    let last = last.trim_end_matches(',');
    let told = BEFORE_YEARS.iter().any(|word| last.eq_ignore_ascii_case(word)) || MONTHS.contains(&last);
    // "and" and "to" tell it only between two: from 1985 to 1990.
    let joined = ["and", "to", "of"].iter().any(|word| last.eq_ignore_ascii_case(word));
    let bracketed = before.ends_with('(') && rest[4..].starts_with(')');
    let plausible = ("1500".."2100").contains(&&rest[..4]);
    ((told && !joined)
        || bracketed
        || (joined && plausible && before.contains(|c: char| c.is_ascii_digit()))
        || (joined && plausible && last.eq_ignore_ascii_case("of")))
    .then_some(said)
}

/// 1990s is "19 nineties".
pub fn decade(rest: &str) -> Option<(String, usize)> {
    let length = numbers::digits(rest);
    let (digits, after) = rest.split_at(length);
    let mark = ["'s", "’s", "s"]
        .iter()
        .find(|mark| after.strip_prefix(**mark).is_some_and(|after| !after.starts_with(char::is_alphanumeric)))?;
    let tens = digits.get(length.checked_sub(2)?..)?.strip_suffix('0')?.parse::<usize>().ok()?;
    let name = DECADES.get(tens)?;
    let said = match (length, tens) {
        (4, 0) if digits.starts_with("20") => "two thousands".to_owned(),
        (4, _) => format!("{} {name}", &digits[..2]),
        (2, 2..) => (*name).to_owned(),
        _ => return None,
    };
    Some((said, length + mark.len()))
}

/// 10:05 is "10 oh 5", 10:00 "10 o'clock"; with am or pm after it, and perhaps an end: 10:00-12:30.
pub fn time(rest: &str) -> Option<(String, usize)> {
    let (mut said, mut end) = one_time(rest)?;
    if let Some(after) = after_any(&rest[end..], TO).filter(|after| numbers::clock(after).is_some())
        && let Some((other, length)) = one_time(after)
    {
        said.push_str(&format!(" to {other}"));
        end = rest.len() - after.len() + length;
    }
    Some((said, end))
}

fn one_time(rest: &str) -> Option<(String, usize)> {
    let (parts, mut end) = numbers::clock(rest).unwrap_or_else(|| {
        let hour = numbers::digits(rest);
        let value = rest[..hour].parse().ok().filter(|value| (1..=12).contains(value) && hour <= 2);
        ([value, None, None], hour)
    });
    let [Some(hour), minute, second] = parts else { return None };
    let lower: String = rest[end..].trim_start_matches(' ').chars().take(5).collect::<String>().to_ascii_lowercase();
    let half = [("a.m.", "AM"), ("p.m.", "PM"), ("am", "AM"), ("pm", "PM")].iter().find(|(mark, _)| {
        lower.strip_prefix(mark).is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric()))
    });
    if minute.is_none() && half.is_none() {
        return None;
    }
    let mut said = hour.to_string();
    match (minute, second) {
        (None, _) => {}
        (Some(0), None) if half.is_some() => {}
        (Some(0), None) if hour > 12 || hour == 0 => said.push_str(" hundred"),
        (Some(0), None) => said.push_str(" o'clock"),
        (Some(minute @ 0..=9), _) => said.push_str(&format!(" oh {minute}")),
        (Some(minute), _) => said.push_str(&format!(" {minute}")),
    }
    if let Some(second) = second {
        said.push_str(&format!(" and {second} seconds"));
    }
    if let Some((mark, name)) = half {
        said.push_str(&format!(" {name}"));
        let spaces = rest[end..].len() - rest[end..].trim_start_matches(' ').len();
        end += spaces + mark.len();
        // "at 5 p.m." at the end of a sentence: its dot is the sentence's too.
        if mark.ends_with('.') && rest[end..].trim().is_empty() {
            end -= 1;
        }
    }
    Some((said, end))
}

/// 22 is "22nd".
pub fn ordinal(number: &str) -> String {
    let number = number.trim_start_matches('0');
    let teen = number.len() > 1 && number.as_bytes()[number.len() - 2] == b'1';
    let ending = match number.bytes().next_back() {
        Some(b'1') if !teen => "st",
        Some(b'2') if !teen => "nd",
        Some(b'3') if !teen => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}
