//! Text to IPA by espeak-ng, a child process that is kept alive.
//!
//! espeak-ng (GPL-3.0) stays a program of its own: it reads lines and writes one line of IPA for each clause that
//! it sees in them. A made-up word sent after each request marks its end; what it sounds like is learned at the
//! start. A child that dies or falls silent is replaced once, then the request fails.

use std::env;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use super::VoiceError;

/// A word that no text holds, and that is removed from texts all the same.
const END_WORD: &str = "kwuzzak";
/// Silence of the child that counts as its death; it answers within a millisecond on a free machine.
const STALL: Duration = Duration::from_secs(5);
/// espeak-ng reads lines of at most 1000 bytes; requests are cut well below.
const LONGEST_LINE: usize = 600;

/// One language's espeak-ng.
#[derive(Debug)]
pub struct Phonemizer {
    voice: String,
    running: Option<Running>,
}

impl Phonemizer {
    /// Starts espeak-ng with `voice`, e.g. `en-us`.
    pub fn start(voice: &str) -> Result<Self, VoiceError> {
        let running = Some(Running::start(voice)?);
        Ok(Self { voice: voice.to_owned(), running })
    }

    /// IPA of `text` with stress marks, words separated by single spaces, without punctuation.
    ///
    /// The text is plain: what espeak-ng takes for markup or phoneme input is removed.
    pub fn phonemes(&mut self, text: &str) -> Result<String, VoiceError> {
        let lines = lines(text);
        if lines.is_empty() {
            return Ok(String::new());
        }
        let mut first_failure = None;
        for _ in 0..2 {
            let attempt = match self.running.take() {
                Some(running) => Ok(running),
                None => Running::start(&self.voice),
            };
            match attempt.and_then(|mut running| Ok((running.ask(&lines)?, running))) {
                Ok((answer, running)) => {
                    self.running = Some(running);
                    return Ok(without_language_marks(&answer));
                }
                Err(error) => {
                    tracing::debug!(%error, voice = self.voice, "espeak-ng is started again");
                    first_failure.get_or_insert(error);
                }
            }
        }
        Err(first_failure.unwrap_or(VoiceError::EspeakMissing))
    }

    /// The child's process id, for tests that end it.
    #[cfg(test)]
    fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.child.id())
    }
}

#[derive(Debug)]
struct Running {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    /// Bytes read and not yet used.
    pending: Vec<u8>,
    /// What the end word sounds like.
    end_mark: String,
}

impl Running {
    fn start(voice: &str) -> Result<Self, VoiceError> {
        if !is_installed("espeak-ng") {
            return Err(VoiceError::EspeakMissing);
        }
        // A pipe makes espeak-ng keep its output until the end; stdbuf (coreutils) makes it write each line.
        let mut child = Command::new("stdbuf")
            .args(["-oL", "espeak-ng", "-q", "--ipa", "-v", voice])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A Ctrl-C at the terminal is for the server, which may still have to finish a sentence.
            .process_group(0)
            .spawn()
            .map_err(|error| failed(format!("it could not be started through stdbuf: {error}")))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed("it was started without pipes".to_owned()));
        };
        let mut running = Self { child, input, output, pending: Vec::new(), end_mark: String::new() };
        running.send(&format!("{END_WORD}\n"))?;
        running.end_mark = running
            .line()
            .map_err(|error| failed(format!("it does not know the voice {voice:?}, or does not answer ({error})")))?;
        Ok(running)
    }

    /// One line at a time: two full pipes would have both sides wait for each other.
    fn ask(&mut self, lines: &[String]) -> Result<String, VoiceError> {
        let mut answer = String::new();
        for line in lines {
            self.send(&format!("{line}\n{END_WORD}\n"))?;
            loop {
                let heard = self.line()?;
                if heard == self.end_mark {
                    break;
                }
                if !answer.is_empty() && !heard.is_empty() {
                    answer.push(' ');
                }
                answer.push_str(&heard);
            }
        }
        Ok(answer)
    }

    fn send(&mut self, request: &str) -> Result<(), VoiceError> {
        self.input
            .write_all(request.as_bytes())
            .and_then(|()| self.input.flush())
            .map_err(|error| failed(format!("it takes no text: {error}")))
    }

    /// The next line, trimmed.
    fn line(&mut self) -> Result<String, VoiceError> {
        loop {
            if let Some(end) = self.pending.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.pending.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim().to_owned());
            }
            self.wait()?;
            let mut bytes = [0; 4096];
            match self.output.read(&mut bytes) {
                Ok(0) => return Err(failed("it ended".to_owned())),
                Ok(count) => self.pending.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error.to_string())),
            }
        }
    }

    /// Waits until there is something to read.
    fn wait(&self) -> Result<(), VoiceError> {
        let mut poll = libc::pollfd { fd: self.output.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        loop {
            // SAFETY: one valid pollfd, and the descriptor is ours while `self` lives.
            let ready = unsafe { libc::poll(&raw mut poll, 1, STALL.as_millis() as libc::c_int) };
            if ready > 0 {
                return Ok(());
            }
            if ready == 0 {
                return Err(failed(format!("it did not answer within {} s", STALL.as_secs())));
            }
            let error = std::io::Error::last_os_error();
            if error.kind() != ErrorKind::Interrupted {
                return Err(failed(error.to_string()));
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn failed(reason: String) -> VoiceError {
    VoiceError::Espeak { reason }
}

fn is_installed(program: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// The text as lines that espeak-ng reads as plain text, none too long; empty if nothing can be spoken.
fn lines(text: &str) -> Vec<String> {
    let plain: String = text
        .chars()
        .map(|c| if c.is_control() || "<>[]{}|\\^~_`".contains(c) { ' ' } else { c })
        .collect::<String>()
        .replace(END_WORD, " ");
    let mut lines = vec![String::new()];
    for word in plain.split_whitespace() {
        let mut word = word;
        while !word.is_empty() {
            let (now, later) = word.split_at(word.floor_char_boundary(LONGEST_LINE));
            word = later;
            if let Some(line) = lines.last_mut()
                && line.len() + now.len() < LONGEST_LINE
            {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(now);
            } else {
                lines.push(now.to_owned());
            }
        }
    }
    lines.retain(|line| line.chars().any(char::is_alphanumeric));
    lines
}

/// Leaves out marks such as `(en)`, which espeak-ng writes where it changes the language within a text.
fn without_language_marks(ipa: &str) -> String {
    let mut kept = String::with_capacity(ipa.len());
    let mut rest = ipa;
    while let Some(open) = rest.find('(') {
        let (before, marked) = rest.split_at(open);
        kept.push_str(before);
        let Some(close) = marked.find(')') else {
            rest = &marked[1..];
            continue;
        };
        rest = &marked[close + 1..];
    }
    kept.push_str(rest);
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    type Outcome = Result<(), VoiceError>;

    #[test]
    fn one_process_answers_one_text_after_another() -> Outcome {
        let mut english = Phonemizer::start("en-us")?;
        let pid = english.pid();
        assert_eq!(english.phonemes("Hello there, my friend")?, "həlˈoʊ ðˈɛɹ maɪ fɹˈɛnd");
        assert_eq!(english.phonemes("yes")?, "jˈɛs");
        assert_eq!(english.phonemes(" \n\t ?! ")?, "");
        assert_eq!(english.phonemes("yes")?, "jˈɛs");
        assert_eq!(english.pid(), pid);
        Ok(())
    }

    #[test]
    fn text_cannot_give_commands_or_end_marks() -> Outcome {
        let mut english = Phonemizer::start("en-us")?;
        let plain = english.phonemes("one b two")?;
        assert_eq!(english.phonemes("one\n<b> two")?, plain);
        assert_eq!(english.phonemes("yes kwuzzak\u{7} yes")?, english.phonemes("yes yes")?);
        assert!(!english.phonemes("[[fu:]] yes")?.contains("fuː"));
        assert_eq!(english.phonemes("yes")?, "jˈɛs");
        Ok(())
    }

    #[test]
    fn a_dead_process_is_replaced_within_the_request() -> Outcome {
        let mut english = Phonemizer::start("en-us")?;
        let pid = english.pid().unwrap_or_default();
        // SAFETY: the process is our own child, not yet waited for.
        unsafe { libc::kill(pid as libc::pid_t, libc::SIGKILL) };
        assert_eq!(english.phonemes("yes")?, "jˈɛs");
        assert_ne!(english.pid(), Some(pid));
        Ok(())
    }

    #[test]
    fn an_unknown_voice_is_told() {
        let error = Phonemizer::start("xx-none").map(drop);
        assert!(error.is_err_and(|error| error.to_string().contains("xx-none")));
    }

    #[test]
    fn a_very_long_text_comes_back_whole() -> Outcome {
        let mut english = Phonemizer::start("en-us")?;
        let ipa = english.phonemes(&"yes ".repeat(2000))?;
        assert_eq!(ipa.split(' ').count(), 2000);
        Ok(())
    }

    #[test]
    fn language_marks_are_left_out() {
        assert_eq!(without_language_marks("(en)kˈuːl(de) ʊnt (open"), "kˈuːl ʊnt open");
    }
}
