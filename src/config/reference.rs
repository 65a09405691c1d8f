//! What each setting is for, as the comments of `config.toml` say it: docs/settings.md, and the words beside the
//! settings in the monitor. The file's values are the defaults.
//!
//! PURE. A comment belongs to the settings that follow it without an empty line or another comment in between. A block
//! of comments that holds a `[section]` is an example and stays one.

use std::fmt::Write as _;

use super::live::is_live;

const FILE: &str = include_str!("../../config.toml");

const HEAD: &str = "\
# Settings

`visavis serve --config FILE` reads a TOML file; what it leaves out keeps its default, a name that does not exist is an
error. Secrets come from the environment, never from the file. `config.toml` in the repository is such a file with every
default; `visavis settings` prints this page.

**Live** settings can be changed while the server runs, for calls that begin from then on:

- by an admin: `PATCH /api/config` with a JSON merge patch (RFC 7396), such as `{\"tts\": {\"speed\": 1.1}}`; `null`
  takes a setting back to its default. All of it is checked as at the start and written to the file (comments and order
  stay), or nothing happens and the reply names the setting at fault.
- by hand: write the file and send the server SIGHUP (`kill -HUP PID`, `systemctl reload`). It is read as a whole: if it
  is not valid, or something differs that is not live, the log says what, and nothing is changed. So the server always
  runs with a file that was good as a whole.

All others take a restart. `--listen` goes before `server.listen`, and the environment variable `RUST_LOG` before
`log.filter`, which is then not live.
";

/// One setting.
#[derive(Debug, Default, PartialEq)]
struct Setting {
    path: String,
    default: String,
    words: String,
    /// It has no value by default; the one here is an example.
    absent: bool,
}

/// The whole page.
pub fn page() -> String {
    let mut page = String::from(HEAD);
    heading(&mut page, "General");
    for part in parts() {
        match part {
            Part::Section { name, words } => {
                heading(&mut page, &format!("[{name}]"));
                if !words.is_empty() {
                    let _ = write!(page, "\n{words}\n");
                }
            }
            Part::Settings(settings) => table(&mut page, &settings),
            Part::Example(block) => example(&mut page, block),
        }
    }
    page
}

/// What each section and each setting is for: path and words, in the order of the file.
pub fn words() -> Vec<(String, String)> {
    let of_part = |part| match part {
        Part::Section { words, .. } if words.is_empty() => Vec::new(),
        Part::Section { name, words } => vec![(name.to_owned(), words)],
        Part::Settings(settings) => settings.into_iter().map(|setting| (setting.path, setting.words)).collect(),
        Part::Example(block) => {
            let (words, mut lines) = introduced(block);
            let path = lines.next().unwrap_or_default().trim_matches(['#', ' ', '[', ']']);
            vec![(path.to_owned(), words.trim_end_matches(':').to_owned())]
        }
    };
    parts().into_iter().flat_map(of_part).collect()
}

/// A piece of the file between empty lines; the head of a section is a piece of its own.
enum Part {
    Section { name: &'static str, words: String },
    Settings(Vec<Setting>),
    Example(&'static str),
}

fn parts() -> Vec<Part> {
    let mut parts = Vec::new();
    let mut section = String::new();
    // The words before the first setting are about the file.
    for block in FILE.split("\n\n").skip(1) {
        if let Some(name) = block.lines().find_map(|line| line.strip_prefix('[')?.strip_suffix(']')) {
            section = format!("{name}.");
            let words = sentence(&mut block.lines().take_while(|line| line.starts_with('#')).peekable());
            parts.push(Part::Section { name, words });
        } else if block.lines().any(|line| line.starts_with("# [")) {
            parts.push(Part::Example(block));
            continue;
        }
        parts.push(Part::Settings(settings(block, &section)));
    }
    parts
}

fn heading(page: &mut String, name: &str) {
    let _ = write!(page, "\n## {name}\n");
}

/// The comment lines that come next, as one text.
fn sentence<'a>(lines: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>) -> String {
    let mut words = String::new();
    while let Some(line) = lines.next_if(|line| line.starts_with('#') && assignment(line).is_none()) {
        let line = line.trim_start_matches('#').trim();
        words += if words.is_empty() { "" } else { " " };
        words += line;
    }
    words
}

/// Name and value of a line, and whether it is commented out.
fn assignment(line: &str) -> Option<(&str, &str, bool)> {
    let bare = line.trim_start_matches("# ");
    let (name, value) = bare.split_once(" = ")?;
    name.chars().all(|c| c.is_ascii_lowercase() || c == '_').then_some((name, value, bare.len() < line.len()))
}

fn settings(block: &str, section: &str) -> Vec<Setting> {
    let after = block.lines().position(|line| line.starts_with('[')).map_or(0, |header| header + 1);
    let mut lines = block.lines().skip(after).peekable();
    let mut found = Vec::new();
    let mut words = String::new();
    loop {
        let next = sentence(&mut lines);
        if !next.is_empty() {
            words = next;
        }
        let Some((name, value, absent)) = lines.next().and_then(assignment) else { return found };
        let path = format!("{section}{name}");
        found.push(Setting { path, default: value.to_owned(), words: words.clone(), absent });
    }
}

fn table(page: &mut String, settings: &[Setting]) {
    if settings.is_empty() {
        return;
    }
    page.push_str("\n| setting | type | default | unit | live | what it does |\n|---|---|---|---|---|---|\n");
    for setting in settings {
        let Setting { path, default, words, absent } = setting;
        let live = if is_live(path) { "yes" } else { "" };
        let shown = if *absent { "none".to_owned() } else { format!("`{default}`") };
        let example = if *absent { format!(" For example `{default}`.") } else { String::new() };
        let words = format!("{words}{example}").replace('|', "\\|");
        let _ = writeln!(
            page,
            "| `{path}` | {} | {} | {} | {live} | {words} |",
            kind(default),
            shown.replace('|', "\\|"),
            unit(path)
        );
    }
}

/// An example with the words before it.
fn example(page: &mut String, block: &'static str) {
    let (words, lines) = introduced(block);
    let _ = write!(page, "\n{words}\n\n```toml\n");
    for line in lines {
        let _ = writeln!(page, "{}", line.strip_prefix("# ").unwrap_or(line.trim_start_matches('#')));
    }
    page.push_str("```\n");
}

/// The words before an example, and its lines.
fn introduced(block: &'static str) -> (String, impl Iterator<Item = &'static str>) {
    let mut lines = block.lines().peekable();
    let mut words = String::new();
    while let Some(line) = lines.next_if(|line| !line.starts_with("# [")) {
        words += line.trim_start_matches('#');
    }
    (words.trim().to_owned(), lines)
}

fn kind(value: &str) -> &'static str {
    match value.chars().next() {
        Some('"' | '\'') => "text",
        Some('[') => "list",
        Some('{') => "table",
        Some('t' | 'f') => "true or false",
        _ if value.contains('.') => "number",
        _ => "whole number",
    }
}

/// By the end of the name.
fn unit(path: &str) -> &'static str {
    let units = [
        ("_seconds", "s"),
        ("_millis", "ms"),
        ("_minutes", "min"),
        ("_percent", "%"),
        ("_bps", "bit/s"),
        ("_hz", "Hz"),
        ("_bytes", "bytes"),
        ("_tokens", "tokens"),
        (".days", "days"),
    ];
    units.iter().find(|(end, _)| path.ends_with(end)).map_or("", |(_, unit)| unit)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::live::LIVE;
    use super::super::{Config, tree};
    use super::*;

    #[test]
    fn docs_settings_md_is_what_the_program_prints() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/settings.md");
        let written = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(written == page(), "docs/settings.md is old: write it with `visavis settings > docs/settings.md`");
    }

    #[test]
    fn every_setting_has_a_row_with_words() {
        let told: HashMap<String, String> = words().into_iter().collect();
        assert!(told["tts.edge"].len() > 8, "sections have words, too");
        for example in ["llm.others", "asr.remote", "tools.webhook", "tools.mcp"] {
            assert!(told[example].len() > 8, "examples have words, too");
        }
        let page = page();
        let mut paths = Vec::new();
        gather(&tree::of(&Config::default()), "", &mut paths);
        assert!(paths.len() > 100, "{paths:?}");
        for path in paths.iter().map(String::as_str).chain(LIVE.iter().copied()) {
            // Endpoints after the first are an example.
            if path == "llm.others" || path.starts_with("tools.mcp") || path.starts_with("tools.webhook") {
                continue;
            }
            let row = page.lines().find(|line| line.starts_with(&format!("| `{path}` |")));
            let row = row.unwrap_or_else(|| panic!("no row for {path}"));
            let words = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
            assert!(words.len() > 8, "no words for {path}: {row}");
            assert_eq!(row.contains("| yes |"), is_live(path), "{row}");
            assert!(row.contains(&told[path].replace('|', "\\|")), "{row}");
        }
    }

    fn gather(value: &serde_json::Value, path: &str, paths: &mut Vec<String>) {
        match value.as_object().filter(|fields| !fields.is_empty()) {
            Some(fields) => fields.iter().for_each(|(name, value)| {
                gather(value, &if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, paths);
            }),
            None => paths.push(path.to_owned()),
        }
    }

    #[test]
    fn words_belong_to_all_settings_that_follow_them() {
        let block = "[turn]\n# From here\n# on.\ncomplete = 0.5\ncomplete_millis = 200\n# None.\n# udp_ports = [1, 2]";
        let found = settings(block, "turn.");
        let setting = |path: &str, default: &str, words: &str, absent| Setting {
            path: path.into(),
            default: default.into(),
            words: words.into(),
            absent,
        };
        assert_eq!(
            found,
            [
                setting("turn.complete", "0.5", "From here on.", false),
                setting("turn.complete_millis", "200", "From here on.", false),
                setting("turn.udp_ports", "[1, 2]", "None.", true),
            ]
        );
    }
}
