use kernel::{PaymentId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::{RefundSnapshot, Snapshot};

/// The most characters of a provider's name for an event or for its kind.
pub(crate) const MAX_NAME: usize = 200;

/// What a provider tells by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notification {
    /// The provider's name for it, the same each time it is delivered.
    pub(crate) event_id: String,
    /// The provider's word for what happened.
    pub(crate) kind: String,
    /// When it happened, as the provider says.
    pub(crate) occurred_at: Timestamp,
    /// The payment that it is about, when it is about one of ours.
    pub(crate) payment_id: Option<PaymentId>,
    pub(crate) subject: Subject,
}

/// What a notification is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub(crate) enum Subject {
    /// Where a payment stands.
    Payment(Snapshot),
    /// Where a refund stands.
    Refund(RefundSnapshot),
    /// Something that changes nothing here.
    Other,
}

/// Why a notification is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WebhookError {
    /// Not signed, signed with another secret, or at another time.
    #[error("the signature is not valid")]
    Signature,
    /// Not what the provider sends.
    #[error("the notification cannot be read")]
    Unreadable,
}
