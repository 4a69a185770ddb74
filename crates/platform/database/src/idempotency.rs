//! Idempotency keys: the same request sent twice is done once, and answered twice alike.

use std::time::Duration;

use kernel::Timestamp;

use crate::error::Error;
use crate::params;
use crate::row::{FromRow, Row};
use crate::transaction::Tx;

/// For how long a request that has begun keeps its key to itself. When the process that works on it dies, a
/// repetition may start over after that time, so it is short: whoever was buying waits for it.
pub const WORKING_FOR: Duration = Duration::from_secs(20);

/// What to do about a request with an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Nobody has sent it before: do the work, then [`finish`] or [`abandon`].
    New,
    /// It has been done: answer with this.
    Replay(StoredResponse),
    /// The key was used for a different request.
    Mismatch,
    /// The same request is being worked on.
    InFlight,
}

/// A response as it was first given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredResponse {
    /// The HTTP status.
    pub status: u16,
    /// Names and values of the headers that belong to it.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

struct Stored {
    fingerprint: Vec<u8>,
    working_until: Timestamp,
    response: Option<StoredResponse>,
}

impl FromRow for Stored {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let response = match row.get::<Option<u16>>("status")? {
            None => None,
            Some(status) => Some(StoredResponse {
                status,
                headers: serde_json::from_value(row.get("headers")?).map_err(Error::json)?,
                body: row.get("body")?,
            }),
        };
        Ok(Self { fingerprint: row.get("fingerprint")?, working_until: row.get("working_until")?, response })
    }
}

/// Claims `key` of `caller` for the request whose hash is `fingerprint`. The response will be kept for `keep`.
///
/// # Errors
/// As [`crate::Connection::execute`].
pub async fn begin(
    tx: &mut Tx,
    caller: &str,
    key: &str,
    fingerprint: &[u8],
    now: Timestamp,
    keep: Duration,
) -> Result<Begin, Error> {
    tx.execute(
        "DELETE FROM platform_idempotency WHERE caller = $1 AND idempotency_key = $2 AND expires_at <= $3",
        &params![caller, key, now],
    )
    .await?;
    let inserted = tx
        .execute(
            "INSERT INTO platform_idempotency (caller, idempotency_key, fingerprint, working_until, expires_at) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (caller, idempotency_key) DO NOTHING",
            &params![caller, key, fingerprint, now.plus(WORKING_FOR), now.plus(keep)],
        )
        .await?;
    if inserted == 1 {
        return Ok(Begin::New);
    }
    let stored: Stored = tx
        .fetch_one(
            "SELECT fingerprint, working_until, status, headers, body FROM platform_idempotency \
             WHERE caller = $1 AND idempotency_key = $2",
            &params![caller, key],
        )
        .await?;
    if stored.fingerprint != fingerprint {
        return Ok(Begin::Mismatch);
    }
    if let Some(response) = stored.response {
        return Ok(Begin::Replay(response));
    }
    if stored.working_until > now {
        return Ok(Begin::InFlight);
    }
    tx.execute(
        "UPDATE platform_idempotency SET working_until = $3, expires_at = $4 \
         WHERE caller = $1 AND idempotency_key = $2",
        &params![caller, key, now.plus(WORKING_FOR), now.plus(keep)],
    )
    .await?;
    Ok(Begin::New)
}

/// Keeps the response for repetitions. The first response that is kept stays. Belongs into the transaction
/// that does the work, so that both stand or neither.
///
/// # Errors
/// As [`crate::Connection::execute`].
pub async fn finish(tx: &mut Tx, caller: &str, key: &str, response: &StoredResponse) -> Result<(), Error> {
    let headers = serde_json::to_value(&response.headers).map_err(Error::json)?;
    tx.execute(
        "UPDATE platform_idempotency SET status = $3, headers = $4, body = $5 \
         WHERE caller = $1 AND idempotency_key = $2 AND status IS NULL",
        &params![caller, key, response.status, headers, &response.body],
    )
    .await?;
    Ok(())
}

/// Gives the key back after a failure that a repetition may well survive.
///
/// # Errors
/// As [`crate::Connection::execute`].
pub async fn abandon(tx: &mut Tx, caller: &str, key: &str) -> Result<(), Error> {
    tx.execute(
        "DELETE FROM platform_idempotency WHERE caller = $1 AND idempotency_key = $2 AND status IS NULL",
        &params![caller, key],
    )
    .await?;
    Ok(())
}

/// Deletes every key of `caller` with the responses kept under it, which may tell about the caller: for
/// the erasure of a person. Returns how many.
///
/// # Errors
/// As [`crate::Connection::execute`].
pub async fn forget(tx: &mut Tx, caller: &str) -> Result<u64, Error> {
    tx.execute("DELETE FROM platform_idempotency WHERE caller = $1", &params![caller]).await
}

/// Deletes up to `limit` keys that have expired. Returns how many.
///
/// # Errors
/// As [`crate::Connection::execute`].
pub async fn trim(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<u64, Error> {
    tx.execute(
        "DELETE FROM platform_idempotency WHERE (caller, idempotency_key) IN \
         (SELECT caller, idempotency_key FROM platform_idempotency WHERE expires_at <= $1 LIMIT $2)",
        &params![now, limit],
    )
    .await
}
