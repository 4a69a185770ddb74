//! The shop's own events, in the words of Segment's e-commerce vocabulary.

use contracts::Envelope;
use contracts::identity::{AccountVerified, SignedIn};
use contracts::orders::{OrderCancelled, OrderPlaced};
use contracts::payments::RefundChanged;
use kernel::{Currency, CustomerId, Date, Money, MoneyError, Timestamp};
use serde_json::{Map, Value, json};

use super::message::{Kind, Message};

/// What one event adds to the takings of its day, in minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Takings {
    pub(crate) day: Date,
    pub(crate) currency: Currency,
    pub(crate) orders: i64,
    pub(crate) units: i64,
    /// Without shipping and tax.
    pub(crate) revenue: i64,
    pub(crate) shipping: i64,
    pub(crate) tax: i64,
    pub(crate) discount: i64,
    pub(crate) total: i64,
    pub(crate) cancelled_orders: i64,
    pub(crate) cancelled: i64,
    pub(crate) refund_count: i64,
    pub(crate) refunded: i64,
}

impl Takings {
    /// Nothing yet.
    pub(crate) const fn none(day: Date, currency: Currency) -> Self {
        Self {
            day,
            currency,
            orders: 0,
            units: 0,
            revenue: 0,
            shipping: 0,
            tax: 0,
            discount: 0,
            total: 0,
            cancelled_orders: 0,
            cancelled: 0,
            refund_count: 0,
            refunded: 0,
        }
    }
}

/// `Order Completed`, on the day on which the order was placed, wherever that was.
pub(crate) fn order_completed(
    event: &Envelope,
    order: &OrderPlaced,
) -> Result<(Message, Takings), MoneyError> {
    let totals = &order.totals;
    let revenue = totals.total.minus(totals.shipping)?.minus(totals.tax)?;
    let units = order.lines.iter().fold(0_i64, |units, line| units.saturating_add(line.quantity));
    let products: Vec<Value> = order
        .lines
        .iter()
        .map(|line| {
            json!({
                "product_id": line.product_id, "variant": line.variant_id, "sku": line.sku, "name": line.title,
                "brand": line.brand, "category": line.category, "price": line.unit_price, "quantity": line.quantity,
            })
        })
        .collect();
    let properties = json!({
        "order_id": order.order_id, "order_number": order.number, "currency": totals.total.currency,
        // In Segment's words the subtotal is what is left after discounts, without tax and shipping.
        "revenue": revenue, "subtotal": revenue, "shipping": totals.shipping, "tax": totals.tax,
        "discount": totals.discount, "total": totals.total, "products": products, "imported": order.imported,
    });
    let message = message(event, "Order Completed", order.customer_id, order.placed_at, properties);
    let takings = Takings {
        orders: 1,
        units,
        revenue: revenue.amount,
        shipping: totals.shipping.amount,
        tax: totals.tax.amount,
        discount: totals.discount.amount,
        total: totals.total.amount,
        ..Takings::none(order.placed_at.date(), totals.total.currency)
    };
    Ok((message, takings))
}

/// `Order Cancelled`.
pub(crate) fn order_cancelled(event: &Envelope, order: &OrderCancelled) -> (Message, Takings) {
    let properties = json!({"order_id": order.order_id, "total": order.total, "reason": order.reason});
    let message = message(event, "Order Cancelled", order.customer_id, event.time, properties);
    let none = Takings::none(event.time.date(), order.total.currency);
    (message, Takings { cancelled_orders: 1, cancelled: order.total.amount, ..none })
}

/// `Order Refunded`. Payments does not say whose order it was, so the order stands for them.
pub(crate) fn order_refunded(event: &Envelope, refund: &RefundChanged) -> (Message, Takings) {
    let Money { amount, currency } = refund.amount;
    let properties = json!({
        "order_id": refund.order_id, "refund_id": refund.refund_id, "currency": currency, "total": refund.amount,
    });
    let message = message(event, "Order Refunded", None, event.time, properties);
    (message, Takings { refund_count: 1, refunded: amount, ..Takings::none(event.time.date(), currency) })
}

/// `Signed In`.
pub(crate) fn signed_in(event: &Envelope, session: &SignedIn) -> Message {
    message(event, "Signed In", Some(session.customer_id), event.time, json!({"method": session.method}))
}

/// `Signed Up`, once the address is known to be theirs.
pub(crate) fn signed_up(event: &Envelope, account: &AccountVerified) -> Message {
    message(event, "Signed Up", Some(account.customer_id), event.time, json!({}))
}

fn message(
    event: &Envelope,
    name: &str,
    customer: Option<CustomerId>,
    occurred_at: Timestamp,
    properties: Value,
) -> Message {
    let message_id = event.id.to_string();
    let user_id = customer.map(|customer| customer.to_string());
    // Guests have no id of their own, and the protocol wants one.
    let anonymous_id = user_id.is_none().then(|| event.subject.clone());
    let mut body = Map::new();
    for (member, value) in [
        ("type", Kind::Track.as_str().into()),
        ("event", name.into()),
        ("messageId", message_id.as_str().into()),
        ("timestamp", occurred_at.to_string().into()),
        ("properties", properties),
    ] {
        body.insert(member.to_owned(), value);
    }
    for (member, id) in [("userId", &user_id), ("anonymousId", &anonymous_id)] {
        if let Some(id) = id {
            body.insert(member.to_owned(), id.as_str().into());
        }
    }
    Message {
        message_id,
        kind: Kind::Track,
        event: name.to_owned(),
        user_id,
        anonymous_id,
        occurred_at,
        body,
    }
}
