use contracts::orders::Totals;
use contracts::payments::PaymentStatus;
use kernel::{CheckoutId, CustomerId, Money, OrderId, PaymentId, RefundId, StaffId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Fulfilment, Line, ShipmentId, Status};

/// What happened to an order. None of it is personal: it outlives the person it was about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub(crate) enum OrderEvent {
    /// Its money was set aside and its stock reserved.
    OrderPlaced(Box<Placed>),
    /// It was taken over from elsewhere, with its past.
    OrderImported(Box<Imported>),
    /// The money was taken.
    PaymentCaptured,
    /// The money was let go; nothing was taken.
    PaymentVoided,
    /// The money that was set aside could not be taken.
    PaymentFailed,
    /// Money was given back.
    RefundSucceeded(Refund),
    /// Money that was given back came back to us after all.
    RefundFailed(Refund),
    /// Something was sent off.
    OrderShipped(Shipped),
    /// All was paid for and sent.
    OrderCompleted,
    /// It will not be sent.
    OrderCancelled(Cancelled),
}

/// The beginning of an order that was placed here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Placed {
    pub(crate) order_id: OrderId,
    pub(crate) number: String,
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) checkout_id: CheckoutId,
    pub(crate) payment_id: PaymentId,
    pub(crate) lines: Vec<Line>,
    pub(crate) totals: Totals,
    pub(crate) placed_at: Timestamp,
}

/// The beginning of an order that was taken over from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Imported {
    pub(crate) order_id: OrderId,
    pub(crate) external_id: String,
    pub(crate) number: String,
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) status: Status,
    pub(crate) payment_status: PaymentStatus,
    pub(crate) fulfilment_status: Fulfilment,
    pub(crate) lines: Vec<Line>,
    pub(crate) totals: Totals,
    pub(crate) placed_at: Timestamp,
}

/// Money given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub(crate) refund_id: RefundId,
    pub(crate) amount: Money,
}

/// What was sent off, and how to follow it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shipped {
    pub(crate) shipment_id: ShipmentId,
    pub(crate) lines: Vec<ShippedLine>,
    pub(crate) tracking: Option<Tracking>,
}

/// So many of the line at `position`, counted from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShippedLine {
    pub(crate) position: usize,
    pub(crate) quantity: i64,
}

/// How to follow something that was sent off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tracking {
    /// Who carries it, up to 100 characters.
    #[schema(max_length = 100, examples("DHL"))]
    pub(crate) carrier: String,
    /// The carrier's number for it, up to 100 characters.
    #[schema(max_length = 100)]
    pub(crate) number: String,
    /// The carrier's page for it, up to 500 characters, `https` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub(crate) url: Option<String>,
}

/// Why it will not be sent, as one of a few words; a person's own words are sealed elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cancelled {
    pub(crate) reason: String,
}

/// Who made an event happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Actor {
    /// The person whose order it is.
    Customer(CustomerId),
    /// Somebody without an account who holds the order's token.
    Guest,
    /// Somebody who works for the shop.
    Staff(StaffId),
    /// The payment service.
    Payments,
    /// Orders itself, finishing what was begun.
    System,
    /// An import.
    Import,
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Customer(id) => write!(f, "customer:{id}"),
            Self::Guest => f.write_str("guest"),
            Self::Staff(id) => write!(f, "staff:{id}"),
            Self::Payments => f.write_str("payments"),
            Self::System => f.write_str("system"),
            Self::Import => f.write_str("import"),
        }
    }
}

impl OrderEvent {
    /// The word for it in tables and on the wire.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::OrderPlaced(_) => "order_placed",
            Self::OrderImported(_) => "order_imported",
            Self::PaymentCaptured => "payment_captured",
            Self::PaymentVoided => "payment_voided",
            Self::PaymentFailed => "payment_failed",
            Self::RefundSucceeded(_) => "refund_succeeded",
            Self::RefundFailed(_) => "refund_failed",
            Self::OrderShipped(_) => "order_shipped",
            Self::OrderCompleted => "order_completed",
            Self::OrderCancelled(_) => "order_cancelled",
        }
    }
}
