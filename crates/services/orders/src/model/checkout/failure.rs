use contracts::catalog::Shortage;
use serde::{Deserialize, Serialize};

use crate::model::order::CancelBy;

/// Why a checkout was turned back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub(crate) enum Failure {
    /// Some lines cannot be had.
    OutOfStock {
        /// Which, and how many there are.
        lines: Vec<Shortage>,
    },
    /// The provider refused the payment.
    Declined {
        /// In our words.
        reason: String,
        /// In the provider's.
        provider_reason: Option<String>,
    },
    /// The payment service refused to ask any provider.
    PaymentRefused {
        /// Its code.
        code: String,
        /// Its sentence.
        detail: String,
    },
    /// The payment was not finished in time.
    Expired,
    /// A service that it needs could not be asked.
    Unavailable {
        /// Whether it was asked and did not answer in time.
        timed_out: bool,
    },
    /// The same cart was checked out again in another way.
    Superseded,
    /// The person was erased.
    PersonErased,
    /// The stock was gone when the order had been placed.
    StockLost,
    /// The money was gone when the order had been placed.
    PaymentLost,
    /// The order was cancelled by its customer or the shop.
    Cancelled,
}

impl Failure {
    /// On whose account an order that was placed is cancelled for this.
    pub(crate) const fn cancel_by(&self) -> CancelBy {
        match self {
            Self::StockLost => CancelBy::StockLost,
            _ => CancelBy::PaymentFailed,
        }
    }
}
