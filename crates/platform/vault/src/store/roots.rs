use database::{Connection, Error, Tx, params};

use crate::crypto::MasterKeyId;

/// The wrapped root and the master key that wraps it.
pub(crate) async fn find(connection: &mut Connection) -> Result<Option<(Vec<u8>, MasterKeyId)>, Error> {
    connection.fetch_optional("SELECT wrapped, master_id FROM vault_roots WHERE id = 1", &[]).await
}

/// Stores the root, or the same root wrapped anew.
pub(crate) async fn upsert(tx: &mut Tx, wrapped: &[u8], master: MasterKeyId) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO vault_roots (id, wrapped, master_id) VALUES (1, $1, $2) \
         ON CONFLICT (id) DO UPDATE SET wrapped = excluded.wrapped, master_id = excluded.master_id",
        &params![wrapped, master],
    )
    .await?;
    Ok(())
}
