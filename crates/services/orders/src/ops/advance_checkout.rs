use database::{Due, Tx};
use kernel::{CheckoutId, Timestamp};
use serde_json::Value;

use super::change_order::change_order;
use super::place_order::place_order;
use crate::error::Error;
use crate::jobs::checkout::QUEUE;
use crate::model::checkout::{Checkout, Failure, Outcome, Plan, Saga, Stage};
use crate::model::order::{Actor, Command};
use crate::store::checkouts;

/// Moves a checkout from where it was read to `saga`, with all that belongs to the step in the same
/// transaction: placing the order, cancelling it when it is turned back, and when to look at it again.
/// `None` when somebody else has moved it since it was read: then nothing is to stand.
///
/// # Errors
/// What the database says.
pub(crate) async fn advance_checkout(
    tx: &mut Tx,
    before: &Checkout,
    saga: Saga,
    now: Timestamp,
) -> Result<Option<Checkout>, Error> {
    let mut after = Checkout { saga, ..before.clone() };
    // Placing needs nobody else, so it happens in the transaction that learns that the money is there.
    let placing = after.saga.stage == Stage::Place;
    if placing {
        after.saga = after.saga.after(&Outcome::Placed, now);
    }
    let plan = after.saga.plan(now);
    if !matches!(plan, Plan::Take(_)) {
        after.leased_until = None;
    }
    if plan == Plan::Ended {
        after.method = None;
    }
    if !checkouts::advance(tx, &after, now).await? {
        return Ok(None);
    }
    // Only now: whoever was overtaken finds the order placed, or cancelled, by the one who overtook them.
    if placing {
        place_order(tx, &after, now).await?;
    }
    if let Some(failure) = failed_after_placing(before, &after) {
        change_order(tx, after.order_id, Command::Cancel(failure.cancel_by()), Actor::System).await?;
    }
    after.version += 1;
    match plan {
        // Whoever drives goes on. Should they die, the work that has stood since they began is taken up
        // when their lease is over.
        Plan::Take(_) if after.is_driven(now) && before.saga.plan(now) != Plan::Ended => {}
        Plan::Take(_) => tx.schedule(&due(after.id, after.leased_until.unwrap_or(now))).await?,
        Plan::Wait(until) => tx.schedule(&due(after.id, until)).await?,
        Plan::Ended => drop(tx.unschedule(QUEUE, &after.id.to_string()).await?),
    }
    Ok(Some(after))
}

/// The work of looking at a checkout at `at`.
pub(crate) fn due(checkout: CheckoutId, at: Timestamp) -> Due {
    Due { queue: QUEUE, key: checkout.to_string(), payload: Value::Null, at }
}

/// Why an order that was placed cannot be kept, when this step has found that out.
fn failed_after_placing<'a>(before: &Checkout, after: &'a Checkout) -> Option<&'a Failure> {
    let turned_back = before.saga.turned_back_at.is_none() && after.saga.turned_back_at.is_some();
    after
        .saga
        .failure
        .as_ref()
        .filter(|failure| turned_back && before.saga.stage.is_placed() && **failure != Failure::Cancelled)
}
