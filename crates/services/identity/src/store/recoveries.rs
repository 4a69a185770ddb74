use database::{Connection, Error, Tx, params};
use kernel::Timestamp;
use uuid::Uuid;

/// Keeps the hash of a link that was sent for the account.
pub(crate) async fn insert(
    tx: &mut Tx,
    token_hash: &[u8; 32],
    account: Uuid,
    created_at: Timestamp,
    expires_at: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO recoveries (token_hash, account_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
        &params![token_hash, account, created_at, expires_at],
    )
    .await?;
    Ok(())
}

/// How many links of the account are alive.
pub(crate) async fn count_alive(
    connection: &mut Connection,
    account: Uuid,
    now: Timestamp,
) -> Result<u32, Error> {
    let (count,) = connection
        .fetch_one(
            "SELECT COUNT(*) FROM recoveries WHERE account_id = $1 AND expires_at > $2",
            &params![account, now],
        )
        .await?;
    Ok(count)
}

/// Whose account the link is for.
pub(crate) async fn account(
    connection: &mut Connection,
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Uuid>, Error> {
    let found: Option<(Uuid,)> = connection
        .fetch_optional(
            "SELECT account_id FROM recoveries WHERE token_hash = $1 AND expires_at > $2",
            &params![token_hash, now],
        )
        .await?;
    Ok(found.map(|(account,)| account))
}

/// Uses a link up; whether it was there.
pub(crate) async fn delete(tx: &mut Tx, token_hash: &[u8; 32]) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM recoveries WHERE token_hash = $1", &params![token_hash]).await? == 1)
}

/// Deletes all of an account.
pub(crate) async fn delete_of_account(tx: &mut Tx, account: Uuid) -> Result<(), Error> {
    tx.execute("DELETE FROM recoveries WHERE account_id = $1", &params![account]).await?;
    Ok(())
}

/// Deletes up to `limit` that have run out; how many that were.
pub(crate) async fn delete_expired(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<u64, Error> {
    tx.execute(
        "DELETE FROM recoveries WHERE token_hash IN \
         (SELECT token_hash FROM recoveries WHERE expires_at <= $1 LIMIT $2)",
        &params![now, limit],
    )
    .await
}
