use kernel::{AddressId, CustomerId};
use web::IfMatch;

use crate::context::Context;
use crate::error::Error;
use crate::store::addresses;

impl Context {
    /// Takes an address out of the customer's book, whatever its version unless one is named.
    ///
    /// # Errors
    /// [`Error::AddressNotFound`], [`Error::Stale`].
    pub(crate) async fn delete_address(
        &self,
        customer: CustomerId,
        id: AddressId,
        if_match: Option<IfMatch>,
    ) -> Result<(), Error> {
        self.database
            .write(|mut tx| async move {
                let stored = addresses::find(&mut tx, customer, id).await?.ok_or(Error::AddressNotFound)?;
                if let Some(if_match) = if_match {
                    if_match.check(stored.version)?;
                }
                addresses::delete(&mut tx, customer, id).await?;
                Ok(tx.commit(()).await?)
            })
            .await
    }
}
