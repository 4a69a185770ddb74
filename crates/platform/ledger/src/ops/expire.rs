use std::collections::BTreeSet;

use database::Tx;
use kernel::{AccountId, Timestamp, TransferId};

use super::transfer::write;
use crate::error::LedgerError;
use crate::model::{Book, Movement};
use crate::store;

/// Releases pending transfers that are overdue at `now`, the longest overdue first and at most `limit`.
/// Returns which; an empty answer means that none is left, or that another one is at it.
///
/// Nobody depends on when this runs: an overdue transfer counts for nobody and cannot be posted from its
/// last microsecond on. It keeps the number of those that are still to be released small.
///
/// # Errors
/// When the database does not answer.
pub async fn expire_due(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<Vec<TransferId>, LedgerError> {
    let due = store::find_due(tx, now, limit).await?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let accounts: BTreeSet<AccountId> = due
        .iter()
        .flat_map(|record| {
            let Movement { debit, credit, .. } = record.movement;
            [debit, credit]
        })
        .collect();
    let holdings = store::lock_accounts(tx, accounts).await?;
    // Another one may have released them while this one waited for the locks, so they are read again.
    let records = store::find_transfers(tx, due.iter().map(|record| record.id)).await?;
    let released = Book::new(holdings, records).expire(now);
    write(tx, &released).await?;
    Ok(released.records.iter().map(|record| record.id).collect())
}
