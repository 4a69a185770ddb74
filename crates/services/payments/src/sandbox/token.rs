use std::str::FromStr;

/// What is paid with, and what happens to such a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Token {
    /// Succeeds.
    Visa,
    /// The person has to approve it on a page first.
    Challenge,
    /// Is refused.
    Declined,
    /// Is refused because there is not enough money.
    InsufficientFunds,
    /// Is authorised, and the answer never comes.
    TimeoutAfterSuccess,
    /// Fails with 500, and nothing has happened: the same request fails again, and a query says that
    /// there is no such payment.
    Error500,
    /// Every notification comes twice.
    DuplicateWebhook,
    /// Every notification comes late.
    LateWebhook,
    /// Notifications come in the reverse order of what happened.
    ReorderedWebhooks,
    /// Notifications are signed with another secret.
    BadSignature,
    /// Is captured, and the answer never comes.
    CaptureTimeout,
    /// Is captured, and some time later it is told that it was not.
    CaptureFails,
    /// A refund is done, and the answer never comes.
    RefundTimeout,
    /// A refund is done, and some time later it is told that it failed.
    RefundFails,
}

impl Token {
    const ALL: [(Self, &'static str); 14] = [
        (Self::Visa, "tok_visa"),
        (Self::Challenge, "tok_challenge"),
        (Self::Declined, "tok_declined"),
        (Self::InsufficientFunds, "tok_insufficient_funds"),
        (Self::TimeoutAfterSuccess, "tok_timeout_after_success"),
        (Self::Error500, "tok_error_500"),
        (Self::DuplicateWebhook, "tok_duplicate_webhook"),
        (Self::LateWebhook, "tok_late_webhook"),
        (Self::ReorderedWebhooks, "tok_reordered_webhooks"),
        (Self::BadSignature, "tok_bad_signature"),
        (Self::CaptureTimeout, "tok_capture_timeout"),
        (Self::CaptureFails, "tok_capture_fails"),
        (Self::RefundTimeout, "tok_refund_timeout"),
        (Self::RefundFails, "tok_refund_fails"),
    ];

    /// The token as it is written.
    pub(super) fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(token, _)| *token == self).map_or("", |(_, text)| text)
    }
}

/// A text that is no token.
#[derive(Debug)]
pub(super) struct NoToken;

impl FromStr for Token {
    type Err = NoToken;

    fn from_str(text: &str) -> Result<Self, NoToken> {
        Self::ALL.iter().find(|(_, known)| *known == text).map(|(token, _)| *token).ok_or(NoToken)
    }
}

database::text_values!(Token);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_as_they_are_written() {
        for (token, text) in Token::ALL {
            assert_eq!(token.as_str(), text);
            assert_eq!(text.parse::<Token>().unwrap(), token);
        }
        assert!("tok_gold".parse::<Token>().is_err());
    }
}
