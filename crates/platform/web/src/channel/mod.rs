//! The ways to another service: its router when it runs in this process, a connection when it
//! runs in another. Callers hold a [`contracts::Channel`] and cannot tell which.

mod breaker;
mod local;
mod remote;

pub use breaker::{Breaker, BreakerOptions, Permit};
pub use local::{Switchboard, local};
pub use remote::{RemoteError, RemoteOptions, remote};

/// The header field that says for how many more milliseconds somebody waits for the answer.
pub const DEADLINE: &str = "souk-deadline-ms";

/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;
