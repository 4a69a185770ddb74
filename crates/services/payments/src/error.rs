use std::time::Duration;

use kernel::{Fail, FailureKind, Money};
use ledger::LedgerError;
use serde_json::{Map, Value};
use web::Code;

/// There is no such payment, or none that the caller may know of.
pub(crate) const NOT_FOUND: Code = Code::new("payments.not_found", 404, "There is no such payment.");
/// The id stands for something else already.
pub(crate) const CONFLICT: Code =
    Code::new("payments.conflict", 409, "The id was used for another payment or refund.");
/// The id was voided before it was heard of.
pub(crate) const CLOSED: Code = Code::new("payments.closed", 409, "The payment was voided before it began.");
/// More is to be taken than was set aside.
pub(crate) const CAPTURE_EXCEEDS: Code =
    Code::new("payments.capture_exceeds_authorized", 409, "More is to be taken than was set aside.");
/// More is to be given back than there is.
pub(crate) const REFUND_EXCEEDS: Code = Code::new(
    "payments.refund_exceeds_captured",
    409,
    "More is to be given back than was taken and not given back yet; `available` says how much there is.",
);
/// The amount is in another currency than the payment.
pub(crate) const CURRENCY_MISMATCH: Code =
    Code::new("payments.currency_mismatch", 422, "The amount is not in the payment's currency.");
/// Nobody may be sent to this address.
pub(crate) const RETURN_URL_REFUSED: Code =
    Code::new("payments.return_url_refused", 422, "The return address is not one of the shop's.");
/// There is no such way of paying.
pub(crate) const METHOD_UNKNOWN: Code =
    Code::new("payments.method_unknown", 422, "There is no such way of paying; there is `card`.");
/// No provider is set up.
pub(crate) const NO_PROVIDER: Code = Code::new("payments.no_provider", 503, "No payment provider is set up.");
/// The provider has no such operation.
pub(crate) const UNSUPPORTED: Code =
    Code::new("payments.unsupported", 501, "The payment's provider has no such operation.");
/// No provider has this name.
pub(crate) const PROVIDER_UNKNOWN: Code =
    Code::new("payments.provider_unknown", 404, "There is no provider of this name.");
/// The notification was not signed by the provider.
pub(crate) const WEBHOOK_SIGNATURE: Code =
    Code::new("payments.webhook_signature_invalid", 400, "The notification is not signed by the provider.");
/// The notification cannot be read.
pub(crate) const WEBHOOK_UNREADABLE: Code =
    Code::new("payments.webhook_unreadable", 400, "The notification is signed, and cannot be read.");
/// There is no such challenge.
pub(crate) const CHALLENGE_NOT_FOUND: Code =
    Code::new("payments.challenge_not_found", 404, "There is no such challenge at the sandbox.");
/// The challenge ended otherwise.
pub(crate) const CHALLENGE_ENDED: Code =
    Code::new("payments.challenge_ended", 409, "The challenge has already ended, and not like this.");

/// What can go wrong with payments. A decline is none of it: it is an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("There is no such payment.")]
    NotFound,
    #[error("This id was used for something else. Use a new id for a new payment or refund.")]
    Conflict,
    #[error("This payment was voided before it began. Use a new id for a new payment.")]
    Closed,
    #[error("More is to be taken than was set aside.")]
    CaptureExceeds { authorized: Money },
    #[error("Of this payment {} {} can still be given back.", .available.to_major(), .available.currency)]
    RefundExceeds { available: Money },
    #[error("The payment is in {expected}; say the amount in {expected}.")]
    CurrencyMismatch { expected: kernel::Currency },
    #[error("People cannot be sent back to this address. Use one of the shop's own.")]
    ReturnUrlRefused,
    #[error("There is no such way of paying. Use `card`.")]
    MethodUnknown,
    #[error("No payment provider is set up, so nothing can be paid at the moment.")]
    NoProvider,
    #[error("This payment's provider cannot do that.")]
    Unsupported,
    #[error("There is no payment provider of this name here.")]
    ProviderUnknown,
    #[error("The notification is not signed with a secret that is valid here, or its time is too far off.")]
    WebhookSignature,
    #[error("The notification is signed, and cannot be read.")]
    WebhookUnreadable,
    #[error("There is no such challenge. It may belong to another shop.")]
    ChallengeNotFound,
    #[error("This challenge has already ended otherwise. Begin a new payment.")]
    ChallengeEnded,
    #[error(transparent)]
    Ledger(LedgerError),
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl From<LedgerError> for Error {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Database(error) => Self::Database(error),
            error => Self::Ledger(error),
        }
    }
}

impl Fail for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::NotFound | Self::ProviderUnknown | Self::ChallengeNotFound => FailureKind::NotFound,
            Self::Conflict
            | Self::Closed
            | Self::CaptureExceeds { .. }
            | Self::RefundExceeds { .. }
            | Self::ChallengeEnded => FailureKind::Conflict,
            Self::CurrencyMismatch { .. } | Self::ReturnUrlRefused | Self::MethodUnknown => {
                FailureKind::Unprocessable
            }
            Self::NoProvider => FailureKind::Unavailable,
            Self::Unsupported => FailureKind::Unsupported,
            Self::WebhookSignature | Self::WebhookUnreadable => FailureKind::Invalid,
            // A guard that refuses where nothing was asked for is a fault of ours.
            Self::Ledger(_) => FailureKind::Internal,
            Self::Database(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        let code = match self {
            Self::NotFound => NOT_FOUND,
            Self::Conflict => CONFLICT,
            Self::Closed => CLOSED,
            Self::CaptureExceeds { .. } => CAPTURE_EXCEEDS,
            Self::RefundExceeds { .. } => REFUND_EXCEEDS,
            Self::CurrencyMismatch { .. } => CURRENCY_MISMATCH,
            Self::ReturnUrlRefused => RETURN_URL_REFUSED,
            Self::MethodUnknown => METHOD_UNKNOWN,
            Self::NoProvider => NO_PROVIDER,
            Self::Unsupported => UNSUPPORTED,
            Self::ProviderUnknown => PROVIDER_UNKNOWN,
            Self::WebhookSignature => WEBHOOK_SIGNATURE,
            Self::WebhookUnreadable => WEBHOOK_UNREADABLE,
            Self::ChallengeNotFound => CHALLENGE_NOT_FOUND,
            Self::ChallengeEnded => CHALLENGE_ENDED,
            Self::Ledger(_) => web::code::INTERNAL,
            Self::Database(error) => return error.code(),
        };
        code.code
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NoProvider => Some(Duration::from_secs(60)),
            Self::Database(error) => error.retry_after(),
            _ => None,
        }
    }

    fn extensions(&self) -> Map<String, Value> {
        let member = match self {
            Self::CaptureExceeds { authorized } => ("authorized", authorized),
            Self::RefundExceeds { available } => ("available", available),
            _ => return Map::new(),
        };
        let value = serde_json::to_value(member.1).unwrap_or_default();
        Map::from_iter([(member.0.to_owned(), value)])
    }
}

#[cfg(test)]
mod tests {
    use kernel::Currency;

    use super::*;

    #[test]
    fn a_code_is_answered_with_the_status_that_it_declares() {
        let money = Money::new(420, Currency::EUR);
        let cases = [
            (Error::NotFound, NOT_FOUND),
            (Error::Conflict, CONFLICT),
            (Error::Closed, CLOSED),
            (Error::CaptureExceeds { authorized: money }, CAPTURE_EXCEEDS),
            (Error::RefundExceeds { available: money }, REFUND_EXCEEDS),
            (Error::CurrencyMismatch { expected: Currency::EUR }, CURRENCY_MISMATCH),
            (Error::ReturnUrlRefused, RETURN_URL_REFUSED),
            (Error::MethodUnknown, METHOD_UNKNOWN),
            (Error::NoProvider, NO_PROVIDER),
            (Error::Unsupported, UNSUPPORTED),
            (Error::ProviderUnknown, PROVIDER_UNKNOWN),
            (Error::WebhookSignature, WEBHOOK_SIGNATURE),
            (Error::WebhookUnreadable, WEBHOOK_UNREADABLE),
            (Error::ChallengeNotFound, CHALLENGE_NOT_FOUND),
            (Error::ChallengeEnded, CHALLENGE_ENDED),
        ];
        for (error, code) in cases {
            assert_eq!((error.code(), error.kind().status()), (code.code, code.status));
        }
    }

    #[test]
    fn a_refusal_says_how_much_there_is() {
        let error = Error::RefundExceeds { available: Money::new(420, Currency::EUR) };
        assert_eq!(error.to_string(), "Of this payment 4.20 EUR can still be given back.");
        assert_eq!(error.extensions()["available"]["amount"], 420);
    }
}
