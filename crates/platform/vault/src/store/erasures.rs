use database::{Connection, Error, Tx, params};
use uuid::Uuid;

use crate::crypto::MasterKeyId;

/// What every node looks at again and again: the number of the latest erasure, and the active master key.
pub(crate) async fn watch(connection: &mut Connection) -> Result<(i64, MasterKeyId), Error> {
    connection
        .fetch_one(
            "SELECT e.latest, m.id FROM vault_erasures e CROSS JOIN vault_master_keys m \
             WHERE e.id = 1 AND m.state = 'active'",
            &[],
        )
        .await
}

/// Takes the next number, and holds back other erasures until this transaction ends.
pub(crate) async fn next(tx: &mut Tx) -> Result<i64, Error> {
    let (number,) = tx
        .fetch_one("UPDATE vault_erasures SET latest = latest + 1 WHERE id = 1 RETURNING latest", &[])
        .await?;
    Ok(number)
}

/// At most `limit` people whose erasure has a number above `after`, in the order of the numbers.
pub(crate) async fn since(
    connection: &mut Connection,
    after: i64,
    limit: u32,
) -> Result<Vec<(Uuid, i64)>, Error> {
    connection
        .fetch_all(
            "SELECT person, erasure FROM vault_data_keys WHERE erasure > $1 ORDER BY erasure LIMIT $2",
            &params![after, limit],
        )
        .await
}
