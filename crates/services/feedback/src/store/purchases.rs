use database::{Connection, Error, FromRow, Row, Sql, Tx, params};
use kernel::{CustomerId, OrderId, Timestamp};
use serde::Serialize;

/// The most orders that a customer is asked about at once; those placed last go first.
const MOST_ASKED: i64 = 100;

/// An order that its buyer may still be asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Purchase {
    pub(crate) order_id: OrderId,
    pub(crate) placed_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl FromRow for Purchase {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            order_id: row.get("order_id")?,
            placed_at: row.get("placed_at")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

/// Notes what `customer` bought.
pub(crate) async fn insert(tx: &mut Tx, customer: CustomerId, purchase: &Purchase) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO purchases (order_id, customer_id, placed_at, expires_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (order_id) DO NOTHING",
        &params![purchase.order_id, customer, purchase.placed_at, purchase.expires_at],
    )
    .await?;
    Ok(())
}

/// Whether `order` is one of `customer` that they may be asked about at `now`.
pub(crate) async fn is_open(
    tx: &mut Tx,
    customer: CustomerId,
    order: OrderId,
    now: Timestamp,
) -> Result<bool, Error> {
    let found: Option<(OrderId,)> = tx
        .fetch_optional(
            "SELECT order_id FROM purchases WHERE order_id = $1 AND customer_id = $2 AND expires_at > $3",
            &params![order, customer, now],
        )
        .await?;
    Ok(found.is_some())
}

/// The orders that `customer` may be asked about at `now`, or only `order`, the newest first.
pub(crate) async fn open(
    connection: &mut Connection,
    customer: CustomerId,
    order: Option<OrderId>,
    now: Timestamp,
) -> Result<Vec<OrderId>, Error> {
    let mut sql = Sql::new("SELECT order_id FROM purchases WHERE customer_id = ");
    sql.bind(customer).push(" AND expires_at > ").bind(now);
    if let Some(order) = order {
        sql.push(" AND order_id = ").bind(order);
    }
    sql.push(" ORDER BY order_id DESC LIMIT ").bind(MOST_ASKED);
    let orders: Vec<(OrderId,)> = sql.fetch_all(connection).await?;
    Ok(orders.into_iter().map(|(order,)| order).collect())
}

/// Everything that is noted about what `customer` bought.
pub(crate) async fn of(connection: &mut Connection, customer: CustomerId) -> Result<Vec<Purchase>, Error> {
    connection
        .fetch_all(
            "SELECT order_id, placed_at, expires_at FROM purchases WHERE customer_id = $1 ORDER BY order_id",
            &params![customer],
        )
        .await
}

/// Forgets what `customer` bought.
pub(crate) async fn forget(tx: &mut Tx, customer: CustomerId) -> Result<(), Error> {
    tx.execute("DELETE FROM purchases WHERE customer_id = $1", &params![customer]).await?;
    Ok(())
}

/// Forgets at most `limit` orders whose time was over at `now`; answers with how many.
pub(crate) async fn trim(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<u64, Error> {
    tx.execute(
        "DELETE FROM purchases WHERE order_id IN
         (SELECT order_id FROM purchases WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
        &params![now, limit],
    )
    .await
}
