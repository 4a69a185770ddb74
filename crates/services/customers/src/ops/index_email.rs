use contracts::identity::EMAIL_CONTEXT;
use database::{BoxError, DueItem, Next};
use kernel::CustomerId;
use mail::Address;

use crate::context::Context;
use crate::store::customers;

/// The queue of customers whose mail address has arrived sealed and cannot be looked up yet.
pub(crate) const QUEUE: &str = "customers.index_email";

impl Context {
    /// Makes a customer findable by their mail address. The reaction that took the address could not
    /// open it, for it may await nothing but its database.
    pub(crate) async fn index_email(&self, item: DueItem) -> Result<Next, BoxError> {
        let id: CustomerId = item.key.parse()?;
        let stored = customers::find(&mut *self.database.read_primary().await?, id).await?;
        let Some(sealed) = &stored.and_then(|stored| stored.email) else { return Ok(Next::Done) };
        let opened = self.vault.open_sealed(id.uuid(), EMAIL_CONTEXT, sealed).await?;
        let Some(opened) = opened else { return Ok(Next::Done) };
        let email: Address = String::from_utf8(opened)?.parse()?;
        let index = &self.email_index(&email);
        self.database
            .write(|mut tx| async move {
                customers::set_email_index(&mut tx, id, sealed, index).await?;
                tx.commit(Next::Done).await
            })
            .await
            .map_err(|error: database::Error| error.into())
    }
}
