//! A checkout: the saga from a cart to a placed order, and back when it cannot be had or the order
//! is cancelled.
//!
//! ```text
//! Reserve -> Authorise -> (AwaitPayment) -> Place -> CommitStock -> Capture -> Done
//!     \          \             \                         \            \        \
//!      `----------`-------------`-> SettlePayment -> ReturnStock -> Undone <----' (cancelled)
//! ```
//!
//! [`Saga::plan`] says what is to be done next and [`Saga::after`] what its outcome leads to. Both
//! are pure, so every outcome of every step can be tried, twice and with a crash in between.
//! Nothing is guessed: a call whose outcome is not known is repeated with the same id, and money
//! and goods are let go only after the other side has said that it holds none.

mod failure;
mod outcome;
mod record;
mod saga;
mod transitions;

pub(crate) use failure::Failure;
pub(crate) use outcome::{Outcome, Unclear};
pub(crate) use record::{Checkout, Details};
pub(crate) use saga::{Plan, Saga, Stage, Step};
