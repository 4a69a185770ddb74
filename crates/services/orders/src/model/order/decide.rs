use contracts::payments::PaymentStatus;
use kernel::{Money, RefundId, VariantId};

use super::event::Refund;
use super::{
    Cancelled, Fulfilment, Imported, Order, OrderEvent, Placed, ShipmentId, Shipped, ShippedLine, Status,
    Tracking, evolve,
};

/// What somebody wants to happen to an order.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// Begin it, its checkout being paid for.
    Place(Box<Placed>),
    /// Begin it with its past elsewhere.
    Import(Box<Imported>),
    /// Take note of where its payment stands.
    RecordPayment(PaymentStatus),
    /// Take note of what became of a refund.
    RecordRefund { refund_id: RefundId, amount: Money, succeeded: bool },
    /// Send it off, or a part of it.
    Ship { shipment_id: ShipmentId, lines: Option<Vec<ShipLine>>, tracking: Option<Tracking> },
    /// Do not send it after all.
    Cancel(CancelBy),
}

/// So many of a variant are sent off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShipLine {
    pub(crate) variant_id: VariantId,
    pub(crate) quantity: i64,
}

/// On whose account an order is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CancelBy {
    /// The person who ordered.
    Customer,
    /// The shop.
    Staff,
    /// Nobody: the money that was set aside could not be taken.
    PaymentFailed,
    /// Nobody: the stock that was reserved is gone.
    StockLost,
}

impl CancelBy {
    /// The word for it in events.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Customer => "requested_by_customer",
            Self::Staff => "requested_by_staff",
            Self::PaymentFailed => "payment_failed",
            Self::StockLost => "stock_lost",
        }
    }
}

/// Why a command cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no such order.
    Absent,
    /// It exists already.
    Present,
    /// It is on its way, or done with.
    NotCancellable,
    /// It is not one that can be sent: cancelled, done with, or its money is not there.
    NotShippable,
    /// More is to be sent than there is left to send, or of a variant that is not in the order.
    ShipsTooMuch,
}

/// The events that `command` makes of `order`; none when it changes nothing.
///
/// Whatever may be told late or twice (payments, refunds, a second cancellation) is not refused
/// but ignored. Only what a payment can really do next moves an order: money that was taken counts
/// whenever it is told, even after a failure, and so does its loss; nothing else goes backwards.
pub(crate) fn decide(order: Option<&Order>, command: Command) -> Result<Vec<OrderEvent>, Refusal> {
    match (order, command) {
        (None, Command::Place(placed)) => Ok(vec![OrderEvent::OrderPlaced(placed)]),
        (None, Command::Import(imported)) => Ok(vec![OrderEvent::OrderImported(imported)]),
        (Some(_), Command::Place(_) | Command::Import(_)) => Err(Refusal::Present),
        (None, _) => Err(Refusal::Absent),
        (Some(order), Command::RecordPayment(status)) => Ok(payment(order, status).into_iter().collect()),
        (Some(order), Command::RecordRefund { refund_id, amount, succeeded }) => {
            Ok(refund(order, Refund { refund_id, amount }, succeeded).into_iter().collect())
        }
        (Some(order), Command::Ship { shipment_id, lines, tracking }) => {
            let lines = ship(order, lines)?;
            Ok(completing(order, Shipped { shipment_id, lines, tracking }))
        }
        (Some(order), Command::Cancel(by)) => cancel(order, by),
    }
}

fn payment(order: &Order, status: PaymentStatus) -> Option<OrderEvent> {
    use PaymentStatus as P;
    match (order.payment_status, status) {
        (P::Authorized | P::Voided | P::Failed, P::Captured | P::PartiallyRefunded | P::Refunded) => {
            Some(OrderEvent::PaymentCaptured)
        }
        (P::Authorized, P::Voided) => Some(OrderEvent::PaymentVoided),
        // A provider takes money back that it had said was taken: a transfer bounced, a debit was returned.
        (P::Authorized | P::Captured | P::PartiallyRefunded | P::Refunded, P::Failed) => {
            Some(OrderEvent::PaymentFailed)
        }
        _ => None,
    }
}

fn refund(order: &Order, refund: Refund, succeeded: bool) -> Option<OrderEvent> {
    match (order.refunds.contains_key(&refund.refund_id), succeeded) {
        (false, true) => Some(OrderEvent::RefundSucceeded(refund)),
        // Providers take a success back: a card was closed, a transfer bounced.
        (true, false) => Some(OrderEvent::RefundFailed(refund)),
        (true, true) | (false, false) => None,
    }
}

fn ship(order: &Order, wanted: Option<Vec<ShipLine>>) -> Result<Vec<ShippedLine>, Refusal> {
    // Money that is only set aside can still fall through.
    let paid = matches!(order.payment_status, PaymentStatus::Captured | PaymentStatus::PartiallyRefunded);
    if !order.is_open() || !paid || order.fulfilment_status == Fulfilment::Fulfilled {
        return Err(Refusal::NotShippable);
    }
    let mut left: Vec<i64> = order.lines.iter().map(|line| line.quantity - line.fulfilled).collect();
    let Some(wanted) = wanted else {
        let rest = left.iter().enumerate().filter(|(_, quantity)| **quantity > 0);
        return Ok(rest.map(|(position, quantity)| ShippedLine { position, quantity: *quantity }).collect());
    };
    let mut lines = Vec::with_capacity(wanted.len());
    for ShipLine { variant_id, quantity } in wanted {
        let position = order
            .lines
            .iter()
            .position(|line| line.variant_id == Some(variant_id))
            .ok_or(Refusal::ShipsTooMuch)?;
        if !(1..=left[position]).contains(&quantity) {
            return Err(Refusal::ShipsTooMuch);
        }
        left[position] -= quantity;
        lines.push(ShippedLine { position, quantity });
    }
    Ok(lines)
}

fn cancel(order: &Order, by: CancelBy) -> Result<Vec<OrderEvent>, Refusal> {
    match (order.status, order.fulfilment_status) {
        (Status::Cancelled, _) => Ok(Vec::new()),
        (Status::Placed, Fulfilment::Unfulfilled) => {
            Ok(vec![OrderEvent::OrderCancelled(Cancelled { reason: by.reason().to_owned() })])
        }
        _ => Err(Refusal::NotCancellable),
    }
}

/// Adds the completion when `shipped` leaves nothing to send.
fn completing(order: &Order, shipped: Shipped) -> Vec<OrderEvent> {
    let shipped = OrderEvent::OrderShipped(shipped);
    let after = evolve(Some(order.clone()), &shipped);
    let all = after.is_some_and(|order| order.fulfilment_status == Fulfilment::Fulfilled);
    if all { vec![shipped, OrderEvent::OrderCompleted] } else { vec![shipped] }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
