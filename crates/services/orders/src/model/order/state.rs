use std::collections::BTreeMap;
use std::str::FromStr;

use contracts::orders::Totals;
use contracts::payments::PaymentStatus;
use kernel::{
    CheckoutId, CustomerId, Money, OrderId, PaymentId, ProductId, RefundId, SellerId, Timestamp, VariantId,
};
use serde::{Deserialize, Serialize};

/// Where the order itself stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OrderStatus)]
pub(crate) enum Status {
    /// Its checkout is under way: no money is certain yet. Never part of the purchase history.
    Pending,
    /// Its money is set aside or taken, and it is to be sent.
    Placed,
    /// It was paid for and sent.
    Completed,
    /// It will not be sent.
    Cancelled,
}

/// How much of the order was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FulfilmentStatus)]
pub(crate) enum Fulfilment {
    /// Nothing.
    Unfulfilled,
    /// Some of it.
    PartiallyFulfilled,
    /// All of it.
    Fulfilled,
}

/// A word that is none of the statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a status")]
pub(crate) struct UnknownStatus;

impl Status {
    /// Every status.
    const ALL: [Self; 4] = [Self::Pending, Self::Placed, Self::Completed, Self::Cancelled];

    /// The word on the wire and in tables.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Placed => "placed",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(UnknownStatus)
    }
}

impl Fulfilment {
    const ALL: [Self; 3] = [Self::Unfulfilled, Self::PartiallyFulfilled, Self::Fulfilled];

    /// The word on the wire and in tables.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Unfulfilled => "unfulfilled",
            Self::PartiallyFulfilled => "partially_fulfilled",
            Self::Fulfilled => "fulfilled",
        }
    }
}

impl FromStr for Fulfilment {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(UnknownStatus)
    }
}

/// Every word that a payment's status may be.
const PAYMENT_STATUSES: [PaymentStatus; 10] = [
    PaymentStatus::Created,
    PaymentStatus::RequiresAction,
    PaymentStatus::Processing,
    PaymentStatus::Authorized,
    PaymentStatus::Captured,
    PaymentStatus::PartiallyRefunded,
    PaymentStatus::Refunded,
    PaymentStatus::Voided,
    PaymentStatus::Failed,
    PaymentStatus::Unknown,
];

/// The payment status that `text` names.
///
/// # Errors
/// When it names none.
pub(crate) fn payment_status(text: &str) -> Result<PaymentStatus, UnknownStatus> {
    PAYMENT_STATUSES.into_iter().find(|status| status.as_str() == text).ok_or(UnknownStatus)
}

/// By what right somebody sees an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// It is the customer's own.
    Customer(CustomerId),
    /// They hold its token, and it is nobody's.
    Guest,
    /// They work for the shop, or are the shop.
    Shop,
}

/// An order as its events made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    /// Which.
    pub(crate) id: OrderId,
    /// The number people use.
    pub(crate) number: String,
    /// Whose; none for guests.
    pub(crate) customer_id: Option<CustomerId>,
    /// The checkout it came from; none for history from elsewhere.
    pub(crate) checkout_id: Option<CheckoutId>,
    /// Its payment; none for history from elsewhere.
    pub(crate) payment_id: Option<PaymentId>,
    /// Where the order stands.
    pub(crate) status: Status,
    /// Where its payment stands.
    pub(crate) payment_status: PaymentStatus,
    /// How much of it was sent.
    pub(crate) fulfilment_status: Fulfilment,
    /// What, frozen at placement.
    pub(crate) lines: Vec<Line>,
    /// How much, frozen at placement.
    pub(crate) totals: Totals,
    /// The refunds that succeeded and have not failed since.
    pub(crate) refunds: BTreeMap<RefundId, Money>,
    /// When it was placed.
    pub(crate) placed_at: Timestamp,
    /// How many events made it.
    pub(crate) version: i64,
}

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// Which variant; none for history whose product the catalogue does not have.
    pub(crate) variant_id: Option<VariantId>,
    /// Its product.
    pub(crate) product_id: Option<ProductId>,
    /// Who sells it.
    pub(crate) seller_id: Option<SellerId>,
    /// The stock keeping unit.
    pub(crate) sku: String,
    /// As the order shows it.
    pub(crate) title: String,
    /// The brand.
    pub(crate) brand: String,
    /// The main category.
    pub(crate) category: Option<String>,
    /// How many.
    pub(crate) quantity: i64,
    /// How many of them were sent.
    #[serde(default)]
    pub(crate) fulfilled: i64,
    /// The price of one, tax included.
    pub(crate) unit_price: Money,
    /// What the line costs, tax included.
    pub(crate) total: Money,
    /// The tax that the line contains.
    pub(crate) tax: Money,
    /// The rate of that tax, in hundredths of a per cent.
    pub(crate) tax_basis_points: u32,
}

impl Line {
    /// The line as other services are told of it.
    pub(crate) fn to_contract(&self) -> contracts::orders::OrderLine {
        contracts::orders::OrderLine {
            variant_id: self.variant_id,
            product_id: self.product_id,
            seller_id: self.seller_id,
            sku: self.sku.clone(),
            title: self.title.clone(),
            brand: self.brand.clone(),
            category: self.category.clone(),
            quantity: self.quantity,
            unit_price: self.unit_price,
            total: self.total,
        }
    }
}

impl Order {
    /// What was given back so far, in minor units.
    pub(crate) fn refunded(&self) -> i64 {
        self.refunds.values().map(|refund| refund.amount).fold(0, i64::saturating_add)
    }

    /// Whether nothing can happen to its goods any more.
    pub(crate) fn is_open(&self) -> bool {
        self.status == Status::Placed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_reads_back_from_its_word() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        for status in Fulfilment::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        for status in PAYMENT_STATUSES {
            assert_eq!(payment_status(status.as_str()), Ok(status));
        }
        assert!("lost".parse::<Status>().is_err());
    }
}
