use database::{Connection, Error, FromRow, Row, Sql, Tx, params};
use kernel::Timestamp;
use uuid::Uuid;

use crate::crypto::{KeyId, MasterKeyId};

/// A data key as it is stored; `wrapped` is absent once it is destroyed.
pub(crate) struct StoredDataKey {
    pub(crate) person: Uuid,
    pub(crate) key_id: KeyId,
    pub(crate) wrapped: Option<(Vec<u8>, MasterKeyId)>,
}

impl FromRow for StoredDataKey {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let wrapped: Option<Vec<u8>> = row.get("wrapped")?;
        let master: Option<MasterKeyId> = row.get("master_id")?;
        Ok(Self { person: row.get("person")?, key_id: row.get("key_id")?, wrapped: wrapped.zip(master) })
    }
}

/// The keys of these people, as far as there are any.
pub(crate) async fn find(connection: &mut Connection, people: &[Uuid]) -> Result<Vec<StoredDataKey>, Error> {
    let mut sql = Sql::new("SELECT person, key_id, wrapped, master_id FROM vault_data_keys WHERE person IN ");
    sql.bind_list(people.iter().copied());
    sql.fetch_all(connection).await
}

/// A key to store.
pub(crate) struct NewDataKey {
    pub(crate) person: Uuid,
    pub(crate) key_id: KeyId,
    pub(crate) wrapped: Vec<u8>,
    pub(crate) master: MasterKeyId,
}

/// Stores those keys whose person has none, not even a destroyed one.
pub(crate) async fn insert_missing(tx: &mut Tx, keys: &[NewDataKey], now: Timestamp) -> Result<(), Error> {
    let mut sql = insert(keys, now);
    sql.push(" ON CONFLICT (person) DO NOTHING");
    sql.execute(tx).await?;
    Ok(())
}

fn insert(keys: &[NewDataKey], now: Timestamp) -> Sql {
    let mut sql =
        Sql::new("INSERT INTO vault_data_keys (person, key_id, wrapped, master_id, created_at) VALUES ");
    for (index, key) in keys.iter().enumerate() {
        sql.push(if index == 0 { "(" } else { ", (" });
        sql.bind(key.person).push(", ").bind(key.key_id).push(", ").bind(&key.wrapped).push(", ");
        sql.bind(key.master).push(", ").bind(now).push(")");
    }
    sql
}

/// Empties the key and leaves a tombstone that carries the number of the erasure; leaves one also where
/// there was no key. False when it was destroyed before.
pub(crate) async fn destroy(tx: &mut Tx, person: Uuid, erasure: i64, now: Timestamp) -> Result<bool, Error> {
    let changed = tx
        .execute(
            "INSERT INTO vault_data_keys (person, key_id, created_at, destroyed_at, erasure) \
             VALUES ($1, $2, $3, $3, $4) ON CONFLICT (person) DO UPDATE SET wrapped = NULL, master_id = NULL, \
             destroyed_at = excluded.destroyed_at, erasure = excluded.erasure \
             WHERE vault_data_keys.destroyed_at IS NULL",
            &params![person, KeyId::default(), now, erasure],
        )
        .await?;
    Ok(changed > 0)
}

/// At most `limit` keys that `master` does not wrap, in the order of their people, from the one after
/// `after` on.
pub(crate) async fn find_wrapped_otherwise(
    connection: &mut Connection,
    master: MasterKeyId,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<StoredDataKey>, Error> {
    let mut sql = Sql::new(
        "SELECT person, key_id, wrapped, master_id FROM vault_data_keys \
         WHERE master_id IS NOT NULL AND master_id <> ",
    );
    sql.bind(master);
    if let Some(after) = after {
        sql.push(" AND person > ").bind(after);
    }
    sql.push(" ORDER BY person LIMIT ").bind(limit);
    sql.fetch_all(connection).await
}

/// Stores keys that were wrapped anew, but for those that were destroyed meanwhile. The rows are all there,
/// since none is ever deleted; an upsert is the one statement that takes many on both engines.
pub(crate) async fn rewrap(tx: &mut Tx, keys: &[NewDataKey], now: Timestamp) -> Result<u64, Error> {
    let mut sql = insert(keys, now);
    sql.push(
        " ON CONFLICT (person) DO UPDATE SET wrapped = excluded.wrapped, master_id = excluded.master_id \
         WHERE vault_data_keys.master_id <> excluded.master_id",
    );
    sql.execute(tx).await
}
