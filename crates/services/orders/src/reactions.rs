//! What this service does about the events of others.

use bus::{React, ReactError};
use contracts::Envelope;
use contracts::Event as _;
use contracts::customers::CustomerErased;
use contracts::payments::{PaymentChanged, RefundChanged};
use database::Tx;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::error::Error;
use crate::model::checkout::Plan;
use crate::model::order::{Actor, Command, Reader};
use crate::ops::advance_checkout::advance_checkout;
use crate::ops::change_order::change_order;
use crate::ops::erase_customer::erase_customer;
use crate::store::{checkouts, orders};

/// Hears of payments: the order takes note, and the checkout that waits is woken.
pub(crate) struct HearPayments;

/// Forgets people who were erased.
pub(crate) struct ForgetCustomers;

impl React for HearPayments {
    fn consumer(&self) -> &'static str {
        "orders.hear_payments"
    }

    fn types(&self) -> &'static [&'static str] {
        &[PaymentChanged::TYPE, RefundChanged::TYPE]
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, event: &'a Envelope) -> BoxFuture<'a, Result<(), ReactError>> {
        async move {
            if let Some(changed) = event.read::<PaymentChanged>()? {
                payment_changed(tx, &changed).await?;
            }
            if let Some(changed) = event.read::<RefundChanged>()? {
                refund_changed(tx, &changed).await?;
            }
            Ok(())
        }
        .boxed()
    }
}

impl React for ForgetCustomers {
    fn consumer(&self) -> &'static str {
        "orders.forget_customers"
    }

    fn types(&self) -> &'static [&'static str] {
        &[CustomerErased::TYPE]
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, event: &'a Envelope) -> BoxFuture<'a, Result<(), ReactError>> {
        async move {
            if let Some(erased) = event.read::<CustomerErased>()? {
                erase_customer(tx, erased.customer_id).await?;
            }
            Ok(())
        }
        .boxed()
    }
}

async fn payment_changed(tx: &mut Tx, changed: &PaymentChanged) -> Result<(), Error> {
    let status = changed.payment.status;
    let order = orders::find(tx, changed.order_id, Reader::Shop).await?;
    if order.is_some_and(|order| order.payment_id == Some(changed.payment.payment_id)) {
        change_order(tx, changed.order_id, Command::RecordPayment(status), Actor::Payments).await?;
    }
    let Some(checkout) = checkouts::of_order(tx, changed.order_id).await? else { return Ok(()) };
    if checkout.payment_id != changed.payment.payment_id {
        return Ok(());
    }
    let now = tx.database().clock().now();
    let saga = checkout.saga.payment_heard(status);
    // Whoever drives has maybe just been told of an earlier status. Moving the checkout on by a version
    // makes them ask again, so what was heard is not lost.
    if saga.plan(now) != Plan::Ended {
        advance_checkout(tx, &checkout, saga, now).await?.ok_or(database::Error::Conflict)?;
    }
    Ok(())
}

async fn refund_changed(tx: &mut Tx, changed: &RefundChanged) -> Result<(), Error> {
    let order = orders::find(tx, changed.order_id, Reader::Shop).await?;
    if order.is_none_or(|order| order.payment_id != Some(changed.payment_id)) {
        return Ok(());
    }
    let succeeded = match changed.status.as_str() {
        "succeeded" => true,
        "failed" => false,
        _ => return Ok(()),
    };
    let command = Command::RecordRefund { refund_id: changed.refund_id, amount: changed.amount, succeeded };
    change_order(tx, changed.order_id, command, Actor::Payments).await?;
    let Some(checkout) = checkouts::of_order(tx, changed.order_id).await? else { return Ok(()) };
    let saga = checkout.saga.refund_failed();
    if !succeeded && checkout.refund_id == changed.refund_id && saga != checkout.saga {
        let now = tx.database().clock().now();
        advance_checkout(tx, &checkout, saga, now).await?.ok_or(database::Error::Conflict)?;
    }
    Ok(())
}
