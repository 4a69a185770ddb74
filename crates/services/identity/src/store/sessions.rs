use contracts::identity::Revocation;
use database::{Connection, Error, FromRow, Row, Sql, Tx, params};
use kernel::{SessionId, Timestamp};
use std::time::Duration;
use uuid::Uuid;

use crate::model::rotation::Rotation;
use crate::model::session::Method;

/// A session as it is stored.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) account: Uuid,
    /// [`crate::model::session::Device`], sealed under the person's key.
    pub(crate) device: Vec<u8>,
    /// How they proved who they are.
    pub(crate) method: Method,
    /// The random part of its refresh tokens' proofs.
    pub(crate) seed: [u8; 16],
    pub(crate) rotation: Rotation,
    /// When it began, which is when they last proved who they are.
    pub(crate) created_at: Timestamp,
    pub(crate) last_used_at: Timestamp,
    /// When it ends by itself, unless it is used again.
    pub(crate) ends_at: Timestamp,
    /// Access tokens that were issued before are refused; whole seconds.
    pub(crate) not_issued_before: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
}

impl FromRow for Session {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            account: row.get("account_id")?,
            device: row.get("device")?,
            method: row.get("method")?,
            seed: row.get("seed")?,
            rotation: Rotation {
                issued: row.get("issued")?,
                used: row.get("used")?,
                open_from: row.get("open_from")?,
            },
            created_at: row.get("created_at")?,
            last_used_at: row.get("last_used_at")?,
            ends_at: row.get("ends_at")?,
            not_issued_before: row.get("not_issued_before")?,
            ended_at: row.get("ended_at")?,
        })
    }
}

impl Session {
    /// Whether it goes on at `now`.
    pub(crate) fn is_alive(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && self.ends_at > now
    }
}

pub(crate) async fn insert(tx: &mut Tx, session: &Session) -> Result<(), Error> {
    let Rotation { issued, used, open_from } = session.rotation;
    tx.execute(
        "INSERT INTO sessions (id, account_id, device, method, seed, issued, used, open_from, created_at, \
         last_used_at, ends_at, not_issued_before, ended_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        &params![
            session.id,
            session.account,
            &session.device,
            session.method,
            session.seed,
            issued,
            used,
            open_from,
            session.created_at,
            session.last_used_at,
            session.ends_at,
            session.not_issued_before,
            session.ended_at
        ],
    )
    .await?;
    Ok(())
}

pub(crate) async fn by_id(connection: &mut Connection, id: SessionId) -> Result<Option<Session>, Error> {
    connection.fetch_optional("SELECT * FROM sessions WHERE id = $1", &params![id]).await
}

/// Notes that a token was presented and what follows from it.
pub(crate) async fn rotate(tx: &mut Tx, session: &Session) -> Result<(), Error> {
    let Rotation { issued, used, open_from } = session.rotation;
    tx.execute(
        "UPDATE sessions SET issued = $2, used = $3, open_from = $4, last_used_at = $5, ends_at = $6, \
         not_issued_before = $7 WHERE id = $1",
        &params![
            session.id,
            issued,
            used,
            open_from,
            session.last_used_at,
            session.ends_at,
            session.not_issued_before
        ],
    )
    .await?;
    Ok(())
}

/// Those of an account that go on, the newest first.
pub(crate) async fn alive(
    connection: &mut Connection,
    account: Uuid,
    now: Timestamp,
) -> Result<Vec<Session>, Error> {
    connection
        .fetch_all(
            "SELECT * FROM sessions WHERE account_id = $1 AND ended_at IS NULL AND ends_at > $2 \
             ORDER BY id DESC LIMIT 200",
            &params![account, now],
        )
        .await
}

/// Which sessions of an account to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    All,
    AllBut(SessionId),
    Only(SessionId),
}

/// Ends sessions of the account; which they were.
pub(crate) async fn end(
    tx: &mut Tx,
    account: Uuid,
    which: Which,
    now: Timestamp,
    not_issued_before: Timestamp,
) -> Result<Vec<SessionId>, Error> {
    let mut sql = Sql::new("UPDATE sessions SET ended_at = ");
    sql.bind(now).push(", not_issued_before = ").bind(not_issued_before);
    sql.push(" WHERE account_id = ").bind(account).push(" AND ended_at IS NULL AND ends_at > ").bind(now);
    match which {
        Which::All => {}
        Which::AllBut(kept) => {
            sql.push(" AND id <> ").bind(kept);
        }
        Which::Only(session) => {
            sql.push(" AND id = ").bind(session);
        }
    }
    sql.push(" RETURNING id");
    let ended: Vec<(SessionId,)> = sql.fetch_all(tx).await?;
    Ok(ended.into_iter().map(|(id,)| id).collect())
}

/// Every session of which an unexpired access token must be refused, when such tokens live for
/// `lifetime`.
pub(crate) async fn revocations(
    connection: &mut Connection,
    now: Timestamp,
    lifetime: Duration,
) -> Result<Vec<Revocation>, Error> {
    let rows: Vec<(SessionId, Timestamp)> = connection
        .fetch_all(
            "SELECT id, not_issued_before FROM sessions WHERE not_issued_before > $1",
            &params![now.minus(lifetime)],
        )
        .await?;
    let revocation = |(session_id, not_issued_before): (SessionId, Timestamp)| Revocation {
        session_id,
        not_issued_before,
        until: not_issued_before.plus(lifetime),
    };
    Ok(rows.into_iter().map(revocation).collect())
}

/// Deletes up to `limit` that ended before `before`, by themselves or otherwise; how many that were.
pub(crate) async fn delete_ended(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<u64, Error> {
    tx.execute(
        "DELETE FROM sessions WHERE id IN \
         (SELECT id FROM sessions WHERE ends_at < $1 OR ended_at < $1 LIMIT $2)",
        &params![before, limit],
    )
    .await
}

/// Those of an account that go beyond the `most` last used ones.
pub(crate) async fn surplus(
    connection: &mut Connection,
    account: Uuid,
    now: Timestamp,
    most: u32,
) -> Result<Vec<SessionId>, Error> {
    let rows: Vec<(SessionId,)> = connection
        .fetch_all(
            "SELECT id FROM sessions WHERE account_id = $1 AND ended_at IS NULL AND ends_at > $2 \
             ORDER BY last_used_at DESC, id DESC LIMIT 100 OFFSET $3",
            &params![account, now, most],
        )
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
