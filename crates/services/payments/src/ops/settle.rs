use database::{Isolation, Tx};
use kernel::{PaymentId, Timestamp};

use super::{By, Payments, RESOLVE, look_after, record};
use crate::connectors::ConnectorError;
use crate::error::Error;
use crate::model::decline::{self, decline};
use crate::model::{Answer, Attempt, Ended, Operation, Payment, Snapshot};
use crate::store;

impl Payments {
    /// Writes down what the call `attempt` came to, and returns the payment as it is then.
    pub(super) async fn settle(
        &self,
        attempt: &Attempt,
        answer: Result<Snapshot, ConnectorError>,
        by: By,
    ) -> Result<Payment, Error> {
        count(attempt.operation, &answer);
        let unsupported = matches!(answer, Err(ConnectorError::Unsupported));
        let refused = matches!(answer, Err(ConnectorError::Refused { .. }));
        let (answer, ended) = understand(answer);
        let payment = self.write_answer(attempt, &answer, ended, by).await?;
        if unsupported {
            return Err(Error::Unsupported);
        }
        if refused && attempt.operation != Operation::Authorize {
            // The payment is not what we thought it was.
            return self.refresh(&payment).await;
        }
        Ok(payment)
    }

    async fn write_answer(
        &self,
        attempt: &Attempt,
        answer: &Answer,
        ended: Ended,
        by: By,
    ) -> Result<Payment, Error> {
        let now = self.now();
        self.database
            .write_with(Isolation::ReadCommitted, |mut tx| async move {
                let before =
                    store::payments::lock(&mut tx, attempt.payment_id).await?.ok_or(Error::NotFound)?;
                let step = before.answered(attempt.id, answer);
                let payment = record::payment(&mut tx, &before, step, ended, now).await?;
                if by == By::Caller {
                    arrange(&mut tx, &payment, attempt, now).await?;
                }
                Ok(tx.commit(payment).await?)
            })
            .await
    }

    /// Asks the provider where a payment stands and writes that down. What the provider does not say
    /// now may still come, so nothing is concluded from it.
    async fn refresh(&self, payment: &Payment) -> Result<Payment, Error> {
        match self.connector(&payment.provider)?.fetch(payment.id).await {
            Ok(Some(snapshot)) => self.write_snapshot(payment.id, &snapshot).await,
            Ok(None) | Err(_) => Ok(payment.clone()),
        }
    }

    async fn write_snapshot(&self, payment: PaymentId, snapshot: &Snapshot) -> Result<Payment, Error> {
        let now = self.now();
        self.database
            .write_with(Isolation::ReadCommitted, |mut tx| async move {
                let before = store::payments::lock(&mut tx, payment).await?.ok_or(Error::NotFound)?;
                let payment =
                    record::payment(&mut tx, &before, before.observe(snapshot), Ended::Done, now).await?;
                Ok(tx.commit(payment).await?)
            })
            .await
    }
}

/// Has the payment looked after when something about it is not certain, and only then.
async fn arrange(
    tx: &mut Tx,
    payment: &Payment,
    attempt: &Attempt,
    now: Timestamp,
) -> Result<(), database::Error> {
    let at = match payment.asked {
        // The provider is asked at once, and again until it is certain.
        Some(asked) if asked.lost => Some(now),
        Some(_) => Some(attempt.settles_at),
        None if payment.needs_void() || payment.is_waiting() => Some(payment.look_again(now)),
        None => None,
    };
    match at {
        Some(at) => look_after(tx, payment.id, at).await,
        None => tx.unschedule(RESOLVE, &payment.id.to_string()).await.map(|_| ()),
    }
}

/// What an answer says about the payment, and how it ends the call.
fn understand(answer: Result<Snapshot, ConnectorError>) -> (Answer, Ended) {
    match answer {
        Ok(snapshot) => (Answer::Snapshot(snapshot), Ended::Done),
        Err(ConnectorError::Refused { reason, provider_reason }) => {
            (Answer::Refused(decline(reason, provider_reason.as_deref())), Ended::Refused)
        }
        Err(ConnectorError::NotSent) => {
            (Answer::NotSent(decline(decline::PROVIDER_UNAVAILABLE, None)), Ended::NotSent)
        }
        Err(ConnectorError::Unsupported) => {
            (Answer::NotSent(decline(decline::PROVIDER_ERROR, None)), Ended::NotSent)
        }
        Err(ConnectorError::Lost(_)) => (Answer::Lost, Ended::NotDone),
    }
}

/// Counts what calls come to.
pub(super) fn count<T>(operation: Operation, answer: &Result<T, ConnectorError>) {
    let outcome = match answer {
        Ok(_) => "answered",
        Err(ConnectorError::Refused { .. }) => "refused",
        Err(ConnectorError::NotSent) => "not_sent",
        Err(ConnectorError::Lost(_)) => "lost",
        Err(ConnectorError::Unsupported) => "unsupported",
    };
    if let Err(error @ (ConnectorError::Lost(_) | ConnectorError::NotSent)) = answer {
        tracing::warn!(operation = operation.as_str(), %error, "a provider did not answer");
    }
    metrics::counter!("payments_calls_total", "operation" => operation.as_str(), "outcome" => outcome)
        .increment(1);
}
