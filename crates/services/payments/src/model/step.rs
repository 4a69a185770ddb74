use contracts::payments::Decline;

use super::{Payment, Snapshot};

/// What moves in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Posting {
    /// Money is set aside.
    Hold,
    /// So much of it is taken, the rest let go.
    Capture(i64),
    /// All of it is let go.
    Release,
    /// So much was not taken after all.
    TakeBack(i64),
}

/// What became of something that was learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Observed {
    /// It moved the payment.
    Applied,
    /// It was known.
    Known,
    /// More than that was known already.
    Late,
    /// It cannot be true together with what is known. It changes nothing, and somebody should look.
    Contradiction,
}

impl Observed {
    /// The word in tables and metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Known => "known",
            Self::Late => "late",
            Self::Contradiction => "contradiction",
        }
    }
}

/// A payment after something was learned, and what that moves in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct Step {
    pub(crate) next: Payment,
    pub(crate) postings: Vec<Posting>,
    pub(crate) observed: Observed,
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The provider said where the payment stands.
    Snapshot(Snapshot),
    /// The provider said no; nothing happened.
    Refused(Decline),
    /// It was never sent; nothing happened.
    NotSent(Decline),
    /// The answer was lost: it may or may not have happened.
    Lost,
}
