//! Settings that are changed while the server runs: by an admin's patch, or because the file is to be read again.
//!
//! Either way the file's text is the truth: a patch is laid over it, the whole is read and checked as at the start, and
//! what differs from what holds now must be live. All of it or nothing. A patch is written to the file before it holds;
//! a server that has no file, or cannot write it, changes nothing, because it would forget the change.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::live::{LOG_FILTER, is_live};
use super::mask::{MASK, mask};
use super::{Config, edit, tree};

/// The file that the settings came from, and what the command line set over it.
#[derive(Clone, Debug, Default)]
pub struct SettingsFile {
    pub path: Option<PathBuf>,
    /// `--listen`.
    pub listen: Option<String>,
    /// `RUST_LOG` is set, which goes before `log.filter`.
    pub log_is_set: bool,
}

/// New settings that may be taken over.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub config: Config,
    /// Paths of what differs.
    pub changed: Vec<String>,
    /// The file's text, if it is another one.
    text: Option<String>,
}

/// Why settings are not taken over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("{reason}")]
    Invalid { path: Option<String>, reason: String },
    #[error("{}", not_live(.0))]
    NotLive(Vec<String>),
    #[error("{0}")]
    NotKept(String),
}

fn not_live(paths: &[String]) -> String {
    let holds = if paths == [LOG_FILTER] { " (the environment variable RUST_LOG holds instead)" } else { "" };
    format!(
        "{} cannot be changed while the server runs{holds}: change it in the file and restart; nothing was changed",
        paths.join(", ")
    )
}

impl Refused {
    pub fn invalid(path: &str, reason: impl Into<String>) -> Self {
        Self::Invalid { path: Some(path.to_owned()), reason: reason.into() }
    }
}

impl SettingsFile {
    /// What the server starts with.
    pub fn load(&self) -> Result<Config, super::ConfigError> {
        let config = self.path.as_deref().map_or_else(|| Ok(Config::default()), Config::load)?;
        Ok(self.over(config))
    }

    /// What the file says now.
    pub fn again(&self, now: &Config) -> Result<Change, Refused> {
        let text = self.text()?;
        self.check(&text, now, None)
    }

    /// The file with a merge patch over it.
    pub fn patched(&self, now: &Config, patch: &Map<String, Value>) -> Result<Change, Refused> {
        let before = self.text()?;
        let shown = shown(now);
        let mut changes = tree::leaves(patch);
        // A tree that was shown may be sent back as a whole.
        changes.retain(|(path, value)| value.is_null() || tree::at(&shown, path) != Some(value));
        if let Some((path, _)) = changes.iter().find(|(_, value)| value.to_string().contains(MASK)) {
            let reason =
                format!("{path} holds a mask ({MASK}) in place of a value: give the value itself, or env:NAME");
            return Err(Refused::invalid(path, reason));
        }
        let defaults = tree::of(&Config::default());
        let Ok(text) = edit::edited(&before, &changes, &defaults) else {
            return Err(blame(&before, &changes, &defaults));
        };
        let checked = self.check(&text, now, Some(before.as_str()));
        // First, for a name that does not exist is not one that takes a restart.
        if matches!(checked, Err(Refused::Invalid { .. })) {
            return Err(blame(&before, &changes, &defaults));
        }
        let current = tree::of(now);
        let is_frozen = |(path, value): &&(String, &Value)| {
            let wanted = if value.is_null() { tree::at(&defaults, path) } else { Some(*value) };
            !self.is_live(path) && wanted != tree::at(&current, path)
        };
        match changes.iter().find(is_frozen) {
            Some((path, _)) => Err(Refused::NotLive(vec![path.clone()])),
            // It may still say so, if somebody changed the file since it was read.
            None => checked,
        }
    }

    /// Writes a patched file; the settings may be used from then on.
    pub fn keep(&self, change: &Change) -> Result<(), Refused> {
        let (Some(path), Some(text)) = (&self.path, &change.text) else { return Ok(()) };
        write_whole(path, text).map_err(|error| {
            Refused::NotKept(format!(
                "the configuration {} cannot be written: {error}; nothing was changed",
                path.display()
            ))
        })
    }

    pub fn is_live(&self, path: &str) -> bool {
        is_live(path) && !(self.log_is_set && path == LOG_FILTER)
    }

    fn text(&self) -> Result<String, Refused> {
        let Some(path) = &self.path else {
            let reason =
                "the server was started without --config FILE, so a change could not be kept: start it with one";
            return Err(Refused::NotKept(reason.into()));
        };
        fs::read_to_string(path).map_err(|error| {
            Refused::NotKept(format!(
                "the configuration {} cannot be read: {error}; nothing was changed",
                path.display()
            ))
        })
    }

    fn over(&self, mut config: Config) -> Config {
        if let Some(listen) = &self.listen {
            config.server.listen.clone_from(listen);
        }
        config
    }

    /// `before`: the file's own text, if this is not it.
    fn check(&self, text: &str, now: &Config, before: Option<&str>) -> Result<Change, Refused> {
        let config = self.over(read(text).map_err(|reason| Refused::Invalid { path: None, reason })?);
        let changed = tree::differing(&tree::of(now), &tree::of(&config));
        let frozen: Vec<String> = changed.iter().filter(|path| !self.is_live(path)).cloned().collect();
        if !frozen.is_empty() {
            return Err(Refused::NotLive(frozen));
        }
        let text = before.filter(|before| *before != text).map(|_| text.to_owned());
        Ok(Change { config, changed, text })
    }
}

/// All settings as they may be shown.
pub fn shown(config: &Config) -> Value {
    let mut tree = tree::of(config);
    mask(&mut tree);
    tree
}

fn read(text: &str) -> Result<Config, String> {
    let config: Config = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    config.validate()?;
    Ok(config)
}

/// Which of these changes is at fault: the one without which the rest would do, else the first that would not do alone.
fn blame(before: &str, changes: &[(String, &Value)], defaults: &Value) -> Refused {
    let with = |changes: &[(String, &Value)]| {
        let text = edit::edited(before, changes, defaults)?;
        read(&text).map(drop).map_err(|reason| reason.trim().to_owned())
    };
    let without = |index: usize| {
        let mut rest = changes.to_vec();
        rest.remove(index);
        with(&rest).is_ok()
    };
    let alone = |index: &usize| with(&changes[*index..=*index]).is_err();
    let all = with(changes).err().unwrap_or_default();
    if let Some(index) = (0..changes.len()).find(|index| without(*index)) {
        return Refused::Invalid { path: Some(changes[index].0.clone()), reason: all };
    }
    match (0..changes.len()).find(alone) {
        Some(index) => {
            let reason = with(&changes[index..=index]).err().unwrap_or(all);
            Refused::Invalid { path: Some(changes[index].0.clone()), reason }
        }
        None => Refused::Invalid { path: changes.first().map(|(path, _)| path.clone()), reason: all },
    }
}

/// Nobody ever reads half of it: it is written beside the file and takes its place.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    // A link stays one.
    let path = path.canonicalize()?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    let written = (|| {
        let mut file = fs::File::create(&beside)?;
        file.set_permissions(fs::metadata(&path)?.permissions())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, &path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tempfile::TempDir;

    use super::super::live::LIVE;
    use super::*;

    const FILE: &str = "# Ours.\n[llm]\nsystem_prompt = \"Be brief.\" # short\nheaders = { x-key = \"secret\" }\n";

    struct Bench {
        folder: TempDir,
        file: SettingsFile,
        now: Config,
    }

    fn bench(text: &str) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, text).unwrap();
        let file = SettingsFile { path: Some(path), listen: Some("127.0.0.1:0".into()), log_is_set: false };
        let now = file.load().unwrap();
        Bench { folder, file, now }
    }

    impl Bench {
        fn patch(&self, patch: &Value) -> Result<Change, Refused> {
            self.file.patched(&self.now, patch.as_object().unwrap())
        }

        fn text(&self) -> String {
            fs::read_to_string(self.folder.path().join("config.toml")).unwrap()
        }
    }

    fn invalid(refused: Result<Change, Refused>) -> (String, String) {
        match refused {
            Err(Refused::Invalid { path: Some(path), reason }) => (path, reason),
            other => panic!("{other:?}"),
        }
    }

    /// For each live setting a value that it may have and has not by default.
    fn other_values() -> Value {
        json!({
            "language": "zh",
            "server": {
                "max_calls": 9, "idle_timeout_seconds": 7, "max_duration_seconds": 8, "end_warning_seconds": 2,
                "cors_origins": ["https://a.example"],
            },
            "webrtc": {"bind": ["127.0.0.1"], "udp_ports": [50_000, 50_100], "public_ips": ["203.0.113.5"]},
            "vad": {
                "threshold": 0.6, "onset_millis": 96, "start_millis": 192, "pause_millis": 128,
                "prefix_padding_millis": 200,
            },
            "turn": {
                "end": "silence", "silence_millis": 600, "complete": 0.6, "complete_millis": 250,
                "statement_millis": 450, "unsure": 0.2, "unsure_millis": 700, "incomplete_millis": 1300,
                "open_millis": 1600,
            },
            "asr": {"language": "auto", "languages": ["en", "zh"], "hints": ["Visavis"]},
            "llm": {
                "provider": "openai", "base_url": "http://127.0.0.1:9/v1", "model": "other", "api_key_env": "",
                "key_header": "api-key", "max_tokens_field": "max_completion_tokens", "system_prompt": "Be kind.",
                "greeting": "Hello!",
                "temperature": 0.5, "max_tokens": 100, "history_items": 12, "first_token_timeout_millis": 9000,
                "total_timeout_millis": 50_000, "headers": {"x-team": "a"}, "query": {"v": "1"},
                "extra_body": {"top_p": 0.5},
                "others": [{"provider": "openai", "base_url": "http://127.0.0.1:9/v1", "model": "third"}],
            },
            "memory": {"history_tokens": 900, "guessable_ids": true},
            "tts": {"voice": "kokoro/af_heart", "others": [], "speed": 1.1},
            "avatar": {"name": "woman", "uploads": false},
            "log": {"filter": "warn"},
        })
    }

    #[test]
    fn whatever_is_live_can_be_changed_is_written_and_read_again() {
        let values = other_values();
        for path in LIVE {
            let value = tree::at(&values, path).unwrap_or_else(|| panic!("the test has no other value for {path}"));
            let bench = bench("");
            let patch = path.rsplit('.').fold(value.clone(), |below, name| json!({name: below}));
            let change = bench.patch(&patch).unwrap_or_else(|refused| panic!("{path}: {refused}"));
            let below = |changed: &String| changed == path || changed.starts_with(&format!("{path}."));
            assert!(!change.changed.is_empty() && change.changed.iter().all(below), "{path}: {:?}", change.changed);
            bench.file.keep(&change).unwrap();
            assert_eq!(bench.file.load().unwrap(), change.config);
            // And back.
            let bench = Bench { now: change.config, ..bench };
            let default = path.rsplit('.').fold(Value::Null, |below, name| json!({name: below}));
            let back = bench.patch(&default).unwrap();
            assert_eq!(back.config.llm, Config::default().llm);
            assert_eq!(tree::differing(&tree::of(&Config::default()), &tree::of(&back.config)), ["server.listen"]);
        }
        let bench = bench("");
        let change = bench.patch(&values).unwrap();
        assert!(LIVE.iter().all(|live| change.changed.iter().any(|changed| changed.starts_with(live))));
    }

    #[test]
    fn a_patch_keeps_comments_and_a_tree_sent_back_changes_nothing() {
        let bench = bench(FILE);
        let all = bench.patch(&shown(&bench.now)).unwrap();
        assert!(all.changed.is_empty() && all.text.is_none(), "{all:?}");
        let change = bench.patch(&json!({"llm": {"system_prompt": "Be kind."}})).unwrap();
        assert_eq!(change.changed, ["llm.system_prompt"]);
        bench.file.keep(&change).unwrap();
        assert_eq!(bench.text(), FILE.replace("Be brief.", "Be kind."));
        assert_eq!(fs::read_dir(bench.folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_is_wrong_is_named_though_more_is_changed() {
        let bench = bench(FILE);
        for (patch, path, word) in [
            (json!({"tts": {"speed": 9}}), "tts.speed", "0.25"),
            (json!({"tts": {"speed": "fast", "voice": "x"}}), "tts.speed", "string"),
            (json!({"language": "zh", "server": {"max_cals": 3}}), "server.max_cals", "max_cals"),
            (json!({"turn": {"complete": 0.9, "unsure": 0.6}, "tts": {"speed": 9}}), "tts.speed", "0.25"),
            (json!({"turn": {"unsure": 0.6, "silence_millis": 400}}), "turn.unsure", "turn.unsure"),
            (json!({"llm": {"temperature": 3}, "language": "xx"}), "language", "\"en\""),
            (json!({"log": {"filter": "visavis=loud"}}), "log.filter", "log.filter"),
            (json!({"asr": {"languages": ["en", null]}}), "asr.languages", "null"),
            (json!({"llm": {"headers": {"x-key": "new ********"}}}), "llm.headers.x-key", "mask"),
            (json!({"webrtc": {"udp_ports": [9, 3]}}), "webrtc.udp_ports", "udp_ports"),
        ] {
            let (named, reason) = invalid(bench.patch(&patch));
            assert_eq!(named, path, "{reason}");
            assert!(reason.contains(word), "{reason}");
        }
        assert_eq!(bench.text(), FILE);
    }

    #[test]
    fn what_takes_a_restart_is_refused_by_name_and_nothing_else_changes() {
        let bench = bench(FILE);
        let (llm, server) = (json!({"system_prompt": "Be kind."}), json!({"listen": "0.0.0.0:1"}));
        let patch = json!({"llm": llm, "server": server, "video": {"bitrate_bps": 900_000}});
        assert_eq!(bench.patch(&patch), Err(Refused::NotLive(vec!["server.listen".into()])));
        // So it is already; and what is not there is taken out.
        let same =
            json!({"server": {"listen": "127.0.0.1:0", "media_threads": null}, "video": {"bitrate_bps": 800_000}});
        assert_eq!(bench.patch(&same).unwrap().changed, [""; 0]);
        fs::write(bench.folder.path().join("config.toml"), "[video]\nbitrate_bps = 900000\n[tts]\nspeed = 1.1\n")
            .unwrap();
        let refused = bench.file.again(&bench.now).unwrap_err();
        assert!(refused.to_string().contains("video.bitrate_bps"), "{refused}");
        let refused = bench.patch(&json!({"language": "zh"})).unwrap_err();
        assert!(refused.to_string().contains("video.bitrate_bps"), "{refused}");
        let logged = SettingsFile { log_is_set: true, ..bench.file };
        let patch = json!({"log": {"filter": "warn"}});
        fs::write(bench.folder.path().join("config.toml"), FILE).unwrap();
        let refused = logged.patched(&bench.now, patch.as_object().unwrap()).unwrap_err().to_string();
        assert!(refused.contains("RUST_LOG"), "{refused}");
    }

    #[test]
    fn a_file_that_was_written_is_read_again_as_a_whole() {
        let bench = bench(FILE);
        assert!(bench.file.again(&bench.now).unwrap().changed.is_empty());
        let path = bench.folder.path().join("config.toml");
        fs::write(&path, "[tts]\nspeed = 1.1\n").unwrap();
        let change = bench.file.again(&bench.now).unwrap();
        assert_eq!(change.changed, ["llm.headers.x-key", "llm.system_prompt", "tts.speed"]);
        fs::write(&path, "[tts]\nspeed = 9.1\n").unwrap();
        assert!(matches!(bench.file.again(&bench.now), Err(Refused::Invalid { .. })));
    }

    #[test]
    fn a_change_that_cannot_be_kept_is_refused() {
        let none = SettingsFile::default();
        let patch = json!({"language": "zh"});
        let refused = none.patched(&Config::default(), patch.as_object().unwrap()).unwrap_err();
        assert!(matches!(&refused, Refused::NotKept(reason) if reason.contains("--config")), "{refused}");
        let bench = bench(FILE);
        let change = bench.patch(&patch).unwrap();
        fs::remove_file(bench.folder.path().join("config.toml")).unwrap();
        assert!(matches!(bench.file.keep(&change), Err(Refused::NotKept(_))));
        assert!(matches!(bench.patch(&patch), Err(Refused::NotKept(_))));
    }
}
