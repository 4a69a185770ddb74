//! What stands around every router, at the gateway and in a process of one service alike.

mod arrival;
mod conditional;
mod limits;
mod observe;
mod standard;

pub use arrival::arrive;
pub use conditional::conditional;
pub use limits::{catch_panic, limit_time, shed};
pub use observe::{Observer, observe};
pub(crate) use standard::no_such_address;
pub use standard::{Standard, answering, bounded, standard};
