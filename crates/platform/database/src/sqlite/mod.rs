//! The embedded engine: SQLite in WAL mode, one writer whose commits are grouped, and a pool of readers.

mod errors;
mod migrate;
mod open;
mod reader;
mod session;
mod statement;
mod writer;

pub(crate) use errors::{classify, is_busy};
pub(crate) use migrate::migrate;
pub(crate) use open::{Deadline, Files};
pub(crate) use reader::{ReadGuard, Readers};
pub(crate) use statement::{execute, query};
pub(crate) use writer::{WriteGuard, Writer};
