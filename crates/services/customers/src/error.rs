//! What can go wrong with what is kept about people.

use std::time::Duration;

use contracts::CallError;
use kernel::{Fail, FailureKind};
use serde_json::{Map, Value};
use vault::VaultError;
use web::StaleVersion;

use crate::model::address::MAX_ADDRESSES;
use crate::model::profile::{MAX_PREFERENCES, TooManyPreferences};

/// The codes that this service answers with; each has a page under `docs/errors/`.
pub(crate) mod code {
    use web::Code;

    pub(crate) const NOT_FOUND: Code =
        Code::new("customers.not_found", 404, "There is no such customer, or they were erased.");
    pub(crate) const ADDRESS_NOT_FOUND: Code =
        Code::new("customers.address_not_found", 404, "The caller's address book has no such address.");
    pub(crate) const TOO_MANY_ADDRESSES: Code =
        Code::new("customers.too_many_addresses", 409, "The address book is full.");
    pub(crate) const TOO_MANY_PREFERENCES: Code =
        Code::new("customers.too_many_preferences", 409, "There are as many preferences as there may be.");
    pub(crate) const UNKNOWN_PURPOSE: Code =
        Code::new("customers.unknown_purpose", 404, "The shop asks for no consent to this purpose.");
    pub(crate) const RECENT_AUTHENTICATION_REQUIRED: Code = Code::new(
        "customers.recent_authentication_required",
        403,
        "The caller signed in too long ago for this; they have to sign in again.",
    );
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody of this id, or nobody any more.
    #[error("There is no such customer.")]
    NotFound,
    /// Not in this customer's book.
    #[error("There is no such address in your address book.")]
    AddressNotFound,
    /// No room.
    #[error("The address book is full: it has {MAX_ADDRESSES} addresses. Delete one first.")]
    TooManyAddresses,
    /// No room.
    #[error("There would be more than {MAX_PREFERENCES} preferences. Remove some first.")]
    TooManyPreferences,
    /// Not configured.
    #[error(
        "The shop asks for no consent to this purpose. `GET /v1/customers/me/consents` names those it asks for."
    )]
    UnknownPurpose,
    /// Signed in too long ago.
    #[error("Sign in again first: this cannot be taken back, so you must have signed in a moment ago.")]
    RecentAuthenticationRequired {
        /// How long ago it may have been.
        within: Duration,
    },
    /// Written against another version.
    #[error(transparent)]
    Stale(#[from] StaleVersion),
    /// Another service said no where it may not, or could not be asked.
    #[error("A part of the shop that this needs did not answer. Nothing was done; try again shortly.")]
    Call(#[from] CallError),
    /// The database.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The keys of people.
    #[error(transparent)]
    Vault(VaultError),
    /// A record that cannot be written as JSON, which is a fault of ours.
    #[error("something that cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl From<VaultError> for Error {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Erased => Self::NotFound,
            other => Self::Vault(other),
        }
    }
}

impl From<TooManyPreferences> for Error {
    fn from(TooManyPreferences: TooManyPreferences) -> Self {
        Self::TooManyPreferences
    }
}

impl Error {
    /// What a call to another service came to: away is away, however it showed.
    const fn call_kind(error: &CallError) -> FailureKind {
        match error {
            CallError::Rejected(_) => FailureKind::Internal,
            CallError::Channel(_) | CallError::Failed { .. } => FailureKind::Unavailable,
        }
    }
}

impl Fail for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::NotFound | Self::AddressNotFound | Self::UnknownPurpose => FailureKind::NotFound,
            Self::TooManyAddresses | Self::TooManyPreferences => FailureKind::Conflict,
            Self::RecentAuthenticationRequired { .. } => FailureKind::Forbidden,
            Self::Stale(error) => error.kind(),
            Self::Call(error) => Self::call_kind(error),
            Self::Database(error) => error.kind(),
            Self::Vault(error) => error.kind(),
            Self::Json(_) => FailureKind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => code::NOT_FOUND.code,
            Self::AddressNotFound => code::ADDRESS_NOT_FOUND.code,
            Self::TooManyAddresses => code::TOO_MANY_ADDRESSES.code,
            Self::TooManyPreferences => code::TOO_MANY_PREFERENCES.code,
            Self::UnknownPurpose => code::UNKNOWN_PURPOSE.code,
            Self::RecentAuthenticationRequired { .. } => code::RECENT_AUTHENTICATION_REQUIRED.code,
            Self::Stale(error) => error.code(),
            Self::Call(CallError::Rejected(_)) | Self::Json(_) => web::code::INTERNAL.code,
            Self::Call(_) => web::code::SERVICE_UNAVAILABLE.code,
            Self::Database(error) => error.code(),
            Self::Vault(error) => error.code(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Call(error) if Self::call_kind(error) == FailureKind::Unavailable => {
                Some(Duration::from_secs(1))
            }
            Self::Database(error) => error.retry_after(),
            Self::Vault(error) => error.retry_after(),
            _ => None,
        }
    }

    fn extensions(&self) -> Map<String, Value> {
        match self {
            Self::Stale(error) => error.extensions(),
            Self::RecentAuthenticationRequired { within } => {
                Map::from_iter([("within_s".to_owned(), within.as_secs().into())])
            }
            _ => Map::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::ChannelError;

    use super::*;

    #[test]
    fn each_error_has_the_status_its_code_declares() {
        let within = Duration::from_secs(900);
        for (error, code) in [
            (Error::NotFound, code::NOT_FOUND),
            (Error::from(VaultError::Erased), code::NOT_FOUND),
            (Error::AddressNotFound, code::ADDRESS_NOT_FOUND),
            (Error::TooManyAddresses, code::TOO_MANY_ADDRESSES),
            (Error::TooManyPreferences, code::TOO_MANY_PREFERENCES),
            (Error::UnknownPurpose, code::UNKNOWN_PURPOSE),
            (Error::RecentAuthenticationRequired { within }, code::RECENT_AUTHENTICATION_REQUIRED),
            (Error::Stale(StaleVersion { current: 2 }), web::code::PRECONDITION_FAILED),
        ] {
            assert_eq!((error.code(), error.kind().status()), (code.code, code.status));
        }
    }

    #[test]
    fn a_service_that_is_away_is_worth_waiting_for() {
        let away = || ChannelError::TimedOut { service: "orders".to_owned() };
        for error in [CallError::Channel(away()), CallError::Failed { status: 502 }] {
            let error = Error::from(error);
            assert_eq!((error.code(), error.kind().status()), ("service.unavailable", 503));
            assert!(error.retry_after().is_some());
        }
    }
}
