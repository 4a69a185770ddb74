use database::Isolation;
use kernel::{Money, PaymentId};

use super::{By, NewAttempt, Payments};
use crate::connectors::Capture;
use crate::error::Error;
use crate::model::{Ended, Observed, Operation, Payment, Step};
use crate::ops::record;
use crate::store;

impl Payments {
    /// Takes money that is set aside: `amount` of it, or all; the rest is let go. When nothing is set
    /// aside, or it was taken before, it answers with the payment as it is.
    ///
    /// # Errors
    /// [`Error::CaptureExceeds`] and [`Error::CurrencyMismatch`] for an amount that cannot be taken.
    pub(crate) async fn capture(&self, id: PaymentId, amount: Option<Money>) -> Result<Payment, Error> {
        let now = self.now();
        let (payment, attempt) = self
            .database
            .write_with(Isolation::ReadCommitted, |mut tx| async move {
                let before = store::payments::lock(&mut tx, id).await?.ok_or(Error::NotFound)?;
                let amount = amount.unwrap_or(before.amount);
                check(&before, amount)?;
                if !before.can_capture() {
                    return Ok(tx.rollback((before, None)).await?);
                }
                let operation = Operation::Capture;
                let new = NewAttempt { by: By::Caller, payment_id: id, refund_id: None, operation, amount };
                let attempt = self.begin_attempt(&mut tx, self.connector(&before.provider)?, new).await?;
                let next = before.asking(attempt.id, operation);
                let step = Step { next, postings: Vec::new(), observed: Observed::Applied };
                let payment = record::payment(&mut tx, &before, step, Ended::Done, now).await?;
                Ok::<_, Error>(tx.commit((payment, Some(attempt))).await?)
            })
            .await?;
        let Some(attempt) = attempt else { return Ok(payment) };
        let call = Capture { payment_id: id, amount: attempt.amount, idempotency_key: attempt.key.clone() };
        let answer = self.connector(&payment.provider)?.capture(&call).await;
        self.settle(&attempt, answer, By::Caller).await
    }
}

fn check(payment: &Payment, amount: Money) -> Result<(), Error> {
    if amount.currency != payment.amount.currency {
        return Err(Error::CurrencyMismatch { expected: payment.amount.currency });
    }
    if amount.amount > payment.amount.amount {
        return Err(Error::CaptureExceeds { authorized: payment.amount });
    }
    Ok(())
}
