//! Downloads from a real socket that breaks off, ignores ranges or refuses.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use super::*;
use crate::threads::{self, Priority};

/// How the server treats one request, in order.
#[derive(Clone, Copy)]
enum Manner {
    /// Sends this many bytes of the body and hangs up.
    BreaksAfter(usize),
    Serves,
    IgnoresRange,
    Answers(&'static str),
}

/// Serves `content` to one request for each of `manners`; answers the Range headers it saw.
fn server(content: Vec<u8>, manners: Vec<Manner>) -> (String, JoinHandle<Vec<Option<usize>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/w", listener.local_addr().unwrap());
    let handle = threads::spawn("server", Priority::Media, move || {
        manners.into_iter().map(|manner| serve(listener.accept().unwrap().0, &content, manner)).collect()
    });
    (url, handle.unwrap())
}

fn serve(mut stream: TcpStream, content: &[u8], manner: Manner) -> Option<usize> {
    let mut range = None;
    for line in BufReader::new(stream.try_clone().unwrap()).lines() {
        let line = line.unwrap().to_lowercase();
        if let Some(start) = line.strip_prefix("range: bytes=") {
            range = Some(start.trim_end_matches('-').parse().unwrap());
        }
        if line.is_empty() {
            break;
        }
    }
    let start = if matches!(manner, Manner::IgnoresRange) { 0 } else { range.unwrap_or(0) };
    let body = &content[start..];
    let head = match (manner, range) {
        (Manner::Answers(status), _) => format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"),
        (Manner::IgnoresRange, _) | (_, None) => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()),
        (_, Some(start)) => format!(
            "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {start}-{}/{}\r\nContent-Length: {}\r\n\r\n",
            content.len() - 1,
            content.len(),
            body.len()
        ),
    };
    stream.write_all(head.as_bytes()).unwrap();
    match manner {
        Manner::BreaksAfter(bytes) => stream.write_all(&body[..bytes]).unwrap(),
        Manner::Answers(_) => {}
        Manner::Serves | Manner::IgnoresRange => stream.write_all(body).unwrap(),
    }
    range
}

fn content() -> Vec<u8> {
    (0..300_000_u32).map(|n| (n / 7) as u8).collect()
}

fn run(manners: Vec<Manner>) -> (Result<Vec<u8>, String>, Vec<Option<usize>>) {
    let (url, handle) = server(content(), manners);
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("w");
    let result = download(&url, &to, &Progress::new("w", 0));
    let result = result.map(|()| fs::read(&to).unwrap()).map_err(|error| error.to_string());
    (result, handle.join().unwrap())
}

#[test]
fn a_broken_download_goes_on_at_the_byte_it_had() {
    let (result, ranges) = run(vec![Manner::BreaksAfter(100_000), Manner::BreaksAfter(50_000), Manner::Serves]);
    assert!(result.unwrap() == content());
    assert_eq!(ranges, [None, Some(100_000), Some(150_000)]);
}

#[test]
fn a_server_without_ranges_makes_it_start_again() {
    let (result, _) = run(vec![Manner::BreaksAfter(100_000), Manner::IgnoresRange]);
    assert!(result.unwrap() == content());
}

#[test]
fn a_wrong_address_is_said_at_once() {
    let (result, ranges) = run(vec![Manner::Answers("404 Not Found")]);
    assert!(result.unwrap_err().contains("404"));
    assert_eq!(ranges.len(), 1);
}

#[test]
fn a_server_that_brings_nothing_is_given_up() {
    let (result, _) = run(vec![Manner::BreaksAfter(0); 3]);
    assert!(result.unwrap_err().contains("check the network"));
}
