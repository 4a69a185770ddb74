//! Payments and refunds as the API shows them.

use contracts::payments::{Decline, NextAction, PaymentStatus};
use kernel::{CustomerId, Money, OrderId, PaymentId, RefundId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::model::{Payment, Refund, RefundStatus};

/// A payment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Payment)]
pub(crate) struct PaymentView {
    /// Names the payment.
    id: PaymentId,
    /// What it is for.
    order_id: OrderId,
    /// Whose it is; none for guests.
    customer_id: Option<CustomerId>,
    /// Where it stands.
    status: PaymentStatus,
    /// How much was asked for.
    amount: Money,
    /// How much was taken.
    captured: Money,
    /// How much was given back.
    refunded: Money,
    /// What is paid with.
    method: MethodView,
    /// Who moves the money.
    #[schema(examples("sandbox"))]
    provider: String,
    /// What the person has to do, while the status is `requires_action`.
    next_action: Option<NextAction>,
    /// Why it was refused, when the status is `failed`.
    decline: Option<Decline>,
    /// When it was begun.
    created_at: Timestamp,
    /// When it last changed.
    updated_at: Timestamp,
    /// Counts its changes.
    version: i64,
}

/// What is paid with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaidWith)]
pub(crate) struct MethodView {
    /// Which kind of means it is.
    #[serde(rename = "type")]
    #[schema(examples("card"))]
    kind: String,
    /// The card's brand, once the provider has told it.
    #[schema(examples("visa"))]
    brand: Option<String>,
    /// The card's last four digits, once the provider has told them.
    #[schema(examples("4242"))]
    last4: Option<String>,
}

impl From<Payment> for PaymentView {
    fn from(payment: Payment) -> Self {
        let contracts::payments::Payment { status, captured, refunded, next_action, decline, .. } =
            payment.view();
        let (brand, last4) = payment.card.map(|card| (card.brand, card.last4)).unzip();
        Self {
            id: payment.id,
            order_id: payment.order_id,
            customer_id: payment.customer_id,
            status,
            amount: payment.amount,
            captured,
            refunded,
            method: MethodView { kind: payment.method, brand, last4 },
            provider: payment.provider,
            next_action,
            decline,
            created_at: payment.created_at,
            updated_at: payment.updated_at,
            version: payment.version,
        }
    }
}

/// Money that is given back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refund)]
pub(crate) struct RefundView {
    /// Names the refund.
    id: RefundId,
    /// The payment that it gives back.
    payment_id: PaymentId,
    /// How much is given back.
    amount: Money,
    /// Where it stands.
    status: RefundStatus,
    /// Why, for the books.
    reason: String,
    /// Why it failed.
    failure: Option<Decline>,
    /// When it was begun.
    created_at: Timestamp,
    /// When it last changed.
    updated_at: Timestamp,
    /// Counts its changes.
    version: i64,
}

impl From<Refund> for RefundView {
    fn from(refund: Refund) -> Self {
        Self {
            id: refund.id,
            payment_id: refund.payment_id,
            amount: refund.amount,
            status: refund.status,
            reason: refund.reason,
            failure: refund.failure,
            created_at: refund.created_at,
            updated_at: refund.updated_at,
            version: refund.version,
        }
    }
}
