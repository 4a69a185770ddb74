//! Notifications: what is told, when, how often, and under which signature.

use bytes::Bytes;
use contracts::Channel;
use database::{BoxError, Due, DueItem, Isolation, Next, Tx, WorkOptions};
use host::Worker;
use http::{Method, Request, header};
use kernel::{EventId, PaymentId, RefundId, Secret, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::payment::{RefundStatus, SandboxPayment, SandboxRefund, Status, failure};
use super::token::Token;
use super::{Sandbox, store};
use crate::connectors::{sandbox, signature};

/// The queue of notifications.
pub(crate) const WEBHOOKS: &str = "sandbox.webhooks";
/// The queue of what is taken back.
pub(crate) const REVERSALS: &str = "sandbox.reversals";

/// How far into the life of a payment something happens, for [`Token::ReorderedWebhooks`].
const LAST: u32 = 3;

/// A notification that is to be sent.
#[derive(Debug, Serialize, Deserialize)]
struct Delivery {
    event: Value,
    forged: bool,
}

/// What is taken back.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub(super) enum Reversal {
    /// A capture.
    Capture { payment: PaymentId },
    /// A refund.
    Refund { refund: RefundId },
}

impl Sandbox {
    /// Tells the merchant of a new payment: that it came, and what became of it.
    pub(super) async fn tell_created(
        &self,
        tx: &mut Tx,
        payment: &SandboxPayment,
    ) -> Result<(), database::Error> {
        let shown = payment.to_json(&self.public_url, &[]);
        if payment.status != Status::RequiresAction {
            let mut created = shown.clone();
            created["status"] = json!("processing");
            created["failure"] = Value::Null;
            self.tell(tx, payment.token, 0, "payment.created", ("payment", created)).await?;
        }
        self.tell_payment(tx, payment).await
    }

    /// Tells the merchant where a payment stands now.
    pub(super) async fn tell_payment(
        &self,
        tx: &mut Tx,
        payment: &SandboxPayment,
    ) -> Result<(), database::Error> {
        let (position, kind) = match payment.status {
            Status::RequiresAction => (0, "payment.requires_action"),
            Status::Authorized => (1, "payment.authorized"),
            Status::Failed => (1, "payment.failed"),
            Status::Captured => (2, "payment.captured"),
            Status::Voided => (2, "payment.voided"),
            Status::CaptureFailed => (LAST, "payment.capture_failed"),
        };
        let shown = payment.to_json(&self.public_url, &[]);
        self.tell(tx, payment.token, position, kind, ("payment", shown)).await
    }

    /// Tells the merchant where a refund stands now.
    pub(super) async fn tell_refund(
        &self,
        tx: &mut Tx,
        payment: &SandboxPayment,
        refund: &SandboxRefund,
    ) -> Result<(), database::Error> {
        let kind = match refund.status {
            RefundStatus::Succeeded => "refund.succeeded",
            RefundStatus::Failed => "refund.failed",
        };
        self.tell(tx, payment.token, LAST, kind, ("refund", refund.to_json(payment.amount))).await
    }

    async fn tell(
        &self,
        tx: &mut Tx,
        token: Token,
        position: u32,
        kind: &str,
        (about, shown): (&str, Value),
    ) -> Result<(), database::Error> {
        let now = self.now();
        let id = EventId::new(now, self.database.rng());
        let event = json!({"id": id, "type": kind, "created": now, about: shown});
        let at = match token {
            Token::LateWebhook => now.plus(self.config.late_webhook()),
            Token::ReorderedWebhooks => now.plus(self.config.late_webhook() * (LAST - position)),
            _ => now,
        };
        let copies = if token == Token::DuplicateWebhook { 2 } else { 1 };
        for copy in 0..copies {
            let delivery = Delivery { event: event.clone(), forged: token == Token::BadSignature };
            let payload = serde_json::to_value(delivery).unwrap_or_default();
            tx.schedule(&Due { queue: WEBHOOKS, key: format!("{id}/{copy}"), payload, at }).await?;
        }
        Ok(())
    }

    /// Has something taken back later.
    pub(super) async fn take_back_later(
        &self,
        tx: &mut Tx,
        reversal: Reversal,
    ) -> Result<(), database::Error> {
        let key = match &reversal {
            Reversal::Capture { payment } => payment.to_string(),
            Reversal::Refund { refund } => refund.to_string(),
        };
        let payload = serde_json::to_value(reversal).unwrap_or_default();
        let at = self.now().plus(self.config.late_webhook());
        tx.schedule(&Due { queue: REVERSALS, key, payload, at }).await
    }

    pub(super) fn now(&self) -> Timestamp {
        self.database.clock().now()
    }
}

/// The workers of the sandbox.
pub(super) fn workers(sandbox: &Sandbox, merchant: &Channel) -> Vec<Worker> {
    let deliver = {
        let (sandbox, merchant) = (sandbox.clone(), merchant.clone());
        move |item: DueItem| {
            let (sandbox, merchant) = (sandbox.clone(), merchant.clone());
            async move { deliver(&sandbox, &merchant, item).await }
        }
    };
    let take_back = {
        let sandbox = sandbox.clone();
        move |item: DueItem| {
            let sandbox = sandbox.clone();
            async move { take_back(&sandbox, item).await }
        }
    };
    // A provider tells many at once; whoever waits for an answer is not working.
    let many = WorkOptions { concurrency: 32, ..WorkOptions::default() };
    vec![
        Worker::due(&sandbox.database, WEBHOOKS, many, deliver),
        Worker::due(&sandbox.database, REVERSALS, WorkOptions::default(), take_back),
    ]
}

/// Sends one notification. One that is not accepted is sent again, some times.
pub(crate) async fn deliver(sandbox: &Sandbox, merchant: &Channel, item: DueItem) -> Result<Next, BoxError> {
    let Delivery { event, forged } = serde_json::from_value(item.payload)?;
    let body = Bytes::from(event.to_string());
    let another = Secret::new(b"another secret".to_vec());
    let secret = if forged { &another } else { &sandbox.secret };
    let request = Request::builder()
        .method(Method::POST)
        .uri("/webhooks/sandbox")
        .header(header::CONTENT_TYPE, "application/json")
        .header(sandbox::SIGNATURE, signature::sign(secret, sandbox.now(), &body))
        .body(body)?;
    match merchant.send(request).await {
        Ok(response) if response.status().is_success() => Ok(Next::Done),
        _ if item.attempts >= sandbox.config.webhook_tries => {
            tracing::info!(event = item.key, "the sandbox gives up a notification that is not accepted");
            Ok(Next::Done)
        }
        Ok(response) => Err(format!("the notification was answered with {}", response.status()).into()),
        Err(error) => Err(error.into()),
    }
}

/// Takes back a capture or a refund, and tells it.
pub(crate) async fn take_back(sandbox: &Sandbox, item: DueItem) -> Result<Next, BoxError> {
    let reversal: Reversal = serde_json::from_value(item.payload)?;
    let (reversal, now) = (&reversal, sandbox.now());
    sandbox
        .database
        .write_with(Isolation::ReadCommitted, |mut tx| async move {
            match *reversal {
                Reversal::Capture { payment } => {
                    let found = store::lock(&mut tx, payment).await?;
                    if let Some(mut payment) = found.filter(|payment| payment.status == Status::Captured) {
                        payment.status = Status::CaptureFailed;
                        payment.failure = failure("capture_failed");
                        payment.updated_at = now;
                        store::update(&mut tx, &payment).await?;
                        sandbox.tell_payment(&mut tx, &payment).await?;
                    }
                }
                Reversal::Refund { refund } => {
                    // A refund changes only here, and its queue does one thing at a time for it.
                    let found = store::get_refund(&mut tx, refund).await?;
                    if let Some(mut refund) = found.filter(|refund| refund.status == RefundStatus::Succeeded)
                        && let Some(payment) = store::get(&mut tx, refund.payment).await?
                    {
                        refund.status = RefundStatus::Failed;
                        refund.updated_at = now;
                        store::update_refund(&mut tx, &refund).await?;
                        sandbox.tell_refund(&mut tx, &payment, &refund).await?;
                    }
                }
            }
            tx.commit(()).await
        })
        .await?;
    Ok(Next::Done)
}
