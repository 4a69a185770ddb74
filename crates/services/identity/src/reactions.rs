use bus::{React, ReactError};
use contracts::customers::CustomerErased;
use contracts::{Envelope, Event as _};
use database::Tx;
use futures_util::future::BoxFuture;

use crate::context::Context;

/// Forgets whom customers has erased.
pub(crate) struct ForgetErased(pub(crate) Context);

impl React for ForgetErased {
    fn consumer(&self) -> &'static str {
        "identity.forget_erased"
    }

    fn types(&self) -> &'static [&'static str] {
        &[CustomerErased::TYPE]
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, event: &'a Envelope) -> BoxFuture<'a, Result<(), ReactError>> {
        Box::pin(async move {
            if let Some(erased) = event.read::<CustomerErased>()? {
                self.0.forget(tx, erased.customer_id).await?;
            }
            Ok(())
        })
    }
}
