use contracts::orders::OrderPlaced;
use contracts::payments::PaymentStatus;
use database::Tx;
use kernel::Timestamp;

use crate::error::Error;
use crate::jobs::mail;
use crate::model::cart::Owner;
use crate::model::checkout::Checkout;
use crate::model::order::{self, Actor, Command, Order, Status};
use crate::store::orders::Private;
use crate::store::{carts, events, lines, orders};

/// Makes an order of a checkout whose money is set aside: its log and state, the event for others, the
/// mail to come, and the cart without what was bought, in this transaction. What was put into the cart
/// since the checkout began stays there.
///
/// # Errors
/// What the database says.
pub(crate) async fn place_order(tx: &mut Tx, checkout: &Checkout, now: Timestamp) -> Result<(), Error> {
    let happened = order::decide(None, Command::Place(Box::new(checkout.placed(now))))?;
    let placed = order::replay(&happened).ok_or(Error::NotFound)?;
    let actor = checkout.customer_id.map_or(Actor::Guest, Actor::Customer);
    events::append(tx, &order::append(placed.id, None, &happened, actor, now)?).await?;
    let private = Private { person_id: Some(checkout.person_id), details: Some(checkout.details.clone()) };
    orders::insert(tx, &placed, &private).await?;
    lines::insert(tx, [(placed.id, placed.lines.as_slice())]).await?;
    lines::insert_sellers(tx, placed.id, placed.placed_at, &placed.lines).await?;
    empty_cart(tx, checkout, now).await?;
    tx.emit(&order_placed(&placed, false)).await?;
    tx.schedule(&mail::Kind::Placed.due(placed.id, now)).await?;
    Ok(())
}

async fn empty_cart(tx: &mut Tx, checkout: &Checkout, now: Timestamp) -> Result<(), Error> {
    let owner = checkout.customer_id.map_or(Owner::Guest(checkout.cart_id), Owner::Customer);
    if let Some(mut cart) = carts::find(tx, owner).await? {
        let version = cart.version;
        cart.take_out(&checkout.bought());
        if cart.version != version {
            carts::update(tx, &cart, now).await?;
        }
    }
    Ok(())
}

/// The event that tells others of a new order.
pub(crate) fn order_placed(order: &Order, imported: bool) -> OrderPlaced {
    OrderPlaced {
        order_id: order.id,
        number: order.number.clone(),
        customer_id: order.customer_id,
        payment_id: order.payment_id,
        placed_at: order.placed_at,
        lines: order.lines.iter().map(order::Line::to_contract).collect(),
        totals: order.totals,
        imported,
        came_to_nothing: order.status == Status::Cancelled
            || matches!(
                order.payment_status,
                PaymentStatus::Voided | PaymentStatus::Failed | PaymentStatus::Refunded
            ),
    }
}
