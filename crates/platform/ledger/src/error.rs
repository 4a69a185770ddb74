use kernel::{AccountId, Fail, FailureKind};

use crate::model::{Refusal, Rejection, Shortfall};

/// Why the ledger did not do what it was asked. Nothing of the slice is in the transaction then.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Accounts do not hold enough: every transfer of the slice that falls short, in the slice's order,
    /// and at least one.
    #[error("{} of the accounts do not hold enough for this", .0.len())]
    Exceeds(Vec<Shortfall>),
    /// A transfer of the slice cannot be, whatever the balances.
    #[error("transfer {index} of the slice was refused: {refusal}")]
    Refused {
        /// Which transfer of the slice, counted from zero.
        index: usize,
        /// Why.
        refusal: Refusal,
    },
    /// The slice has more transfers than one transaction may carry.
    #[error("a slice has at most {limit} transfers")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// An account with this id is open with another unit, kind or guard, or the text is too long.
    #[error("the account {account} cannot be opened like this")]
    AccountDiffers {
        /// Which account.
        account: AccountId,
    },
    /// The account whose balance was asked for is not open.
    #[error("the account {account} is not open")]
    UnknownAccount {
        /// Which account.
        account: AccountId,
    },
    /// The database did not answer.
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl From<Rejection> for LedgerError {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Exceeds(shortfalls) => Self::Exceeds(shortfalls),
            Rejection::Refused { index, refusal } => Self::Refused { index, refusal },
        }
    }
}

impl Fail for LedgerError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Exceeds(_) => FailureKind::Conflict,
            Self::Refused { refusal, .. } => match refusal {
                Refusal::AlreadyPosted | Refusal::AlreadyVoided | Refusal::Expired => FailureKind::Conflict,
                _ => FailureKind::Internal,
            },
            Self::TooMany { .. } | Self::AccountDiffers { .. } | Self::UnknownAccount { .. } => {
                FailureKind::Internal
            }
            Self::Database(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Exceeds(_) => "ledger.exceeds",
            Self::Refused { refusal, .. } => match refusal {
                Refusal::AlreadyPosted => "ledger.already_posted",
                Refusal::AlreadyVoided => "ledger.already_voided",
                Refusal::Expired => "ledger.expired",
                _ => "internal",
            },
            Self::TooMany { .. } | Self::AccountDiffers { .. } | Self::UnknownAccount { .. } => "internal",
            Self::Database(error) => error.code(),
        }
    }

    fn retry_after(&self) -> Option<std::time::Duration> {
        match self {
            Self::Database(error) => error.retry_after(),
            _ => None,
        }
    }
}
