use contracts::customers::Address;
use kernel::{AddressId, CustomerId};
use vault::Sealed;

use crate::context::{Context, sealed};
use crate::error::Error;
use crate::model::address::{MAX_ADDRESSES, SavedAddress};
use crate::store::addresses::{self, StoredAddress};

impl Context {
    /// One of the customer's addresses.
    ///
    /// # Errors
    /// [`Error::AddressNotFound`] when their book has none of this id.
    pub(crate) async fn read_address(
        &self,
        customer: CustomerId,
        id: AddressId,
    ) -> Result<SavedAddress, Error> {
        let stored = addresses::find(&mut *self.database.read().await?, customer, id).await?;
        let stored = stored.ok_or(Error::AddressNotFound)?;
        self.open_addresses(customer, vec![stored]).await?.pop().ok_or(Error::AddressNotFound)
    }

    /// The customer's whole book.
    pub(crate) async fn read_address_book(&self, customer: CustomerId) -> Result<Vec<SavedAddress>, Error> {
        // An import may bring some on top of what people may add themselves.
        let limit = 2 * i64::try_from(MAX_ADDRESSES).unwrap_or(i64::MAX / 2);
        let stored = addresses::list(&mut *self.database.read().await?, customer, None, limit).await?;
        self.open_addresses(customer, stored).await
    }

    /// Stored addresses of the customer as they are shown.
    pub(crate) async fn open_addresses(
        &self,
        customer: CustomerId,
        stored: Vec<StoredAddress>,
    ) -> Result<Vec<SavedAddress>, Error> {
        let person = customer.uuid();
        let sealed: Vec<Sealed<'_>> = stored
            .iter()
            .map(|stored| Sealed { person, context: sealed::ADDRESS, sealed: &stored.address })
            .collect();
        let opened = self.vault.open_many(&sealed).await?;
        stored
            .iter()
            .zip(opened)
            .map(|(stored, opened)| {
                let address = serde_json::from_slice(&opened.ok_or(Error::NotFound)?)?;
                Ok(saved(stored, address))
            })
            .collect()
    }

    /// Seals an address for the customer's book.
    pub(crate) async fn seal_address(
        &self,
        customer: CustomerId,
        address: &Address,
    ) -> Result<Vec<u8>, Error> {
        Ok(self.vault.seal_json(customer.uuid(), sealed::ADDRESS, address).await?)
    }
}

/// An address of a book as it is shown.
pub(crate) fn saved(stored: &StoredAddress, address: Address) -> SavedAddress {
    let Address { name, line1, line2, city, region, postal_code, country } = address;
    SavedAddress {
        id: stored.id,
        name,
        line1,
        line2,
        city,
        region,
        postal_code,
        country,
        default: stored.is_default,
        created_at: stored.created_at,
        version: stored.version,
    }
}
