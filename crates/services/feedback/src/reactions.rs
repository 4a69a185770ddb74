//! What this service does about the events of others.

use std::time::Duration;

use bus::{React, ReactError};
use contracts::customers::CustomerErased;
use contracts::orders::OrderPlaced;
use contracts::{Envelope, Event as _};
use database::{Tx, idempotency};
use futures_util::future::BoxFuture;

use crate::store::{self, purchases::Purchase};

/// Notes which orders may be asked about: those of customers, placed here, not too long ago.
pub(crate) struct NotePurchases {
    /// For how long after it was placed an order may be asked about.
    pub(crate) answer_within: Duration,
}

/// Takes the name and the words of somebody who was erased from their answers.
pub(crate) struct Forget;

impl React for NotePurchases {
    fn consumer(&self) -> &'static str {
        "feedback.note_purchases"
    }

    fn types(&self) -> &'static [&'static str] {
        &[OrderPlaced::TYPE]
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, event: &'a Envelope) -> BoxFuture<'a, Result<(), ReactError>> {
        Box::pin(async move {
            let Some(OrderPlaced {
                order_id, placed_at, customer_id: Some(customer), imported: false, ..
            }) = event.read()?
            else {
                return Ok(());
            };
            let purchase = Purchase { order_id, placed_at, expires_at: placed_at.plus(self.answer_within) };
            if purchase.expires_at > tx.database().clock().now() {
                store::purchases::insert(tx, customer, &purchase).await?;
            }
            Ok(())
        })
    }
}

impl React for Forget {
    fn consumer(&self) -> &'static str {
        "feedback.forget"
    }

    fn types(&self) -> &'static [&'static str] {
        &[CustomerErased::TYPE]
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, event: &'a Envelope) -> BoxFuture<'a, Result<(), ReactError>> {
        Box::pin(async move {
            if let Some(CustomerErased { customer_id }) = event.read()? {
                store::purchases::forget(tx, customer_id).await?;
                store::answers::forget(tx, customer_id).await?;
                // That a key of theirs was kept tells who gave the answer.
                idempotency::forget(tx, &customer_id.to_string()).await?;
            }
            Ok(())
        })
    }
}
