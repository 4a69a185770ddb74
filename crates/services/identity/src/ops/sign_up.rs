use kernel::Secret;
use mail::Address;

use crate::context::{Client, Context};
use crate::error::Error;
use crate::model::audit::Action;
use crate::model::password::Owner;

use super::leave_note::Request;
use super::record::Attempt;

impl Context {
    /// Takes down that somebody wants an account. The password is hashed in any case.
    pub(crate) async fn sign_up(
        &self,
        address: &Address,
        password: &Secret<String>,
        name: Option<String>,
        client: &Client,
    ) -> Result<(), Error> {
        let attempt = Attempt::by_nobody(Action::SignUp, client).by("password");
        self.hold_back(attempt, [self.mail_limit(client)]).await?;
        let owner = Owner { address: Some(address), name: name.as_deref() };
        let password = self
            .hashed(attempt, self.choose_password(password, owner).await)
            .await?
            .map_err(|weakness| Error::PasswordTooWeak { field: "password", weakness })?;
        let password_hash = self.hashed(attempt, self.hasher.hash(password).await).await?;
        self.leave_note(address, Request::SignUp { name, password_hash }, client).await
    }

    /// Takes down that somebody wants the verification mail again.
    pub(crate) async fn resend(&self, address: &Address, client: &Client) -> Result<(), Error> {
        self.hold_back(Attempt::by_nobody(Action::Resend, client), [self.mail_limit(client)]).await?;
        self.leave_note(address, Request::Resend, client).await
    }

    /// Takes down that somebody forgot their password.
    pub(crate) async fn recover(&self, address: &Address, client: &Client) -> Result<(), Error> {
        self.hold_back(Attempt::by_nobody(Action::Recover, client), [self.mail_limit(client)]).await?;
        self.leave_note(address, Request::Recover, client).await
    }
}
