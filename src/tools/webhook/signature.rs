//! Signs requests as the Standard Webhooks specification has it (symmetric, `v1`), so that its libraries verify them.
//!
//! `webhook-signature: v1,BASE64(HMAC-SHA256(key, "ID.TIMESTAMP.CONTENT"))`, where ID and TIMESTAMP (seconds since 1970)
//! are the headers `webhook-id` and `webhook-timestamp`. The content is the body, byte by byte; a request without one
//! has its query, as it stands in the URL.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What keys may begin with.
const PREFIX: &str = "whsec_";
/// Bytes of a key, by the specification.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl Key {
    /// A key as the specification writes it: `whsec_` and base64 of 24 to 64 bytes.
    pub fn parse(text: &str) -> Result<Self, String> {
        let hint = "it must be \"whsec_\" and the base64 of 24 to 64 random bytes, \
                    as of `echo whsec_$(openssl rand -base64 32)`";
        let encoded = text.strip_prefix(PREFIX).unwrap_or(text);
        let key = STANDARD.decode(encoded).map_err(|_| format!("it is not base64: {hint}"))?;
        if !KEY_BYTES.contains(&key.len()) {
            return Err(format!("it has {} bytes: {hint}", key.len()));
        }
        Hmac::new_from_slice(&key).map(Self).map_err(|_| hint.to_owned())
    }

    /// The value of `webhook-signature`.
    pub fn sign(&self, id: &str, timestamp: u64, content: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(content);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specifications_own_example_is_signed_as_it_says() {
        let key = Key::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").ok().unwrap();
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn weak_keys_are_refused_with_a_way_to_make_one() {
        for weak in ["", "whsec_", "whsec_c2hvcnQ=", "not base64!"] {
            let refused = Key::parse(weak).err().unwrap();
            assert!(refused.contains("openssl"), "{refused}");
        }
    }
}
