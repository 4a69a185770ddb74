use std::collections::BTreeSet;

use database::Tx;
use kernel::{Timestamp, TransferId};

use crate::error::LedgerError;
use crate::model::{Book, Changes, MAX_SLICE, Refusal, Rejection, Transfer};
use crate::store;

/// Applies a slice of transfers in its order at the time `now`: all of them, or none.
///
/// A transfer whose id is recorded with the same content counts as done. Everything is decided before
/// the first row is written, so after an error the caller's transaction holds nothing of the slice and
/// may go on (but for [`LedgerError::Database`]). Pending transfers that are overdue never stand in the
/// way: those that weigh on an account of the slice are released first when that makes the difference.
///
/// Guards hold exactly under any isolation: the accounts are locked, in the order of their ids, until
/// the transaction ends. `Isolation::ReadCommitted` is the one to use where many want the same account,
/// because takers then wait for each other instead of starting again. Call it once per transaction where
/// possible: two slices that lock in different orders may deadlock, and one of them is then run again.
///
/// # Errors
/// [`LedgerError::Exceeds`] names every transfer that a guard forbids; [`LedgerError::Refused`] the first
/// one that cannot be.
pub async fn transfer(tx: &mut Tx, slice: &[Transfer], now: Timestamp) -> Result<(), LedgerError> {
    if slice.len() > MAX_SLICE {
        return Err(LedgerError::TooMany { limit: MAX_SLICE });
    }
    if slice.is_empty() {
        return Ok(());
    }
    let holdings = store::lock_for_slice(tx, slice, now).await?;
    // Read after the locks are held: from here on nobody else resolves what joins these accounts.
    let ids: BTreeSet<TransferId> =
        slice.iter().flat_map(|transfer| [Some(transfer.id), transfer.resolves()]).flatten().collect();
    let records = store::find_transfers(tx, ids).await?;
    let accounts: Vec<_> = holdings.iter().map(|holding| holding.account.id).collect();
    let mut book = Book::new(holdings, records);

    let changes = match book.decide(slice, now) {
        Err(Rejection::Exceeds(_) | Rejection::Refused { refusal: Refusal::Overflow(_), .. }) => {
            book.add_records(store::find_due_among(tx, accounts.into_iter(), now).await?);
            let released = book.expire(now);
            write(tx, &released).await?;
            book.decide(slice, now)?
        }
        decided => decided?,
    };
    write(tx, &changes).await
}

/// Writes what a book has decided.
pub(crate) async fn write(tx: &mut Tx, changes: &Changes) -> Result<(), LedgerError> {
    for chunk in changes.holdings.chunks(2 * MAX_SLICE) {
        store::update_balances(tx, chunk).await?;
    }
    for chunk in changes.records.chunks(2 * MAX_SLICE) {
        store::upsert_transfers(tx, chunk).await?;
    }
    Ok(())
}
