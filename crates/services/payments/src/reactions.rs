//! What this service does about the events of others.

use bus::{React, ReactError};
use contracts::customers::CustomerErased;
use contracts::{Envelope, Event as _};
use database::Tx;
use futures_util::future::BoxFuture;

use crate::store;

/// When a person is erased, their payments stay, for the books, with nothing but an id that leads
/// nowhere: the card, the words of refunds and the notifications as they came are emptied.
pub(crate) struct EraseCustomer;

impl React for EraseCustomer {
    fn consumer(&self) -> &'static str {
        "payments.erase_customer"
    }

    fn types(&self) -> &'static [&'static str] {
        &[CustomerErased::TYPE]
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, event: &'a Envelope) -> BoxFuture<'a, Result<(), ReactError>> {
        Box::pin(async move {
            let Some(erased) = event.read::<CustomerErased>()? else { return Ok(()) };
            store::payments::erase_cards(tx, erased.customer_id).await?;
            store::refunds::erase_reasons(tx, erased.customer_id).await?;
            store::webhooks::erase_bodies(tx, erased.customer_id).await?;
            Ok(())
        })
    }
}
