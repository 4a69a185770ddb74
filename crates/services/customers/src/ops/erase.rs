use contracts::customers::CustomerErased;
use database::{BoxError, Due, DueItem, Next, idempotency};
use kernel::CustomerId;
use serde_json::Value;
use web::Customer;

use super::index_email;
use crate::context::Context;
use crate::error::Error;
use crate::store::{addresses, consents, customers};

/// The queue of people whose keys are to be destroyed.
pub(crate) const QUEUE: &str = "customers.erasure";

impl Context {
    /// Erases a person: what is here goes at once, the event that tells every other service and the
    /// work that destroys their key are written in the same transaction.
    ///
    /// # Errors
    /// [`Error::RecentAuthenticationRequired`] when they signed in too long ago; [`Error::NotFound`]
    /// when they were erased before.
    pub(crate) async fn erase(&self, customer: &Customer) -> Result<(), Error> {
        let (now, within) = (self.now(), self.config.recent_authentication());
        if now.since(customer.authenticated_at) > within {
            return Err(Error::RecentAuthenticationRequired { within });
        }
        let id = customer.id;
        let due = &Due { queue: QUEUE, key: id.to_string(), payload: Value::Null, at: now };
        self.database
            .write(|mut tx| async move {
                customers::insert(&mut tx, id, now).await?;
                if !customers::erase(&mut tx, id, now).await? {
                    return Err(Error::NotFound);
                }
                addresses::delete_all(&mut tx, id).await?;
                consents::delete_all(&mut tx, id).await?;
                // Answers that are kept for repetitions hold addresses.
                idempotency::forget(&mut tx, &due.key).await?;
                tx.unschedule(index_email::QUEUE, &due.key).await?;
                tx.emit(&CustomerErased { customer_id: id }).await?;
                tx.schedule(due).await?;
                Ok(tx.commit(()).await?)
            })
            .await
    }

    /// Destroys the key of an erased person. By now the event is durable, so no service can be left
    /// not knowing; doing it again changes nothing.
    pub(crate) async fn destroy_key(&self, item: DueItem) -> Result<Next, BoxError> {
        let id: CustomerId = item.key.parse()?;
        self.vault.destroy(id.uuid()).await?;
        Ok(Next::Done)
    }
}
