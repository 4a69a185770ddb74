use contracts::orders::Totals;
use contracts::payments::PaymentStatus;
use database::{Connection, Error, FromRow, Row, Sql, Tx, params};
use kernel::{Currency, CustomerId, Money, OrderId, PaymentId, Timestamp};
use uuid::Uuid;

use super::word;
use crate::model::order::{Fulfilment, Order, Reader, Status, payment_status};

/// An order as lists show it, without its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OrderRow {
    pub(crate) id: OrderId,
    pub(crate) number: String,
    pub(crate) external_id: Option<String>,
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) person_id: Option<Uuid>,
    pub(crate) payment_id: Option<PaymentId>,
    pub(crate) status: Status,
    pub(crate) payment_status: PaymentStatus,
    pub(crate) fulfilment_status: Fulfilment,
    pub(crate) totals: Totals,
    pub(crate) refunded: Money,
    pub(crate) placed_at: Timestamp,
    pub(crate) version: i64,
    pub(crate) details: Option<Vec<u8>>,
    pub(crate) cancel_note: Option<Vec<u8>>,
}

/// What a new order has beside its state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Private {
    /// Under whose key `details` are sealed.
    pub(crate) person_id: Option<Uuid>,
    /// Addresses, email and note, sealed.
    pub(crate) details: Option<Vec<u8>>,
}

pub(super) const COLUMNS: &str = "orders.id, number, external_id, customer_id, person_id, payment_id, status, \
     payment_status, fulfilment_status, currency, subtotal, discount, shipping, tax, total, refunded, \
     orders.placed_at, version, details, cancel_note";

impl FromRow for OrderRow {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let currency: Currency = row.get("currency")?;
        let money = |column| Ok::<_, Error>(Money::new(row.get(column)?, currency));
        Ok(Self {
            id: row.get("id")?,
            number: row.get("number")?,
            external_id: row.get("external_id")?,
            customer_id: row.get("customer_id")?,
            person_id: row.get("person_id")?,
            payment_id: row.get("payment_id")?,
            status: word(row, "status", |text| text.parse().ok())?,
            payment_status: word(row, "payment_status", |text| payment_status(text).ok())?,
            fulfilment_status: word(row, "fulfilment_status", |text| text.parse().ok())?,
            totals: Totals {
                subtotal: money("subtotal")?,
                discount: money("discount")?,
                shipping: money("shipping")?,
                tax: money("tax")?,
                total: money("total")?,
            },
            refunded: money("refunded")?,
            placed_at: row.get("placed_at")?,
            version: row.get("version")?,
            details: row.get("details")?,
            cancel_note: row.get("cancel_note")?,
        })
    }
}

/// The order with this id, if it is one that `reader` may see.
pub(crate) async fn find(
    connection: &mut Connection,
    order: OrderId,
    reader: Reader,
) -> Result<Option<OrderRow>, Error> {
    let mut sql = Sql::new("SELECT ");
    sql.push(COLUMNS).push(" FROM orders WHERE orders.id = ").bind(order);
    match reader {
        Reader::Customer(customer) => sql.push(" AND customer_id = ").bind(customer),
        Reader::Guest => sql.push(" AND customer_id IS NULL"),
        Reader::Shop => &mut sql,
    };
    sql.fetch_optional(connection).await
}

/// Stores a new order's state.
pub(crate) async fn insert(tx: &mut Tx, order: &Order, private: &Private) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO orders (id, number, customer_id, person_id, checkout_id, payment_id, status, \
         payment_status, fulfilment_status, currency, subtotal, discount, shipping, tax, total, refunded, \
         placed_at, version, search_text, details) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, \
         $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
        &params![
            order.id,
            &order.number,
            order.customer_id,
            private.person_id,
            order.checkout_id,
            order.payment_id,
            order.status.as_str(),
            order.payment_status.as_str(),
            order.fulfilment_status.as_str(),
            order.totals.total.currency,
            order.totals.subtotal.amount,
            order.totals.discount.amount,
            order.totals.shipping.amount,
            order.totals.tax.amount,
            order.totals.total.amount,
            order.refunded(),
            order.placed_at,
            order.version,
            search_text(order),
            private.details.clone(),
        ],
    )
    .await?;
    Ok(())
}

/// Stores what events have made of an order that was at version `from`; `false` when it is not.
pub(crate) async fn update(tx: &mut Tx, order: &Order, from: i64) -> Result<bool, Error> {
    let updated = tx
        .execute(
            "UPDATE orders SET status = $1, payment_status = $2, fulfilment_status = $3, refunded = $4, \
             version = $5 WHERE id = $6 AND version = $7",
            &params![
                order.status.as_str(),
                order.payment_status.as_str(),
                order.fulfilment_status.as_str(),
                order.refunded(),
                order.version,
                order.id,
                from,
            ],
        )
        .await?;
    Ok(updated == 1)
}

/// Keeps the sealed words of whoever cancelled an order.
pub(crate) async fn set_cancel_note(tx: &mut Tx, order: OrderId, sealed: &[u8]) -> Result<(), Error> {
    tx.execute("UPDATE orders SET cancel_note = $1 WHERE id = $2", &params![sealed, order]).await?;
    Ok(())
}

/// What a search looks at: a space before each word of the number, the titles and the stock keeping
/// units, folded, so that a word's beginning is found by ` beginning`.
pub(crate) fn search_text(order: &Order) -> String {
    let mut text = String::new();
    let lines = order.lines.iter().flat_map(|line| [line.title.as_str(), line.sku.as_str()]);
    for part in std::iter::once(order.number.as_str()).chain(lines) {
        for word in database::search::words(part) {
            text.push(' ');
            text.push_str(&word);
        }
    }
    text
}
