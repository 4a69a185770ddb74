use std::time::Duration;

use kernel::{Secret, SellerId, StaffId, Timestamp};
use mail::Address;
use serde_json::json;
use web::Role;

use crate::context::Context;
use crate::error::Error;
use crate::model::account::Subject;
use crate::model::audit::Action;
use crate::model::password::Owner;
use crate::store::accounts::{self, Account};
use crate::store::sessions::Which;
use crate::store::{audit, recoveries};

use super::end_sessions::Ending;

/// What somebody of the staff may do from now on, besides what they could before.
#[derive(Clone, Copy)]
pub(crate) struct Appointment<'a> {
    /// What they do for the shop.
    pub(crate) roles: &'a [Role],
    /// The seller that they act for, if they act for one.
    pub(crate) seller: Option<SellerId>,
}

/// Why somebody could not be made staff.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AddStaffError {
    /// One address is one account, and a customer's is not staff.
    #[error("the address belongs to a customer's account; use another one for the staff's")]
    Customer,
    /// The password would not protect them.
    #[error("the password {0}")]
    Password(crate::model::password::Weakness),
    /// Anything else.
    #[error(transparent)]
    Other(#[from] Error),
}

impl From<database::Error> for AddStaffError {
    fn from(error: database::Error) -> Self {
        Self::Other(error.into())
    }
}

impl Context {
    /// Makes somebody staff, or lets one who is do more. Without a password they are sent an
    /// invitation, with whose link they set one.
    pub(crate) async fn add_staff(
        &self,
        address: &Address,
        Appointment { roles, seller }: Appointment<'_>,
        password: Option<&Secret<String>>,
    ) -> Result<StaffId, AddStaffError> {
        let (index, now) = (self.address_index(address), self.now());
        let known = accounts::by_address(&mut *self.database.read_primary().await?, &index).await?;
        let mut account = match known.clone() {
            Some(account) => account,
            None => self.new_staff(address, index, now).await?,
        };
        let Subject::Staff(id) = account.subject else { return Err(AddStaffError::Customer) };
        for role in roles {
            if !account.roles.contains(role) {
                account.roles.push(*role);
            }
        }
        account.seller = seller.or(account.seller);
        let hash = match password {
            Some(password) => {
                let owner = Owner { address: Some(address), name: None };
                let chosen = self.choose_password(password, owner).await.map_err(Error::from)?;
                let chosen = chosen.map_err(AddStaffError::Password)?;
                Some(self.hasher.hash(chosen).await.map_err(Error::from)?)
            }
            None => None,
        };
        let invitation = match (&known, &hash) {
            (None, None) => self.invitation(&account).await?,
            _ => None,
        };
        let entry = self.own_entry(account.subject, Action::AddStaff);
        let (account, is_new) = (&account, known.is_none());
        let (hash, invitation, entry) = (&hash, &invitation, &entry);
        let lifetime = Duration::from_secs(self.config.links.invitation_s);
        let ended = self
            .database
            .write(|mut tx| async move {
                if is_new {
                    accounts::insert(&mut tx, account).await?;
                } else {
                    accounts::set_roles(&mut tx, account).await?;
                }
                if let Some(hash) = hash {
                    accounts::set_password(&mut tx, id.uuid(), Some(hash), now).await?;
                    accounts::verify(&mut tx, id.uuid(), now).await?;
                }
                if let Some((token_hash, mail)) = invitation {
                    recoveries::insert(&mut tx, token_hash, id.uuid(), now, now.plus(lifetime)).await?;
                    tx.schedule(mail).await?;
                }
                audit::append(&mut tx, entry).await?;
                // Tokens say what their holder may do, so those from before are of no use any more.
                let ending = Ending { which: Which::All, reason: "roles_changed", now };
                let ended = self.end_sessions(&mut tx, account.subject, ending).await?;
                Ok::<_, Error>(tx.commit(ended).await?)
            })
            .await?;
        self.announce(ended).await;
        Ok(id)
    }

    async fn new_staff(&self, address: &Address, index: [u8; 32], now: Timestamp) -> Result<Account, Error> {
        let id = StaffId::new(now, &self.rng);
        let context = contracts::identity::EMAIL_CONTEXT;
        let sealed = self.vault.seal(id.uuid(), context, address.as_str().as_bytes()).await?;
        Ok(Account::new(Subject::Staff(id), index, sealed, now))
    }

    async fn invitation(&self, account: &Account) -> Result<Option<([u8; 32], database::Due)>, Error> {
        let values = json!({ "days": self.config.links.invitation_s / 86_400 });
        self.recovery(account, "invitation", values).await
    }
}
