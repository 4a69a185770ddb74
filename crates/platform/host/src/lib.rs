#![doc = include_str!("../README.md")]

mod channels;
mod platform;
mod shutdown;
mod start_error;
mod worker;

pub use channels::Channels;
pub use platform::Platform;
pub use shutdown::Shutdown;
pub use start_error::StartError;
pub use worker::Worker;
