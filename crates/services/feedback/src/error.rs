//! What can go wrong, and the codes that say so to callers.

use std::time::Duration;

use kernel::{Fail, FailureKind, FieldError};
use vault::VaultError;
use web::{Code, StaleVersion, code};

/// `feedback.poll_not_found` (404).
pub const POLL_NOT_FOUND: Code = Code::new("feedback.poll_not_found", 404, "There is no such poll.");
/// `feedback.order_not_found` (404).
pub const ORDER_NOT_FOUND: Code = Code::new(
    "feedback.order_not_found",
    404,
    "The caller has no such order that polls may be answered for, or no longer has.",
);
/// `feedback.answer_not_found` (404).
pub const ANSWER_NOT_FOUND: Code =
    Code::new("feedback.answer_not_found", 404, "The caller gave no such answer to this poll.");
/// `feedback.already_answered` (409).
pub const ALREADY_ANSWERED: Code =
    Code::new("feedback.already_answered", 409, "The poll was answered for this order before.");
/// `feedback.poll_closed` (409).
pub const POLL_CLOSED: Code = Code::new("feedback.poll_closed", 409, "The poll takes no more answers.");
/// `vault.erased` (410).
pub(crate) const ERASED: Code =
    Code::new("vault.erased", 410, "The person was erased; nothing is kept for them any more.");

/// Every code of this service.
pub const ALL: &[Code] = &[POLL_NOT_FOUND, ORDER_NOT_FOUND, ANSWER_NOT_FOUND, ALREADY_ANSWERED, POLL_CLOSED];

/// What can go wrong with polls and their answers.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{} cannot be used; see `errors`.", if .0.len() == 1 { "An answer" } else { "Some answers" })]
    Invalid(Vec<FieldError>),
    #[error("There is no such poll.")]
    PollNotFound,
    #[error("You have no such order to answer for, or the time for it is over.")]
    OrderNotFound,
    #[error("There is no such answer of yours.")]
    AnswerNotFound,
    #[error("You have answered this poll for this order already.")]
    AlreadyAnswered,
    #[error("This poll takes no more answers.")]
    PollClosed,
    #[error(transparent)]
    Stale(#[from] StaleVersion),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl Fail for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Invalid(_) => FailureKind::Invalid,
            Self::PollNotFound | Self::OrderNotFound | Self::AnswerNotFound => FailureKind::NotFound,
            Self::AlreadyAnswered | Self::PollClosed => FailureKind::Conflict,
            Self::Stale(error) => error.kind(),
            Self::Vault(error) => error.kind(),
            Self::Database(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => code::VALIDATION.code,
            Self::PollNotFound => POLL_NOT_FOUND.code,
            Self::OrderNotFound => ORDER_NOT_FOUND.code,
            Self::AnswerNotFound => ANSWER_NOT_FOUND.code,
            Self::AlreadyAnswered => ALREADY_ANSWERED.code,
            Self::PollClosed => POLL_CLOSED.code,
            Self::Stale(error) => error.code(),
            Self::Vault(error) => error.code(),
            Self::Database(error) => error.code(),
        }
    }

    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::Invalid(errors) => errors.clone(),
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Vault(error) => error.retry_after(),
            Self::Database(error) => error.retry_after(),
            _ => None,
        }
    }

    fn extensions(&self) -> serde_json::Map<String, serde_json::Value> {
        match self {
            Self::Stale(error) => error.extensions(),
            _ => serde_json::Map::new(),
        }
    }
}
