use std::str::FromStr;

use kernel::{Timestamp, TransferId};

use super::Movement;
use super::account::Unknown;

/// How a pending transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolution {
    Posted,
    Voided,
    Expired,
}

impl Resolution {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Posted => "posted",
            Self::Voided => "voided",
            Self::Expired => "expired",
        }
    }
}

impl FromStr for Resolution {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        [Self::Posted, Self::Voided, Self::Expired].into_iter().find(|it| it.as_str() == text).ok_or(Unknown)
    }
}

/// What a recorded transfer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordKind {
    Single,
    Pending { expires_at: Timestamp, resolution: Option<Resolution> },
    PostPending { pending: TransferId },
    VoidPending { pending: TransferId },
}

impl RecordKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Pending { .. } => "pending",
            Self::PostPending { .. } => "post_pending",
            Self::VoidPending { .. } => "void_pending",
        }
    }
}

/// A transfer as it was recorded. Posts and voids carry the accounts of the pending transfer, so that
/// sums need no join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) id: TransferId,
    pub(crate) kind: RecordKind,
    pub(crate) movement: Movement,
    pub(crate) reference: String,
    pub(crate) recorded_at: Timestamp,
}

impl Record {
    /// When its time was over, if it is reserved still although that is so at `now`.
    pub(crate) fn due_at(&self, now: Timestamp) -> Option<Timestamp> {
        match self.kind {
            RecordKind::Pending { expires_at, resolution: None } if expires_at <= now => Some(expires_at),
            _ => None,
        }
    }
}
