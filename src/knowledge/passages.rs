//! The blocks of a page become passages: as much text as answers one question and fits several times into a prompt.
//!
//! A passage has 80 to 200 words (160 to 400 Chinese characters), begins at a heading or a paragraph, and knows the
//! headings above it. What is longer is divided at paragraphs, then lines, then sentences; small sections that follow
//! each other under one heading are joined. Code is divided only if it is longer than [`LONGEST_CODE`].

use super::blocks::Block;

/// Sizes are in Chinese characters; a word of an alphabet counts two.
const SMALL: usize = 160;
const LARGE: usize = 400;
const LONGEST_CODE: usize = 4 * LARGE;
/// Longest heading in characters.
const LONGEST_HEADING: usize = 120;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// From the page's own heading down to that of the passage.
    pub headings: Vec<String>,
    pub text: String,
    /// Headings within the text, of sections that were joined.
    pub inner: Vec<String>,
}

/// Characters of an alphabet that count one at least, so that a word without end is long too.
const ALPHABETIC: usize = 5;

/// Size of a text in Chinese characters; a word counts two.
fn size(text: &str) -> usize {
    let mut size = 0;
    let mut all = 0;
    let mut in_word = false;
    for c in text.chars() {
        all += 1;
        if is_ideograph(c) {
            size += 1;
            in_word = false;
        } else {
            let letter = c.is_alphanumeric();
            size += if letter && !in_word { 2 } else { 0 };
            in_word = letter || (in_word && matches!(c, '\'' | '’' | '-' | '_' | '.'));
        }
    }
    size.max(all / ALPHABETIC)
}

/// Written without spaces between words.
pub fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

pub fn split(blocks: Vec<Block>) -> Vec<Draft> {
    join(sections(blocks).into_iter().flat_map(divide).collect())
}

struct Section {
    headings: Vec<String>,
    blocks: Vec<Block>,
}

fn sections(blocks: Vec<Block>) -> Vec<Section> {
    let mut path: Vec<(u8, String)> = Vec::new();
    let mut sections = vec![Section { headings: Vec::new(), blocks: Vec::new() }];
    for block in blocks {
        match block {
            Block::Heading(level, title) => {
                path.retain(|(above, _)| *above < level);
                path.push((level, title.chars().take(LONGEST_HEADING).collect()));
                let headings = path.iter().map(|(_, title)| title.clone()).collect();
                sections.push(Section { headings, blocks: Vec::new() });
            }
            block => {
                if let Some(section) = sections.last_mut() {
                    section.blocks.push(block);
                }
            }
        }
    }
    sections.retain(|section| !section.blocks.is_empty());
    sections
}

/// A section as passages of at most [`LARGE`].
fn divide(section: Section) -> Vec<Draft> {
    let mut texts: Vec<(usize, String)> = Vec::new();
    for piece in section.blocks.into_iter().flat_map(pieces) {
        let size = size(&piece);
        match texts.last_mut() {
            Some((sum, text)) if *sum + size <= LARGE => {
                *sum += size;
                text.push_str("\n\n");
                text.push_str(&piece);
            }
            _ => texts.push((size, piece)),
        }
    }
    let headings = section.headings;
    texts.into_iter().map(|(_, text)| Draft { headings: headings.clone(), text, inner: Vec::new() }).collect()
}

fn pieces(block: Block) -> Vec<String> {
    match block {
        Block::Heading(..) => Vec::new(),
        Block::Text(text) if size(&text) <= LARGE => vec![text],
        Block::Text(text) => gather(text.split_inclusive('\n').flat_map(|line| match size(line) > LARGE {
            true => sentences(line),
            false => vec![line],
        })),
        Block::Code(text) if size(&text) <= LONGEST_CODE => vec![text],
        Block::Code(text) => gather(text.split_inclusive('\n').flat_map(hard)),
    }
}

/// Joins parts to texts of at most [`LARGE`].
fn gather<'a>(parts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut texts = Vec::new();
    let (mut text, mut sum) = (String::new(), 0);
    for part in parts {
        let size = size(part);
        if sum + size > LARGE && !text.is_empty() {
            texts.push(std::mem::take(&mut text));
            sum = 0;
        }
        text.push_str(part);
        sum += size;
    }
    texts.push(text);
    texts.iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

/// The sentences of a line, none longer than [`LARGE`].
fn sentences(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut chars = line.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        let ends = matches!(c, '。' | '！' | '？' | '；')
            || (matches!(c, '.' | '!' | '?' | ';') && next.is_none_or(char::is_whitespace));
        if ends {
            let end = at + c.len_utf8();
            parts.push(&line[start..end]);
            start = end;
        }
    }
    parts.push(&line[start..]);
    parts.into_iter().flat_map(hard).collect()
}

/// Divides what has no better place to be divided, at a space if there is one.
fn hard(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let (mut count, mut sum, mut space) = (0, 0, None);
        let mut in_word = false;
        let end = rest.char_indices().find_map(|(at, c)| {
            let letter = c.is_alphanumeric() && !is_ideograph(c);
            sum += if is_ideograph(c) { 1 } else { 2 * usize::from(letter && !in_word) };
            in_word = letter;
            count += 1;
            if sum > LARGE || count > LARGE * ALPHABETIC {
                return Some(at);
            }
            if c.is_whitespace() {
                space = Some(at + c.len_utf8());
            }
            None
        });
        let Some(end) = end else { break };
        let (part, after) = rest.split_at(space.unwrap_or(end));
        parts.push(part);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

/// Joins a small passage with those after it, as long as they stand under one heading and stay small together.
fn join(drafts: Vec<Draft>) -> Vec<Draft> {
    let mut joined: Vec<Draft> = Vec::new();
    for draft in drafts {
        if let Some(last) = joined.last_mut()
            && let Some(common) = common_headings(last, &draft)
            && size(&last.text) < SMALL
            && size(&last.text) + size(&draft.text) <= LARGE
        {
            // What the joined passage no longer stands under goes into its text.
            let (above, own) = (last.headings.split_off(common), &draft.headings[common..]);
            if !above.is_empty() {
                last.text = format!("{}\n{}", above.join(", "), last.text);
                last.inner.extend(above);
            }
            last.text.push_str("\n\n");
            if !own.is_empty() {
                last.text.push_str(&own.join(", "));
                last.text.push('\n');
                last.inner.extend(own.iter().cloned());
            }
            last.text.push_str(&draft.text);
        } else {
            joined.push(draft);
        }
    }
    joined
}

/// How many headings both stand under, if both stand directly under those or at most one deeper.
fn common_headings(a: &Draft, b: &Draft) -> Option<usize> {
    let common = a.headings.iter().zip(&b.headings).take_while(|(a, b)| a == b).count();
    let close = a.headings.len() <= common + 1 && b.headings.len() <= common + 1;
    // Chapters of one page have its heading in common; pages without any have none.
    (close && (common > 0 || (a.headings.is_empty() && b.headings.is_empty()))).then_some(common)
}

#[cfg(test)]
mod tests {
    use super::super::blocks::{markdown, plain};
    use super::*;

    fn words(count: usize, word: &str) -> String {
        vec![word; count].join(" ")
    }

    #[test]
    fn a_word_counts_two_characters() {
        assert_eq!(size("Don't re-use 3 words: 三个字!"), 4 * 2 + 3);
    }

    #[test]
    fn a_passage_knows_the_headings_above_it() {
        let page = format!("# Page\n## A\n{}\n### B\n{}\n## C\n{}", words(90, "a"), words(90, "b"), words(90, "c"));
        let drafts = split(markdown(&page));
        let headings: Vec<_> = drafts.iter().map(|draft| draft.headings.join("/")).collect();
        assert_eq!(headings, ["Page/A", "Page/A/B", "Page/C"]);
    }

    #[test]
    fn small_neighbours_are_joined_and_keep_their_headings_in_the_text() {
        let drafts = split(markdown("# Page\n## A\nOne.\n## B\nTwo.\n# Other\nThree."));
        assert_eq!(drafts.len(), 2);
        assert_eq!(drafts[0].headings, ["Page"]);
        assert_eq!(drafts[0].text, "A\nOne.\n\nB\nTwo.");
        assert_eq!(drafts[0].inner, ["A", "B"]);
        assert_eq!(drafts[1].headings, ["Other"]);
    }

    #[test]
    fn long_sections_are_divided_at_paragraphs_lines_and_sentences() {
        let sentence = format!("{}. ", words(50, "word"));
        let page = format!("{}\n\n{}\n\n{}", words(150, "p"), words(150, "q"), sentence.repeat(9));
        let drafts = split(markdown(&page));
        let sizes: Vec<_> = drafts.iter().map(|draft| size(&draft.text)).collect();
        assert_eq!(sizes, [300, 300, 400, 400, 100]);
        let chinese = "这是一句话。".repeat(200);
        let drafts = split(plain(&chinese));
        assert!(drafts.iter().all(|draft| size(&draft.text) <= LARGE && draft.text.ends_with('。')));
        assert_eq!(drafts.iter().map(|draft| draft.text.as_str()).collect::<String>(), chinese);
    }

    #[test]
    fn code_is_kept_whole_unless_it_has_no_end() {
        let code = format!("```\n{}```", "let a = b;\n".repeat(150));
        let drafts = split(markdown(&format!("Before.\n\n{code}\n\nAfter.")));
        assert!(drafts.iter().any(|draft| draft.text.contains(&code)));
        let endless = format!("```\n{}```", "let a = b;\n".repeat(2000));
        assert!(split(markdown(&endless)).iter().all(|draft| size(&draft.text) <= LARGE));
    }

    #[test]
    fn one_word_without_end_is_divided_and_nothing_is_lost() {
        for endless in ["x".repeat(50_000), "汉".repeat(5_000), "!".repeat(5_000)] {
            let drafts = split(plain(&endless));
            assert!(drafts.len() > 1);
            assert_eq!(drafts.iter().map(|draft| draft.text.as_str()).collect::<String>(), endless);
        }
    }
}
