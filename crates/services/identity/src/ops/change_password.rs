use kernel::{Secret, SessionId};

use crate::context::{Client, Context};
use crate::error::Error;
use crate::hashing::Against;
use crate::model::account::Subject;
use crate::model::audit::{Action, Outcome, Reason};
use crate::model::password::{Owner, Password};
use crate::store::accounts;
use crate::store::sessions::Which;

use super::complete_recovery::finish;
use super::end_sessions::Ending;
use super::record::Attempt;

impl Context {
    /// Sets a new password for somebody who is signed in and knows the present one, and ends their
    /// other sessions.
    pub(crate) async fn change_password(
        &self,
        (subject, session): (Subject, SessionId),
        current: &Secret<String>,
        new: &Secret<String>,
        client: &Client,
    ) -> Result<(), Error> {
        let attempt = Attempt::on(subject, Action::ChangePassword, client).by("password");
        let account = accounts::by_id(&mut *self.database.read_primary().await?, subject.uuid()).await?;
        let account = account.ok_or(Error::WrongPassword)?;
        self.hold_back(attempt, [self.account_limit(&account.address_index, client).await]).await?;
        let address = self.open_address(subject.uuid(), &account.address).await?;
        let owner = Owner { address: address.as_ref(), name: None };
        let new = self
            .hashed(attempt, self.choose_password(new, owner).await)
            .await?
            .map_err(|weakness| Error::PasswordTooWeak { field: "new_password", weakness })?;
        let Some(stored) = account.password_hash.as_deref() else {
            self.record(attempt, Outcome::Refused, Some(Reason::NoPassword)).await?;
            return Err(Error::WrongPassword);
        };
        let tried = Password::attempt(current);
        let checked = self.hasher.verify(tried, Against::Stored(stored), || ()).await;
        let (verified, ()) = self.hashed(attempt, checked).await?;
        if !verified.matches {
            self.record(attempt, Outcome::Refused, Some(Reason::WrongPassword)).await?;
            return Err(Error::WrongPassword);
        }
        let hash = &self.hashed(attempt, self.hasher.hash(new).await).await?;
        let mut entry = self.entry(attempt, Outcome::Succeeded, None).await?;
        entry.session = Some(session);
        let (entry, mail) = (&entry, &self.password_notice(&account).await?);
        let now = self.now();
        let ending = Ending { which: Which::AllBut(session), reason: "password_changed", now };
        let ended = self
            .database
            .write(|mut tx| async move {
                accounts::set_password(&mut tx, subject.uuid(), Some(hash), now).await?;
                let ended = self.end_sessions(&mut tx, subject, ending).await?;
                finish(&mut tx, entry, mail.as_ref()).await?;
                Ok::<_, Error>(tx.commit(ended).await?)
            })
            .await?;
        self.announce(ended).await;
        Ok(())
    }
}
