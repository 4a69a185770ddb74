//! Rules without side effects: what an address, a password, a token and a session are, and what
//! may happen to them.

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod code;
mod common_passwords;
pub(crate) mod mac;
pub(crate) mod password;
pub(crate) mod rotation;
pub(crate) mod session;
pub(crate) mod source;
mod strength;
pub(crate) mod token;
mod words;
