//! Secrets of a tool: taken from the environment, and kept out of all that is said about the tool.
//!
//! A service that echoes the headers of a request must not carry our key into the transcript.

use std::collections::BTreeMap;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::ToolError;

/// Looks up an environment variable.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What precedes the name of a variable in a setting.
const FROM_ENVIRONMENT: &str = "env:";
/// What stands for a secret in what is said.
const HIDDEN: &str = "[hidden]";
/// Anything shorter is no secret, and to hide it would harm other words.
const SHORTEST: usize = 6;

#[derive(Clone, Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// The value of a setting: its last word, if that is `env:NAME`, becomes what the variable holds.
    pub fn resolve(&mut self, owner: &str, value: &str, environment: Environment<'_>) -> Result<String, ToolError> {
        let (before, last) = value.rsplit_once(' ').map_or(("", value), |(before, last)| (before, last));
        let Some(variable) = last.strip_prefix(FROM_ENVIRONMENT) else {
            return Ok(value.to_owned());
        };
        let secret = self.read(owner, variable, environment)?;
        Ok(if before.is_empty() { secret } else { format!("{before} {secret}") })
    }

    /// What a variable holds, to be hidden from now on.
    pub fn read(&mut self, owner: &str, variable: &str, environment: Environment<'_>) -> Result<String, ToolError> {
        let missing = || ToolError::Environment { owner: owner.to_owned(), variable: variable.to_owned() };
        let secret = environment(variable).ok_or_else(missing)?;
        self.keep(secret.trim());
        Ok(secret.trim().to_owned())
    }

    /// Headers for every request.
    pub fn headers(
        &mut self,
        owner: &str,
        headers: &BTreeMap<String, String>,
        environment: Environment<'_>,
    ) -> Result<HeaderMap, ToolError> {
        let mut map = HeaderMap::with_capacity(headers.len());
        for (name, value) in headers {
            let invalid = || ToolError::Setting {
                reason: format!("{owner}: the header {name} has a value that HTTP does not allow"),
            };
            let key = HeaderName::try_from(name).map_err(|_| invalid())?;
            let mut value = HeaderValue::try_from(self.resolve(owner, value, environment)?).map_err(|_| invalid())?;
            value.set_sensitive(true);
            map.insert(key, value);
        }
        Ok(map)
    }

    /// A URL may hold a key in its query, or a password.
    pub fn keep_url(&mut self, url: &Url) {
        url.query().into_iter().chain(url.password()).for_each(|secret| self.keep(secret));
    }

    fn keep(&mut self, secret: &str) {
        if secret.len() >= SHORTEST {
            self.0.push(secret.to_owned());
            // The longest first: one secret may contain another.
            self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        }
    }

    pub fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), HIDDEN))
    }
}

/// A URL as it may be logged: without password and query.
pub(super) fn place(url: &Url) -> String {
    let mut place = url.clone();
    place.set_query(None);
    place.set_fragment(None);
    // Only a URL without a host refuses that, and such are refused before.
    let _ = place.set_username("");
    let _ = place.set_password(None);
    place.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str) -> Option<String> {
        (name == "KEY").then(|| "correct-horse\n".to_owned())
    }

    #[test]
    fn the_last_word_of_a_value_may_come_from_the_environment() {
        let mut secrets = Secrets::default();
        let mut resolve = |value| secrets.resolve("the webhook w", value, &environment);
        assert_eq!(resolve("plain text"), Ok("plain text".into()));
        assert_eq!(resolve("env:KEY"), Ok("correct-horse".into()));
        assert_eq!(resolve("Bearer env:KEY"), Ok("Bearer correct-horse".into()));
        let missing = resolve("env:OTHER").unwrap_err().to_string();
        assert!(missing.contains("the webhook w") && missing.contains("OTHER"), "{missing}");
    }

    #[test]
    fn what_came_from_there_is_hidden_and_short_words_are_not() {
        let mut secrets = Secrets::default();
        secrets.resolve("w", "env:KEY", &environment).unwrap();
        secrets.keep_url(&Url::parse("http://me:hunter22@desk.local/tickets?key=abc&v=2").unwrap());
        secrets.keep("abc");
        let said = secrets.hide("correct-horse, hunter22 and abc at /tickets?key=abc&v=2");
        assert_eq!(said, "[hidden], [hidden] and abc at /tickets?[hidden]");
    }

    #[test]
    fn a_place_tells_neither_password_nor_query() {
        let url = Url::parse("https://me:hunter22@desk.local:8443/tickets?key=abc#top").unwrap();
        assert_eq!(place(&url), "https://desk.local:8443/tickets");
    }
}
