use contracts::payments::PaymentStatus;
use database::{Connection, Error, Sql};
use kernel::{CustomerId, Limit, OrderId, SellerId, Timestamp};

use super::orders::{COLUMNS, OrderRow};
use crate::model::order::{Fulfilment, Status};

/// Which orders a list shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) status: Option<Status>,
    pub(crate) payment_status: Option<PaymentStatus>,
    pub(crate) fulfilment_status: Option<Fulfilment>,
    pub(crate) placed_from: Option<Timestamp>,
    pub(crate) placed_to: Option<Timestamp>,
    /// The beginnings of words that must all occur; only within one customer's orders.
    pub(crate) words: Vec<String>,
    /// Whose; only for the shop.
    pub(crate) customer_id: Option<CustomerId>,
    /// The number, exactly.
    pub(crate) number: Option<String>,
}

/// Where a page begins: after this order.
pub(crate) type After = (Timestamp, OrderId);

/// A page of one customer's orders, the last placed first, with one more than `limit`.
pub(crate) async fn of_customer(
    connection: &mut Connection,
    customer: CustomerId,
    filter: &Filter,
    after: Option<After>,
    limit: Limit,
) -> Result<Vec<OrderRow>, Error> {
    let mut sql = select();
    sql.push(" FROM orders WHERE customer_id = ").bind(customer);
    narrow(&mut sql, filter);
    page(&mut sql, after, limit);
    sql.fetch_all(connection).await
}

/// A page of everybody's orders, for the shop.
pub(crate) async fn of_shop(
    connection: &mut Connection,
    filter: &Filter,
    after: Option<After>,
    limit: Limit,
) -> Result<Vec<OrderRow>, Error> {
    let mut sql = select();
    sql.push(" FROM orders WHERE version >= ").bind(1_i64);
    narrow(&mut sql, filter);
    page(&mut sql, after, limit);
    sql.fetch_all(connection).await
}

/// A page of the orders in which a seller has lines, for the shop.
pub(crate) async fn of_seller(
    connection: &mut Connection,
    seller: SellerId,
    filter: &Filter,
    after: Option<After>,
    limit: Limit,
) -> Result<Vec<OrderRow>, Error> {
    let mut sql = select();
    sql.push(" FROM order_sellers JOIN orders ON orders.id = order_id WHERE seller_id = ").bind(seller);
    narrow(&mut sql, filter);
    // The same as the order's own, but from the table that is sorted by them.
    if let Some((placed_at, id)) = after {
        sql.push(" AND (order_sellers.placed_at, order_id) < (").bind(placed_at).push(", ").bind(id).push(")");
    }
    sql.push(" ORDER BY order_sellers.placed_at DESC, order_id DESC LIMIT ").bind(limit.overfetch());
    sql.fetch_all(connection).await
}

fn select() -> Sql {
    let mut sql = Sql::new("SELECT ");
    sql.push(COLUMNS);
    sql
}

fn narrow(sql: &mut Sql, filter: &Filter) {
    let words = [
        (" AND status = ", filter.status.map(Status::as_str)),
        (" AND payment_status = ", filter.payment_status.map(PaymentStatus::as_str)),
        (" AND fulfilment_status = ", filter.fulfilment_status.map(Fulfilment::as_str)),
        (" AND number = ", filter.number.as_deref()),
    ];
    for (condition, value) in words {
        if let Some(value) = value {
            sql.push(condition).bind(value);
        }
    }
    if let Some(customer) = filter.customer_id {
        sql.push(" AND customer_id = ").bind(customer);
    }
    if let Some(from) = filter.placed_from {
        sql.push(" AND orders.placed_at >= ").bind(from);
    }
    if let Some(to) = filter.placed_to {
        sql.push(" AND orders.placed_at < ").bind(to);
    }
    for word in &filter.words {
        // Words are letters and digits, so they hold nothing that LIKE would take for a pattern.
        sql.push(" AND search_text LIKE ").bind(format!("% {word}%"));
    }
}

fn page(sql: &mut Sql, after: Option<After>, limit: Limit) {
    if let Some((placed_at, id)) = after {
        sql.push(" AND (orders.placed_at, orders.id) < (").bind(placed_at).push(", ").bind(id).push(")");
    }
    sql.push(" ORDER BY orders.placed_at DESC, orders.id DESC LIMIT ").bind(limit.overfetch());
}
