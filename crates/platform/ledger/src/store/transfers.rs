use database::{Connection, Error, FromRow, Row, Sql, Tx};
use kernel::{AccountId, Timestamp, TransferId};

use crate::model::{Movement, Record, RecordKind, Resolution};

database::text_values!(Resolution);

impl FromRow for Record {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let kind = match row.get::<String>("kind")?.as_str() {
            "single" => RecordKind::Single,
            "pending" => {
                RecordKind::Pending { expires_at: row.get("expires_at")?, resolution: row.get("resolution")? }
            }
            "post_pending" => RecordKind::PostPending { pending: row.get("pending_id")? },
            "void_pending" => RecordKind::VoidPending { pending: row.get("pending_id")? },
            _ => {
                return Err(Error::Type { what: "column \"kind\"".to_owned(), wanted: "a kind of transfer" });
            }
        };
        Ok(Self {
            id: row.get("id")?,
            kind,
            movement: Movement {
                debit: row.get("debit_id")?,
                credit: row.get("credit_id")?,
                amount: row.get("amount")?,
            },
            reference: row.get("reference")?,
            recorded_at: row.get("recorded_at")?,
        })
    }
}

const SELECT: &str = "SELECT id, kind, debit_id, credit_id, amount, reference, recorded_at, pending_id, \
                      expires_at, resolution FROM ledger_transfers WHERE ";

/// The transfers with these ids.
pub(crate) async fn find_transfers(
    connection: &mut Connection,
    ids: impl IntoIterator<Item = TransferId>,
) -> Result<Vec<Record>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("id IN ").bind_list(ids);
    sql.fetch_all(connection).await
}

/// At most `limit` pending transfers whose time is over, the longest overdue first.
pub(crate) async fn find_due(
    connection: &mut Connection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Record>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("kind = 'pending' AND resolution IS NULL AND expires_at <= ").bind(now);
    sql.push(" ORDER BY expires_at LIMIT ").bind(limit);
    sql.fetch_all(connection).await
}

/// The pending transfers whose time is over and that join two of these accounts.
pub(crate) async fn find_due_among(
    connection: &mut Connection,
    accounts: impl Iterator<Item = AccountId> + Clone,
    now: Timestamp,
) -> Result<Vec<Record>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("kind = 'pending' AND resolution IS NULL AND expires_at <= ").bind(now);
    sql.push(" AND debit_id IN ").bind_list(accounts.clone()).push(" AND credit_id IN ").bind_list(accounts);
    sql.fetch_all(connection).await
}

/// Writes new transfers, and how pending ones ended. Nothing else of a stored transfer ever changes.
pub(crate) async fn upsert_transfers(tx: &mut Tx, records: &[Record]) -> Result<(), Error> {
    if records.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new(
        "INSERT INTO ledger_transfers (id, kind, debit_id, credit_id, amount, reference, recorded_at, \
         pending_id, expires_at, resolution) VALUES ",
    );
    for (index, record) in records.iter().enumerate() {
        let (pending, expires_at, resolution) = match record.kind {
            RecordKind::Single => (None, None, None),
            RecordKind::Pending { expires_at, resolution } => (None, Some(expires_at), resolution),
            RecordKind::PostPending { pending } | RecordKind::VoidPending { pending } => {
                (Some(pending), None, None)
            }
        };
        let Movement { debit, credit, amount } = record.movement;
        sql.push(if index == 0 { "(" } else { ", (" });
        sql.bind(record.id).push(", ").bind(record.kind.as_str()).push(", ").bind(debit).push(", ");
        sql.bind(credit).push(", ").bind(amount).push(", ").bind(&record.reference).push(", ");
        sql.bind(record.recorded_at).push(", ").bind(pending).push(", ").bind(expires_at).push(", ");
        sql.bind(resolution).push(")");
    }
    // A row that is there already is a pending one that ends now. Had another transaction taken the id
    // of a new transfer meanwhile, the condition would fail and the count tell.
    sql.push(
        " ON CONFLICT (id) DO UPDATE SET resolution = excluded.resolution \
         WHERE ledger_transfers.kind = 'pending' AND ledger_transfers.resolution IS NULL \
         AND excluded.resolution IS NOT NULL",
    );
    let changed = sql.execute(tx).await?;
    if usize::try_from(changed) == Ok(records.len()) { Ok(()) } else { Err(Error::Conflict) }
}
