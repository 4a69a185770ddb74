//! Payments and refunds as plain data, and what each thing that is learned about them leads to.
//! Pure: no clock, no database, no provider.

pub(crate) mod attempt;
pub(crate) mod decline;
pub(crate) mod payment;
pub(crate) mod refund;
pub(crate) mod return_url;
pub(crate) mod snapshot;
pub(crate) mod stage;
pub(crate) mod step;

pub(crate) use attempt::{Attempt, AttemptId, Ended, Operation};
pub(crate) use payment::{Asked, Payment};
pub(crate) use refund::{Refund, RefundPosting, RefundStatus};
pub(crate) use snapshot::{Card, Fact, RefundFact, RefundSnapshot, Snapshot};
pub(crate) use stage::Stage;
pub(crate) use step::{Answer, Observed, Posting, Step};
