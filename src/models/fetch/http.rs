//! Downloads one URL into one file and goes on where an earlier attempt stopped (Range, RFC 9110 section 14).
//!
//! Whether the bytes are right is not decided here: the caller hashes the file, so a file that changed on the
//! server between two attempts is found out there.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::Agent;
use ureq::http::header::{CONTENT_RANGE, RANGE};
use ureq::http::{Response, StatusCode};
use ureq::tls::{RootCerts, TlsConfig};

use super::FetchError;
use crate::models::progress::Progress;
use crate::models::{ModelError, files};

const CONNECT: Duration = Duration::from_secs(20);
const ANSWER: Duration = Duration::from_secs(60);
/// One request at most; a longer download is gone on with by the next, so a stalled one is noticed.
const BODY: Duration = Duration::from_secs(300);
/// Requests in a row that bring nothing new before giving up.
const FRUITLESS: u32 = 3;

/// Makes `to` the whole content of `url`. Unfinished bytes stay in `<to>.partial`.
pub fn download(url: &str, to: &Path, progress: &Progress) -> Result<(), FetchError> {
    if to.is_file() {
        return Ok(());
    }
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let agent: Agent = Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(ANSWER))
        .timeout_recv_body(Some(BODY))
        .build()
        .into();
    let mut partial = to.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);

    let mut fruitless = 0;
    loop {
        let before = length(&partial);
        match attempt(&agent, url, &partial, progress) {
            Ok(()) => break,
            Err(Attempt::Final(error)) => return Err(error),
            Err(Attempt::Broken(reason)) => {
                fruitless = if length(&partial) > before { 0 } else { fruitless + 1 };
                if fruitless >= FRUITLESS {
                    return Err(FetchError::new(format!("{url}: {reason}: check the network and the address")));
                }
            }
        }
    }
    files::put_in_place(&partial, to)?;
    Ok(())
}

enum Attempt {
    /// Worth another request.
    Broken(String),
    Final(FetchError),
}

impl From<ModelError> for Attempt {
    fn from(error: ModelError) -> Self {
        Self::Final(error.into())
    }
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// One request, for what is not there yet.
fn attempt(agent: &Agent, url: &str, partial: &Path, progress: &Progress) -> Result<(), Attempt> {
    let have = length(partial);
    let mut request = agent.get(url);
    if have > 0 {
        request = request.header(RANGE, format!("bytes={have}-"));
    }
    let response = request.call().map_err(|error| Attempt::Broken(error.to_string()))?;

    let (start, total) = match response.status() {
        StatusCode::PARTIAL_CONTENT => match content_range(&response) {
            Some((start, total)) if start == have => (start, total),
            _ => {
                files::remove(partial)?;
                return Err(Attempt::Broken("the server sent another range than was asked for".to_owned()));
            }
        },
        // Nothing is left to send, or what we have is not of this file.
        StatusCode::RANGE_NOT_SATISFIABLE if have > 0 => {
            if content_range_total(&response) == Some(have) {
                return Ok(());
            }
            files::remove(partial)?;
            return Err(Attempt::Broken("the file has become shorter on the server".to_owned()));
        }
        status if status.is_success() => (0, response.body().content_length()),
        status if status.is_server_error() => return Err(Attempt::Broken(format!("the server answers {status}"))),
        status => {
            let text = format!("{url}: the server answers {status}: check the address");
            return Err(Attempt::Final(FetchError::new(text)));
        }
    };
    progress.set_length(total.unwrap_or(0).max(start));
    let mut options = File::options();
    options.create(true).append(start > 0).write(true).truncate(start == 0);
    let mut file = options.open(partial).map_err(ModelError::io("open", partial))?;
    let mut at = start;
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let bytes = body.read(&mut buffer).map_err(|error| Attempt::Broken(error.to_string()))?;
        if bytes == 0 {
            break;
        }
        file.write_all(&buffer[..bytes]).map_err(ModelError::io("write", partial))?;
        at += bytes as u64;
        progress.set_position(at);
    }
    match total {
        Some(total) if at != total => Err(Attempt::Broken(format!("the connection ended at byte {at} of {total}"))),
        _ => Ok(()),
    }
}

/// (start, whole size) of `bytes START-END/SIZE`.
fn content_range<B>(response: &Response<B>) -> Option<(u64, Option<u64>)> {
    let text = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    let (range, _) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.parse().ok()?, content_range_total(response)))
}

fn content_range_total<B>(response: &Response<B>) -> Option<u64> {
    response.headers().get(CONTENT_RANGE)?.to_str().ok()?.split_once('/')?.1.parse().ok()
}

#[cfg(test)]
mod tests;
