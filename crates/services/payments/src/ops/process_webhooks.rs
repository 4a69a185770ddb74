use database::{Isolation, Tx};
use kernel::{PaymentId, Timestamp};

use super::{Payments, look_after, record};
use crate::connectors::Subject;
use crate::error::Error;
use crate::model::{Ended, Fact, Observed, Payment, Snapshot};
use crate::store;
use crate::store::webhooks::Waiting;

/// How many notifications one transaction acts upon.
const BATCH: i64 = 50;

/// What the notification is about is not known here.
const UNMATCHED: &str = "unmatched";
/// The provider is asked for the whole of it.
const ASKED: &str = "asked";

impl Payments {
    /// Acts upon what a provider has told about a payment, in the order in which it happened. Returns
    /// whether there may be more.
    pub(crate) async fn process_webhooks(&self, id: PaymentId) -> Result<bool, Error> {
        let now = self.now();
        self.database
            .write_with(Isolation::ReadCommitted, |mut tx| async move {
                let more = act_upon(&mut tx, id, now).await?;
                Ok::<_, Error>(tx.commit(more).await?)
            })
            .await
    }
}

/// Acts upon what waits about a payment, in the order in which it happened; whether there may be more.
pub(super) async fn act_upon(tx: &mut Tx, id: PaymentId, now: Timestamp) -> Result<bool, Error> {
    let mut payment = store::payments::lock(tx, id).await?;
    let waiting = store::webhooks::waiting(tx, id, BATCH).await?;
    let more = i64::try_from(waiting.len()).unwrap_or(BATCH) == BATCH;
    for webhook in &waiting {
        let (after, outcome) = match payment {
            Some(payment) if payment.provider == webhook.provider => {
                let (payment, outcome) = act(tx, payment, webhook, now).await?;
                (Some(payment), outcome)
            }
            other => (other, UNMATCHED),
        };
        payment = after;
        tell(id, webhook, outcome);
        store::webhooks::finish(tx, webhook.id, outcome, now).await?;
    }
    if payment.is_some_and(|payment| payment.needs_void()) {
        look_after(tx, id, now).await?;
    }
    Ok(more)
}

async fn act(
    tx: &mut Tx,
    payment: Payment,
    webhook: &Waiting,
    now: Timestamp,
) -> Result<(Payment, &'static str), Error> {
    match serde_json::from_value(webhook.subject.clone()) {
        Ok(Subject::Payment(Snapshot { fact: Fact::CaptureFailed { .. }, .. }))
            if has_refund_under_way(tx, payment.id).await? =>
        {
            // Whether that refund was paid decides what is owed, and this notification does not say.
            look_after(tx, payment.id, now).await?;
            Ok((payment, ASKED))
        }
        Ok(Subject::Payment(snapshot)) => {
            let step = payment.observe(&snapshot);
            let observed = step.observed;
            let payment = record::payment(tx, &payment, step, Ended::Done, now).await?;
            Ok((payment, observed.as_str()))
        }
        Ok(Subject::Refund(snapshot)) => {
            let refund = store::refunds::get(tx, snapshot.refund_id).await?;
            let Some(refund) = refund.filter(|refund| refund.payment_id == payment.id) else {
                return Ok((payment, UNMATCHED));
            };
            let step = refund.observe(&snapshot);
            let observed = step.observed;
            let (payment, _) = record::refund(tx, &payment, &refund, step, Ended::Done, now).await?;
            Ok((payment, observed.as_str()))
        }
        Ok(Subject::Other) | Err(_) => Ok((payment, "ignored")),
    }
}

async fn has_refund_under_way(tx: &mut Tx, payment: PaymentId) -> Result<bool, Error> {
    let open = store::refunds::open(tx, payment).await?;
    Ok(open.iter().any(|refund| refund.attempt.is_some()))
}

fn tell(payment: PaymentId, webhook: &Waiting, outcome: &'static str) {
    metrics::counter!("payments_webhooks_processed_total", "outcome" => outcome).increment(1);
    if outcome == Observed::Contradiction.as_str() || outcome == UNMATCHED {
        let (provider, kind, id) = (&webhook.provider, &webhook.kind, webhook.id);
        tracing::warn!(%payment, provider, kind, webhook = %id, outcome, "a notification does not fit what is known");
    }
}
