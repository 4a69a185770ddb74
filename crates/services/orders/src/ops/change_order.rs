use contracts::orders::{OrderCancelled, OrderChanged};
use database::Tx;
use kernel::OrderId;

use crate::error::Error;
use crate::jobs::mail;
use crate::model::order::{self, Actor, Command, Entry, Order, OrderEvent};
use crate::store::{events, lines, orders};

/// Does `command` to an order that was placed: its log, its state and the events for others, in this
/// transaction. Tells whether the command changed anything.
///
/// # Errors
/// [`Error::NotFound`], what the order refuses, a log that cannot be trusted.
pub(crate) async fn change_order(
    tx: &mut Tx,
    id: OrderId,
    command: Command,
    actor: Actor,
) -> Result<bool, Error> {
    let log = events::of_order(tx, id).await?;
    let past = order::verify(&log).map_err(|source| Error::Log { order: id, source })?;
    let before = order::replay(&past).ok_or(Error::NotFound)?;
    let happened = order::decide(Some(&before), command)?;
    if happened.is_empty() {
        return Ok(false);
    }
    let now = tx.database().clock().now();
    let last = log.last().map(|entry: &Entry| (entry.sequence, entry.hash));
    events::append(tx, &order::append(id, last, &happened, actor, now)?).await?;
    let after = happened.iter().fold(Some(before.clone()), order::evolve).ok_or(Error::NotFound)?;
    if !orders::update(tx, &after, before.version).await? {
        return Err(database::Error::Conflict.into());
    }
    if after.lines != before.lines {
        lines::update_fulfilled(tx, &after).await?;
    }
    tell(tx, &after, &happened).await?;
    Ok(true)
}

async fn tell(tx: &mut Tx, order: &Order, happened: &[OrderEvent]) -> Result<(), Error> {
    for event in happened {
        if let OrderEvent::OrderCancelled(cancelled) = event {
            tx.emit(&OrderCancelled {
                order_id: order.id,
                customer_id: order.customer_id,
                total: order.totals.total,
                reason: cancelled.reason.clone(),
            })
            .await?;
            let at = tx.database().clock().now();
            tx.schedule(&mail::Kind::Cancelled.due(order.id, at)).await?;
        }
    }
    tx.emit(&OrderChanged {
        order_id: order.id,
        number: order.number.clone(),
        customer_id: order.customer_id,
        version: order.version,
        status: order.status.as_str().to_owned(),
        payment_status: order.payment_status.as_str().to_owned(),
        fulfilment_status: order.fulfilment_status.as_str().to_owned(),
    })
    .await?;
    Ok(())
}
