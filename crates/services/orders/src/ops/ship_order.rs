use database::Tx;
use kernel::{OrderId, StaffId};
use web::IfMatch;

use super::change_order::change_order;
use crate::error::Error;
use crate::model::order::{Actor, Command, Reader, ShipLine, ShipmentId, Tracking};
use crate::store::orders;

/// What is sent of which order.
#[derive(Clone, Debug)]
pub(crate) struct ShipOrder {
    pub(crate) order_id: OrderId,
    pub(crate) staff: StaffId,
    pub(crate) if_match: Option<IfMatch>,
    /// Everything that is left when not said.
    pub(crate) lines: Option<Vec<ShipLine>>,
    pub(crate) tracking: Option<Tracking>,
}

/// Notes that an order, or a part of it, was sent.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotShippable`], [`Error::ShipsTooMuch`], [`Error::Stale`].
pub(crate) async fn ship_order(tx: &mut Tx, command: &ShipOrder) -> Result<(), Error> {
    let order = orders::find(tx, command.order_id, Reader::Shop).await?.ok_or(Error::NotFound)?;
    if let Some(if_match) = command.if_match {
        if_match.check(order.version)?;
    }
    let shipment_id = ShipmentId::new(tx.database().clock().now(), tx.database().rng());
    let ship =
        Command::Ship { shipment_id, lines: command.lines.clone(), tracking: command.tracking.clone() };
    change_order(tx, order.id, ship, Actor::Staff(command.staff)).await?;
    Ok(())
}
