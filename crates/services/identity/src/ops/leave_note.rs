//! Whatever must not tell whether an address has an account is taken down as a note and looked at
//! after the answer. So the answer is the same and takes the same time by construction: the
//! handler does not know what the note will come to.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use database::{Due, DueItem};
use kernel::AnyId;
use mail::Address;
use serde::{Deserialize, Serialize};

use crate::context::{Client, Context, NOBODY};
use crate::error::Error;
use crate::model::audit::Reason;

/// The queue of notes.
pub(crate) const QUEUE: &str = "identity.notes";

/// The vault context under which notes are sealed; they hold addresses and password hashes.
const CONTEXT: &str = "identity.note";

/// What somebody asked for.
#[derive(Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) request: Request,
    pub(crate) address: Address,
    source: IpAddr,
    user_agent: String,
    request_id: String,
}

/// See [`Note`].
#[derive(Serialize, Deserialize)]
pub(crate) enum Request {
    /// Open an account with this password.
    SignUp {
        /// What they say they are called.
        name: Option<String>,
        /// The hash of the password they chose.
        password_hash: String,
    },
    /// Send the verification mail again.
    Resend,
    /// Help after a forgotten password.
    Recover,
    /// A sign-in was refused.
    RefusedSignIn {
        /// Why.
        reason: Reason,
        /// For an address that is not proved yet: the hash of the password that was tried.
        password_hash: Option<String>,
    },
}

impl Note {
    /// Where the request came from.
    pub(crate) fn client(&self) -> Client {
        Client {
            address: self.source,
            user_agent: self.user_agent.clone(),
            request_id: self.request_id.clone(),
        }
    }
}

impl Context {
    /// Takes down what was asked for; it is looked at right after.
    pub(crate) async fn leave_note(
        &self,
        address: &Address,
        request: Request,
        client: &Client,
    ) -> Result<(), Error> {
        let note = Note {
            request,
            address: address.clone(),
            source: client.address,
            user_agent: client.device().user_agent,
            request_id: client.request_id.clone(),
        };
        let now = self.now();
        let sealed = self.vault.seal_json(NOBODY, CONTEXT, &note).await?;
        let key = AnyId { prefix: "note", uuid: self.rng.uuid_v7(now) }.to_string();
        let due = &Due { queue: QUEUE, key, payload: STANDARD.encode(sealed).into(), at: now };
        self.database
            .write(|mut tx| async move {
                tx.schedule(due).await?;
                tx.commit(()).await
            })
            .await
            .map_err(|error: database::Error| error.into())
    }

    /// Reads a note from the queue.
    pub(crate) async fn read_note(&self, item: &DueItem) -> Result<Option<Note>, database::BoxError> {
        let sealed = STANDARD.decode(item.payload.as_str().unwrap_or_default())?;
        Ok(self.vault.open_json(NOBODY, CONTEXT, &sealed).await?)
    }
}
