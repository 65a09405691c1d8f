//! Markdown or plain text as a row of blocks: headings, paragraphs, code.
//!
//! Only as much of CommonMark as decides where a page may be divided: headings of both forms, fenced code, comments.
//! Lists and tables are paragraphs; links become their text, since nobody follows one in a conversation.

/// A part of a page that is divided only if it is too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Level 1 to 6.
    Heading(u8, String),
    Text(String),
    /// With its fences.
    Code(String),
}

pub fn plain(text: &str) -> Vec<Block> {
    let mut paragraphs = Vec::new();
    let mut lines = Vec::new();
    for line in text.lines().map(str::trim_end).chain([""]) {
        if !line.is_empty() {
            lines.push(line);
        } else if !lines.is_empty() {
            paragraphs.push(Block::Text(lines.join("\n")));
            lines.clear();
        }
    }
    paragraphs
}

pub fn markdown(text: &str) -> Vec<Block> {
    let mut parser = Parser::default();
    for line in text.lines() {
        parser.line(line.trim_end());
    }
    parser.end_paragraph();
    // A fence that nobody closed reaches to the end of the page.
    parser.end_code();
    parser.blocks
}

#[derive(Default)]
struct Parser {
    blocks: Vec<Block>,
    paragraph: Vec<String>,
    code: Vec<String>,
    /// Character and length of the fence that is open.
    fence: Option<(char, usize)>,
    in_comment: bool,
}

impl Parser {
    fn line(&mut self, line: &str) {
        if let Some((mark, length)) = self.fence {
            self.code.push(line.to_owned());
            if fence(line).is_some_and(|(other, n, rest)| other == mark && n >= length && rest.trim().is_empty()) {
                self.end_code();
            }
            return;
        }
        if !self.in_comment
            && let Some((mark, length, _)) = fence(line)
        {
            self.end_paragraph();
            self.fence = Some((mark, length));
            self.code.push(line.to_owned());
            return;
        }
        let line = self.without_comments(line);
        let line = line.trim_end();
        if line.is_empty() {
            self.end_paragraph();
        } else if let Some((level, title)) = atx_heading(line) {
            self.end_paragraph();
            self.heading(level, &title);
        } else if let Some(level) = underline(line).filter(|_| self.paragraph.len() == 1) {
            let title = self.paragraph.remove(0);
            self.heading(level, &title);
        } else if is_rule(line) {
            self.end_paragraph();
        } else if !is_reference(line) {
            self.paragraph.push(inline(line));
        }
    }

    fn heading(&mut self, level: u8, title: &str) {
        let title = inline(title).trim().to_owned();
        if !title.is_empty() {
            self.blocks.push(Block::Heading(level, title));
        }
    }

    fn end_paragraph(&mut self) {
        let lines = std::mem::take(&mut self.paragraph);
        if lines.iter().any(|line| !line.trim().is_empty()) {
            self.blocks.push(Block::Text(lines.join("\n")));
        }
    }

    fn end_code(&mut self) {
        self.fence = None;
        let lines = std::mem::take(&mut self.code);
        if !lines.is_empty() {
            self.blocks.push(Block::Code(lines.join("\n")));
        }
    }

    fn without_comments(&mut self, line: &str) -> String {
        let mut rest = line;
        let mut kept = String::new();
        loop {
            if self.in_comment {
                let Some((_, after)) = rest.split_once("-->") else { return kept };
                self.in_comment = false;
                rest = after;
            }
            let Some((before, after)) = rest.split_once("<!--") else {
                kept.push_str(rest);
                return kept;
            };
            kept.push_str(before);
            self.in_comment = true;
            rest = after;
        }
    }
}

/// Character, length and what follows of ``` or ~~~, indented by at most three spaces or as part of a list.
fn fence(line: &str) -> Option<(char, usize, &str)> {
    let line = line.trim_start();
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let rest = line.trim_start_matches(mark);
    let length = line.len() - rest.len();
    // Backticks after it: code within a line.
    (length >= 3 && !(mark == '`' && rest.contains('`'))).then_some((mark, length, rest))
}

fn atx_heading(line: &str) -> Option<(u8, String)> {
    let rest = line.trim_start_matches(' ');
    if line.len() - rest.len() > 3 {
        return None;
    }
    let title = rest.trim_start_matches('#');
    let level = rest.len() - title.len();
    let is_heading = (1..=6).contains(&level) && (title.is_empty() || title.starts_with([' ', '\t', '\u{3000}']));
    is_heading.then(|| (level as u8, title.trim().trim_end_matches('#').trim_end().to_owned()))
}

/// Level of the heading whose second line this is.
fn underline(line: &str) -> Option<u8> {
    let line = line.trim();
    match line.chars().next()? {
        '=' if line.chars().all(|c| c == '=') => Some(1),
        '-' if line.len() >= 2 && line.chars().all(|c| c == '-') => Some(2),
        _ => None,
    }
}

fn is_rule(line: &str) -> bool {
    let mut marks = line.chars().filter(|c| !c.is_whitespace());
    let Some(mark) = marks.next().filter(|c| matches!(c, '-' | '*' | '_')) else { return false };
    let rest: Vec<char> = marks.collect();
    rest.len() >= 2 && rest.iter().all(|c| *c == mark)
}

/// `[name]: address`, which only other lines refer to.
fn is_reference(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with('[') && line.split_once("]: ").is_some_and(|(name, _)| !name[1..].contains(['[', ']']))
}

/// Links and pictures as their text, without marks of emphasis.
fn inline(line: &str) -> String {
    let line = line.replace("**", "").replace("__", "");
    let mut text = String::with_capacity(line.len());
    let mut rest = line.as_str();
    while let Some(open) = rest.find('[') {
        let (before, from) = rest.split_at(open);
        let Some((label, address)) = link(from) else {
            text.push_str(before);
            text.push('[');
            rest = &from[1..];
            continue;
        };
        // "!" before it: a picture.
        text.push_str(before.strip_suffix('!').unwrap_or(before));
        text.push_str(if label.trim().is_empty() { address } else { label });
        rest = &from[label.len() + address.len() + "[]()".len()..];
    }
    text.push_str(rest);
    text
}

/// Label and address of `[label](address)` at the beginning of `text`; looks no further than the next bracket.
fn link(text: &str) -> Option<(&str, &str)> {
    let label = &text[1..];
    let label = &label[..label.find(['[', ']'])?];
    let address = text[1 + label.len()..].strip_prefix("](")?;
    let address = &address[..address.find(['[', '(', ')'])?];
    let end = text[label.len() + "[](".len() + address.len()..].starts_with(')');
    end.then_some((label, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Block {
        Block::Text(text.into())
    }

    fn heading(level: u8, title: &str) -> Block {
        Block::Heading(level, title.into())
    }

    #[test]
    fn headings_of_both_forms_and_paragraphs() {
        let page =
            "# One #\nFirst\nline\n\nTwo\n===\n- a\n- b\n\nThree\n---\n####### no heading\n#no heading\n\n* * *\nEnd";
        assert_eq!(
            markdown(page),
            [
                heading(1, "One"),
                text("First\nline"),
                heading(1, "Two"),
                text("- a\n- b"),
                heading(2, "Three"),
                text("####### no heading\n#no heading"),
                text("End"),
            ]
        );
    }

    #[test]
    fn code_is_one_block_whatever_stands_in_it() {
        let code = "~~~sh\n# no heading\n\n```\n<!-- no comment\n~~~";
        assert_eq!(
            markdown(&format!("Before\n{code}\nAfter")),
            [text("Before"), Block::Code(code.into()), text("After")]
        );
        assert_eq!(markdown("```\nopen"), [Block::Code("```\nopen".into())]);
        assert_eq!(markdown("```code``` in a line"), [text("```code``` in a line")]);
    }

    #[test]
    fn links_become_their_text_and_comments_vanish() {
        let page = "See [the *page*](a.md), ![a picture](b.png) and [](https://c.example).\n<!-- not\nthis -->**But** this [1].";
        assert_eq!(markdown(page), [text("See the *page*, a picture and https://c.example."), text("But this [1].")]);
        assert_eq!(markdown("[x]: https://x.example\n[a [b](c) ] (d)"), [text("[a b ] (d)")]);
    }

    #[test]
    fn rubbish_is_taken_as_it_is() {
        for page in ["[](", "![", "](", "[[[]]]((", "<!--", "#", "-", "```", "[a]:", "[]: ", "\u{3000}", "_ _"] {
            markdown(page);
        }
    }

    #[test]
    fn plain_text_is_divided_at_empty_lines() {
        assert_eq!(plain("# not a heading\nb\n\n \nc"), [text("# not a heading\nb"), text("c")]);
    }
}
