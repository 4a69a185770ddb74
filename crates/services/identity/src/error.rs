use std::time::Duration;

use cache::CacheError;
use kernel::{Fail, FailureKind, FieldError};
use vault::VaultError;
use web::code as platform;

use crate::hashing::Overloaded;
use crate::model::password::Weakness;

/// The codes that this service answers with; each has a page under `docs/errors/`.
pub(crate) mod code {
    use web::Code;

    pub(crate) const BAD_CREDENTIALS: Code = Code::new(
        "identity.bad_credentials",
        401,
        "The address and the password do not belong together, or the address was never proved.",
    );
    pub(crate) const CODE_INVALID: Code = Code::new(
        "identity.code_invalid",
        400,
        "The link or code is wrong, was used before, is too old, or was typed wrongly too often.",
    );
    pub(crate) const PASSWORD_TOO_WEAK: Code =
        Code::new("identity.password_too_weak", 422, "The new password would not protect the account.");
    pub(crate) const WRONG_PASSWORD: Code =
        Code::new("identity.wrong_password", 403, "The present password is another.");
    pub(crate) const REFRESH_TOKEN_INVALID: Code = Code::new(
        "identity.refresh_token_invalid",
        401,
        "The refresh token is none of ours, was superseded, or its session is over.",
    );
    pub(crate) const SESSION_NOT_FOUND: Code =
        Code::new("identity.session_not_found", 404, "None of the caller's sessions has this id.");
    pub(crate) const OVERLOADED: Code =
        Code::new("identity.overloaded", 503, "More passwords are being checked than there is time for.");
}

/// What can go wrong when people prove who they are.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Unknown address, wrong password, address not proved: nobody learns which.
    #[error("The address and the password do not belong together. Check both, or recover the account.")]
    BadCredentials,
    /// See [`code::CODE_INVALID`].
    #[error(
        "The link or code cannot be used: it is wrong, was used before, or is too old. Ask for a new mail."
    )]
    CodeInvalid,
    /// The new password in `field` is refused.
    #[error("The password {weakness}.")]
    PasswordTooWeak {
        /// The field of the request.
        field: &'static str,
        /// Why.
        weakness: Weakness,
    },
    /// Somebody who is signed in gave a wrong present password.
    #[error("The present password is another. Check it, or recover the account.")]
    WrongPassword,
    /// See [`code::REFRESH_TOKEN_INVALID`].
    #[error("The session cannot go on with this refresh token. Sign in again.")]
    RefreshTokenInvalid,
    /// No such session of this person.
    #[error("You have no such session; it may have ended already.")]
    SessionNotFound,
    /// Too many attempts.
    #[error("Too many attempts. Try again in {} seconds.", .retry_after.as_secs().max(1))]
    Throttled {
        /// When it is worth trying again.
        retry_after: Duration,
        /// The limit's name.
        policy: String,
    },
    /// Too many hashes.
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    /// The database said no.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The vault said no.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Limits cannot be counted, so nothing is tried: a guard that is away must not leave the door open.
    #[error("Sign-in is not possible at the moment. Try again shortly.")]
    Cache(#[from] CacheError),
    /// A fault in this program.
    #[error("something that cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl Fail for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::BadCredentials | Self::RefreshTokenInvalid => FailureKind::Unauthenticated,
            Self::CodeInvalid => FailureKind::Invalid,
            Self::PasswordTooWeak { .. } => FailureKind::Unprocessable,
            Self::WrongPassword => FailureKind::Forbidden,
            Self::SessionNotFound => FailureKind::NotFound,
            Self::Throttled { .. } => FailureKind::RateLimited,
            Self::Overloaded(_) | Self::Cache(_) => FailureKind::Unavailable,
            Self::Database(error) => error.kind(),
            Self::Vault(VaultError::Database(error)) => error.kind(),
            Self::Vault(VaultError::Erased) => FailureKind::Unauthenticated,
            Self::Vault(_) | Self::Json(_) => FailureKind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::BadCredentials => code::BAD_CREDENTIALS.code,
            Self::CodeInvalid => code::CODE_INVALID.code,
            Self::PasswordTooWeak { .. } => code::PASSWORD_TOO_WEAK.code,
            Self::WrongPassword => code::WRONG_PASSWORD.code,
            Self::RefreshTokenInvalid => code::REFRESH_TOKEN_INVALID.code,
            Self::SessionNotFound => code::SESSION_NOT_FOUND.code,
            Self::Throttled { .. } => platform::RATE_LIMITED.code,
            Self::Overloaded(_) => code::OVERLOADED.code,
            Self::Database(error) => error.code(),
            Self::Vault(VaultError::Database(error)) => error.code(),
            // The person was erased a moment ago, and their sessions are about to end.
            Self::Vault(VaultError::Erased) => platform::SESSION_ENDED.code,
            Self::Cache(_) => platform::SERVICE_UNAVAILABLE.code,
            Self::Vault(_) | Self::Json(_) => platform::INTERNAL.code,
        }
    }

    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::PasswordTooWeak { field, weakness } => {
                vec![FieldError::new(format!("/{field}"), weakness.code(), weakness.to_string())]
            }
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after, .. } => Some(*retry_after),
            Self::Overloaded(overloaded) => Some(overloaded.retry_after),
            Self::Database(error) => error.retry_after(),
            Self::Vault(VaultError::Database(error)) => error.retry_after(),
            Self::Cache(_) => Some(Duration::from_secs(1)),
            _ => None,
        }
    }

    fn extensions(&self) -> serde_json::Map<String, serde_json::Value> {
        match self {
            Self::Throttled { policy, .. } => {
                [("violated_policies".to_owned(), serde_json::json!([policy]))].into_iter().collect()
            }
            _ => serde_json::Map::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_the_status_its_code_declares() {
        let weakness = Weakness::TooShort;
        for (error, code) in [
            (Error::BadCredentials, code::BAD_CREDENTIALS),
            (Error::CodeInvalid, code::CODE_INVALID),
            (Error::PasswordTooWeak { field: "password", weakness }, code::PASSWORD_TOO_WEAK),
            (Error::WrongPassword, code::WRONG_PASSWORD),
            (Error::RefreshTokenInvalid, code::REFRESH_TOKEN_INVALID),
            (Error::SessionNotFound, code::SESSION_NOT_FOUND),
            (Error::Overloaded(Overloaded { retry_after: Duration::from_secs(2) }), code::OVERLOADED),
        ] {
            assert_eq!((error.code(), error.kind().status()), (code.code, code.status));
        }
        let refused = Error::PasswordTooWeak { field: "new_password", weakness };
        assert_eq!(refused.fields()[0].pointer, "/new_password");
    }
}
