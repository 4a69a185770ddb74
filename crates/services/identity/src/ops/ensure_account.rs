use contracts::Sealed;
use contracts::identity::{AccountVerified, EMAIL_CONTEXT};
use kernel::{CustomerId, Secret};
use mail::Address;

use crate::context::Context;
use crate::error::Error;
use crate::model::account::Subject;
use crate::model::password::Owner;
use crate::store::accounts::{self, Account};
use crate::store::signups;

impl Context {
    /// Makes sure that a customer can sign in with this address and password; who they are. For
    /// demonstrations and tests: nobody proves anything here.
    pub(crate) async fn ensure_account(
        &self,
        address: &Address,
        password: &Secret<String>,
    ) -> Result<CustomerId, EnsureError> {
        let owner = Owner { address: Some(address), name: None };
        let chosen = self.choose_password(password, owner).await.map_err(Error::from)?;
        let password = chosen.map_err(|weakness| Error::PasswordTooWeak { field: "password", weakness })?;
        let (index, now) = (self.address_index(address), self.now());
        let known =
            accounts::by_address(&mut *self.database.read_primary().await.map_err(Error::from)?, &index)
                .await
                .map_err(Error::from)?;
        let subject = known
            .as_ref()
            .map_or_else(|| Subject::Customer(CustomerId::new(now, &self.rng)), |account| account.subject);
        let Subject::Customer(customer_id) = subject else { return Err(EnsureError::Staff) };
        let hash = &self.hasher.hash(password).await.map_err(Error::from)?;
        let sealed = self.vault.seal(subject.uuid(), EMAIL_CONTEXT, address.as_str().as_bytes()).await;
        let sealed = sealed.map_err(Error::from)?;
        let account = &Account::new(subject, index, sealed.clone(), now);
        let event = &AccountVerified { customer_id, email: Sealed(sealed), name: None };
        let is_new = known.is_none();
        self.database
            .write(|mut tx| async move {
                if is_new {
                    accounts::insert(&mut tx, account).await?;
                }
                accounts::set_password(&mut tx, subject.uuid(), Some(hash), now).await?;
                if accounts::verify(&mut tx, subject.uuid(), now).await? {
                    signups::delete_of_address(&mut tx, &index).await?;
                    tx.emit(event).await?;
                }
                tx.commit(()).await
            })
            .await
            .map_err(|error: database::Error| Error::from(error))?;
        Ok(customer_id)
    }
}

/// Why an account could not be made sure of.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnsureError {
    /// The address belongs to somebody of the staff.
    #[error("the address belongs to a member of the staff")]
    Staff,
    /// Anything else.
    #[error(transparent)]
    Other(#[from] Error),
}
