use std::time::Duration;

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
/// For how long a notification waits for the outcome of a refund before it is looked at again.
const WAIT: Duration = Duration::from_secs(5);

impl Payments {
    /// Acts upon what a provider has told about a payment, in the order in which it happened. Returns
    /// when to go on, if there may be more.
    pub(crate) async fn process_webhooks(&self, id: PaymentId) -> Result<Option<Timestamp>, Error> {
        let now = self.now();
        self.database
            .write_with(Isolation::ReadCommitted, |mut tx| async move {
                let more = act_upon(&mut tx, id, now).await?;
                Ok::<_, Error>(tx.commit(more).await?)
            })
            .await
    }
}

/// Acts upon what waits about a payment, in the order in which it happened; when to go on, if there may be more.
pub(super) async fn act_upon(tx: &mut Tx, id: PaymentId, now: Timestamp) -> Result<Option<Timestamp>, Error> {
    let mut payment = store::payments::lock(tx, id).await?;
    let waiting = store::webhooks::waiting(tx, id, BATCH).await?;
    let full = i64::try_from(waiting.len()).unwrap_or(BATCH) == BATCH;
    let mut more = full.then_some(now);
    for webhook in &waiting {
        if must_wait(tx, id, webhook).await? {
            more = Some(now.plus(WAIT));
            break;
        }
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

/// Whether it says that the capture was taken back while a refund is under way. Whether that refund was paid
/// decides what is owed then, and only its own outcome tells, which is being found out.
async fn must_wait(tx: &mut Tx, payment: PaymentId, webhook: &Waiting) -> Result<bool, Error> {
    let taken_back = matches!(
        serde_json::from_value(webhook.subject.clone()),
        Ok(Subject::Payment(Snapshot { fact: Fact::CaptureFailed { .. }, .. }))
    );
    Ok(taken_back && store::refunds::open(tx, payment).await?.iter().any(|refund| refund.attempt.is_some()))
}

fn tell(payment: PaymentId, webhook: &Waiting, outcome: &'static str) {
    metrics::counter!("payments_webhooks_processed_total", "outcome" => outcome).increment(1);
    if outcome == Observed::Contradiction.as_str() || outcome == UNMATCHED {
        let (provider, kind, id) = (&webhook.provider, &webhook.kind, webhook.id);
        tracing::warn!(%payment, provider, kind, webhook = %id, outcome, "a notification does not fit what is known");
    }
}
