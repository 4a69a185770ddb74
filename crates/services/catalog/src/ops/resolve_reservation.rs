use database::{Database, Isolation, Tx};
use kernel::{CheckoutId, Timestamp};
use ledger::Transfer;

use super::announce_stock::announce;
use crate::Error;
use crate::model::reservation::{Command, State};
use crate::model::{Reservation, stock};
use crate::store;

/// Commits, releases or restocks the reservation of a checkout. Repeating a command changes nothing.
///
/// # Errors
/// See [`Reservation::decide`].
pub(crate) async fn resolve(
    database: &Database,
    checkout: CheckoutId,
    command: Command,
) -> Result<(), Error> {
    database
        .write_with(Isolation::ReadCommitted, |mut tx| async move {
            let now = tx.database().clock().now();
            let Some(reservation) = find(&mut tx, checkout, command, now).await? else {
                return Ok(tx.commit(()).await?);
            };
            let Some(next) = reservation.decide(command, now)? else {
                return Ok(tx.rollback(()).await?);
            };
            store::reservations::set_state(&mut tx, [checkout].into_iter(), next).await?;
            let slice = transfers(&reservation, command);
            if command == Command::Commit {
                // What is committed was not to be had before either, so nobody needs to hear of it.
                ledger::transfer(&mut tx, &slice, now).await?;
            } else {
                let variants = reservation.lines.iter().map(|line| line.variant_id);
                let products = store::variants::lock(&mut tx, variants).await?;
                ledger::transfer(&mut tx, &slice, now).await?;
                announce(&mut tx, &products).await?;
            }
            Ok(tx.commit(()).await?)
        })
        .await
}

/// The reservation, locked. A checkout that releases what it never reserved leaves word of that, so
/// that its request to reserve, should it have been delayed, finds the checkout over.
async fn find(
    tx: &mut Tx,
    checkout: CheckoutId,
    command: Command,
    now: Timestamp,
) -> Result<Option<Reservation>, Error> {
    if let Some(reservation) = store::reservations::lock(tx, checkout).await? {
        return Ok(Some(reservation));
    }
    match command {
        Command::Commit => Err(Error::ReservationEnded),
        Command::Restock => Err(Error::ReservationNotCommitted),
        Command::Release => {
            let word = Reservation { checkout, state: State::Released, lines: Vec::new(), expires_at: now };
            if store::reservations::insert(tx, &word, now).await? {
                return Ok(None);
            }
            Ok(store::reservations::lock(tx, checkout).await?)
        }
    }
}

fn transfers(reservation: &Reservation, command: Command) -> Vec<Transfer> {
    let checkout = reservation.checkout;
    let lines = reservation.lines.iter().map(|line| (line.variant_id, line.quantity));
    lines
        .map(|(variant, quantity)| match command {
            Command::Commit => stock::commit(checkout, variant),
            Command::Release => stock::release(checkout, variant),
            Command::Restock => stock::restock(checkout, variant, quantity),
        })
        .collect()
}
