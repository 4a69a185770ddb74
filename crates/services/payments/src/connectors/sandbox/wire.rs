//! The sandbox's documents, as a merchant reads them.

use kernel::{Money, PaymentId, RefundId, Timestamp};
use serde::Deserialize;

use super::reason;
use crate::connectors::webhook::MAX_NAME;
use crate::connectors::{ConnectorError, Notification, Subject, WebhookError};
use crate::model::decline::decline;
use crate::model::{Card, Fact, RefundFact, RefundSnapshot, Snapshot};

#[derive(Debug, Deserialize)]
pub(super) struct WirePayment {
    id: String,
    reference: PaymentId,
    status: String,
    captured: Money,
    action_url: Option<String>,
    failure: Option<WireFailure>,
    card: Option<Card>,
    #[serde(default)]
    refunds: Vec<WireRefund>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireRefund {
    id: String,
    reference: RefundId,
    payment: PaymentId,
    status: String,
    failure: Option<WireFailure>,
}

#[derive(Debug, Deserialize)]
struct WireFailure {
    code: String,
    message: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireError {
    error: WireFailure,
}

/// A notification.
#[derive(Debug, Deserialize)]
pub(super) struct WireEvent {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    created: Timestamp,
    #[serde(default)]
    payment: Option<WirePayment>,
    #[serde(default)]
    refund: Option<WireRefund>,
}

const UNREADABLE: ConnectorError = ConnectorError::Lost("an answer that cannot be read");

impl WirePayment {
    pub(super) fn snapshot(self) -> Result<Snapshot, ConnectorError> {
        let fact = self.fact().ok_or(UNREADABLE)?;
        let refunds = self.refunds.into_iter().map(WireRefund::snapshot).collect::<Result<_, _>>()?;
        Ok(Snapshot { reference: self.id, fact, card: self.card, refunds })
    }

    fn fact(&self) -> Option<Fact> {
        let failed =
            || self.failure.as_ref().map(|failure| decline(reason(&failure.code), Some(&failure.message)));
        Some(match self.status.as_str() {
            "requires_action" => Fact::RequiresAction { url: self.action_url.clone()? },
            "processing" => Fact::Processing,
            "authorized" => Fact::Authorized,
            "captured" => Fact::Captured { amount: self.captured },
            "voided" => Fact::Voided,
            "failed" => Fact::Failed { decline: failed()? },
            "capture_failed" => Fact::CaptureFailed { decline: failed()? },
            _ => return None,
        })
    }
}

impl WireRefund {
    pub(super) fn snapshot(self) -> Result<RefundSnapshot, ConnectorError> {
        let fact = match (self.status.as_str(), &self.failure) {
            ("pending", _) => RefundFact::Pending,
            ("succeeded", _) => RefundFact::Succeeded,
            ("failed", Some(failure)) => {
                RefundFact::Failed { decline: decline(reason(&failure.code), Some(&failure.message)) }
            }
            _ => return Err(UNREADABLE),
        };
        Ok(RefundSnapshot { refund_id: self.reference, reference: self.id, fact })
    }
}

impl WireError {
    pub(super) fn is_not_found(&self) -> bool {
        self.error.code == "not_found"
    }

    pub(super) fn reason(&self) -> &'static str {
        reason(&self.error.code)
    }

    pub(super) fn message(self) -> String {
        self.error.message
    }
}

impl WireEvent {
    pub(super) fn notification(self) -> Result<Notification, WebhookError> {
        if self.id.len() > MAX_NAME || self.kind.len() > MAX_NAME {
            return Err(WebhookError::Unreadable);
        }
        let unreadable = |_| WebhookError::Unreadable;
        let (payment_id, subject) = match (self.payment, self.refund) {
            (Some(payment), None) => {
                (Some(payment.reference), Subject::Payment(payment.snapshot().map_err(unreadable)?))
            }
            (None, Some(refund)) => {
                (Some(refund.payment), Subject::Refund(refund.snapshot().map_err(unreadable)?))
            }
            _ => (None, Subject::Other),
        };
        Ok(Notification {
            event_id: self.id,
            kind: self.kind,
            occurred_at: self.created,
            payment_id,
            subject,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"id":"evt_1","type":"payment.captured","created":"2026-11-21T22:49:32Z","payment":{
        "id":"sbx_1","reference":"pay_01h455vb4pex5vsknk084sn02q","status":"captured",
        "captured":{"amount":4200,"currency":"EUR"},"card":{"brand":"visa","last4":"4242"}}}"#;

    fn read(json: &str) -> Result<Notification, WebhookError> {
        serde_json::from_str::<WireEvent>(json).map_err(|_| WebhookError::Unreadable)?.notification()
    }

    #[test]
    fn a_notification_is_read() {
        let notification = read(EVENT).unwrap();
        assert_eq!(notification.payment_id, Some("pay_01h455vb4pex5vsknk084sn02q".parse().unwrap()));
        let Subject::Payment(snapshot) = notification.subject else { panic!("{:?}", notification.subject) };
        assert_eq!(snapshot.fact, Fact::Captured { amount: Money::new(4_200, kernel::Currency::EUR) });
        assert_eq!(snapshot.card.unwrap().last4, "4242");
    }

    #[test]
    fn what_is_not_known_is_no_fact() {
        assert_eq!(read(&EVENT.replace("\"captured\",", "\"levitating\",")), Err(WebhookError::Unreadable));
        assert_eq!(read(&EVENT.replace("evt_1", &"x".repeat(MAX_NAME + 1))), Err(WebhookError::Unreadable));
        let other = read(r#"{"id":"evt_2","type":"payout.paid","created":"2026-11-21T22:49:32Z"}"#).unwrap();
        assert_eq!((other.payment_id, other.subject), (None, Subject::Other));
    }
}
