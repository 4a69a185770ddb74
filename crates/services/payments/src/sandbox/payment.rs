use std::str::FromStr;

use kernel::{Money, PaymentId, RefundId, Timestamp};
use serde_json::{Value, json};

use super::token::Token;

kernel::typed_id!(/** The sandbox's own name for a payment. */ SandboxId, "sbx");
kernel::typed_id!(/** The sandbox's own name for a refund. */ SandboxRefundId, "sbr");
database::id_values!(SandboxId, SandboxRefundId);

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    RequiresAction,
    Authorized,
    Captured,
    Voided,
    Failed,
    CaptureFailed,
}

impl Status {
    const ALL: [Self; 6] = [
        Self::RequiresAction,
        Self::Authorized,
        Self::Captured,
        Self::Voided,
        Self::Failed,
        Self::CaptureFailed,
    ];

    /// The word on the wire and in tables.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::RequiresAction => "requires_action",
            Self::Authorized => "authorized",
            Self::Captured => "captured",
            Self::Voided => "voided",
            Self::Failed => "failed",
            Self::CaptureFailed => "capture_failed",
        }
    }
}

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefundStatus {
    Succeeded,
    Failed,
}

impl RefundStatus {
    const ALL: [Self; 2] = [Self::Succeeded, Self::Failed];

    /// The word on the wire and in tables.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// A stored word that the sandbox does not write.
#[derive(Debug)]
pub(super) struct NoStatus;

impl FromStr for Status {
    type Err = NoStatus;

    fn from_str(text: &str) -> Result<Self, NoStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(NoStatus)
    }
}

impl FromStr for RefundStatus {
    type Err = NoStatus;

    fn from_str(text: &str) -> Result<Self, NoStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(NoStatus)
    }
}

database::text_values!(Status, RefundStatus);

/// A payment at the sandbox.
#[derive(Clone, Debug)]
pub(super) struct SandboxPayment {
    /// The merchant's name for it.
    pub(super) reference: PaymentId,
    pub(super) id: SandboxId,
    pub(super) token: Token,
    pub(super) amount: Money,
    pub(super) captured: i64,
    pub(super) status: Status,
    pub(super) failure: Option<&'static Failure>,
    /// The end of the address of the page that the person is sent to.
    pub(super) challenge: Option<String>,
    pub(super) return_url: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// A refund at the sandbox.
#[derive(Clone, Debug)]
pub(super) struct SandboxRefund {
    /// The merchant's name for it.
    pub(super) reference: RefundId,
    pub(super) id: SandboxRefundId,
    pub(super) payment: PaymentId,
    pub(super) amount: i64,
    pub(super) status: RefundStatus,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// Why something is refused, as the sandbox says it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) code: &'static str,
    pub(super) message: &'static str,
}

/// The reasons there are.
pub(super) const FAILURES: [Failure; 5] = [
    Failure { code: "card_declined", message: "Your card was declined." },
    Failure { code: "insufficient_funds", message: "Your card has insufficient funds." },
    Failure { code: "challenge_failed", message: "The payment was not approved." },
    Failure { code: "capture_failed", message: "The card's bank took the payment back." },
    Failure { code: "refund_failed", message: "The card's bank could not take the refund." },
];

/// The reason with this code.
pub(super) fn failure(code: &str) -> Option<&'static Failure> {
    FAILURES.iter().find(|failure| failure.code == code)
}

impl Failure {
    fn to_json(&self) -> Value {
        json!({"code": self.code, "message": self.message})
    }
}

impl SandboxPayment {
    /// The payment as its merchant sees it; its pages are below `public_url`.
    pub(super) fn to_json(&self, public_url: &str, refunds: &[SandboxRefund]) -> Value {
        let action_url = self.challenge.as_ref().map(|challenge| format!("{public_url}{}", page(challenge)));
        json!({
            "id": self.id,
            "reference": self.reference,
            "status": self.status.as_str(),
            "amount": self.amount,
            "captured": Money::new(self.captured, self.amount.currency),
            "action_url": action_url.filter(|_| self.status == Status::RequiresAction),
            "failure": self.failure.map(Failure::to_json),
            "card": {"brand": "visa", "last4": "4242"},
            "refunds": refunds.iter().map(|refund| refund.to_json(self.amount)).collect::<Vec<_>>(),
        })
    }
}

impl SandboxRefund {
    /// The refund of a payment of `whole` as its merchant sees it.
    pub(super) fn to_json(&self, whole: Money) -> Value {
        let failed = failure("refund_failed").filter(|_| self.status == RefundStatus::Failed);
        json!({
            "id": self.id,
            "reference": self.reference,
            "payment": self.payment,
            "amount": Money::new(self.amount, whole.currency),
            "status": self.status.as_str(),
            "failure": failed.map(Failure::to_json),
        })
    }
}

/// The path of the page of a challenge.
pub(super) fn page(challenge: &str) -> String {
    format!("/sandbox/challenges/{challenge}")
}

/// A new end of an address that nobody guesses.
pub(super) fn unguessable(rng: &kernel::Rng) -> String {
    hex::encode(rng.bytes::<16>())
}
