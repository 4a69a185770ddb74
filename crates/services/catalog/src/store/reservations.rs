use contracts::catalog::LineRequest;
use database::{Error, FromRow, Row, Sql, Tx, params};
use kernel::{CheckoutId, Timestamp};

use super::{json, padded, to_json};
use crate::model::Reservation;
use crate::model::reservation::State;

impl FromRow for Reservation {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            checkout: row.get("checkout_id")?,
            state: row.get("state")?,
            lines: json::<Vec<LineRequest>>(row.get("lines")?, "lines")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

/// Writes the reservation unless the checkout has one; `false` when it has.
pub(crate) async fn insert(tx: &mut Tx, reservation: &Reservation, now: Timestamp) -> Result<bool, Error> {
    let sql = "INSERT INTO reservations (checkout_id, state, lines, created_at, expires_at) \
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT (checkout_id) DO NOTHING";
    let Reservation { checkout, state, lines, expires_at } = reservation;
    Ok(tx.execute(sql, &params![*checkout, *state, to_json(lines), now, *expires_at]).await? == 1)
}

/// The checkout's reservation, locked until the transaction ends.
pub(crate) async fn lock(tx: &mut Tx, checkout: CheckoutId) -> Result<Option<Reservation>, Error> {
    let sql = "SELECT checkout_id, state, lines, expires_at FROM reservations WHERE checkout_id = $1";
    Ok(tx.fetch_all_locked(sql, &params![checkout]).await?.pop())
}

/// At most `limit` reservations that still count as held although their time is over, locked.
pub(crate) async fn lock_due(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<Vec<Reservation>, Error> {
    let sql = "SELECT checkout_id, state, lines, expires_at FROM reservations \
               WHERE state = 'held' AND expires_at <= $1 ORDER BY expires_at, checkout_id LIMIT $2";
    tx.fetch_all_locked(sql, &params![now, limit]).await
}

/// When the next reservation that is held runs out.
pub(crate) async fn next_expiry(connection: &mut database::Connection) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT MIN(expires_at) FROM reservations WHERE state = 'held'";
    let (at,): (Option<Timestamp>,) = connection.fetch_one(sql, &[]).await?;
    Ok(at)
}

/// Moves reservations, which are locked, to another state.
pub(crate) async fn set_state(
    tx: &mut Tx,
    checkouts: impl Iterator<Item = CheckoutId>,
    state: State,
) -> Result<(), Error> {
    let mut sql = Sql::new("UPDATE reservations SET state = ");
    sql.bind(state).push(" WHERE checkout_id IN ").bind_list(padded(checkouts));
    sql.execute(tx).await.map(|_| ())
}
