use database::Tx;
use kernel::{StaffId, TransferId, VariantId};
use ledger::LedgerError;

use super::announce_stock::{announce, levels};
use crate::Error;
use crate::model::stock::{self, Level};
use crate::store;

/// How the stock of a variant is to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// So many more, or fewer.
    By(i64),
    /// So many are on the shelf, those included that are held for checkouts.
    To(i64),
}

/// Corrects the stock of a variant. Who did it and why stands in the ledger for ever.
///
/// # Errors
/// [`Error::VariantNotFound`]; [`Error::InsufficientStock`] when less is free than would go;
/// [`Error::Invalid`] when there would be more than can be counted.
pub(crate) async fn adjust_stock(
    tx: &mut Tx,
    variant: VariantId,
    change: Change,
    (by, reason): (StaffId, &str),
) -> Result<Level, Error> {
    let now = tx.database().clock().now();
    let id = TransferId::new(now, tx.database().rng());
    let products = store::variants::lock(tx, [variant].into_iter()).await?;
    let before = level(tx, variant, now).await?;
    let (delta, pointer) = match change {
        Change::By(delta) => (delta, "/delta"),
        Change::To(on_hand) => (on_hand - before.on_hand, "/on_hand"),
    };
    if before.on_hand.checked_add(delta).is_none_or(|on_hand| on_hand > stock::MAX_ON_HAND) {
        return Err(Error::invalid(pointer, "out_of_range", "would make it more than 1000000000"));
    }
    let Some(transfer) = stock::adjust(id, variant, delta, &format!("{by}: {reason}")) else {
        return Ok(before);
    };
    ledger::transfer(tx, &[transfer], now).await.map_err(|error| match error {
        LedgerError::Exceeds(_) => Error::InsufficientStock { available: before.available.max(0) },
        error => error.into(),
    })?;
    announce(tx, &products).await?;
    level(tx, variant, now).await
}

async fn level(tx: &mut Tx, variant: VariantId, now: kernel::Timestamp) -> Result<Level, Error> {
    levels(tx, &[variant], now).await?.remove(&variant).ok_or(Error::VariantNotFound)
}
