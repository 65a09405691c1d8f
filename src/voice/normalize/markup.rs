//! Markdown marks, links, web addresses and emoji, which nobody says. Pure.

use crate::voice::traced::Traced;

/// `text` without what is only there for the eye; a space where a line begins.
pub fn without_markup(text: &str) -> Traced {
    let whole = Traced::whole(text);
    let mut out = Traced::default();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        // Marks are cut off the front only.
        let end = start + line.trim_end().len();
        let bare = end - without_line_marks(line).len();
        out.say(" ", start);
        let spoken = without_urls(&without_links(&whole.part(bare..end)));
        out.extend(&without_marks(&spoken));
        start += line.len();
    }
    out
}

/// The line without heading, quote, list and code fence marks: its end, without the spaces after it.
fn without_line_marks(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with("```") || (line.len() >= 3 && line.chars().all(|c| "-*_=".contains(c))) {
        return "";
    }
    let bare = line.trim_start_matches('#');
    // "#1" is a number, not a heading.
    let line = if bare.starts_with(|c: char| c.is_ascii_digit()) { line } else { bare.trim_start() };
    let bare = line.trim_start_matches('>').trim_start();
    ["- ", "* ", "+ ", "• "].iter().find_map(|mark| bare.strip_prefix(mark)).unwrap_or(bare)
}

/// `[text](address)` and `![text](address)` become `text`.
fn without_links(line: &Traced) -> Traced {
    let mut out = Traced::default();
    let text = line.as_str();
    let mut done = 0;
    while let Some(open) = text[done..].find('[').map(|at| done + at) {
        let link = text[open..].find("](").and_then(|middle| {
            let middle = open + middle;
            text[middle..].find(')').map(|close| (middle, middle + close))
        });
        let Some((middle, close)) = link else { break };
        let before = text[done..open].strip_suffix('!').unwrap_or(&text[done..open]);
        out.copy(line, done..done + before.len());
        out.copy(line, open + 1..middle);
        done = close + 1;
    }
    out.copy(line, done..text.len());
    out
}

/// Of a web address only the host is worth hearing.
fn without_urls(line: &Traced) -> Traced {
    line.each_word(|word| match host(word.as_str()) {
        Some(host) => Traced::said(&host, word.from(0)),
        None => word,
    })
}

/// What is said for a word that holds a web address.
fn host(word: &str) -> Option<String> {
    let start = word.find("https://").or_else(|| word.find("http://"))?;
    let address = word[start..].split_once("//")?.1;
    let host = address.split(['/', '?', '#', ')', '>', ',']).next()?.trim_end_matches(['.', '!', ';', ':']);
    let end = address.chars().next_back().filter(|c| ".,!?;:".contains(*c));
    let before = word[..start].trim_matches(['<', '(']);
    let host = host.strip_prefix("www.").unwrap_or(host);
    Some(format!("{before}{host}{}", end.map(String::from).unwrap_or_default()))
}

/// Without emphasis marks and emoji.
fn without_marks(line: &Traced) -> Traced {
    let chars: Vec<(usize, char)> = line.as_str().char_indices().collect();
    let at = |index: Option<usize>| index.and_then(|i| chars.get(i)).map(|&(_, c)| c);
    let alphanumeric = |index| at(index).is_some_and(char::is_alphanumeric);
    let mut out = Traced::default();
    for (index, &(byte, c)) in chars.iter().enumerate() {
        let (before, after) = (index.checked_sub(1), Some(index + 1));
        let inside = alphanumeric(before) && alphanumeric(after);
        match c {
            '*' if inside && at(before).is_some_and(|c| c.is_ascii_digit()) => out.say(" × ", line.from(byte)),
            '*' | '`' => {}
            '~' if at(before) == Some('~') || at(after) == Some('~') => {}
            '_' if inside => out.say(" ", line.from(byte)),
            '_' => {}
            c if is_emoji(c) => out.say(" ", line.from(byte)),
            c => out.copy(line, byte..byte + c.len_utf8()),
        }
    }
    out
}

/// Pictographs and the marks that join and colour them.
fn is_emoji(c: char) -> bool {
    matches!(c,
        '\u{1F000}'..='\u{1FAFF}' | '\u{2600}'..='\u{27BF}' | '\u{2B00}'..='\u{2BFF}' | '\u{2190}'..='\u{21FF}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{200D}' | '\u{20E3}' | '\u{E0000}'..='\u{E007F}')
}
