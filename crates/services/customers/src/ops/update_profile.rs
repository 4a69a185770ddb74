use kernel::CustomerId;
use web::{IfMatch, StaleVersion};

use crate::context::{Context, sealed};
use crate::error::Error;
use crate::model::customer::Customer;
use crate::model::profile::ProfilePatch;
use crate::store::customers::{self, Stored};

/// How often it starts over because the mail address arrived meanwhile.
const ATTEMPTS: usize = 3;

impl Context {
    /// Merges `patch` into the customer's profile, if the profile is as it was at the version that the
    /// patch is for.
    ///
    /// # Errors
    /// [`Error::Stale`] when it was written since; [`Error::TooManyPreferences`].
    pub(crate) async fn update_profile(
        &self,
        id: CustomerId,
        if_match: IfMatch,
        patch: &ProfilePatch,
    ) -> Result<Customer, Error> {
        let mut current = 0;
        for _ in 0..ATTEMPTS {
            let stored = &self.stored_on_primary(id).await?;
            check(if_match, stored)?;
            let profile = self.open_profile(stored).await?.patched(patch.clone())?;
            let sealed = &self.vault.seal_json(id.uuid(), sealed::PROFILE, &profile).await?;
            let now = self.now();
            let written = self
                .database
                .write(|mut tx| async move {
                    let written = customers::update_profile(&mut tx, id, stored.version, sealed, now).await?;
                    tx.commit(written).await
                })
                .await
                .map_err(|error: database::Error| Error::from(error))?;
            current = stored.version + 1;
            if written {
                let version = current;
                let stored = Stored { version, profile: Some(sealed.clone()), ..stored.clone() };
                return self.open_customer(&stored).await;
            }
        }
        Err(StaleVersion { current }.into())
    }

    async fn stored_on_primary(&self, id: CustomerId) -> Result<Stored, Error> {
        let stored = customers::find(&mut *self.database.read_primary().await?, id).await?;
        match stored {
            Some(stored) if !stored.erased => Ok(stored),
            _ => self.stored(id).await,
        }
    }
}

/// A patch is for the profile. What else changes, such as the arrival of the mail address a moment
/// after somebody became a customer, raises the version too, but is nothing that a patch could undo.
fn check(if_match: IfMatch, stored: &Stored) -> Result<(), StaleVersion> {
    if (stored.profile_version..=stored.version).contains(&if_match.0) {
        return Ok(());
    }
    Err(StaleVersion { current: stored.version })
}
