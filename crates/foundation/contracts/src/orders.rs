//! Orders: carts, checkout, purchase history.

use kernel::{CustomerId, Money, OrderId, PaymentId, ProductId, SellerId, Timestamp, VariantId};
use serde::{Deserialize, Serialize};

use crate::event::event;
use crate::{CallError, Channel};

/// One line of an order, frozen when it was placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// Which variant; none for history whose product the catalogue does not have.
    pub variant_id: Option<VariantId>,
    /// Its product.
    pub product_id: Option<ProductId>,
    /// Who sells it.
    pub seller_id: Option<SellerId>,
    /// The stock keeping unit.
    pub sku: String,
    /// As the order shows it.
    pub title: String,
    /// The brand.
    pub brand: String,
    /// The main category.
    pub category: Option<String>,
    /// How many.
    pub quantity: i64,
    /// The price of one, tax included.
    pub unit_price: Money,
    /// What the line costs.
    pub total: Money,
}

/// What an order adds up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Totals {
    /// All lines, tax included.
    pub subtotal: Money,
    /// What was taken off.
    pub discount: Money,
    /// What sending costs.
    pub shipping: Money,
    /// The tax that `total` contains.
    pub tax: Money,
    /// What is paid: subtotal, less discount, plus shipping.
    pub total: Money,
}

/// An order was placed: its money is set aside and its stock is reserved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPlaced {
    /// Which.
    pub order_id: OrderId,
    /// The number people use.
    pub number: String,
    /// Whose; none for guests.
    pub customer_id: Option<CustomerId>,
    /// Its payment; none for history from elsewhere.
    pub payment_id: Option<PaymentId>,
    /// When.
    pub placed_at: Timestamp,
    /// What.
    pub lines: Vec<OrderLine>,
    /// How much.
    pub totals: Totals,
    /// Whether it is history from elsewhere: nobody is to be told, nothing is to be done.
    #[serde(default)]
    pub imported: bool,
    /// Whether nothing came of it, which only history knows at once: it was cancelled, or its money was never
    /// taken or all given back.
    #[serde(default)]
    pub came_to_nothing: bool,
}
event!(OrderPlaced, "orders.order_placed.v1", order_id);

/// Any of an order's three statuses changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderChanged {
    /// Which.
    pub order_id: OrderId,
    /// The number people use.
    pub number: String,
    /// Whose; none for guests.
    pub customer_id: Option<CustomerId>,
    /// Its version from now on.
    pub version: i64,
    /// The order's own status.
    pub status: String,
    /// Its payment's.
    pub payment_status: String,
    /// Its fulfilment's.
    pub fulfilment_status: String,
}
event!(OrderChanged, "orders.order_changed.v1", order_id);

/// An order was cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderCancelled {
    /// Which.
    pub order_id: OrderId,
    /// Whose; none for guests.
    pub customer_id: Option<CustomerId>,
    /// What it had come to.
    pub total: Money,
    /// Why.
    pub reason: String,
}
event!(OrderCancelled, "orders.order_cancelled.v1", order_id);

/// Calls to orders.
#[derive(Clone, Debug)]
pub struct Client(Channel);

impl Client {
    /// A client over `channel`.
    pub const fn new(channel: Channel) -> Self {
        Self(channel)
    }

    /// Everything orders holds about a person, for their export.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn export(&self, customer: CustomerId) -> Result<serde_json::Value, CallError> {
        self.0.get(&format!("/internal/orders/customers/{customer}/export")).await
    }
}

/// A finished order to take over from elsewhere, with its date and its totals to the cent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportOrder {
    /// The order id it gets; the importer derives it from `external_id` and `placed_at`.
    pub order_id: OrderId,
    /// What the old system called it; unique, so that importing twice changes nothing.
    pub external_id: String,
    /// Whose; none for guests.
    pub customer_id: Option<CustomerId>,
    /// When.
    pub placed_at: Timestamp,
    /// `completed` or `cancelled`.
    pub status: String,
    /// `captured`, `refunded`, `partially_refunded`, `voided` or `failed`.
    pub payment_status: String,
    /// `fulfilled`, `unfulfilled` or `partially_fulfilled`.
    pub fulfilment_status: String,
    /// What.
    pub lines: Vec<ImportLine>,
    /// How much, as the old system had it.
    pub totals: Totals,
}

/// A line of an imported order. The product need not be in the catalogue any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportLine {
    /// The variant, when the catalogue has it.
    #[serde(default)]
    pub variant_id: Option<VariantId>,
    /// The stock keeping unit, empty when the old system kept none.
    pub sku: String,
    /// As the order showed it.
    pub title: String,
    /// How many.
    pub quantity: i64,
    /// The price of one.
    pub unit_price: Money,
    /// What the line cost.
    pub total: Money,
}
