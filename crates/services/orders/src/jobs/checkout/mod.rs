//! Drives checkouts. The request that begins one drives it until it ends or waits for the person; after
//! a wait or a crash the worker takes it up. Each step stands beside its undo:
//!
//! | step | undo | file |
//! |---|---|---|
//! | reserve the stock | release it | `reserve_stock` |
//! | authorise the payment | void it | `authorise_payment` |
//! | place the order | cancel it | [`crate::ops::place_order`], [`crate::ops::cancel_order`] |
//! | take the stock off the shelf | put it back | `commit_stock` |
//! | take the money | give it back | `capture_payment` |

mod authorise_payment;
mod capture_payment;
mod commit_stock;
mod reserve_stock;

use std::time::Duration;

use database::{BoxError, DueItem, Next};
use kernel::{CheckoutId, Timestamp};

use crate::error::Error;
use crate::model::checkout::{Checkout, Outcome, Plan, Step};
use crate::model::order::{Actor, Command};
use crate::ops::advance_checkout::{advance_checkout, due};
use crate::ops::change_order::change_order;
use crate::shop::Shop;
use crate::store::checkouts;

/// The queue of checkouts to look at.
pub(crate) const QUEUE: &str = "orders.checkout";

/// For how long one driver has a checkout to itself: longer than any one call to another service takes, and no longer
/// than somebody would wait who was buying when the process died.
pub(crate) const LEASE: Duration = Duration::from_secs(20);

/// How often to try to give up a lease while the database is away.
const LET_GO_AGAIN: Duration = Duration::from_millis(500);

/// Takes every step that can be taken now. The caller holds the lease. Returns the checkout as it then
/// is: ended, waiting, or taken over by somebody else.
///
/// # Errors
/// What the database says; the checkout is taken up again as soon as that is over.
pub(crate) async fn drive(shop: &Shop, checkout: Checkout) -> Result<Checkout, Error> {
    let (id, mut leases) = (checkout.id, [checkout.leased_until; 2]);
    let driven = drive_on(shop, checkout, &mut leases).await;
    if driven.is_err() {
        let_go(shop, id, leases);
    }
    driven
}

/// Leaves in `leases` the lease that is stored and the one that may have been stored when it failed.
async fn drive_on(
    shop: &Shop,
    mut checkout: Checkout,
    leases: &mut [Option<Timestamp>; 2],
) -> Result<Checkout, Error> {
    while let Plan::Take(step) = checkout.saga.plan(shop.clock.now()) {
        let outcome = take(shop, &checkout, step).await;
        tracing::debug!(checkout = %checkout.id, ?step, ?outcome, "a step of a checkout was taken");
        let now = shop.clock.now();
        *leases = [checkout.leased_until, Some(now.plus(LEASE))];
        match record(shop, &checkout, &outcome, now).await? {
            Some(next) => checkout = next,
            None => {
                // Something was heard meanwhile (the payment, a cancellation), so what this step came to is
                // not recorded: it is planned anew and, if still wanted, repeated.
                let lease = checkout.leased_until;
                checkout = reload(shop, checkout.id).await?;
                if checkout.leased_until != lease {
                    break;
                }
            }
        }
    }
    Ok(checkout)
}

/// Gives up the lease of a checkout whose driver has failed, in the background and however long the database is
/// away, so that others take it up at once and not when the lease is over.
pub(crate) fn let_go(shop: &Shop, id: CheckoutId, leases: [Option<Timestamp>; 2]) {
    let shop = shop.clone();
    tokio::spawn(tokio::time::timeout(LEASE, async move {
        while free(&shop, id, leases).await.is_err() {
            tokio::time::sleep(LET_GO_AGAIN).await;
        }
    }));
}

async fn free(shop: &Shop, id: CheckoutId, leases: [Option<Timestamp>; 2]) -> Result<(), Error> {
    let now = shop.clock.now();
    shop.database
        .write(|mut tx| async move {
            if checkouts::free(&mut tx, id, leases).await? {
                tx.schedule(&due(id, now)).await?;
            }
            Ok(tx.commit(()).await?)
        })
        .await
}

/// Looks after one checkout that is due. Does nothing while somebody else is at it.
pub(crate) async fn resume(shop: Shop, item: DueItem) -> Result<Next, BoxError> {
    let id: CheckoutId = item.key.parse()?;
    let Some(checkout) = lease(&shop, id).await? else {
        let found = checkouts::get(&mut *shop.database.read_primary().await?, id).await?;
        return Ok(found.map_or(Next::Done, |checkout| look_again(&checkout, shop.clock.now())));
    };
    // Whatever is to be done later is scheduled by the transaction that finds out.
    drive(&shop, checkout).await?;
    Ok(Next::Done)
}

/// When to look again at a checkout that could not be leased at `now`.
fn look_again(checkout: &Checkout, now: Timestamp) -> Next {
    match checkout.saga.plan(now) {
        Plan::Ended => Next::Done,
        Plan::Wait(until) => Next::At(until),
        Plan::Take(_) => Next::At(checkout.leased_until.map_or(now, |until| until.max(now))),
    }
}

/// Takes the lease of a checkout; `None` when there is nothing to do for it now, or somebody is at it.
pub(crate) async fn lease(shop: &Shop, id: CheckoutId) -> Result<Option<Checkout>, Error> {
    let now = shop.clock.now();
    let until = now.plus(LEASE);
    shop.database
        .write(|mut tx| async move {
            let leased = checkouts::lease(&mut tx, id, until, now).await?;
            Ok(tx.commit(leased).await?)
        })
        .await
        .inspect_err(|error| {
            if matches!(error, Error::Database(database::Error::CommitUnknown { .. })) {
                let_go(shop, id, [Some(until); 2]);
            }
        })
}

async fn reload(shop: &Shop, id: CheckoutId) -> Result<Checkout, Error> {
    let found = checkouts::get(&mut *shop.database.read_primary().await?, id).await?;
    found.ok_or(Error::Database(database::Error::NotFound))
}

/// Does what the saga asks for. Whatever happens is an outcome.
async fn take(shop: &Shop, checkout: &Checkout, step: Step) -> Outcome {
    match step {
        Step::ReserveStock => reserve_stock::reserve(shop, checkout).await,
        Step::ReleaseStock => reserve_stock::release(shop, checkout).await,
        Step::AuthorisePayment => authorise_payment::authorise(shop, checkout).await,
        Step::AskPayment => authorise_payment::ask(shop, checkout).await,
        Step::VoidPayment => authorise_payment::void(shop, checkout).await,
        // Needs nobody else: `advance_checkout` does it with the transaction that reaches it.
        Step::PlaceOrder => Outcome::Placed,
        Step::CommitStock => commit_stock::commit(shop, checkout).await,
        Step::Restock { commit_first } => commit_stock::restock(shop, checkout, commit_first).await,
        Step::CapturePayment => capture_payment::capture(shop, checkout).await,
        Step::RefundPayment => capture_payment::refund(shop, checkout).await,
    }
}

/// Writes down what a step came to and renews the lease; `None` when the checkout was moved by somebody else meanwhile.
async fn record(
    shop: &Shop,
    before: &Checkout,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<Option<Checkout>, Error> {
    let saga = &before.saga.after(outcome, now);
    let before = &Checkout { leased_until: Some(now.plus(LEASE)), ..before.clone() };
    shop.database
        .write(|mut tx| async move {
            let Some(after) = advance_checkout(&mut tx, before, saga.clone(), now).await? else {
                return Ok(tx.rollback(None).await?);
            };
            if before.saga.order_is_placed() {
                tell_order(&mut tx, before, outcome).await?;
            }
            Ok(tx.commit(Some(after)).await?)
        })
        .await
}

/// The order learns of its money at once, not only when the event arrives.
async fn tell_order(tx: &mut database::Tx, checkout: &Checkout, outcome: &Outcome) -> Result<(), Error> {
    let Outcome::Payment { status, given_back, .. } = outcome else { return Ok(()) };
    change_order(tx, checkout.order_id, Command::RecordPayment(*status), Actor::Payments).await?;
    if let Some(amount) = *given_back {
        let command = Command::RecordRefund { refund_id: checkout.refund_id, amount, succeeded: true };
        change_order(tx, checkout.order_id, command, Actor::Payments).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
