use database::{Due, Isolation};
use http::HeaderMap;
use kernel::WebhookId;

use super::{Payments, WEBHOOKS};
use crate::connectors::{Notification, Subject, WebhookError};
use crate::error::Error;
use crate::store;
use crate::store::webhooks::Webhook;

impl Payments {
    /// Takes a notification in: checks that the provider signed it, and keeps it. It is acted upon
    /// afterwards, so that the provider is not kept waiting; one that comes again is not kept again.
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
        let (webhook, subject) = (&webhook, &notification.subject);
        let due = notification.payment_id.filter(|_| *subject != Subject::Other).map(|payment| Due {
            queue: WEBHOOKS,
            key: payment.to_string(),
            payload: serde_json::Value::Null,
            at: now,
        });
        let due = due.as_ref();
        self.database
            .write_with(Isolation::ReadCommitted, |mut tx| async move {
                let new = store::webhooks::insert(&mut tx, webhook).await?;
                match due {
                    Some(due) if new => tx.schedule(due).await?,
                    None if new => store::webhooks::finish(&mut tx, webhook.id, "ignored", now).await?,
                    _ => {}
                }
                Ok(tx.commit(new).await?)
            })
            .await
    }
}

fn count(provider: &'static str, outcome: &'static str) {
    metrics::counter!("payments_webhooks_total", "provider" => provider, "outcome" => outcome).increment(1);
}
