//! Numbers as they are written, in any language: digits, thousands, decimals. Pure.

/// What a text begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number<'a> {
    /// Digits, perhaps with commas between thousands.
    pub whole: &'a str,
    /// Digits after the point.
    pub fraction: Option<&'a str>,
    /// Bytes of all of it.
    pub length: usize,
}

impl<'a> Number<'a> {
    /// The number at the beginning of `text`.
    pub fn parse(text: &'a str) -> Option<Self> {
        let plain = digits(text);
        if plain == 0 {
            return None;
        }
        let mut end = plain;
        // 1,234,567: each comma is followed by exactly three digits.
        while plain <= 3 && text[end..].strip_prefix(',').is_some_and(|rest| digits(rest) == 3) {
            end += 4;
        }
        let fraction = text[end..].strip_prefix('.').map(|rest| &rest[..digits(rest)]).filter(|f| !f.is_empty());
        Some(Self { whole: &text[..end], fraction, length: end + fraction.map_or(0, |f| f.len() + 1) })
    }

    /// A whole number without commas.
    pub fn is_plain(&self) -> bool {
        self.fraction.is_none() && !self.whole.contains(',')
    }
}

/// How many digits `text` begins with.
pub fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// `text` without `prefix`, any of these characters.
pub fn after_any<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    text.strip_prefix(|c: char| prefix.contains(c))
}

/// An hour and its minutes, perhaps seconds: `10:30`, and its length. Full-width colons count too.
pub fn clock(text: &str) -> Option<([Option<u32>; 3], usize)> {
    let mut parts = [None; 3];
    let mut rest = text;
    for (at, part) in parts.iter_mut().enumerate() {
        if at > 0 {
            let Some(after) = after_any(rest, ":：").filter(|after| digits(after) == 2) else { break };
            rest = after;
        }
        let length = digits(rest);
        let value: u32 = rest[..length].parse().ok().filter(|_| (1..=2).contains(&length))?;
        (value <= if at == 0 { 24 } else { 59 }).then_some(())?;
        *part = Some(value);
        rest = &rest[length..];
    }
    let ends = after_any(rest, ":：").is_none_or(|after| digits(after) == 0);
    (parts[1].is_some() && ends).then_some((parts, text.len() - rest.len()))
}

/// A date as computers write it, `2026-11-22` or `2026/11/22`: year, month, day and its length.
pub fn date(text: &str) -> Option<([&str; 3], usize)> {
    let year = &text[..digits(text)];
    let mark = text[year.len()..].chars().next().filter(|c| "-/.".contains(*c))?;
    let rest = text[year.len()..].strip_prefix(mark)?;
    let month = &rest[..digits(rest)];
    let rest = rest[month.len()..].strip_prefix(mark)?;
    let day = &rest[..digits(rest)];
    let within = |text: &str, most: u32| text.len() <= 2 && text.parse().is_ok_and(|value| (1..=most).contains(&value));
    let ends = rest[day.len()..].strip_prefix(mark).is_none_or(|after| digits(after) == 0);
    let valid = year.len() == 4 && year.starts_with(['1', '2']) && within(month, 12) && within(day, 31) && ends;
    valid.then_some(([year, month, day], text.len() - rest.len() + day.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_where_they_end() {
        for (text, whole, fraction, length) in [
            ("12,345.6元", "12,345", Some("6"), 8),
            ("12,34", "12", None, 2),
            ("1234,567", "1234", None, 4),
            ("1,234,56", "1,234", None, 5),
            ("3.", "3", None, 1),
            ("3.14.15", "3", Some("14"), 4),
        ] {
            assert_eq!(Number::parse(text), Some(Number { whole, fraction, length }), "{text}");
        }
        assert_eq!(Number::parse(".5"), None);
    }

    #[test]
    fn clocks_and_dates_are_told_from_other_numbers() {
        assert_eq!(clock("10:30 pm"), Some(([Some(10), Some(30), None], 5)));
        assert_eq!(clock("9：05：07"), Some(([Some(9), Some(5), Some(7)], 11)));
        assert!(["3:1", "25:00", "10:75", "10", "1:2:3", "10:305"].into_iter().all(|text| clock(text).is_none()));
        assert_eq!(date("2026-11-22)"), Some((["2026", "11", "22"], 10)));
        assert_eq!(date("2026/1/2"), Some((["2026", "1", "2"], 8)));
        assert!(
            ["2026-13-01", "2026-11", "26-11-22", "2026-1/2", "1.2.3"].into_iter().all(|text| date(text).is_none())
        );
    }
}
