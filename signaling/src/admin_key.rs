//! The admin's key, and how often an address may be wrong about it.
//!
//! Neither API keys nor client secrets count. Keys are compared in constant time; after [`MOST_WRONG`] wrong ones in a
//! minute an address is told to wait, whatever it sends. What is remembered of addresses is bounded.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use axum::http::header::{HeaderValue, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};

use crate::auth;
use crate::error::{ApiError, ErrorBody, ErrorKind};

/// Wrong keys from one address in a minute.
pub const MOST_WRONG: u32 = 10;
/// Addresses that are remembered; more share the memory of one.
const MOST_ADDRESSES: usize = 1024;
const MINUTE: u64 = 60;

pub(crate) struct AdminKey {
    key: String,
    wrong: Mutex<Wrong>,
}

/// Wrong keys of this minute by address.
#[derive(Default)]
struct Wrong {
    minute: u64,
    by: HashMap<IpAddr, u32>,
}

/// Why somebody is not let in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Missing,
    Wrong,
    TooOften { retry_after_seconds: u64 },
}

impl AdminKey {
    /// An empty key opens to nobody.
    pub(crate) fn new(key: String) -> Self {
        Self { key, wrong: Mutex::default() }
    }

    /// `now`: seconds since 1970.
    pub(crate) fn check(&self, headers: &HeaderMap, remote: Option<IpAddr>, now: u64) -> Result<(), Refused> {
        let Some(given) = auth::bearer(headers) else { return Err(Refused::Missing) };
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.minute != now / MINUTE {
            *wrong = Wrong { minute: now / MINUTE, by: HashMap::new() };
        }
        let mut address = remote.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), network);
        if wrong.by.len() >= MOST_ADDRESSES && !wrong.by.contains_key(&address) {
            address = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        }
        let before = wrong.by.get(&address).copied().unwrap_or_default();
        if before >= MOST_WRONG {
            return Err(Refused::TooOften { retry_after_seconds: MINUTE - now % MINUTE });
        }
        if auth::same(given.as_bytes(), self.key.as_bytes()) && !self.key.is_empty() {
            return Ok(());
        }
        wrong.by.insert(address, before + 1);
        Err(Refused::Wrong)
    }
}

/// Whoever has one address of IPv6 has its 2^64 neighbours too.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address => address,
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        let message = match refused {
            Refused::Missing => {
                "Send 'Authorization: Bearer' with the admin key; the server prints it at its start, unless one is set \
                 in the environment variable that server.admin_key_env names."
            }
            Refused::Wrong => {
                "This is not the admin key. The server prints it at its start, unless one is set in the environment \
                 variable that server.admin_key_env names."
            }
            Refused::TooOften { retry_after_seconds } => {
                let message = format!("Too many wrong keys came from this address; wait {retry_after_seconds} s.");
                let mut body = ErrorBody::invalid("too_many_tries", message);
                body.kind = ErrorKind::RateLimit;
                return Self::new(StatusCode::TOO_MANY_REQUESTS, body)
                    .with_header(RETRY_AFTER, HeaderValue::from(retry_after_seconds));
            }
        };
        let mut body = ErrorBody::invalid("invalid_admin_key", message);
        body.kind = ErrorKind::Authentication;
        Self::new(StatusCode::UNAUTHORIZED, body)
            .with_header(axum::http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::AUTHORIZATION;

    use super::*;

    fn bearer(token: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}")).unwrap())])
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn only_the_key_opens_and_none_opens_nothing() {
        let key = AdminKey::new("secret".into());
        assert_eq!(key.check(&bearer("secret"), None, 0), Ok(()));
        for wrong in ["secre", "secret1", "Secret"] {
            assert_eq!(key.check(&bearer(wrong), None, 0), Err(Refused::Wrong));
        }
        assert_eq!(key.check(&HeaderMap::new(), None, 0), Err(Refused::Missing));
        assert_eq!(AdminKey::new(String::new()).check(&bearer("x"), None, 0), Err(Refused::Wrong));
    }

    #[test]
    fn an_address_that_is_wrong_too_often_waits_and_others_do_not() {
        let key = AdminKey::new("secret".into());
        let guesser = address("2001:db8::1");
        for _ in 0..MOST_WRONG {
            assert_eq!(key.check(&bearer("guess"), guesser, 70), Err(Refused::Wrong));
            // A page that has no key yet is no guess.
            assert_eq!(key.check(&HeaderMap::new(), guesser, 70), Err(Refused::Missing));
        }
        let waits = Err(Refused::TooOften { retry_after_seconds: 50 });
        assert_eq!(key.check(&bearer("secret"), guesser, 70), waits);
        assert_eq!(key.check(&bearer("secret"), address("2001:db8::2"), 70), waits, "a neighbour in the same network");
        assert_eq!(key.check(&bearer("secret"), address("2001:db8:0:1::1"), 70), Ok(()));
        assert_eq!(key.check(&bearer("secret"), address("127.0.0.1"), 70), Ok(()));
        assert_eq!(key.check(&bearer("secret"), guesser, 120), Ok(()));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let key = AdminKey::new("secret".into());
        for n in 0..5000u32 {
            let _ = key.check(&bearer("guess"), Some(IpAddr::V4(n.into())), 0);
        }
        assert!(key.wrong.lock().unwrap().by.len() <= MOST_ADDRESSES + 1);
        assert_eq!(key.check(&bearer("secret"), Some(IpAddr::V4(1.into())), 0), Ok(()), "known before");
        let late = key.check(&bearer("secret"), address("203.0.113.9"), 0);
        assert!(matches!(late, Err(Refused::TooOften { .. })), "{late:?}");
    }
}
