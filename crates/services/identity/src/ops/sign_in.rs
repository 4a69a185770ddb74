use std::sync::Arc;

use kernel::Secret;
use mail::Address;
use vault::VaultError;

use crate::context::{Client, Context};
use crate::error::Error;
use crate::hashing::Against;
use crate::model::audit::{Action, Outcome, Reason};
use crate::model::password::{Owner, Password};
use crate::model::session::Method;
use crate::store::accounts::{self, Account};
use crate::store::audit;
use crate::tokens::Tokens;

use super::leave_note::Request;
use super::record::Attempt;

/// What became of the one hash that every attempt costs.
enum Checked {
    /// The right password, with its hash made anew when the parameters have changed.
    Right { account: Box<Account>, rehashed: Option<(String, String)> },
    /// Anything else.
    Refused { reason: Reason, password_hash: Option<String> },
}

impl Context {
    /// Begins a session for whoever knows the password.
    ///
    /// Every attempt costs what checking the account's hash costs, and that of an address without one
    /// what checking its neighbour's costs; every refusal leaves one note. So neither the answer nor its
    /// time tells whether the address has an account.
    pub(crate) async fn sign_in(
        &self,
        address: &Address,
        password: &Secret<String>,
        client: &Client,
    ) -> Result<Tokens, Error> {
        let index = self.address_index(address);
        let attempt = Attempt { address_index: Some(index), ..Attempt::by_nobody(Action::SignIn, client) };
        let attempt = attempt.by("password");
        self.hold_back(attempt, [self.account_limit(&index, client).await, self.source_limit(client)])
            .await?;
        match self.check_password(address, &index, password, attempt).await? {
            Checked::Right { account, rehashed } => self.signed_in(&account, rehashed, client).await,
            Checked::Refused { reason, password_hash } => {
                let note = Request::RefusedSignIn { reason, password_hash };
                self.leave_note(address, note, client).await?;
                Err(Error::BadCredentials)
            }
        }
    }

    async fn check_password(
        &self,
        address: &Address,
        index: &[u8; 32],
        password: &Secret<String>,
        attempt: Attempt<'_>,
    ) -> Result<Checked, Error> {
        let mut reader = self.database.read_primary().await?;
        let account = accounts::by_address(&mut reader, index).await?;
        // Looked up in any case, for the time it takes.
        let neighbour = accounts::hash_near(&mut reader, index).await?;
        drop(reader);
        let tried = Password::attempt(password);
        // Found out in any case, for the time it takes, which is why it is not the whole of what a new
        // password is held against.
        let (policy, text) = (Arc::clone(&self.passwords), password.clone());
        let words = policy.words(Owner { address: Some(address), name: None });
        let is_permitted = move || policy.permits(&text, &words);
        let verified = account.as_ref().is_some_and(|account| account.verified_at.is_some());
        let stored = account.as_ref().and_then(|account| account.password_hash.clone());
        let (Some(account), true, Some(stored)) = (account, verified, stored) else {
            // Nothing to check against. The work is done all the same: for the time it takes, which is
            // that of another account, and because somebody who did not prove their address yet may have
            // just this password.
            let decoy = Against::Decoy(neighbour.as_deref());
            let checked = self.hasher.verify(tried, decoy, is_permitted).await;
            let (result, permitted) = self.hashed(attempt, checked).await?;
            let (reason, kept) = if verified {
                (Reason::NoPassword, None)
            } else {
                (Reason::UnknownAddress, result.renewed.filter(|_| permitted))
            };
            return Ok(Checked::Refused { reason, password_hash: kept });
        };
        let checked = self.hasher.verify(tried, Against::Stored(&stored), is_permitted).await;
        let (result, _) = self.hashed(attempt, checked).await?;
        if !result.matches {
            return Ok(Checked::Refused { reason: Reason::WrongPassword, password_hash: None });
        }
        let rehashed = result.renewed.map(|new| (stored, new));
        Ok(Checked::Right { account: Box::new(account), rehashed })
    }

    async fn signed_in(
        &self,
        account: &Account,
        rehashed: Option<(String, String)>,
        client: &Client,
    ) -> Result<Tokens, Error> {
        let (subject, rehashed) = (account.subject, &rehashed);
        let expected = rehashed.as_ref().map(|(_, new)| new).or(account.password_hash.as_ref());
        let session = match self.new_session(subject, Method::Password, client).await {
            // They were erased, and the account is about to go.
            Err(Error::Vault(VaultError::Erased)) => return Err(Error::BadCredentials),
            session => &session?,
        };
        let attempt = Attempt::on(subject, Action::SignIn, client).by("password");
        let mut entry = self.entry(attempt, Outcome::Succeeded, None).await?;
        entry.session = Some(session.id);
        let entry = &entry;
        let ended = self
            .database
            .write(|mut tx| async move {
                if let Some((old, new)) = rehashed {
                    accounts::rehash(&mut tx, subject.uuid(), old, new).await?;
                }
                // The password may have been changed, or the person erased, while it was checked.
                let now = accounts::by_id(&mut tx, subject.uuid()).await?;
                if now.and_then(|account| account.password_hash).as_ref() != expected {
                    return Ok(tx.rollback(None).await?);
                }
                let ended = self.open_session(&mut tx, subject, session).await?;
                audit::append(&mut tx, entry).await?;
                Ok::<_, Error>(tx.commit(Some(ended)).await?)
            })
            .await?;
        let Some(ended) = ended else { return Err(Error::BadCredentials) };
        self.announce(ended).await;
        self.remember_source(&account.address_index, client).await;
        self.issuer.issue(account, session).await
    }
}
