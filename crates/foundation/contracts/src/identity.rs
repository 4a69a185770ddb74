//! Identity: who somebody is, and their sessions.

use kernel::{CustomerId, SessionId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::event::event;
use crate::{CallError, Channel, Sealed};

/// A person proved that the address is theirs; from now on they are a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountVerified {
    /// Who.
    pub customer_id: CustomerId,
    /// Their address as UTF-8, sealed with the context [`EMAIL_CONTEXT`].
    pub email: Sealed,
    /// What they said at sign-up that they are called, as UTF-8 sealed with the context [`NAME_CONTEXT`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Sealed>,
}
event!(AccountVerified, "identity.account_verified.v1", customer_id);

/// The vault context under which addresses are sealed.
pub const EMAIL_CONTEXT: &str = "identity.email";

/// The vault context under which names given at sign-up are sealed.
pub const NAME_CONTEXT: &str = "identity.name";

/// A session began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// Who.
    pub customer_id: CustomerId,
    /// The new session.
    pub session_id: SessionId,
    /// How they proved it: `password`, `verification`, …
    pub method: String,
}
event!(SignedIn, "identity.signed_in.v1", customer_id);

/// A session ended; its tokens are refused from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEnded {
    /// Whose.
    pub customer_id: CustomerId,
    /// Which.
    pub session_id: SessionId,
    /// Why: `signed_out`, `ended_by_person`, `refresh_reuse`, `erased`, …
    pub reason: String,
}
event!(SessionEnded, "identity.session_ended.v1", customer_id);

/// A session whose access tokens may still be unexpired and must be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Which session.
    pub session_id: SessionId,
    /// Tokens issued before this moment are refused.
    pub not_issued_before: Timestamp,
    /// After this moment every such token has expired and the entry can be forgotten.
    pub until: Timestamp,
}

/// The name of the cache channel on which revocations are told to every node at once.
pub const REVOCATIONS_CHANNEL: &str = "identity.revocations";

/// Calls to identity.
#[derive(Clone, Debug)]
pub struct Client(Channel);

impl Client {
    /// A client over `channel`.
    pub const fn new(channel: Channel) -> Self {
        Self(channel)
    }

    /// Every revocation that still matters.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn revocations(&self) -> Result<Vec<Revocation>, CallError> {
        self.0.get("/internal/identity/revocations").await
    }

    /// The public signing keys as a JSON Web Key Set (RFC 7517).
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn key_set(&self) -> Result<serde_json::Value, CallError> {
        self.0.get("/internal/identity/jwks").await
    }

    /// Everything identity holds about a person, for their export.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn export(&self, customer: CustomerId) -> Result<serde_json::Value, CallError> {
        self.0.get(&format!("/internal/identity/customers/{customer}/export")).await
    }
}

/// An account to take over from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportAccount {
    /// The customer id it gets; the importer derives it from `external_id` so that it is stable.
    pub customer_id: CustomerId,
    /// The address.
    pub email: String,
    /// Whether the address was proved there.
    #[serde(default)]
    pub verified: bool,
    /// The password's hash as the old system wrote it, when it gave its hashes away.
    #[serde(default)]
    pub password_hash: Option<String>,
    /// Since when they are a customer.
    pub created_at: Timestamp,
}
