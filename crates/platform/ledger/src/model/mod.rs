//! What a transfer does to balances, as pure functions. The store loads a [`Book`], the book decides,
//! the store writes the [`Changes`].

mod account;
mod book;
mod record;
mod rejection;
mod transfer;

pub use account::{Account, Balance, Guard};
pub(crate) use account::{Holding, Side};
pub(crate) use book::{Book, Changes};
pub(crate) use record::{Record, RecordKind, Resolution};
pub(crate) use rejection::Rejection;
pub use rejection::{Refusal, Shortfall};
pub use transfer::{MAX_SLICE, MAX_TEXT_LEN, Movement, Transfer, TransferKind};
