use database::Tx;
use kernel::{AddressId, CustomerId};

use crate::context::Context;
use crate::error::Error;
use crate::model::address::MAX_ADDRESSES;
use crate::store::addresses::{self, StoredAddress};

/// An address for a customer's book, sealed before the transaction begins.
pub(crate) struct NewAddress {
    pub(crate) customer: CustomerId,
    pub(crate) sealed: Vec<u8>,
    /// Whether it is the one to suggest; when nothing is said, the first one is.
    pub(crate) default: Option<bool>,
}

impl Context {
    /// Adds an address to the customer's book.
    ///
    /// # Errors
    /// [`Error::TooManyAddresses`] when the book is full; [`Error::NotFound`] for the erased.
    pub(crate) async fn add_address(&self, tx: &mut Tx, new: &NewAddress) -> Result<StoredAddress, Error> {
        let now = self.now();
        self.touch(tx, new.customer).await?;
        let count = addresses::count(tx, new.customer).await?;
        if count >= MAX_ADDRESSES {
            return Err(Error::TooManyAddresses);
        }
        let stored = StoredAddress {
            id: AddressId::new(now, &self.rng),
            address: new.sealed.clone(),
            is_default: new.default.unwrap_or(count == 0),
            version: 1,
            created_at: now,
        };
        if stored.is_default {
            addresses::clear_default(tx, new.customer, stored.id, now).await?;
        }
        addresses::insert(tx, new.customer, &stored).await?;
        Ok(stored)
    }
}
