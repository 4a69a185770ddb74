use bus::{React, ReactError};
use contracts::Envelope;
use contracts::Event as _;
use contracts::identity::AccountVerified;
use database::{Due, Tx};
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::ops::index_email;
use crate::store::customers;

/// Whoever proved that a mail address is theirs is a customer.
pub(crate) struct Welcome;

impl React for Welcome {
    fn consumer(&self) -> &'static str {
        "customers.welcome"
    }

    fn types(&self) -> &'static [&'static str] {
        &[AccountVerified::TYPE]
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, event: &'a Envelope) -> BoxFuture<'a, Result<(), ReactError>> {
        Box::pin(async move {
            let Some(account) = event.read::<AccountVerified>()? else { return Ok(()) };
            if customers::verified(tx, &account, event.time).await? {
                let key = account.customer_id.to_string();
                let at = event.time;
                tx.schedule(&Due { queue: index_email::QUEUE, key, payload: Value::Null, at }).await?;
            }
            Ok(())
        })
    }
}
