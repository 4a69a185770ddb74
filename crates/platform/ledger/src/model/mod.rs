//! What a transfer does to balances, as pure functions. The store loads a [`Book`], the book decides,
//! the store writes the [`Changes`].

mod account;
mod book;
mod record;
mod transfer;

pub use account::{Account, Balance, Guard};
pub(crate) use account::{Holding, Side};
pub(crate) use book::{Book, Changes, Rejection};
pub use book::{Refusal, Shortfall};
pub(crate) use record::{Record, RecordKind, Resolution};
pub use transfer::{MAX_SLICE, MAX_TEXT_LEN, Movement, Transfer, TransferKind};
