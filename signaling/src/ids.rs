//! Ids and tokens that cannot be guessed: a prefix that names the kind and 128 random bits or more.

use rand::distr::{Alphanumeric, SampleString};

/// 62^22 is just above 2^130.
const ID_CHARACTERS: usize = 22;
/// 62^43 is just above 2^256.
const SECRET_CHARACTERS: usize = 43;

fn random(prefix: &str, characters: usize) -> String {
    let mut id = String::from(prefix);
    Alphanumeric.append_string(&mut rand::rng(), &mut id, characters);
    id
}

pub fn call() -> String {
    random("rtc_", ID_CHARACTERS)
}

pub fn session() -> String {
    random("sess_", ID_CHARACTERS)
}

pub fn conversation() -> String {
    random("conv_", ID_CHARACTERS)
}

pub fn item() -> String {
    random("item_", ID_CHARACTERS)
}

pub fn response() -> String {
    random("resp_", ID_CHARACTERS)
}

/// For the `call_id` of a function call.
pub fn function_call() -> String {
    random("call_", ID_CHARACTERS)
}

/// An admin's key.
pub fn admin_key() -> String {
    random("", 32)
}

/// Stock clients in a browser refuse a token that does not start with `ek_`.
pub fn client_secret() -> String {
    random(CLIENT_SECRET_PREFIX, SECRET_CHARACTERS)
}

pub(crate) const CLIENT_SECRET_PREFIX: &str = "ek_";
