//! Payments: intents, attempts, refunds, and the money in the ledger.

use std::fmt;

use kernel::{CustomerId, Money, OrderId, PaymentId, RefundId};
use serde::{Deserialize, Serialize};

use crate::event::event;
use crate::{CallError, Channel};

/// Where a payment stands. `Unknown` is a state of its own: the provider was asked and the answer
/// was lost, so it may or may not have happened; it is resolved by asking, never guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Recorded here, the provider not yet asked.
    Created,
    /// The person must do something first; see `next_action`.
    RequiresAction,
    /// The provider is working on it.
    Processing,
    /// The money is set aside.
    Authorized,
    /// The money is ours.
    Captured,
    /// Given back in part.
    PartiallyRefunded,
    /// Given back whole.
    Refunded,
    /// Set aside no longer; nothing was taken.
    Voided,
    /// Refused.
    Failed,
    /// The outcome is not known yet.
    Unknown,
}

impl PaymentStatus {
    /// The word on the wire and in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::Authorized => "authorized",
            Self::Captured => "captured",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
            Self::Voided => "voided",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// What the person has to do before the payment can go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum NextAction {
    /// Go to this page; it sends the person back afterwards.
    Redirect {
        /// Where to.
        url: String,
    },
}

/// Why a payment was refused, in our words and in the provider's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Decline {
    /// `declined`, `insufficient_funds`, `challenge_failed`, `expired`, …
    pub reason: String,
    /// What the provider said.
    pub provider_reason: Option<String>,
}

/// What is paid with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentMethod {
    /// `card`.
    #[schema(examples("card"))]
    pub method: String,
    /// The provider's token for it, never the number itself.
    #[schema(examples("tok_visa"), max_length = 200)]
    pub token: String,
}

// Whoever holds the token can pay with it, so it stays out of logs.
impl fmt::Debug for PaymentMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaymentMethod").field("method", &self.method).finish_non_exhaustive()
    }
}

/// Asks for a payment to be authorised. The id is the caller's, so that asking twice pays once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizePayment {
    /// The payment, new or known.
    pub payment_id: PaymentId,
    /// What for.
    pub order_id: OrderId,
    /// Who pays; none for guests.
    pub customer_id: Option<CustomerId>,
    /// How much.
    pub amount: Money,
    /// With what.
    pub method: PaymentMethod,
    /// Where the provider's pages send the person back to.
    pub return_url: String,
}

/// A payment as other services see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Which.
    pub payment_id: PaymentId,
    /// What for.
    pub order_id: OrderId,
    /// Where it stands.
    pub status: PaymentStatus,
    /// How much was asked for.
    pub amount: Money,
    /// How much was taken.
    pub captured: Money,
    /// How much was given back.
    pub refunded: Money,
    /// What the person must do, when the status is `requires_action`.
    pub next_action: Option<NextAction>,
    /// Why it was refused, when the status is `failed`.
    pub decline: Option<Decline>,
}

/// Asks for money to be given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundPayment {
    /// The refund, new or known.
    pub refund_id: RefundId,
    /// How much; never more than was taken and not yet given back.
    pub amount: Money,
    /// Why, for the books.
    pub reason: String,
}

/// A payment reached another status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentChanged {
    /// What for; the key, so that an order hears of its payments in order.
    pub order_id: OrderId,
    /// The payment as it is now.
    pub payment: Payment,
}
event!(PaymentChanged, "payments.payment_changed.v1", order_id);

/// A refund succeeded, or failed after all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundChanged {
    /// What the payment was for.
    pub order_id: OrderId,
    /// The payment.
    pub payment_id: PaymentId,
    /// The refund.
    pub refund_id: RefundId,
    /// How much.
    pub amount: Money,
    /// `succeeded` or `failed`.
    pub status: String,
}
event!(RefundChanged, "payments.refund_changed.v1", order_id);

/// Calls to payments. Every command may be repeated and answers with the payment as it then is.
#[derive(Clone, Debug)]
pub struct Client(Channel);

impl Client {
    /// A client over `channel`.
    pub const fn new(channel: Channel) -> Self {
        Self(channel)
    }

    /// Authorises a payment. A decline is an answer (`failed`), not an error; so is `unknown`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn authorize(&self, request: &AuthorizePayment) -> Result<Payment, CallError> {
        self.0.post("/internal/payments", request).await
    }

    /// A payment as it is; refused with `payments.not_found`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn get(&self, payment: PaymentId) -> Result<Payment, CallError> {
        self.0.get(&format!("/internal/payments/{payment}")).await
    }

    /// Takes the money that was set aside.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn capture(&self, payment: PaymentId) -> Result<Payment, CallError> {
        self.0.post(&format!("/internal/payments/{payment}/capture"), &()).await
    }

    /// Lets go of the money that was set aside, or makes sure that none ever is.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn void(&self, payment: PaymentId) -> Result<Payment, CallError> {
        self.0.post(&format!("/internal/payments/{payment}/void"), &()).await
    }

    /// Gives money back; refused with `payments.refund_exceeds_captured`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn refund(&self, payment: PaymentId, request: &RefundPayment) -> Result<Payment, CallError> {
        self.0.post(&format!("/internal/payments/{payment}/refunds"), request).await
    }

    /// Everything payments holds about a person, for their export.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn export(&self, customer: CustomerId) -> Result<serde_json::Value, CallError> {
        self.0.get(&format!("/internal/payments/customers/{customer}/export")).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_paid_with_is_not_shown() {
        let method = PaymentMethod { method: "card".to_owned(), token: "tok_secret".to_owned() };
        assert_eq!(format!("{method:?}"), r#"PaymentMethod { method: "card", .. }"#);
    }
}
