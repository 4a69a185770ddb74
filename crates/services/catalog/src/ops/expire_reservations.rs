use database::{Database, Isolation};

use super::announce_stock::announce;
use crate::Error;
use crate::model::reservation::State;
use crate::store;

/// The most reservations that end in one transaction.
const AT_ONCE: u32 = 20;

/// Ends every reservation whose time is over and tells everybody about the stock that is free again.
/// Returns how many there were. Several copies may do so at once.
pub(crate) async fn expire_reservations(database: &Database) -> Result<u64, Error> {
    let mut total = 0;
    loop {
        let ended = expire_some(database).await?;
        total += u64::from(ended);
        if ended < AT_ONCE {
            return Ok(total);
        }
    }
}

async fn expire_some(database: &Database) -> Result<u32, Error> {
    database
        .write_with(Isolation::ReadCommitted, |mut tx| async move {
            let now = tx.database().clock().now();
            let due = store::reservations::lock_due(&mut tx, now, AT_ONCE).await?;
            if due.is_empty() {
                return Ok(tx.rollback(0).await?);
            }
            let checkouts = due.iter().map(|reservation| reservation.checkout);
            store::reservations::set_state(&mut tx, checkouts, State::Expired).await?;
            let lines: Vec<_> = due.iter().flat_map(|reservation| &reservation.lines).collect();
            let variants = lines.iter().map(|line| line.variant_id);
            let products = store::variants::lock(&mut tx, variants).await?;
            let limit = u32::try_from(lines.len()).unwrap_or(u32::MAX);
            ledger::expire_due(&mut tx, now, limit).await?;
            announce(&mut tx, &products).await?;
            Ok(tx.commit(u32::try_from(due.len()).unwrap_or(u32::MAX)).await?)
        })
        .await
}
