use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use database::{Away, BoxError, Due, DueItem, Next};
use kernel::AnyId;
use mail::{Address, Message};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::context::Context;
use crate::error::Error;

/// The queue of mails that are to be sent.
pub(crate) const QUEUE: &str = "identity.mail";

/// The vault context under which waiting mails are sealed: they hold links that sign people in.
const CONTEXT: &str = "identity.mail";

/// A mail that is to be sent; one of `templates/`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Mail {
    pub(crate) template: String,
    pub(crate) to: Address,
    /// What the template names.
    pub(crate) values: serde_json::Value,
}

/// What lies in the queue.
#[derive(Serialize, Deserialize)]
struct Waiting {
    /// Under whose key it is sealed. When they are erased it is not sent any more.
    person: Uuid,
    sealed: String,
}

impl Mail {
    pub(crate) fn new(template: &str, to: Address, values: serde_json::Value) -> Self {
        Self { template: template.to_owned(), to, values }
    }
}

impl Context {
    /// The mail as due work, to be scheduled in the transaction that makes it true. To be made
    /// before that transaction.
    pub(crate) async fn mail(&self, person: Uuid, mail: &Mail) -> Result<Due, Error> {
        let now = self.now();
        let sealed = STANDARD.encode(self.vault.seal_json(person, CONTEXT, mail).await?);
        let key = AnyId { prefix: "mail", uuid: self.rng.uuid_v7(now) }.to_string();
        Ok(Due { queue: QUEUE, key, payload: serde_json::to_value(Waiting { person, sealed })?, at: now })
    }

    /// The address of one of our pages with a token that only the browser sees.
    pub(crate) fn link(&self, path: &str, token: &str) -> String {
        format!("{}{path}#token={token}", self.public_url)
    }

    /// The address of one of our pages.
    pub(crate) fn page(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }

    /// The mail that tells a person of a change to their account, with how to take it back.
    pub(crate) async fn notice(
        &self,
        template: &str,
        person: Uuid,
        sealed_address: &[u8],
        mut values: serde_json::Value,
    ) -> Result<Option<Due>, Error> {
        let Some(to) = self.open_address(person, sealed_address).await? else { return Ok(None) };
        values["recover_url"] = json!(self.page(&self.config.links.recover_path));
        Ok(Some(self.mail(person, &Mail::new(template, to, values)).await?))
    }

    /// The address of an account; `None` when the person was erased.
    pub(crate) async fn open_address(&self, person: Uuid, sealed: &[u8]) -> Result<Option<Address>, Error> {
        let context = contracts::identity::EMAIL_CONTEXT;
        let opened = self.vault.open_sealed(person, context, sealed).await?;
        Ok(opened.and_then(|bytes| String::from_utf8(bytes).ok()).and_then(|text| text.parse().ok()))
    }

    /// Sends a mail from the queue.
    pub(crate) async fn send_waiting_mail(&self, item: DueItem) -> Result<Next, BoxError> {
        let Waiting { person, sealed } = serde_json::from_value(item.payload)?;
        let sealed = STANDARD.decode(sealed)?;
        let Some(mail) = self.vault.open_json::<Mail>(person, CONTEXT, &sealed).await? else {
            return Ok(Next::Done);
        };
        let rendered = self.templates.render(&mail.template, &mail.values)?;
        match self.mailer.send(&Message::new(item.key, mail.to, rendered)).await {
            Err(error) if error.is_permanent() => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a mail is given up");
                Ok(Next::Done)
            }
            Err(error) if error.is_away() => Err(Away(error.into()).into()),
            outcome => Ok(outcome.map(|()| Next::Done)?),
        }
    }
}
