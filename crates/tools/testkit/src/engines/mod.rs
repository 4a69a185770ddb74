//! Real servers on loopback, started by the test that needs them.

mod chromium;
mod nats;
pub mod ports;
mod postgres;
mod programs;
mod redis;
mod s3;
mod server;
mod smtp;
mod user;

pub use chromium::Chromium;
pub use nats::Nats;
pub use postgres::{Postgres, PostgresOptions, Replica};
pub use programs::find as program;
pub use redis::Redis;
pub use s3::S3;
pub use smtp::{Encryption, ReceivedMail, Smtp, SmtpOptions};

/// Runs blocking work off the asynchronous threads and passes its panic on. Waiting happens in real time
/// there, which keeps a test's paused clock out of it.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
