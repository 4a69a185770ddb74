use contracts::payments::{PaymentChanged, RefundChanged};
use database::Tx;
use kernel::Timestamp;

use super::books;
use crate::error::Error;
use crate::model::decline::{self, decline};
use crate::model::refund::RefundStep;
use crate::model::{Ended, Payment, Posting, Refund, RefundStatus, Step};
use crate::store;

/// Writes what a payment, locked in this transaction, has become: its row, the books, how its call
/// ended, and the event. Returns it as it is now; nothing is written when nothing changed.
pub(super) async fn payment(
    tx: &mut Tx,
    before: &Payment,
    step: Step,
    ended: Ended,
    now: Timestamp,
) -> Result<Payment, Error> {
    let Step { mut next, postings, .. } = step;
    if next == *before {
        return Ok(next);
    }
    next.version = before.version + 1;
    next.updated_at = now;
    if postings.iter().any(|posting| matches!(posting, Posting::TakeBack(_))) {
        fail_open_refunds(tx, before, now).await?;
    }
    books::post(tx, &next, &postings, now).await?;
    store::payments::update(tx, &next).await?;
    if let Some(asked) =
        before.asked.filter(|asked| next.asked.is_none_or(|now| now.attempt != asked.attempt))
    {
        store::attempts::end(tx, asked.attempt, ended, now).await?;
    }
    if next.view() != before.view() {
        tx.emit(&PaymentChanged { order_id: next.order_id, payment: next.view() }).await?;
    }
    Ok(next)
}

/// Writes what a refund has become, and what that makes of its payment, which is locked in this
/// transaction. Returns both as they are now.
pub(super) async fn refund(
    tx: &mut Tx,
    payment_before: &Payment,
    before: &Refund,
    step: RefundStep,
    ended: Ended,
    now: Timestamp,
) -> Result<(Payment, Refund), Error> {
    let refund = write_refund(tx, payment_before, before, &step, ended, now).await?;
    let amount = refund.amount.amount;
    let change = match (before.status, refund.status) {
        (RefundStatus::Succeeded, RefundStatus::Failed) => -amount,
        (was, RefundStatus::Succeeded) if was != RefundStatus::Succeeded => amount,
        _ => return Ok((payment_before.clone(), refund)),
    };
    let next = payment_before.refunded(change);
    let step = Step { next, postings: Vec::new(), observed: step.observed };
    Ok((payment(tx, payment_before, step, Ended::Done, now).await?, refund))
}

async fn write_refund(
    tx: &mut Tx,
    payment: &Payment,
    before: &Refund,
    step: &RefundStep,
    ended: Ended,
    now: Timestamp,
) -> Result<Refund, Error> {
    if step.next == *before {
        return Ok(before.clone());
    }
    let next = Refund { version: before.version + 1, updated_at: now, ..step.next.clone() };
    if let Some(posting) = step.posting {
        books::post_refund(tx, payment, &next, posting, now).await?;
    }
    store::refunds::update(tx, &next).await?;
    if let Some(attempt) = before.attempt.filter(|_| next.attempt.is_none()) {
        store::attempts::end(tx, attempt, ended, now).await?;
    }
    if next.status != before.status && !next.status.is_open() {
        let changed = RefundChanged {
            order_id: payment.order_id,
            payment_id: payment.id,
            refund_id: next.id,
            amount: next.amount,
            status: next.status.as_str().to_owned(),
        };
        tx.emit(&changed).await?;
    }
    Ok(next)
}

/// What was not taken cannot be given back: the refunds that are under way have failed.
async fn fail_open_refunds(tx: &mut Tx, payment: &Payment, now: Timestamp) -> Result<(), Error> {
    for before in store::refunds::open(tx, payment.id).await? {
        let step = before.refused(&decline(decline::CAPTURE_FAILED, None));
        write_refund(tx, payment, &before, &step, Ended::Refused, now).await?;
    }
    Ok(())
}
