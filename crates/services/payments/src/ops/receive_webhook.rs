use database::{Due, Isolation};
use http::HeaderMap;
use kernel::{PaymentId, WebhookId};
use serde_json::Value;

use super::process_webhooks::act_upon;
use super::{Payments, WEBHOOKS};
use crate::connectors::{Notification, Subject, WebhookError};
use crate::error::Error;
use crate::store;
use crate::store::webhooks::Webhook;

impl Payments {
    /// Takes a notification in: checks that the provider signed it, keeps it and acts upon it. When that
    /// fails it is kept all the same and acted upon later; one that comes again is not kept again.
    ///
    /// # Errors
    /// [`Error::WebhookSignature`], and nothing is kept of it.
    pub(crate) async fn receive_webhook(
        &self,
        provider: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(), Error> {
        let connector = self.connectors.get(provider).ok_or(Error::ProviderUnknown)?;
        let refused = |error: WebhookError| {
            let (outcome, error) = match error {
                WebhookError::Signature => ("bad_signature", Error::WebhookSignature),
                WebhookError::Unreadable => ("unreadable", Error::WebhookUnreadable),
            };
            count(connector.name(), outcome);
            error
        };
        connector.verify_webhook(headers, body, self.now()).await.map_err(refused)?;
        let notification = connector.parse_webhook(body).map_err(refused)?;
        let new = self.keep(connector.name(), &notification, body).await?;
        count(connector.name(), if new { "kept" } else { "repeated" });
        Ok(())
    }

    async fn keep(
        &self,
        provider: &'static str,
        notification: &Notification,
        body: &[u8],
    ) -> Result<bool, Error> {
        let now = self.now();
        let webhook = Webhook {
            id: WebhookId::new(now, self.database.rng()),
            provider,
            event_id: notification.event_id.clone(),
            kind: notification.kind.clone(),
            payment_id: notification.payment_id,
            occurred_at: notification.occurred_at,
            subject: serde_json::to_value(&notification.subject).map_err(|_| Error::WebhookUnreadable)?,
            // What a provider writes beyond what we read must not bring a card number in.
            body: telemetry::redact::redact(&String::from_utf8_lossy(body)).into_owned(),
            received_at: now,
        };
        let payment = notification.payment_id.filter(|_| notification.subject != Subject::Other);
        match self.store(&webhook, payment, Then::Act).await {
            Err(error) if payment.is_some() => {
                tracing::warn!(%error, "a notification cannot be acted upon now; it is kept for later");
                self.store(&webhook, payment, Then::ActLater).await
            }
            stored => stored,
        }
    }

    /// Stores a notification about `payment`, or about nothing that concerns us; `false` when it was there.
    async fn store(&self, webhook: &Webhook, payment: Option<PaymentId>, then: Then) -> Result<bool, Error> {
        let now = webhook.received_at;
        self.database
            .write_with(Isolation::ReadCommitted, |mut tx| async move {
                if !store::webhooks::insert(&mut tx, webhook).await? {
                    return Ok(tx.rollback(false).await?);
                }
                let later = match (payment, then) {
                    (None, _) => {
                        store::webhooks::finish(&mut tx, webhook.id, "ignored", now).await?;
                        None
                    }
                    (Some(payment), Then::Act) => {
                        act_upon(&mut tx, payment, now).await?.map(|at| (payment, at))
                    }
                    (Some(payment), Then::ActLater) => Some((payment, now)),
                };
                if let Some((payment, at)) = later {
                    let key = payment.to_string();
                    tx.schedule(&Due { queue: WEBHOOKS, key, payload: Value::Null, at }).await?;
                }
                Ok(tx.commit(true).await?)
            })
            .await
    }
}

/// When a notification that is kept is acted upon.
#[derive(Clone, Copy)]
enum Then {
    Act,
    ActLater,
}

fn count(provider: &'static str, outcome: &'static str) {
    metrics::counter!("payments_webhooks_total", "provider" => provider, "outcome" => outcome).increment(1);
}
