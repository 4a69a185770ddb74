use database::{Connection, Error, FromRow, Row, Sql, Tx, params};
use kernel::{SessionId, Timestamp};
use uuid::Uuid;

use crate::model::audit::{AuditId, ChainedEntry, Entry, Outcome};

pub(crate) async fn append(tx: &mut Tx, entry: &Entry) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO audit_events (id, at, action, outcome, reason, method, account, address_index, session_id, \
         device, request_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &params![
            entry.id,
            entry.at,
            entry.action,
            entry.outcome,
            entry.reason,
            entry.method,
            entry.account.map(|account| account.to_string()),
            entry.address_index,
            entry.session,
            &entry.device,
            &entry.request_id
        ],
    )
    .await?;
    Ok(())
}

/// An entry as it is read back.
#[derive(Clone, Debug)]
pub(crate) struct StoredEntry {
    pub(crate) entry: ChainedEntry,
    pub(crate) sequence: Option<i64>,
    pub(crate) hash: Option<[u8; 32]>,
}

impl FromRow for StoredEntry {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let text = |column: &str| row.get::<Option<String>>(column).map(Option::unwrap_or_default);
        let entry = ChainedEntry {
            id: row.get("id")?,
            at: row.get("at")?,
            action: row.get("action")?,
            outcome: row.get("outcome")?,
            reason: text("reason")?,
            method: text("method")?,
            request_id: row.get("request_id")?,
            account: text("account")?,
            session: row.get::<Option<SessionId>>("session_id")?.map(SessionId::uuid),
            device: row.get("device")?,
        };
        Ok(Self { entry, sequence: row.get("sequence")?, hash: row.get("hash")? })
    }
}

/// Which entries are asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) account: Option<String>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
    /// The last entry of the page before.
    pub(crate) after: Option<AuditId>,
}

/// The newest entries first.
pub(crate) async fn list(
    connection: &mut Connection,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<StoredEntry>, Error> {
    let mut sql = Sql::new("SELECT * FROM audit_events WHERE id < ");
    sql.bind(filter.after.unwrap_or(AuditId::from_uuid(Uuid::max())));
    if let Some(account) = &filter.account {
        sql.push(" AND account = ").bind(account);
    }
    if let Some(outcome) = filter.outcome {
        sql.push(" AND outcome = ").bind(outcome);
    }
    if let Some(from) = filter.from {
        sql.push(" AND id >= ").bind(first_id(from)).push(" AND at >= ").bind(from);
    }
    if let Some(to) = filter.to {
        // The id tells the millisecond, so the one after `to` bounds the scan and `at` is exact.
        let next = Timestamp::from_micros(to.as_micros().saturating_add(1_000));
        sql.push(" AND id < ").bind(first_id(next)).push(" AND at < ").bind(to);
    }
    sql.push(" ORDER BY id DESC LIMIT ").bind(limit);
    sql.fetch_all(connection).await
}

/// The lowest id that an entry of that moment can have.
fn first_id(at: Timestamp) -> AuditId {
    let millis = u128::try_from(at.as_millis()).unwrap_or(0);
    AuditId::from_uuid(Uuid::from_u128(millis << 80))
}

/// Up to `limit` entries that are not in the chain yet, the oldest first.
pub(crate) async fn unchained(connection: &mut Connection, limit: u32) -> Result<Vec<StoredEntry>, Error> {
    connection
        .fetch_all("SELECT * FROM audit_events WHERE sequence IS NULL ORDER BY id LIMIT $1", &params![limit])
        .await
}

/// Where the chain ends: the last number and its hash.
pub(crate) async fn chain_end(connection: &mut Connection) -> Result<Option<(i64, [u8; 32])>, Error> {
    connection
        .fetch_optional(
            "SELECT sequence, hash FROM audit_events WHERE sequence IS NOT NULL ORDER BY sequence DESC LIMIT 1",
            &[],
        )
        .await
}

/// Puts an entry into the chain.
pub(crate) async fn chain(tx: &mut Tx, id: AuditId, sequence: i64, hash: &[u8; 32]) -> Result<(), Error> {
    tx.execute(
        "UPDATE audit_events SET sequence = $2, hash = $3 WHERE id = $1 AND sequence IS NULL",
        &params![id, sequence, hash],
    )
    .await?;
    Ok(())
}

/// Up to `limit` entries of the chain after number `after`, in its order.
pub(crate) async fn chained(
    connection: &mut Connection,
    after: i64,
    limit: u32,
) -> Result<Vec<StoredEntry>, Error> {
    connection
        .fetch_all(
            "SELECT * FROM audit_events WHERE sequence > $1 ORDER BY sequence LIMIT $2",
            &params![after, limit],
        )
        .await
}

/// Takes an address out of the log, wherever it stands without an account.
pub(crate) async fn forget_address(tx: &mut Tx, address_index: &[u8; 32]) -> Result<(), Error> {
    tx.execute(
        "UPDATE audit_events SET address_index = NULL WHERE address_index = $1",
        &params![address_index],
    )
    .await?;
    Ok(())
}

/// Deletes up to `limit` chained entries from before `before`; how many that were.
pub(crate) async fn delete_old(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<u64, Error> {
    tx.execute(
        "DELETE FROM audit_events WHERE id IN \
         (SELECT id FROM audit_events WHERE id < $1 AND sequence IS NOT NULL ORDER BY id LIMIT $2)",
        &params![first_id(before), limit],
    )
    .await
}
