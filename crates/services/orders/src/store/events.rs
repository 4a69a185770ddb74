use database::{Connection, Error, FromRow, Row, Sql, Tx, params};
use kernel::OrderId;

use crate::model::order::Entry;

impl FromRow for Entry {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            order_id: row.get("order_id")?,
            sequence: row.get("sequence")?,
            kind: row.get("type")?,
            at: row.get("at")?,
            actor: row.get("actor")?,
            data: row.get("data")?,
            hash: row.get("hash")?,
        })
    }
}

/// The whole log of an order, oldest first.
pub(crate) async fn of_order(connection: &mut Connection, order: OrderId) -> Result<Vec<Entry>, Error> {
    connection
        .fetch_all(
            "SELECT order_id, sequence, type, at, actor, data, hash FROM order_events \
             WHERE order_id = $1 ORDER BY sequence",
            &params![order],
        )
        .await
}

/// The entries of one type in the log of an order, oldest first.
pub(crate) async fn of_type(
    connection: &mut Connection,
    order: OrderId,
    kind: &str,
) -> Result<Vec<Entry>, Error> {
    connection
        .fetch_all(
            "SELECT order_id, sequence, type, at, actor, data, hash FROM order_events \
             WHERE order_id = $1 AND type = $2 ORDER BY sequence",
            &params![order, kind],
        )
        .await
}

/// Adds entries to logs. Two writers that both add the same number fail rather than fork a log.
pub(crate) async fn append<'a>(
    tx: &mut Tx,
    entries: impl IntoIterator<Item = &'a Entry>,
) -> Result<(), Error> {
    let mut sql =
        Sql::new("INSERT INTO order_events (order_id, sequence, type, at, actor, data, hash) VALUES ");
    let mut separator = "(";
    for entry in entries {
        sql.push(separator).bind(entry.order_id).push(", ").bind(entry.sequence);
        sql.push(", ").bind(&entry.kind).push(", ").bind(entry.at).push(", ").bind(&entry.actor);
        sql.push(", ").bind(&entry.data).push(", ").bind(entry.hash).push(")");
        separator = ", (";
    }
    if !sql.params().is_empty() {
        sql.execute(tx).await?;
    }
    Ok(())
}
