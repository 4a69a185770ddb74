use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use kernel::{Fail, FailureKind};
use object_store::path::Path;

/// What can go wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum ObjectsError {
    /// There is no such object.
    #[error("there is no file `{key}`")]
    NotFound {
        /// The key asked for.
        key: String,
    },
    /// `put_if_absent` found an object under the key.
    #[error("there is a file `{key}` already")]
    AlreadyExists {
        /// The key in question.
        key: String,
    },
    /// The stored bytes are not the ones that were put there, or carry no checksum to tell.
    #[error("the file `{key}` is damaged; restore it from a backup or put it again")]
    Damaged {
        /// The key of the damaged object.
        key: String,
    },
    /// The key cannot name an object.
    #[error("the file's key {reason}")]
    InvalidKey {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The media type is empty, too long, or not visible ASCII.
    #[error("the file's media type cannot be read")]
    InvalidContentType,
    /// The upload is longer than its limit.
    #[error("the file may have at most {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The range is empty or begins after the end.
    #[error("the file has {size} bytes and none in that range")]
    OutOfRange {
        /// The size of the object in bytes.
        size: u64,
    },
    /// The stream that was to be stored failed before its end; nothing was stored.
    #[error("the upload broke off and was discarded")]
    Interrupted {
        /// What the stream said.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The folder or server cannot be used now.
    #[error("the file store cannot be reached; try again shortly")]
    Unavailable {
        /// What the store said.
        #[source]
        source: object_store::Error,
    },
    /// The store refuses us, or the configuration names none.
    #[error("the file store is misconfigured or refuses access")]
    Misconfigured {
        /// What is wrong with it.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl ObjectsError {
    /// In our terms, what the store said about the object at `path`.
    pub(crate) fn from_store(source: object_store::Error, path: &Path) -> Self {
        use object_store::Error as E;
        match source {
            E::NotFound { .. } => Self::NotFound { key: path.to_string() },
            // A folder says this of `a/b` when `a` is a file.
            source if io_kind(&source) == Some(io::ErrorKind::NotADirectory) => {
                Self::NotFound { key: path.to_string() }
            }
            E::AlreadyExists { .. } | E::Precondition { .. } => Self::AlreadyExists { key: path.to_string() },
            E::PermissionDenied { .. } | E::Unauthenticated { .. } | E::UnknownConfigurationKey { .. } => {
                Self::Misconfigured { source: source.into() }
            }
            source => Self::Unavailable { source },
        }
    }

    pub(crate) fn damaged(path: &Path) -> Self {
        Self::Damaged { key: path.to_string() }
    }
}

fn io_kind(error: &(dyn StdError + 'static)) -> Option<io::ErrorKind> {
    let mut causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind)
}

impl Fail for ObjectsError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::NotFound { .. } => FailureKind::NotFound,
            Self::AlreadyExists { .. } => FailureKind::Conflict,
            Self::InvalidKey { .. }
            | Self::InvalidContentType
            | Self::OutOfRange { .. }
            | Self::Interrupted { .. } => FailureKind::Invalid,
            Self::TooLarge { .. } => FailureKind::TooLarge,
            Self::Unavailable { .. } => FailureKind::Unavailable,
            Self::Damaged { .. } | Self::Misconfigured { .. } => FailureKind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "objects.not_found",
            Self::AlreadyExists { .. } => "objects.already_exists",
            Self::Damaged { .. } => "objects.damaged",
            Self::InvalidKey { .. } => "objects.invalid_key",
            Self::InvalidContentType => "objects.invalid_content_type",
            Self::TooLarge { .. } => "objects.too_large",
            Self::OutOfRange { .. } => "objects.out_of_range",
            Self::Interrupted { .. } => "objects.interrupted",
            Self::Unavailable { .. } => "objects.unavailable",
            Self::Misconfigured { .. } => "objects.misconfigured",
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        matches!(self, Self::Unavailable { .. }).then_some(Duration::from_secs(5))
    }
}
