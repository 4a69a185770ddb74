use database::{Connection, Error, FromRow, Row, Tx, Value, params};
use kernel::{CartId, CheckoutId, CustomerId, OrderId, Timestamp};

use super::{json, optional_json, to_json, word};
use crate::model::checkout::{Checkout, Saga, Stage};
use crate::model::order::payment_status;

const COLUMNS: &str = "id, order_id, payment_id, refund_id, number, cart_id, cart_version, customer_id, \
     person_id, request_key, request_hash, stage, turned_back_at, failure, payment_status, next_action, \
     attempts, wake_at, expires_at, leased_until, version, lines, totals, details, method, created_at";

impl FromRow for Checkout {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let turned_back_at = match row.get::<Option<String>>("turned_back_at")? {
            None => None,
            Some(_) => Some(word(row, "turned_back_at", Stage::parse)?),
        };
        let status = match row.get::<Option<String>>("payment_status")? {
            None => None,
            Some(_) => Some(word(row, "payment_status", |text| payment_status(text).ok())?),
        };
        Ok(Self {
            id: row.get("id")?,
            order_id: row.get("order_id")?,
            payment_id: row.get("payment_id")?,
            refund_id: row.get("refund_id")?,
            number: row.get("number")?,
            cart_id: row.get("cart_id")?,
            cart_version: row.get("cart_version")?,
            customer_id: row.get("customer_id")?,
            person_id: row.get("person_id")?,
            request_key: row.get("request_key")?,
            request_hash: row.get("request_hash")?,
            saga: Saga {
                stage: word(row, "stage", Stage::parse)?,
                turned_back_at,
                failure: optional_json(row, "failure")?,
                payment_status: status,
                next_action: optional_json(row, "next_action")?,
                attempts: row.get("attempts")?,
                wake_at: row.get("wake_at")?,
                expires_at: row.get("expires_at")?,
            },
            lines: json(row, "lines")?,
            totals: json(row, "totals")?,
            details: row.get("details")?,
            method: row.get("method")?,
            leased_until: row.get("leased_until")?,
            version: row.get("version")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// Stores a new checkout; `false` when the cart is being checked out, or was in this very state.
pub(crate) async fn insert(tx: &mut Tx, checkout: &Checkout) -> Result<bool, Error> {
    let saga = &checkout.saga;
    let inserted = tx
        .execute(
            "INSERT INTO checkouts (id, order_id, payment_id, refund_id, number, cart_id, cart_version, \
             customer_id, person_id, request_key, request_hash, stage, attempts, expires_at, leased_until, \
             version, lines, totals, details, method, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
             $20, $21, $21) ON CONFLICT DO NOTHING",
            &params![
                checkout.id,
                checkout.order_id,
                checkout.payment_id,
                checkout.refund_id,
                &checkout.number,
                checkout.cart_id,
                checkout.cart_version,
                checkout.customer_id,
                checkout.person_id,
                checkout.request_key,
                checkout.request_hash,
                saga.stage.as_str(),
                saga.attempts,
                saga.expires_at,
                checkout.leased_until,
                checkout.version,
                to_json(&checkout.lines),
                to_json(&checkout.totals),
                &checkout.details,
                checkout.method.clone(),
                checkout.created_at,
            ],
        )
        .await?;
    Ok(inserted == 1)
}

/// Stores how far a checkout has come, one version on; `false` when it is not at the version that
/// was read, because somebody else has moved it since.
pub(crate) async fn advance(tx: &mut Tx, checkout: &Checkout, now: Timestamp) -> Result<bool, Error> {
    let saga = &checkout.saga;
    let updated = tx
        .execute(
            "UPDATE checkouts SET stage = $1, turned_back_at = $2, failure = $3, payment_status = $4, \
             next_action = $5, attempts = $6, wake_at = $7, leased_until = $8, method = $9, \
             version = version + 1, updated_at = $10 WHERE id = $11 AND version = $12",
            &params![
                saga.stage.as_str(),
                saga.turned_back_at.map(Stage::as_str),
                saga.failure.as_ref().map(to_json),
                saga.payment_status.map(|status| status.as_str()),
                saga.next_action.as_ref().map(to_json),
                saga.attempts,
                saga.wake_at,
                checkout.leased_until,
                checkout.method.clone(),
                now,
                checkout.id,
                checkout.version,
            ],
        )
        .await?;
    Ok(updated == 1)
}

/// Takes the lease of a checkout until `until`; `None` when there is nothing to do for it at `now`, or
/// somebody is at it.
pub(crate) async fn lease(
    tx: &mut Tx,
    checkout: CheckoutId,
    until: Timestamp,
    now: Timestamp,
) -> Result<Option<Checkout>, Error> {
    let sql = format!(
        "UPDATE checkouts SET leased_until = $1, version = version + 1 WHERE id = $2 \
         AND (leased_until IS NULL OR leased_until <= $3) AND (wake_at IS NULL OR wake_at <= $3) \
         AND stage NOT IN ('done', 'undone') RETURNING {COLUMNS}"
    );
    tx.fetch_optional(&sql, &params![until, checkout, now]).await
}

/// Ends the lease of a checkout if it is one of `leases`; whether it was.
pub(crate) async fn free(
    tx: &mut Tx,
    checkout: CheckoutId,
    leases: [Option<Timestamp>; 2],
) -> Result<bool, Error> {
    let sql = "UPDATE checkouts SET leased_until = NULL, version = version + 1 \
               WHERE id = $1 AND leased_until IN ($2, $3)";
    Ok(tx.execute(sql, &params![checkout, leases[0], leases[1]]).await? == 1)
}

async fn find(
    connection: &mut Connection,
    condition: &str,
    params: &[Value],
) -> Result<Option<Checkout>, Error> {
    connection.fetch_optional(&format!("SELECT {COLUMNS} FROM checkouts WHERE {condition}"), params).await
}

/// The checkout with this id.
pub(crate) async fn get(
    connection: &mut Connection,
    checkout: CheckoutId,
) -> Result<Option<Checkout>, Error> {
    find(connection, "id = $1", &params![checkout]).await
}

/// The checkout that leads to an order.
pub(crate) async fn of_order(connection: &mut Connection, order: OrderId) -> Result<Option<Checkout>, Error> {
    find(connection, "order_id = $1", &params![order]).await
}

/// The checkout that an earlier sending of the same request began, unless it came to nothing.
pub(crate) async fn of_request(
    connection: &mut Connection,
    request_key: [u8; 32],
) -> Result<Option<Checkout>, Error> {
    find(connection, "request_key = $1 AND turned_back_at IS NULL", &params![request_key]).await
}

/// The checkout of a cart that is under way and was not turned back.
pub(crate) async fn live_of_cart(
    connection: &mut Connection,
    cart: CartId,
) -> Result<Option<Checkout>, Error> {
    find(connection, "cart_id = $1 AND turned_back_at IS NULL AND stage <> 'done'", &params![cart]).await
}

/// Whether an order or a checkout has this number.
pub(crate) async fn number_is_taken(connection: &mut Connection, number: &str) -> Result<bool, Error> {
    let found: Option<(String,)> = connection
        .fetch_optional(
            "SELECT number FROM checkouts WHERE number = $1 \
             UNION ALL SELECT number FROM orders WHERE number = $1 LIMIT 1",
            &params![number],
        )
        .await?;
    Ok(found.is_some())
}

/// The checkouts of a customer that have not ended, oldest first.
pub(crate) async fn open_of_customer(
    connection: &mut Connection,
    customer: CustomerId,
) -> Result<Vec<Checkout>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM checkouts WHERE customer_id = $1 AND stage NOT IN ('done', 'undone') ORDER BY id"
    );
    connection.fetch_all(&sql, &params![customer]).await
}

/// Deletes up to `limit` checkouts that came to nothing before `before` and never had an order. Returns how
/// many.
pub(crate) async fn forget(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, Error> {
    tx.execute(
        "DELETE FROM checkouts WHERE id IN (SELECT id FROM checkouts WHERE stage = 'undone' \
         AND turned_back_at IN ('reserve', 'authorise', 'await_payment') AND updated_at < $1 LIMIT $2)",
        &params![before, limit],
    )
    .await
}
