use std::str::FromStr;

use super::Operation;
use super::attempt::UnknownWord;

/// How far a payment has come at its provider.
///
/// Every stage has a rank, and what is learned only ever moves a payment to a higher one. So it does
/// not matter in which order, how late and how often a provider tells what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    /// It is written down here; whether the provider has heard of it is not known.
    Created,
    /// We concluded ourselves that the provider has not done it. Whatever it says outranks that.
    NotDone,
    /// The person must do something first.
    RequiresAction,
    /// The provider is working on it.
    Processing,
    /// The money is set aside.
    Authorized,
    /// The money was taken.
    Captured,
    /// The money was let go.
    Voided,
    /// The provider refused.
    Failed,
    /// The money that was taken was not taken after all.
    CaptureFailed,
}

impl Stage {
    const ALL: [Self; 9] = [
        Self::Created,
        Self::NotDone,
        Self::RequiresAction,
        Self::Processing,
        Self::Authorized,
        Self::Captured,
        Self::Voided,
        Self::Failed,
        Self::CaptureFailed,
    ];

    /// What outranks what. The three ends of a payment are equal, so that none of them moves another:
    /// only a reversal, which has a name and a rank of its own, moves an end.
    pub(crate) const fn rank(self) -> u8 {
        match self {
            Self::Created => 0,
            Self::NotDone => 1,
            Self::RequiresAction => 2,
            Self::Processing => 3,
            Self::Authorized => 4,
            Self::Captured | Self::Voided | Self::Failed => 5,
            Self::CaptureFailed => 6,
        }
    }

    /// The word in tables.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::NotDone => "not_done",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::Authorized => "authorized",
            Self::Captured => "captured",
            Self::Voided => "voided",
            Self::Failed => "failed",
            Self::CaptureFailed => "capture_failed",
        }
    }

    /// Whether money may still be set aside or taken under it, so that it can be voided.
    pub(crate) const fn is_open(self) -> bool {
        matches!(self, Self::RequiresAction | Self::Processing | Self::Authorized)
    }

    /// Whether a call of `operation` must have been heard for the provider to say this.
    pub(super) const fn shows(self, operation: Operation) -> bool {
        match operation {
            Operation::Authorize => self.rank() >= Self::RequiresAction.rank(),
            Operation::Capture | Operation::Void => self.rank() >= Self::Captured.rank(),
            Operation::Refund => false,
        }
    }
}

impl FromStr for Stage {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text).ok_or(UnknownWord)
    }
}

database::text_values!(Stage);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_read_as_they_are_written() {
        for stage in Stage::ALL {
            assert_eq!(stage.as_str().parse::<Stage>().unwrap(), stage);
        }
        assert!("levitating".parse::<Stage>().is_err());
    }
}
