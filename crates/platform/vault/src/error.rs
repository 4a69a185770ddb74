use std::path::PathBuf;
use std::time::Duration;

use kernel::{Fail, FailureKind};

/// What can go wrong with keys and what they seal.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The configuration is unusable.
    #[error("vault.{field}: {problem}")]
    Config {
        /// The field of the section `vault`.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The file of the master key cannot be used.
    #[error("the master key file {}: {problem}", path.display())]
    KeyFile {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        problem: &'static str,
        /// What the operating system said, if it said anything.
        source: Option<std::io::Error>,
    },
    /// What is stored was sealed under a master key that is not here.
    #[error(
        "the vault was sealed under another master key ({id}); put the right master.key back or name the key in \
         the configuration"
    )]
    WrongMasterKey {
        /// The id of the key that is wanted.
        id: String,
    },
    /// The rotation of the master key cannot begin like this.
    #[error("the master key cannot be rotated: {problem}")]
    Rotation {
        /// Why, and what to do.
        problem: &'static str,
    },
    /// The person was erased; nothing is sealed for them any more.
    #[error("this person was erased")]
    Erased,
    /// The ciphertext was changed, or was sealed for another person, context or key.
    #[error("a sealed value cannot be opened: it was changed, or is not the one that was asked for")]
    Refused,
    /// More than may be sealed at once.
    #[error("at most {limit} bytes can be sealed at once")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// A value cannot be written as JSON, or what was sealed is not the JSON that was asked for.
    #[error("a sealed value is not the JSON that was expected")]
    Json(#[source] serde_json::Error),
    /// The vault's database did not answer. Keys in memory are not used for longer than a moment then,
    /// because one of them may have been destroyed.
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl Fail for VaultError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Erased => FailureKind::Gone,
            Self::TooLarge { .. } => FailureKind::TooLarge,
            Self::Database(error) => error.kind(),
            _ => FailureKind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Erased => "vault.erased",
            Self::TooLarge { .. } => "vault.too_large",
            Self::Database(error) => error.code(),
            _ => "internal",
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Database(error) => error.retry_after(),
            _ => None,
        }
    }
}
