//! Due work: rows that say what to do and when. They are written in the transaction that makes the work
//! necessary, survive restarts, and are claimed for a limited time, so a crash loses none.

mod rest;
mod store;
mod worker;

use std::time::Duration;

use kernel::Timestamp;
use uuid::Uuid;

pub use worker::WorkOptions;

use crate::error::Error;
use crate::row::{FromRow, Row};

/// Any error of a handler.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Work to be done, unique by queue and key.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    /// Who does it.
    pub queue: &'static str,
    /// What it is about. Scheduling the same key again replaces the payload and the time.
    pub key: String,
    /// What the handler needs to know.
    pub payload: serde_json::Value,
    /// When to do it, at the earliest.
    pub at: Timestamp,
}

/// Work that is being done.
#[derive(Clone, Debug, PartialEq)]
pub struct DueItem {
    /// The queue that it is in.
    pub queue: &'static str,
    /// What it is about.
    pub key: String,
    /// What was said when it was scheduled.
    pub payload: serde_json::Value,
    /// How often it has been tried since it was scheduled, this time included.
    pub attempts: u32,
    claim: Uuid,
}

/// What becomes of the work after a handler has ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is done.
    Done,
    /// It is to be done again then, as a new item.
    At(Timestamp),
}

/// A handler's failure because what all work of the queue needs is away, such as the mail server. The whole queue
/// then rests for a moment and is tried again with one item, instead of each item for longer and longer: when the
/// need is back, all of it is done at once.
#[derive(Debug, thiserror::Error)]
#[error("what the work needs is away")]
pub struct Away(#[source] pub BoxError);

struct Claimed {
    key: String,
    payload: serde_json::Value,
    attempts: u32,
    /// For when it was scheduled while somebody had it.
    again_at: Option<Timestamp>,
}

impl FromRow for Claimed {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            key: row.get("item_key")?,
            payload: row.get("payload")?,
            attempts: row.get("attempts")?,
            again_at: row.get("again_at")?,
        })
    }
}

/// The pause after the first failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
