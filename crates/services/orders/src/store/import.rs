use std::collections::{HashMap, HashSet};

use database::{Connection, Error, Sql, Tx};
use kernel::OrderId;
use serde_json::Value;

use super::orders::search_text;
use crate::model::order::Order;

/// What was taken over under each of `external_ids` before, as the first event of each order has it.
pub(crate) async fn known(
    connection: &mut Connection,
    external_ids: &[&str],
) -> Result<HashMap<String, Value>, Error> {
    let mut sql =
        Sql::new("SELECT external_id, data FROM orders JOIN order_events ON order_id = id AND sequence = ");
    sql.bind(1_i64).push(" WHERE external_id IN ").bind_list(external_ids.iter().copied());
    let rows: Vec<(String, Value)> = sql.fetch_all(connection).await?;
    Ok(rows.into_iter().collect())
}

/// Which of `numbers` and `ids` orders have already.
pub(crate) async fn taken(
    connection: &mut Connection,
    numbers: &[String],
    ids: &[OrderId],
) -> Result<(HashSet<String>, HashSet<OrderId>), Error> {
    let mut sql = Sql::new("SELECT number FROM orders WHERE number IN ");
    sql.bind_list(numbers.iter());
    sql.push(" UNION ALL SELECT number FROM checkouts WHERE number IN ").bind_list(numbers.iter());
    let numbers: Vec<(String,)> = sql.fetch_all(connection).await?;
    let mut sql = Sql::new("SELECT id FROM orders WHERE id IN ");
    sql.bind_list(ids.iter().copied());
    let ids: Vec<(OrderId,)> = sql.fetch_all(connection).await?;
    Ok((numbers.into_iter().map(|(number,)| number).collect(), ids.into_iter().map(|(id,)| id).collect()))
}

/// Stores orders that were taken over, each with what the old system called it.
pub(crate) async fn insert(tx: &mut Tx, orders: &[(String, Order)]) -> Result<(), Error> {
    let mut sql = Sql::new(
        "INSERT INTO orders (id, number, external_id, customer_id, person_id, status, payment_status, \
         fulfilment_status, currency, subtotal, discount, shipping, tax, total, refunded, placed_at, version, \
         search_text) VALUES ",
    );
    let mut separator = "(";
    for (external_id, order) in orders {
        sql.push(separator).bind(order.id).push(", ").bind(&order.number).push(", ").bind(external_id);
        sql.push(", ").bind(order.customer_id);
        sql.push(", ").bind(order.customer_id.map(kernel::CustomerId::uuid));
        sql.push(", ").bind(order.status.as_str()).push(", ").bind(order.payment_status.as_str());
        sql.push(", ").bind(order.fulfilment_status.as_str());
        sql.push(", ").bind(order.totals.total.currency);
        sql.push(", ").bind(order.totals.subtotal.amount).push(", ").bind(order.totals.discount.amount);
        sql.push(", ").bind(order.totals.shipping.amount).push(", ").bind(order.totals.tax.amount);
        sql.push(", ").bind(order.totals.total.amount).push(", ").bind(order.refunded());
        sql.push(", ").bind(order.placed_at).push(", ").bind(order.version);
        sql.push(", ").bind(search_text(order)).push(")");
        separator = ", (";
    }
    if !sql.params().is_empty() {
        sql.execute(tx).await?;
    }
    Ok(())
}
