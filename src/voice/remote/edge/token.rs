//! The token by which Microsoft's service knows a client of its own: a hash of the time and of a key that is public.
//!
//! `Sec-MS-GEC` is the SHA-256, in capital hexadecimal, of the Windows file time rounded down to five minutes followed
//! by the trusted client token. A clock that is wrong by more than that is refused; the refusal's date tells by how
//! much. (Protocol facts: the package `edge-tts` up to 7.2, on PyPI.) PURE.

use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

/// Known to every copy of the browser.
pub const TRUSTED_CLIENT: &str = "6A5AA1D4EAFF4E9FB37E23D68491D6F4";
/// Seconds from 1601-01-01, where Windows file time begins, to 1970-01-01.
const FILE_TIME_EPOCH: u64 = 11_644_473_600;
const ROUNDED_TO_SECONDS: u64 = 300;
/// File time counts 100 ns.
const TICKS: u64 = 10_000_000;

/// The token of a time.
pub fn token(unix_seconds: u64) -> String {
    let seconds = unix_seconds.saturating_add(FILE_TIME_EPOCH);
    let ticks = u128::from(seconds - seconds % ROUNDED_TO_SECONDS) * u128::from(TICKS);
    let hash = Sha256::digest(format!("{ticks}{TRUSTED_CLIENT}"));
    hash.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// Seconds since 1970 of a date as HTTP writes it (RFC 9110, section 5.6.7).
pub fn seconds_of(date: &str) -> Option<u64> {
    httpdate::parse_http_date(date).ok()?.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

/// A date as the browser writes it: `Sun Nov 06 1994 08:49:37 GMT+0000 (Coordinated Universal Time)`.
pub fn browser_date(unix_seconds: u64) -> String {
    // httpdate knows years up to 9999.
    let seconds = unix_seconds.min(253_402_300_799);
    let date = httpdate::fmt_http_date(UNIX_EPOCH + std::time::Duration::from_secs(seconds));
    let parts: Vec<&str> = date.split([' ', ',']).filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [weekday, day, month, year, time, _] => {
            format!("{weekday} {month} {day} {year} {time} GMT+0000 (Coordinated Universal Time)")
        }
        _ => date,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_holds_for_five_minutes() {
        // sha256sum of 133444734000000000 and the client's token.
        let expected = "42301B335578FEFDAE2637DED1ABD614505D432559EC08032B82048483726AFF";
        assert_eq!(token(1_700_000_000), expected);
        assert_eq!(token(1_700_000_099), expected);
        assert_ne!(token(1_700_000_099), token(1_700_000_100));
        assert!(token(0).len() == 64 && token(u64::MAX).len() == 64);
    }

    #[test]
    fn dates_are_read_and_written() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(seconds_of(date), Some(784_111_777));
        assert_eq!(seconds_of("yesterday"), None);
        assert_eq!(browser_date(784_111_777), "Sun Nov 06 1994 08:49:37 GMT+0000 (Coordinated Universal Time)");
        assert!(browser_date(u64::MAX).contains("9999"));
    }
}
