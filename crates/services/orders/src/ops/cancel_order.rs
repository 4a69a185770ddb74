use database::Tx;
use kernel::OrderId;
use web::IfMatch;

use super::advance_checkout::advance_checkout;
use super::change_order::change_order;
use crate::error::Error;
use crate::jobs::checkout::LEASE;
use crate::model::checkout::{Checkout, Failure, Saga};
use crate::model::order::{Actor, CancelBy, Command, Reader};
use crate::store::{checkouts, orders};

/// Who cancels which order.
#[derive(Clone, Debug)]
pub(crate) struct CancelOrder {
    pub(crate) order_id: OrderId,
    pub(crate) reader: Reader,
    pub(crate) actor: Actor,
    /// The version that the cancellation is for, when that matters to them.
    pub(crate) if_match: Option<IfMatch>,
    /// Why, in their own words, sealed.
    pub(crate) note: Option<Vec<u8>>,
}

/// Cancels an order of which nothing was sent, or gives up a checkout that waits for its payment. The
/// money and the stock go back by the checkout's own undo; it is returned leased to the caller, who may
/// drive it at once. `None` when somebody else is at it or there is nothing to undo.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotCancellable`], [`Error::Stale`].
pub(crate) async fn cancel_order(tx: &mut Tx, command: &CancelOrder) -> Result<Option<Checkout>, Error> {
    let Some(order) = orders::find(tx, command.order_id, command.reader).await? else {
        return give_up(tx, command).await;
    };
    if let Some(if_match) = command.if_match {
        if_match.check(order.version)?;
    }
    let by = match command.actor {
        Actor::Staff(_) => CancelBy::Staff,
        _ => CancelBy::Customer,
    };
    if !change_order(tx, order.id, Command::Cancel(by), command.actor).await? {
        return Ok(None);
    }
    if let Some(note) = &command.note {
        orders::set_cancel_note(tx, order.id, note).await?;
    }
    match checkouts::of_order(tx, order.id).await? {
        Some(checkout) => {
            let saga = checkout.saga.cancelled();
            turn_back(tx, checkout, saga).await
        }
        None => Ok(None),
    }
}

async fn give_up(tx: &mut Tx, command: &CancelOrder) -> Result<Option<Checkout>, Error> {
    let checkout = checkouts::of_order(tx, command.order_id).await?;
    let checkout = checkout.filter(|checkout| checkout.is_for(command.reader)).ok_or(Error::NotFound)?;
    if checkout.saga.turned_back_at.is_some() {
        return Ok(None);
    }
    if checkout.is_driven(tx.database().clock().now()) {
        return Err(Error::CheckoutInProgress);
    }
    let saga = checkout.saga.given_up(Failure::Cancelled).ok_or(Error::CheckoutInProgress)?;
    turn_back(tx, checkout, saga).await
}

/// Moves a checkout onto its way back, leased to the caller unless somebody is at it.
async fn turn_back(tx: &mut Tx, mut checkout: Checkout, saga: Saga) -> Result<Option<Checkout>, Error> {
    let now = tx.database().clock().now();
    let driven = checkout.is_driven(now);
    if !driven {
        checkout.leased_until = Some(now.plus(LEASE));
    }
    let after = advance_checkout(tx, &checkout, saga, now).await?.ok_or(database::Error::Conflict)?;
    Ok((!driven).then_some(after))
}
