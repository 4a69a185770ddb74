use contracts::Sealed;
use contracts::identity::AccountVerified;
use database::{Due, Tx};
use kernel::Secret;
use serde_json::json;

use crate::context::{Client, Context};
use crate::error::Error;
use crate::model::account::Subject;
use crate::model::audit::{Action, Entry, Outcome, Reason};
use crate::model::password::Owner;
use crate::model::token::LinkToken;
use crate::store::accounts::{self, Account};
use crate::store::sessions::Which;
use crate::store::{audit, recoveries, signups};

use super::end_sessions::{Ended, Ending};
use super::record::Attempt;
use super::refresh::readable;

impl Context {
    /// Sets a new password for whoever holds the mail, and ends all sessions of the account.
    pub(crate) async fn complete_recovery(
        &self,
        token: &str,
        password: &Secret<String>,
        client: &Client,
    ) -> Result<(), Error> {
        let attempt = Attempt::by_nobody(Action::CompleteRecovery, client).by("link");
        self.hold_back(attempt, [self.source_limit(client)]).await?;
        let token_hash = LinkToken::hash(token);
        let Some(account) = self.recovering(&token_hash).await? else {
            self.record(attempt, Outcome::Refused, Some(Reason::BadCode)).await?;
            return Err(Error::CodeInvalid);
        };
        let subject = account.subject;
        let attempt = Attempt::on(subject, Action::CompleteRecovery, client).by("link");
        let address = self.open_address(subject.uuid(), &account.address).await?;
        let owner = Owner { address: address.as_ref(), name: None };
        let chosen = self.choose_password(password, owner).await;
        let password = match self.hashed(attempt, chosen).await? {
            Ok(password) => password,
            Err(weakness) => {
                self.record(attempt, Outcome::Refused, Some(Reason::WeakPassword)).await?;
                return Err(Error::PasswordTooWeak { field: "password", weakness });
            }
        };
        let hash = &self.hashed(attempt, self.hasher.hash(password).await).await?;
        let entry = &self.entry(attempt, Outcome::Succeeded, None).await?;
        let mail = &self.password_notice(&account).await?;
        let account = &account;
        let ended = self
            .database
            .write(|mut tx| async move {
                if !recoveries::delete(&mut tx, &token_hash).await? {
                    return Ok(tx.rollback(None).await?);
                }
                let ended = self.recovered(&mut tx, account, hash).await?;
                finish(&mut tx, entry, mail.as_ref()).await?;
                Ok::<_, Error>(tx.commit(Some(ended)).await?)
            })
            .await?;
        let Some(ended) = ended else { return Err(Error::CodeInvalid) };
        self.announce(ended).await;
        Ok(())
    }

    async fn recovering(&self, token_hash: &[u8; 32]) -> Result<Option<Account>, Error> {
        let mut reader = self.database.read_primary().await?;
        match recoveries::account(&mut reader, token_hash, self.now()).await? {
            Some(account) => Ok(accounts::by_id(&mut reader, account).await?),
            None => Ok(None),
        }
    }

    /// Whoever read the mail has proved the address as well, so nothing that was prepared for it
    /// before may be used any more.
    async fn recovered(&self, tx: &mut Tx, account: &Account, hash: &str) -> Result<Ended, Error> {
        let (subject, now) = (account.subject, self.now());
        recoveries::delete_of_account(tx, subject.uuid()).await?;
        signups::delete_of_address(tx, &account.address_index).await?;
        if accounts::verify(tx, subject.uuid(), now).await?
            && let Subject::Customer(customer_id) = subject
        {
            let email = Sealed(account.address.clone());
            tx.emit(&AccountVerified { customer_id, email, name: None }).await?;
        }
        accounts::set_password(tx, subject.uuid(), Some(hash), now).await?;
        self.end_sessions(tx, subject, Ending { which: Which::All, reason: "recovered", now }).await
    }

    /// The mail that tells a person that their password is another now.
    pub(crate) async fn password_notice(&self, account: &Account) -> Result<Option<Due>, Error> {
        let values = json!({ "at": readable(self.now()) });
        self.notice("password_changed", account.subject.uuid(), &account.address, values).await
    }
}

/// What every change of a password ends with: it is written down, and its person is told.
pub(crate) async fn finish(tx: &mut Tx, entry: &Entry, mail: Option<&Due>) -> Result<(), database::Error> {
    audit::append(tx, entry).await?;
    match mail {
        Some(mail) => tx.schedule(mail).await,
        None => Ok(()),
    }
}
