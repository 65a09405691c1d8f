//! Numbers, dates, times, money, units and abbreviations that espeak-ng would read otherwise than people do, for English.
//! Pure.
//!
//! Whole and decimal numbers, percent and ordinals are left to it. [`expression`] reads what stands at one place of a
//! text; [`word`] changes single words.

mod dates;
mod units;

use self::dates::{MONTHS, a_year};
use self::units::{currency, unit};
use super::numbers::{self, Number, after_any};
use super::spelling::Expression;
use crate::voice::traced::Traced;

/// Abbreviations whose dot is not an end, and signs.
const WORDS: &[(&str, &str)] = &[
    ("Dr.", "Doctor"),
    ("Mr.", "Mister"),
    ("Mrs.", "Missus"),
    ("Ms.", "Miz"),
    ("Prof.", "Professor"),
    ("St.", "Saint"),
    ("Jr.", "Junior"),
    ("Sr.", "Senior"),
    ("vs.", "versus"),
    ("etc.", "et cetera"),
    ("e.g.", "for example"),
    ("i.e.", "that is"),
    ("approx.", "approximately"),
    ("&", "and"),
    ("=", "equals"),
    ("+", "plus"),
    ("×", "times"),
    ("÷", "divided by"),
    ("@", "at"),
];

/// What stands before a number as its name.
const NAMES: &[(&str, &str)] =
    &[("No.", "number"), ("Nos.", "numbers"), ("Fig.", "figure"), ("pp.", "pages"), ("p.", "page")];

/// From the third part to the tenth.
const PARTS: [&str; 8] = ["third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];
/// Between the two ends of a range.
const TO: &str = "-–—";

/// `word`, which lies between spaces, as it is said.
pub fn word(word: Traced) -> Traced {
    let text = word.as_str();
    let core = text.trim_start_matches(['(', '"', '“', '\'']);
    let start = text.len() - core.len();
    let short = WORDS.iter().find_map(|(short, long)| {
        let after = core.strip_prefix(short)?;
        after.chars().all(|c| !c.is_alphanumeric()).then_some((long, after))
    });
    let Some((said, after)) = short else {
        return word.replaced("&", " and ").replaced("°C", " degrees Celsius").replaced("°F", " degrees Fahrenheit");
    };
    let mut out = word.part(0..start);
    out.say(said, word.from(start));
    out.copy(&word, text.len() - after.len()..text.len());
    out
}

/// What is said for the number, sign or name at byte `at` of `text`; none if it is left as it is.
pub fn expression(text: &str, at: usize) -> Option<Expression> {
    let (before, rest) = (&text[..at], &text[at..]);
    if before.ends_with(|c: char| c.is_alphanumeric() || c == '_') && rest.starts_with(char::is_alphanumeric) {
        return None;
    }
    let said = |said: String, length: usize| Some(Expression { end: at + length, said: vec![(at, said)] });
    if rest.starts_with(|c: char| c.is_ascii_uppercase()) && currency(rest).is_none() {
        let (said, length) = named(rest)?;
        return Some(Expression { end: at + length, said: vec![(at, said)] });
    }
    if let Some(after) = rest.strip_prefix('#').filter(|after| numbers::digits(after) > 0) {
        return said("number ".to_owned(), rest.len() - after.len());
    }
    if let Some((said, length)) = money(rest) {
        return Some(Expression { end: at + length, said: vec![(at, said)] });
    }
    if !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return sign(before, rest)
            .and_then(|word| said(word.to_owned(), rest.chars().next().map_or(0, char::len_utf8)));
    }
    // What a number was left as, goes on: 1.2.3, 555-0187.
    let within = before.strip_suffix(['-', '.', ',', ':', '/', '–']);
    if within.is_some_and(|before| before.ends_with(|c: char| c.is_ascii_alphanumeric())) {
        return None;
    }
    let (spoken, length) = dates::written_date(rest)
        .or_else(|| dates::day_and_month(before, rest))
        .or_else(|| telephone(before, rest))
        .or_else(|| dates::time(rest))
        .or_else(|| fraction(before, rest))
        .or_else(|| dates::decade(rest))
        .or_else(|| range(rest))
        .or_else(|| dates::year(before, rest).map(|said| (said, 4)))
        .or_else(|| measured(rest))?;
    said(spoken, length)
}

/// No. 5, Fig. 3, and November 22 (with the year after it).
fn named(rest: &str) -> Option<(String, usize)> {
    for (short, name) in NAMES {
        if let Some(after) = rest.strip_prefix(short)
            && numbers::digits(after.trim_start()) > 0
        {
            return Some((format!("{name} "), rest.len() - after.trim_start().len()));
        }
    }
    let month = MONTHS.iter().find(|month| rest.starts_with(**month))?;
    let after = rest[month.len()..].strip_prefix(' ')?;
    let day = numbers::digits(after);
    let is_day = (1..=2).contains(&day) && after[..day].parse().is_ok_and(|day: u32| (1..=31).contains(&day));
    let rest = &after[day..];
    if !is_day || rest.starts_with(|c: char| c.is_alphanumeric() || ":-/–".contains(c)) {
        return None;
    }
    let mut said = format!("{month} {}", dates::ordinal(&after[..day]));
    let mut length = month.len() + 1 + day;
    let after = rest.trim_start_matches([',', ' ']);
    if rest.starts_with([',', ' '])
        && let Some(year) = a_year(after)
    {
        said.push_str(&format!(", {year}"));
        length += rest.len() - after.len() + 4;
    }
    Some((said, length))
}

fn sign(before: &str, rest: &str) -> Option<&'static str> {
    let number = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || "$€£(".contains(c));
    let (last, next) = (before.chars().next_back(), rest.chars().nth(1));
    let beside = number(before.trim_end().chars().next_back()) && number(rest.chars().skip(1).find(|c| *c != ' '));
    let between = beside && last == Some(' ') && next == Some(' ');
    match rest.chars().next()? {
        '-' | '−' if between && rest.contains('=') => Some("minus"),
        '-' | '–' | '—' if between => Some("to"),
        '−' if last.is_none_or(|c| !c.is_alphanumeric()) && number(next) => Some("minus "),
        '+' if beside => Some(" plus "),
        '=' if beside => Some(" equals "),
        '×' if beside => Some(" times "),
        '÷' if beside => Some(" divided by "),
        '≈' => Some(" about equals "),
        '≥' => Some(" at least "),
        '≤' => Some(" at most "),
        _ => None,
    }
}

/// `$29.99` is said "29 dollars 99".
fn money(rest: &str) -> Option<(String, usize)> {
    let (currency, sign) = currency(rest)?;
    let number = Number::parse(&rest[sign..])?;
    let mut end = sign + number.length;
    let scales = [("million", "million"), ("billion", "billion"), ("trillion", "trillion"), ("thousand", "thousand")];
    let short =
        [("bn", "billion"), ("m", "million"), ("M", "million"), ("B", "billion"), ("k", "thousand"), ("K", "thousand")];
    let whole_word = |text: &str| !text.starts_with(|c: char| c.is_alphanumeric());
    let spaced = rest[end..].strip_prefix(' ').unwrap_or(&rest[end..]);
    let scale = scales
        .iter()
        .find_map(|(word, scale)| {
            spaced.strip_prefix(word).filter(|after| whole_word(after)).map(|after| (*scale, after))
        })
        .or_else(|| {
            let attached = &rest[end..];
            short.iter().find_map(|(word, scale)| {
                attached.strip_prefix(word).filter(|after| whole_word(after)).map(|after| (*scale, after))
            })
        });
    let amount = &rest[sign..end];
    if let Some((scale, after)) = scale {
        return Some((format!("{amount} {scale} {}", currency.many), rest.len() - after.len()));
    }
    if !whole_word(&rest[end..]) {
        return None;
    }
    let unit = |amount: &str| if amount == "1" { currency.one } else { currency.many };
    let said = match (number.whole, number.fraction) {
        ("0", Some(part)) if part.len() == 2 && !currency.part.is_empty() => format!("{part} {}", currency.part),
        (whole, Some("00")) => format!("{whole} {}", unit(whole)),
        (whole, Some(part)) if part.len() == 2 => format!("{whole} {} {part}", unit(whole)),
        _ => format!("{amount} {}", unit(amount)),
    };
    // $5-$10, $5-10
    if let Some(after) = after_any(&rest[end..], TO)
        && let after = &after[self::currency(after).map_or(0, |(_, sign)| sign)..]
        && let Some(other) = Number::parse(after).filter(|_| number.fraction.is_none())
    {
        end = rest.len() - after.len() + other.length;
        return Some((format!("{amount} to {} {}", &after[..other.length], currency.many), end));
    }
    Some((said, end))
}

fn telephone(before: &str, rest: &str) -> Option<(String, usize)> {
    let mut groups = Vec::new();
    let mut end = 0;
    loop {
        let length = numbers::digits(&rest[end..]);
        groups.push(&rest[end..end + length]);
        end += length;
        let Some(after) = after_any(&rest[end..], "- ").filter(|after| numbers::digits(after) > 0) else { break };
        if groups.len() == 5 {
            break;
        }
        end = rest.len() - after.len();
    }
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let abroad = before.ends_with('+');
    let dashed = rest[..end].contains('-');
    let is_telephone = match lengths.as_slice() {
        [3, 4] | [3, 3, 4] | [1, 3, 3, 4] => dashed || abroad || groups[0].len() == 1,
        [1..=3, ..] if abroad => lengths.iter().sum::<usize>() >= 7,
        _ => false,
    };
    if !is_telephone || rest[end..].starts_with(|c: char| c.is_alphanumeric()) {
        return None;
    }
    let spaced = |group: &&str| group.chars().map(String::from).collect::<Vec<_>>().join(" ");
    Some((groups.iter().map(spaced).collect::<Vec<_>>().join(", "), end))
}

/// 1/2 is "one half", 1 1/2 "1 and a half", 3/8 "3 eighths".
fn fraction(before: &str, rest: &str) -> Option<(String, usize)> {
    let over = &rest[..numbers::digits(rest)];
    let after = rest[over.len()..].strip_prefix('/')?;
    let under = &after[..numbers::digits(after)];
    let length = over.len() + 1 + under.len();
    let (a, b) = (over.parse::<u32>().ok()?, under.parse::<u32>().ok()?);
    if after[under.len()..].starts_with(['/', '.', '-']) || over.len() > 4 || under.len() > 4 {
        return None;
    }
    let mixed = before.strip_suffix(' ').is_some_and(|before| before.ends_with(|c: char| c.is_ascii_digit()));
    let one = if mixed { "and a" } else { "one" };
    let mixed = if mixed { "and " } else { "" };
    let said = match (a, b) {
        (24, 7) => "24 7".to_owned(),
        (1, 2) => format!("{one} half"),
        (_, 2) => format!("{mixed}{a} halves"),
        (1, 4) => format!("{one} quarter"),
        (_, 4) => format!("{mixed}{a} quarters"),
        (1, 3..=10) => format!("{one} {}", PARTS[b as usize - 3]),
        (_, 3..=10) if a < b => format!("{mixed}{a} {}s", PARTS[b as usize - 3]),
        (1, 11..=100) => format!("{one} {}", dates::ordinal(under)),
        _ => format!("{a} over {b}"),
    };
    Some((said, length))
}

/// 10-20 is "10 to 20"; of years too.
fn range(rest: &str) -> Option<(String, usize)> {
    let one = Number::parse(rest)?;
    let after = after_any(&rest[one.length..], TO)?;
    let other = Number::parse(after)?;
    let tail = &after[other.length..];
    if after_any(tail, TO).is_some()
        || tail.trim_start().starts_with('=')
        || tail.starts_with(|c: char| c.is_ascii_alphabetic() && !"kmgc".contains(c))
    {
        return None;
    }
    let years = a_year(rest).filter(|_| one.length == 4).zip(a_year(after).filter(|_| other.length == 4));
    let length = rest.len() - after.len();
    if let Some((one, other)) = years {
        return Some((format!("{one} to {other}"), length + 4));
    }
    let (said, end) = measured(after).unwrap_or_else(|| (after[..other.length].to_owned(), other.length));
    Some((format!("{} to {said}", &rest[..one.length]), length + end))
}

/// 5 km/h: a number with its unit.
fn measured(rest: &str) -> Option<(String, usize)> {
    let number = Number::parse(rest)?;
    if let Some(after) = rest[number.length..].strip_prefix(" x ").or_else(|| rest[number.length..].strip_prefix('x'))
        && numbers::digits(after) > 0
    {
        return Some((format!("{} times ", &rest[..number.length]), rest.len() - after.len()));
    }
    let after = &rest[number.length..];
    let unit = unit(after.strip_prefix(' ').unwrap_or(after), after.starts_with(' '))?;
    let name = if &rest[..number.length] == "1" { unit.one } else { unit.many };
    let spaces = usize::from(after.starts_with(' '));
    Some((format!("{} {name}", &rest[..number.length]), number.length + spaces + unit.length))
}

#[cfg(test)]
mod tests {
    use crate::voice::normalize::for_speech;

    #[test]
    fn numbers_are_left_to_espeak_where_it_reads_them_well() {
        for text in
            ["1,234 people", "3.14159", "50% of it", "the 1st and 22nd", "2000 dollars", "B12, MP3 and GPT-4", "1.2.3"]
        {
            assert_eq!(for_speech(text, "en").as_str(), text);
        }
    }

    #[test]
    fn dates_and_years() {
        for (written, spoken) in [
            ("On 22 November 2026 we meet", "On the 22nd of November, 20 26 we meet"),
            ("On November 22, 2026 we meet", "On November 22nd, 20 26 we meet"),
            ("on the 3 May", "on the 3rd of May"),
            ("2026-11-22 or 9/11/2001", "November 22nd, 20 26 or September 11th, 2001"),
            ("Born in 1985, died in 2007.", "Born in 19 85, died in 2007."),
            ("in 1905, since 1900", "in 19 oh 5, since 19 hundred"),
            ("From 2010-2015", "From 20 10 to 20 15"),
            ("the 1990s and the 90s", "the 19 nineties and the nineties"),
            ("1990 people in 2000 cars", "1990 people in 2000 cars"),
        ] {
            assert_eq!(for_speech(written, "en").as_str(), spoken);
        }
    }

    #[test]
    fn times() {
        for (written, spoken) in [
            ("at 3:30 pm", "at 3 30 PM"),
            ("10:05 and 10:00", "10 oh 5 and 10 o'clock"),
            ("10 a.m. to 5 p.m.", "10 AM to 5 PM."),
            ("7am, 7:00am", "7 AM, 7 AM"),
            ("10:00-12:30", "10 o'clock to 12 30"),
        ] {
            assert_eq!(for_speech(written, "en").as_str(), spoken);
        }
    }

    #[test]
    fn money_fractions_units_and_signs() {
        for (written, spoken) in [
            ("£5, £1,234.50 and $0.99", "5 pounds, 1,234 pounds 50 and 99 cents"),
            ("$5 million, $1.5bn, $5-$10", "5 million dollars, 1.5 billion dollars, 5 to 10 dollars"),
            ("1/2, 3/4, 1 1/2, 3/8 and 24/7", "one half, 3 quarters, 1 and a half, 3 eighths and 24 7"),
            (
                "5 km/h, 1 kg, 100 m², 16 GB, 5 mph",
                "5 kilometers an hour, 1 kilogram, 100 square meters, 16 gigabytes, 5 miles an hour",
            ),
            ("-5°C and 20°F", "-5 degrees Celsius and 20 degrees Fahrenheit"),
            ("5-10 kg, pages 10-20", "5 to 10 kilograms, pages 10 to 20"),
            ("No. 5 and #1", "number 5 and number 1"),
            ("6 - 2 = 4, 1+1=2, 3 x 4", "6 minus 2 equals 4, 1 plus 1 equals 2, 3 times 4"),
            ("Call 555-1234", "Call 5 5 5, 1 2 3 4"),
        ] {
            assert_eq!(for_speech(written, "en").as_str(), spoken);
        }
    }
}
