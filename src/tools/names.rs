//! How the tools of several sources are named to the model: each name once, and only of letters that models accept.
//!
//! Webhooks keep the names that the operator gave them. A tool of an MCP server keeps its own unless another source
//! has it too: then the server's name goes before it, so the model (and a log) can tell them apart.

use std::collections::{HashMap, HashSet};

use super::settings::{MAX_NAME, is_name_byte};

/// The names of one source, and what to put before them if need be; webhooks have nothing.
pub(super) struct Source<'a> {
    pub server: Option<&'a str>,
    pub names: Vec<&'a str>,
}

/// One name for each of the sources' names, in their order.
pub(super) fn assign(sources: &[Source<'_>]) -> Vec<Vec<String>> {
    let mut wanted: HashMap<String, HashSet<usize>> = HashMap::new();
    for (index, source) in sources.iter().enumerate() {
        for name in &source.names {
            wanted.entry(accepted(name)).or_default().insert(index);
        }
    }
    let clashes = |name: &str| wanted.get(name).is_some_and(|sources| sources.len() > 1);

    let fixed = sources.iter().filter(|source| source.server.is_none()).flat_map(|source| source.names.iter());
    let mut taken: HashSet<String> = fixed.map(|name| (*name).to_owned()).collect();
    let mut name = |source: &Source<'_>, name: &str| {
        let Some(server) = source.server else {
            return name.to_owned();
        };
        let own = accepted(name);
        let base = if clashes(&own) { accepted(&format!("{server}_{own}")) } else { own };
        let free = std::iter::once(base.clone())
            .chain((2..).map(|number| numbered(&base, number)))
            .find(|candidate| !taken.contains(candidate))
            .unwrap_or(base);
        taken.insert(free.clone());
        free
    };
    sources.iter().map(|source| source.names.iter().map(|own| name(source, own)).collect()).collect()
}

/// The name with every other letter as an underscore, cut to the length that models take.
fn accepted(name: &str) -> String {
    let letters = name.chars().map(|c| if u8::try_from(c).is_ok_and(is_name_byte) { c } else { '_' });
    let accepted: String = letters.take(MAX_NAME).collect();
    if accepted.is_empty() { "_".into() } else { accepted }
}

fn numbered(base: &str, number: usize) -> String {
    let suffix = format!("_{number}");
    // Only ASCII letters are in it, so it can be cut anywhere.
    format!("{}{suffix}", &base[..base.len().min(MAX_NAME - suffix.len())])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::settings::is_name;

    fn server<'a>(name: &'a str, names: &[&'a str]) -> Source<'a> {
        Source { server: Some(name), names: names.to_vec() }
    }

    #[test]
    fn names_that_clash_get_their_servers_name() {
        let sources = [
            Source { server: None, names: vec!["search", "weather"] },
            server("wiki", &["search", "read"]),
            server("files", &["read", "write"]),
        ];
        let names = assign(&sources);
        assert_eq!(names[0], ["search", "weather"]);
        assert_eq!(names[1], ["wiki_search", "wiki_read"]);
        assert_eq!(names[2], ["files_read", "write"]);
    }

    #[test]
    fn odd_names_become_acceptable_and_stay_apart() {
        let long = "n".repeat(100);
        let sources = [server("a", &["get.item", "get/item", "查询", "", &long, &long]), server("b", &[&long])];
        let names: Vec<String> = assign(&sources).concat();
        assert_eq!(names[..4], ["get_item", "get_item_2", "__", "_"]);
        let different: HashSet<&String> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
        assert!(names.iter().all(|name| is_name(name)), "{names:?}");
    }

    #[test]
    fn a_prefixed_name_that_is_a_webhooks_own_is_numbered() {
        let sources = [Source { server: None, names: vec!["a_read"] }, server("a", &["read"]), server("b", &["read"])];
        assert_eq!(assign(&sources), [vec!["a_read"], vec!["a_read_2"], vec!["b_read"]]);
    }
}
