use contracts::payments::Decline;
use kernel::{Money, RefundId};
use serde::{Deserialize, Serialize};

use super::Stage;

/// What a provider says about a payment at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    /// The provider's own name for it.
    pub(crate) reference: String,
    /// Where it stands.
    pub(crate) fact: Fact,
    /// The card, as far as it may be shown.
    pub(crate) card: Option<Card>,
    /// Its refunds. Only an answer to a query has them all.
    pub(crate) refunds: Vec<RefundSnapshot>,
}

/// A card as receipts show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Card {
    /// `visa`, `mastercard`, …
    pub(crate) brand: String,
    /// The last four digits.
    pub(crate) last4: String,
}

/// Where a payment stands at its provider, in our terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(crate) enum Fact {
    /// The person must go to a page first.
    RequiresAction {
        /// The page.
        url: String,
    },
    /// The provider is working on it.
    Processing,
    /// The money is set aside.
    Authorized,
    /// The money was taken.
    Captured {
        /// How much, at most what was authorised.
        amount: Money,
    },
    /// Nothing is set aside any more, and nothing was taken.
    Voided,
    /// Refused.
    Failed {
        /// Why.
        decline: Decline,
    },
    /// A reversal: what was told as taken was not taken after all.
    CaptureFailed {
        /// Why.
        decline: Decline,
    },
}

impl Fact {
    /// The stage that a payment of which this is true has reached.
    pub(crate) const fn stage(&self) -> Stage {
        match self {
            Self::RequiresAction { .. } => Stage::RequiresAction,
            Self::Processing => Stage::Processing,
            Self::Authorized => Stage::Authorized,
            Self::Captured { .. } => Stage::Captured,
            Self::Voided => Stage::Voided,
            Self::Failed { .. } => Stage::Failed,
            Self::CaptureFailed { .. } => Stage::CaptureFailed,
        }
    }
}

/// What a provider says about a refund at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RefundSnapshot {
    /// Our own name for it, which the provider gives back.
    pub(crate) refund_id: RefundId,
    /// The provider's own name for it.
    pub(crate) reference: String,
    /// Where it stands.
    pub(crate) fact: RefundFact,
}

/// Where a refund stands at its provider, in our terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(crate) enum RefundFact {
    /// The provider is working on it.
    Pending,
    /// The money is on its way to the person.
    Succeeded,
    /// It was refused, or failed after it had succeeded: a closed account, a transfer that bounced.
    Failed {
        /// Why.
        decline: Decline,
    },
}
