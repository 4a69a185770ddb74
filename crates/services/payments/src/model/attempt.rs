use std::fmt;
use std::str::FromStr;

use kernel::{Money, PaymentId, RefundId, Timestamp, encode_suffix};
use sha2::{Digest, Sha256};
use uuid::Uuid;

kernel::typed_id!(/** One call to a provider. */ AttemptId, "att");
database::id_values!(AttemptId);

/// What a provider is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    /// Set money aside.
    Authorize,
    /// Take money that is set aside.
    Capture,
    /// Let go of money that is set aside.
    Void,
    /// Give money back.
    Refund,
}

impl Operation {
    const ALL: [Self; 4] = [Self::Authorize, Self::Capture, Self::Void, Self::Refund];

    /// The word in tables, logs and metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Capture => "capture",
            Self::Void => "void",
            Self::Refund => "refund",
        }
    }
}

/// A stored word that this service does not write.
#[derive(Debug)]
pub(crate) struct UnknownWord;

impl FromStr for Operation {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|operation| operation.as_str() == text).ok_or(UnknownWord)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

database::text_values!(Operation);

/// A call to a provider as it was written down before it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) id: AttemptId,
    pub(crate) payment_id: PaymentId,
    /// The refund that it is for, if it is one.
    pub(crate) refund_id: Option<RefundId>,
    pub(crate) operation: Operation,
    /// Which attempt at the operation it is, from 1.
    pub(crate) number: i64,
    pub(crate) amount: Money,
    /// What the provider recognises a repetition by.
    pub(crate) key: String,
    pub(crate) started_at: Timestamp,
    /// When nobody waits for the answer any more.
    pub(crate) answer_by: Timestamp,
    /// From when on it cannot take effect any more unless it has.
    pub(crate) settles_at: Timestamp,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The provider did it, or said where the payment stands instead.
    Done,
    /// The provider said no.
    Refused,
    /// It was never sent.
    NotSent,
    /// The provider was asked later and has not done it.
    NotDone,
}

impl Ended {
    /// The word in tables and metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::NotSent => "not_sent",
            Self::NotDone => "not_done",
        }
    }
}

/// The idempotency key of the attempt `number` at `operation` on `subject`, a payment or a refund: 26
/// characters, which fits every provider (Square allows 45). A transport that sends again sends the
/// same key; only when an attempt is known not to have happened is the next one counted.
pub(crate) fn idempotency_key(operation: Operation, subject: Uuid, number: i64) -> String {
    let mut hash = Sha256::new();
    hash.update(b"souk.payments\n");
    hash.update(operation.as_str());
    hash.update(b"\n");
    hash.update(subject.as_bytes());
    hash.update(number.to_be_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let suffix = encode_suffix(uuid_of(&digest));
    suffix.iter().copied().map(char::from).collect()
}

/// A UUID (version 8, RFC 9562) of the beginning of a digest.
pub(crate) fn uuid_of(digest: &[u8; 32]) -> Uuid {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_stable_short_and_differ_by_what_they_are_for() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let key = idempotency_key(Operation::Capture, one, 1);
        assert_eq!(key, idempotency_key(Operation::Capture, one, 1));
        assert_eq!(key.len(), 26);
        for other in [
            idempotency_key(Operation::Capture, one, 2),
            idempotency_key(Operation::Void, one, 1),
            idempotency_key(Operation::Capture, two, 1),
        ] {
            assert_ne!(key, other);
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for operation in Operation::ALL {
            assert_eq!(operation.to_string().parse::<Operation>().unwrap(), operation);
        }
        assert!("steal".parse::<Operation>().is_err());
    }
}
