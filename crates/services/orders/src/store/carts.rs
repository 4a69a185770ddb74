use database::{Connection, Error, FromRow, Row, Sql, Tx, params};
use kernel::{CartId, CustomerId, Timestamp};

use crate::model::cart::{Cart, CartLine, Owner};

struct Head {
    id: CartId,
    customer_id: Option<CustomerId>,
    version: i64,
}

impl FromRow for Head {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self { id: row.get("id")?, customer_id: row.get("customer_id")?, version: row.get("version")? })
    }
}

impl FromRow for CartLine {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self { variant_id: row.get("variant_id")?, quantity: row.get("quantity")? })
    }
}

/// The cart that `owner` may use, if it is stored. A customer's cart is never found by its id.
pub(crate) async fn find(connection: &mut Connection, owner: Owner) -> Result<Option<Cart>, Error> {
    let head: Option<Head> = match owner {
        Owner::Customer(customer) => {
            let sql = "SELECT id, customer_id, version FROM carts WHERE customer_id = $1";
            connection.fetch_optional(sql, &params![customer]).await?
        }
        Owner::Guest(cart) => {
            let sql = "SELECT id, customer_id, version FROM carts WHERE id = $1 AND customer_id IS NULL";
            connection.fetch_optional(sql, &params![cart]).await?
        }
    };
    let Some(Head { id, customer_id, version }) = head else { return Ok(None) };
    let lines = connection
        .fetch_all(
            "SELECT variant_id, quantity FROM cart_lines WHERE cart_id = $1 ORDER BY position",
            &params![id],
        )
        .await?;
    Ok(Some(Cart { id, customer_id, version, lines }))
}

/// Whether `cart` is the id of some customer's cart, so that no guest may take it.
pub(crate) async fn belongs_to_a_customer(connection: &mut Connection, cart: CartId) -> Result<bool, Error> {
    let found: Option<(i64,)> = connection
        .fetch_optional("SELECT version FROM carts WHERE id = $1 AND customer_id IS NOT NULL", &params![cart])
        .await?;
    Ok(found.is_some())
}

/// The last version of a cart with this id that was checked out: a cart that is stored under the
/// id again goes on from there, so that no state of it is taken for one that was bought.
pub(crate) async fn last_bought_version(connection: &mut Connection, cart: CartId) -> Result<i64, Error> {
    let (version,): (Option<i64>,) = connection
        .fetch_one(
            "SELECT MAX(cart_version) FROM checkouts WHERE cart_id = $1 AND turned_back_at IS NULL",
            &params![cart],
        )
        .await?;
    Ok(version.unwrap_or(0))
}

/// Stores a cart that is not stored yet; `false` when another one got there first.
pub(crate) async fn insert(tx: &mut Tx, cart: &Cart, now: Timestamp) -> Result<bool, Error> {
    let inserted = tx
        .execute(
            "INSERT INTO carts (id, customer_id, version, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $4) ON CONFLICT DO NOTHING",
            &params![cart.id, cart.customer_id, cart.version, now],
        )
        .await?;
    if inserted == 1 {
        insert_lines(tx, cart).await?;
    }
    Ok(inserted == 1)
}

/// Stores what has become of a cart.
pub(crate) async fn update(tx: &mut Tx, cart: &Cart, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "UPDATE carts SET version = $1, updated_at = $2 WHERE id = $3",
        &params![cart.version, now, cart.id],
    )
    .await?;
    tx.execute("DELETE FROM cart_lines WHERE cart_id = $1", &params![cart.id]).await?;
    insert_lines(tx, cart).await
}

async fn insert_lines(tx: &mut Tx, cart: &Cart) -> Result<(), Error> {
    if cart.lines.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new("INSERT INTO cart_lines (cart_id, position, variant_id, quantity) VALUES ");
    for (position, line) in (0_i64..).zip(&cart.lines) {
        sql.push(if position == 0 { "(" } else { ", (" });
        sql.bind(cart.id).push(", ").bind(position).push(", ").bind(line.variant_id);
        sql.push(", ").bind(line.quantity).push(")");
    }
    sql.execute(tx).await?;
    Ok(())
}

/// Throws a cart away.
pub(crate) async fn delete(tx: &mut Tx, cart: CartId) -> Result<(), Error> {
    tx.execute("DELETE FROM cart_lines WHERE cart_id = $1", &params![cart]).await?;
    tx.execute("DELETE FROM carts WHERE id = $1", &params![cart]).await?;
    Ok(())
}

/// Up to `limit` guests' carts that nobody has changed since `before`.
pub(crate) async fn idle(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<Vec<CartId>, Error> {
    let found: Vec<(CartId,)> = tx
        .fetch_all(
            "SELECT id FROM carts WHERE customer_id IS NULL AND updated_at < $1 ORDER BY updated_at LIMIT $2",
            &params![before, limit],
        )
        .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}
