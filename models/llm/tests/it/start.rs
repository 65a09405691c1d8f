//! Starting badly: the executable says in one line what is wrong and what to do, and exits with an error.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::{model, run, stderr};

/// A file of this test process, gone at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, content: &[u8]) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
        fs::write(&path, content).expect("a scratch file");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("a path in UTF-8")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

#[track_caller]
fn assert_one_line(output: &Output, parts: &[&str]) {
    let stderr = stderr(output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(output.stdout.is_empty(), "nothing is ready");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    for part in parts {
        assert!(stderr.contains(part), "{part:?} is not in: {stderr}");
    }
}

#[test]
fn a_missing_model_is_named() {
    let output = run(&["--model", "no/such/model.gguf", "--listen", "127.0.0.1:0"]);
    assert_one_line(&output, &["no/such/model.gguf", "--model"]);
}

#[test]
fn a_file_of_another_kind_is_named() {
    let file = Scratch::new("page.gguf", b"<html>404 not found</html>");
    assert_one_line(&run(&["--model", file.path(), "--listen", "127.0.0.1:0"]), &[file.path(), "not a GGUF file"]);
}

#[test]
fn an_empty_file_is_named() {
    let file = Scratch::new("empty.gguf", b"");
    assert_one_line(&run(&["--model", file.path(), "--listen", "127.0.0.1:0"]), &[file.path(), "not a GGUF file"]);
}

#[test]
fn a_damaged_header_is_named() {
    let file = Scratch::new("damaged.gguf", b"GGUF\x03\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\x7f garbage");
    assert_one_line(&run(&["--model", file.path(), "--listen", "127.0.0.1:0"]), &[file.path(), "damaged"]);
}

#[test]
fn a_model_cut_short_is_named() {
    let Some(whole) = model() else { return };
    let bytes = fs::read(whole).expect("the model is readable");
    let file = Scratch::new("short.gguf", &bytes[..bytes.len() / 2]);
    assert_one_line(&run(&["--model", file.path(), "--listen", "127.0.0.1:0"]), &[file.path(), "cut short"]);
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    assert_one_line(&run(&["--model", "any.gguf", "--listen", &address]), &[&address, "--listen"]);
}

#[test]
fn a_wrong_argument_is_refused() {
    let output = run(&["--model", "any.gguf", "--slots", "0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--slots"), "{}", stderr(&output));
}
