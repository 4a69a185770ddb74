use database::{Connection, Error, Tx, params};
use kernel::Timestamp;

use crate::crypto::MasterKeyId;

/// The master key that new keys are wrapped by.
pub(crate) async fn active(connection: &mut Connection) -> Result<Option<MasterKeyId>, Error> {
    let row: Option<(MasterKeyId,)> =
        connection.fetch_optional("SELECT id FROM vault_master_keys WHERE state = 'active'", &[]).await?;
    Ok(row.map(|(id,)| id))
}

/// The master keys that may still wrap something: the active one and those that are being replaced.
pub(crate) async fn in_use(connection: &mut Connection) -> Result<Vec<MasterKeyId>, Error> {
    let rows: Vec<(MasterKeyId,)> =
        connection.fetch_all("SELECT id FROM vault_master_keys WHERE state <> 'retired'", &[]).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Whether the key was replaced by another one before.
pub(crate) async fn is_retired(connection: &mut Connection, id: MasterKeyId) -> Result<bool, Error> {
    let row: Option<(i64,)> = connection
        .fetch_optional(
            "SELECT CAST(1 AS bigint) FROM vault_master_keys WHERE id = $1 AND state <> 'active'",
            &params![id],
        )
        .await?;
    Ok(row.is_some())
}

/// Makes `id` the active one, and what was active before one that is being replaced.
pub(crate) async fn activate(tx: &mut Tx, id: MasterKeyId, now: Timestamp) -> Result<(), Error> {
    tx.execute("UPDATE vault_master_keys SET state = 'retiring' WHERE state = 'active'", &[]).await?;
    tx.execute(
        "INSERT INTO vault_master_keys (id, state, created_at) VALUES ($1, 'active', $2)",
        &params![id, now],
    )
    .await?;
    Ok(())
}

/// Retires every key that is being replaced and wraps nothing any more.
pub(crate) async fn retire_unused(tx: &mut Tx) -> Result<u64, Error> {
    tx.execute(
        "UPDATE vault_master_keys SET state = 'retired' WHERE state = 'retiring' \
         AND NOT EXISTS (SELECT 1 FROM vault_data_keys k WHERE k.master_id = vault_master_keys.id) \
         AND NOT EXISTS (SELECT 1 FROM vault_signing_keys k WHERE k.master_id = vault_master_keys.id) \
         AND NOT EXISTS (SELECT 1 FROM vault_roots k WHERE k.master_id = vault_master_keys.id)",
        &[],
    )
    .await
}
