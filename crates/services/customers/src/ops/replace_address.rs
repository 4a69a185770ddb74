use contracts::customers::Address;
use kernel::{AddressId, CustomerId};
use web::IfMatch;

use super::read_addresses::saved;
use crate::context::Context;
use crate::error::Error;
use crate::model::address::SavedAddress;
use crate::store::addresses::{self, StoredAddress};

/// What takes the place of an address.
pub(crate) struct Replacement {
    pub(crate) address: Address,
    /// Whether it is the one to suggest; when nothing is said, that stays as it is.
    pub(crate) default: Option<bool>,
}

impl Context {
    /// Replaces an address of the customer's book, if it is at the version that this is for.
    ///
    /// # Errors
    /// [`Error::AddressNotFound`], [`Error::Stale`].
    pub(crate) async fn replace_address(
        &self,
        customer: CustomerId,
        id: AddressId,
        if_match: IfMatch,
        replacement: Replacement,
    ) -> Result<SavedAddress, Error> {
        let sealed = &self.seal_address(customer, &replacement.address).await?;
        let (now, default) = (self.now(), replacement.default);
        let stored = self
            .database
            .write(|mut tx| async move {
                let before = addresses::find(&mut tx, customer, id).await?.ok_or(Error::AddressNotFound)?;
                if_match.check(before.version)?;
                let stored = StoredAddress {
                    address: sealed.clone(),
                    is_default: default.unwrap_or(before.is_default),
                    version: before.version + 1,
                    ..before
                };
                if stored.is_default {
                    addresses::clear_default(&mut tx, customer, id, now).await?;
                }
                addresses::update(&mut tx, customer, &stored, now).await?;
                Ok::<_, Error>(tx.commit(stored).await?)
            })
            .await?;
        Ok(saved(&stored, replacement.address))
    }
}
