#![doc = include_str!("../README.md")]

mod clock;
mod failure;
mod ids;
mod money;
mod page;
mod rng;
mod secret;
mod timestamp;
mod trace_context;

pub use clock::Clock;
pub use failure::{Fail, FailureKind, FieldError};
pub use ids::{
    AccountId, AddressId, AnswerId, CartId, CheckoutId, CustomerId, EventId, LocationId, OrderId, PaymentId,
    PollId, ProductId, RefundId, SellerId, SessionId, StaffId, TransferId, VariantId, WebhookId,
};
pub use ids::{AnyId, IdError, decode_suffix, encode_suffix};
pub use money::{Currency, Money, MoneyError};
pub use page::{Cursor, CursorError, Limit, Page};
pub use rng::Rng;
pub use secret::Secret;
pub use timestamp::{Date, Timestamp, TimestampError};
pub use trace_context::{TraceContext, TraceContextError};

pub use uuid::Uuid;

/// Implementation details of [`typed_id!`]; not for direct use.
#[doc(hidden)]
pub mod __private {
    pub use serde;
    pub use utoipa;
    pub use uuid;
}
