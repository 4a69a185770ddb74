use std::collections::BTreeMap;

use contracts::payments::PaymentStatus;

use super::{Fulfilment, Imported, Order, OrderEvent, Placed, ShippedLine, Status};

/// The order after `event`. An event that can only follow a beginning is nothing without one.
pub(crate) fn evolve(order: Option<Order>, event: &OrderEvent) -> Option<Order> {
    match event {
        OrderEvent::OrderPlaced(placed) => Some(from_placed(placed)),
        OrderEvent::OrderImported(imported) => Some(from_imported(imported)),
        event => order.map(|order| next(order, event)),
    }
}

/// The order that `events` made, none when they do not begin with a beginning.
pub(crate) fn replay<'a>(events: impl IntoIterator<Item = &'a OrderEvent>) -> Option<Order> {
    events.into_iter().fold(None, evolve)
}

fn from_placed(placed: &Placed) -> Order {
    Order {
        id: placed.order_id,
        number: placed.number.clone(),
        customer_id: placed.customer_id,
        checkout_id: Some(placed.checkout_id),
        payment_id: Some(placed.payment_id),
        status: Status::Placed,
        payment_status: PaymentStatus::Authorized,
        fulfilment_status: Fulfilment::Unfulfilled,
        lines: placed.lines.clone(),
        totals: placed.totals,
        refunds: BTreeMap::new(),
        placed_at: placed.placed_at,
        version: 1,
    }
}

fn from_imported(imported: &Imported) -> Order {
    Order {
        id: imported.order_id,
        number: imported.number.clone(),
        customer_id: imported.customer_id,
        checkout_id: None,
        payment_id: None,
        status: imported.status,
        payment_status: imported.payment_status,
        fulfilment_status: imported.fulfilment_status,
        lines: imported.lines.clone(),
        totals: imported.totals,
        refunds: BTreeMap::new(),
        placed_at: imported.placed_at,
        version: 1,
    }
}

fn next(mut order: Order, event: &OrderEvent) -> Order {
    order.version += 1;
    match event {
        OrderEvent::OrderPlaced(_) | OrderEvent::OrderImported(_) => {}
        OrderEvent::PaymentCaptured => order.payment_status = PaymentStatus::Captured,
        OrderEvent::PaymentVoided => order.payment_status = PaymentStatus::Voided,
        OrderEvent::PaymentFailed => order.payment_status = PaymentStatus::Failed,
        OrderEvent::RefundSucceeded(refund) => {
            order.refunds.insert(refund.refund_id, refund.amount);
            order.payment_status = refunded_status(&order);
        }
        OrderEvent::RefundFailed(refund) => {
            order.refunds.remove(&refund.refund_id);
            order.payment_status = refunded_status(&order);
        }
        OrderEvent::OrderShipped(shipped) => fulfil(&mut order, &shipped.lines),
        OrderEvent::OrderCompleted => order.status = Status::Completed,
        OrderEvent::OrderCancelled(_) => order.status = Status::Cancelled,
    }
    order
}

fn refunded_status(order: &Order) -> PaymentStatus {
    match order.refunded() {
        // What was taken back by the provider does not come back because a refund of it failed.
        _ if order.payment_status == PaymentStatus::Failed => PaymentStatus::Failed,
        0 => PaymentStatus::Captured,
        amount if amount < order.totals.total.amount => PaymentStatus::PartiallyRefunded,
        _ => PaymentStatus::Refunded,
    }
}

fn fulfil(order: &mut Order, shipped: &[ShippedLine]) {
    for sent in shipped {
        if let Some(line) = order.lines.get_mut(sent.position) {
            line.fulfilled = line.fulfilled.saturating_add(sent.quantity).min(line.quantity);
        }
    }
    let all = order.lines.iter().all(|line| line.fulfilled >= line.quantity);
    let some = order.lines.iter().any(|line| line.fulfilled > 0);
    order.fulfilment_status = match (all, some) {
        (true, _) => Fulfilment::Fulfilled,
        (false, true) => Fulfilment::PartiallyFulfilled,
        (false, false) => Fulfilment::Unfulfilled,
    };
}
