use contracts::customers::Contact;
use kernel::CustomerId;

use crate::context::Context;
use crate::error::Error;
use crate::store::customers;

impl Context {
    /// How to write to a customer.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, they were erased, or their address is not here yet.
    pub(crate) async fn contact(&self, id: CustomerId) -> Result<Contact, Error> {
        let stored = customers::find(&mut *self.database.read().await?, id).await?;
        let stored = stored.ok_or(Error::NotFound)?;
        let customer = self.open_customer(&stored).await?;
        let email = customer.email.ok_or(Error::NotFound)?;
        Ok(Contact { email, name: customer.name, locale: customer.locale })
    }
}
