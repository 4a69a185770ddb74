//! What can go wrong with a stream.

use kernel::{Fail, FailureKind, FieldError};
use web::Code;

/// A topic that does not exist.
pub(crate) const UNKNOWN_TOPIC: Code =
    Code::new("sync.unknown_topic", 400, "There is no such topic to listen to.");

/// What can go wrong with a stream before it begins. Later there is nobody to tell but the client,
/// which comes back by itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("There is no topic {0:?}. There are orders and inventory.")]
    UnknownTopic(String),
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl Fail for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::UnknownTopic(_) => FailureKind::Invalid,
            Self::Database(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::UnknownTopic(_) => UNKNOWN_TOPIC.code,
            Self::Database(error) => error.code(),
        }
    }

    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::UnknownTopic(_) => vec![FieldError::new("?topics", "unknown_topic", self.to_string())],
            Self::Database(_) => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<std::time::Duration> {
        match self {
            Self::UnknownTopic(_) => None,
            Self::Database(error) => error.retry_after(),
        }
    }
}
