use contracts::identity::{EMAIL_CONTEXT, NAME_CONTEXT};
use database::Tx;
use kernel::CustomerId;

use crate::context::{Context, sealed};
use crate::error::Error;
use crate::model::customer::{Customer, Facts};
use crate::model::profile::Profile;
use crate::store::customers::{self, Stored};

impl Context {
    /// The customer, who is made when identity let them in and its event is still on the way.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the erased.
    pub(crate) async fn read_customer(&self, id: CustomerId) -> Result<Customer, Error> {
        let stored = self.stored(id).await?;
        self.open_customer(&stored).await
    }

    /// The same as they are stored.
    pub(crate) async fn stored(&self, id: CustomerId) -> Result<Stored, Error> {
        let found = customers::find(&mut *self.database.read().await?, id).await?;
        match found {
            Some(stored) => living(stored),
            None => {
                self.database
                    .write(|mut tx| async move {
                        let stored = self.touch(&mut tx, id).await?;
                        Ok(tx.commit(stored).await?)
                    })
                    .await
            }
        }
    }

    /// The customer within a transaction, made when there was none.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the erased.
    pub(crate) async fn touch(&self, tx: &mut Tx, id: CustomerId) -> Result<Stored, Error> {
        customers::insert(tx, id, self.now()).await?;
        customers::find(tx, id).await?.map_or(Err(Error::NotFound), living)
    }

    /// A stored customer as they are shown.
    pub(crate) async fn open_customer(&self, stored: &Stored) -> Result<Customer, Error> {
        let email = self.open_text(stored.id, EMAIL_CONTEXT, stored.email.as_deref()).await?;
        let facts = Facts { id: stored.id, email, created_at: stored.created_at, version: stored.version };
        let profile = self.open_profile(stored).await?;
        Ok(Customer::new(facts, profile, &self.config.default_locale))
    }

    /// What a stored customer said about themselves: at sign-up, until they said more.
    pub(crate) async fn open_profile(&self, stored: &Stored) -> Result<Profile, Error> {
        match &stored.profile {
            Some(profile) => {
                let opened = self.vault.open_json(stored.id.uuid(), sealed::PROFILE, profile).await?;
                opened.ok_or(Error::NotFound)
            }
            None => {
                let name = self.open_text(stored.id, NAME_CONTEXT, stored.signup_name.as_deref()).await?;
                Ok(Profile { name, ..Profile::default() })
            }
        }
    }

    pub(crate) async fn open_text(
        &self,
        id: CustomerId,
        context: &'static str,
        sealed: Option<&[u8]>,
    ) -> Result<Option<String>, Error> {
        let Some(sealed) = sealed else { return Ok(None) };
        let opened = self.vault.open_sealed(id.uuid(), context, sealed).await?.ok_or(Error::NotFound)?;
        Ok(Some(String::from_utf8_lossy(&opened).into_owned()))
    }
}

/// Nobody may know of the erased.
fn living(stored: Stored) -> Result<Stored, Error> {
    if stored.erased { Err(Error::NotFound) } else { Ok(stored) }
}
