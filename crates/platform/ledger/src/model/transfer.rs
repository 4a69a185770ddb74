use std::time::Duration;

use kernel::{AccountId, TransferId};

/// The most transfers that one call takes.
pub const MAX_SLICE: usize = 500;

/// The most bytes of a `reference`, a `unit` or a `kind`.
pub const MAX_TEXT_LEN: usize = 255;

/// An amount that leaves one account for another of the same unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movement {
    /// The account that is debited.
    pub debit: AccountId,
    /// The account that is credited.
    pub credit: AccountId,
    /// How much, in the smallest unit; more than zero.
    pub amount: i64,
}

/// What a transfer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferKind {
    /// Moves the amount at once.
    Single(Movement),
    /// Reserves the amount. Unless it is posted before `now + timeout` it is void from that
    /// microsecond on.
    Pending {
        /// What is reserved.
        movement: Movement,
        /// How long; more than zero, counted in whole microseconds.
        timeout: Duration,
    },
    /// Moves what a pending transfer reserved. What is not posted is released.
    PostPending {
        /// The pending transfer.
        pending: TransferId,
        /// How much of it; `None` is all of it.
        amount: Option<i64>,
    },
    /// Releases what a pending transfer reserved.
    VoidPending {
        /// The pending transfer.
        pending: TransferId,
    },
}

/// One transfer. Its id makes it idempotent: the same content under the same id is done once, however
/// often it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Chosen by the caller before the first attempt.
    pub id: TransferId,
    /// What it does.
    pub kind: TransferKind,
    /// What it is for, in the caller's words: an order id, a refund id. Part of the content.
    pub reference: String,
}

impl Transfer {
    /// Moves `movement` at once.
    pub fn single(id: TransferId, movement: Movement, reference: impl Into<String>) -> Self {
        Self { id, kind: TransferKind::Single(movement), reference: reference.into() }
    }

    /// Reserves `movement` for `timeout`.
    pub fn pending(
        id: TransferId,
        movement: Movement,
        timeout: Duration,
        reference: impl Into<String>,
    ) -> Self {
        Self { id, kind: TransferKind::Pending { movement, timeout }, reference: reference.into() }
    }

    /// Moves `amount`, or all, of what `pending` reserved, and releases the rest.
    pub fn post(
        id: TransferId,
        pending: TransferId,
        amount: Option<i64>,
        reference: impl Into<String>,
    ) -> Self {
        Self { id, kind: TransferKind::PostPending { pending, amount }, reference: reference.into() }
    }

    /// Releases what `pending` reserved.
    pub fn void(id: TransferId, pending: TransferId, reference: impl Into<String>) -> Self {
        Self { id, kind: TransferKind::VoidPending { pending }, reference: reference.into() }
    }

    /// The movement that the transfer states itself, unless it leans on a pending one.
    pub(crate) const fn movement(&self) -> Option<&Movement> {
        match &self.kind {
            TransferKind::Single(movement) | TransferKind::Pending { movement, .. } => Some(movement),
            TransferKind::PostPending { .. } | TransferKind::VoidPending { .. } => None,
        }
    }

    /// The pending transfer that it resolves.
    pub(crate) const fn resolves(&self) -> Option<TransferId> {
        match &self.kind {
            TransferKind::PostPending { pending, .. } | TransferKind::VoidPending { pending } => {
                Some(*pending)
            }
            TransferKind::Single(_) | TransferKind::Pending { .. } => None,
        }
    }
}
