use std::time::Duration;

use contracts::catalog::{LineRequest, ReserveStock, Shortage};
use database::{Database, Isolation};
use kernel::VariantId;
use ledger::LedgerError;

use super::announce_stock::announce;
use crate::Error;
use crate::model::reservation::{State, add_up};
use crate::model::{Reservation, stock};
use crate::store;

/// Takes stock off the shelf for a checkout, all lines or none. Asking again for the same changes
/// nothing.
///
/// The ledger alone decides who gets the last unit, and it is exact when each statement sees what was
/// committed before, so buyers of one thing queue for it and none has to start again.
///
/// # Errors
/// [`Error::OutOfStock`], [`Error::NotForSale`], [`Error::ReservationEnded`],
/// [`Error::ReservationDiffers`], [`Error::Invalid`].
pub(crate) async fn reserve(database: &Database, request: &ReserveStock) -> Result<(), Error> {
    let lines = add_up(&request.lines)
        .ok_or_else(|| Error::invalid("/lines", "out_of_range", "add up to more than can be counted"))?;
    let (checkout, lines, hold) = (request.checkout_id, &lines, Duration::from_secs(request.hold_seconds));
    database
        .write_with(Isolation::ReadCommitted, |mut tx| async move {
            let now = tx.database().clock().now();
            let reservation = Reservation {
                checkout,
                state: State::Held,
                lines: lines.clone(),
                expires_at: now.plus(hold),
            };
            if !store::reservations::insert(&mut tx, &reservation, now).await? {
                let before =
                    store::reservations::lock(&mut tx, checkout).await?.ok_or(Error::ReservationEnded)?;
                before.repeat(lines, now)?;
                return Ok(tx.rollback(()).await?);
            }
            let wanted = lines.iter().map(|line| line.variant_id);
            let products = store::variants::lock_for_sale(&mut tx, wanted.clone()).await?;
            let absent: Vec<VariantId> = wanted.filter(|variant| !products.contains_key(variant)).collect();
            if !absent.is_empty() {
                return Err(Error::NotForSale(absent));
            }
            let slice: Vec<_> = lines
                .iter()
                .map(|line| stock::reserve(checkout, line.variant_id, line.quantity, hold))
                .collect();
            ledger::transfer(&mut tx, &slice, now).await.map_err(|error| shortage(error, lines))?;
            announce(&mut tx, &products).await?;
            Ok(tx.commit(()).await?)
        })
        .await
}

/// What the ledger says in the buyer's terms.
fn shortage(error: LedgerError, lines: &[LineRequest]) -> Error {
    let LedgerError::Exceeds(shortfalls) = error else { return error.into() };
    let lines = shortfalls.iter().filter_map(|short| {
        let line = lines.get(short.index)?;
        let available = short.available.max(0);
        Some(Shortage { variant_id: line.variant_id, requested: line.quantity, available })
    });
    Error::OutOfStock(lines.collect())
}
