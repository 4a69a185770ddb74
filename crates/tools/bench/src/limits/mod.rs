//! What the machine itself can do, measured in the same run as what the server does on it.

pub(crate) mod argon;
pub(crate) mod disk;
pub(crate) mod fan_out;
pub(crate) mod http;
pub(crate) mod sqlite;
