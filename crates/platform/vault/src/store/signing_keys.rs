use database::{Connection, Error, FromRow, Row, Sql, Tx, params};
use kernel::Timestamp;

use crate::crypto::MasterKeyId;
use crate::signing::Scheduled;

/// A signing key as it is stored.
pub(crate) struct StoredSigningKey {
    pub(crate) kid: String,
    pub(crate) purpose: String,
    pub(crate) public_key: [u8; 32],
    pub(crate) wrapped: Vec<u8>,
    pub(crate) master: MasterKeyId,
    pub(crate) active_from: Timestamp,
}

impl FromRow for StoredSigningKey {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            kid: row.get("kid")?,
            purpose: row.get("purpose")?,
            public_key: row.get("public_key")?,
            wrapped: row.get("wrapped")?,
            master: row.get("master_id")?,
            active_from: row.get("active_from")?,
        })
    }
}

impl Scheduled for StoredSigningKey {
    fn active_from(&self) -> Timestamp {
        self.active_from
    }
}

const SELECT: &str =
    "SELECT kid, purpose, public_key, wrapped, master_id, active_from FROM vault_signing_keys";

/// The keys of a purpose, the oldest first.
pub(crate) async fn find(connection: &mut Connection, purpose: &str) -> Result<Vec<StoredSigningKey>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push(" WHERE purpose = ").bind(purpose).push(" ORDER BY active_from, kid");
    sql.fetch_all(connection).await
}

/// The keys, of any purpose, that `master` does not wrap. There are never more than a few of each purpose.
pub(crate) async fn find_wrapped_otherwise(
    connection: &mut Connection,
    master: MasterKeyId,
) -> Result<Vec<StoredSigningKey>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push(" WHERE master_id <> ").bind(master).push(" ORDER BY kid");
    sql.fetch_all(connection).await
}

/// Stores a new key.
pub(crate) async fn insert(tx: &mut Tx, key: &StoredSigningKey, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO vault_signing_keys (kid, purpose, public_key, wrapped, master_id, created_at, active_from) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &params![&key.kid, &key.purpose, key.public_key, &key.wrapped, key.master, now, key.active_from],
    )
    .await?;
    Ok(())
}

/// Stores a key that was wrapped anew, unless it was deleted or wrapped anew meanwhile.
pub(crate) async fn rewrap(tx: &mut Tx, key: &StoredSigningKey) -> Result<u64, Error> {
    tx.execute(
        "UPDATE vault_signing_keys SET wrapped = $1, master_id = $2 WHERE kid = $3 AND master_id <> $2",
        &params![&key.wrapped, key.master, &key.kid],
    )
    .await
}

/// Deletes a key that no token can refer to any more.
pub(crate) async fn delete(tx: &mut Tx, kid: &str) -> Result<(), Error> {
    tx.execute("DELETE FROM vault_signing_keys WHERE kid = $1", &params![kid]).await?;
    Ok(())
}
