use database::Isolation;
use kernel::PaymentId;

use super::{By, NewAttempt, Payments};
use crate::connectors::Void;
use crate::error::Error;
use crate::model::{Attempt, Ended, Observed, Operation, Payment, Stage, Step};
use crate::ops::record;
use crate::store;

impl Payments {
    /// Lets go of money that is set aside, and makes sure that none is ever taken: what is under way is
    /// voided as soon as it is known what became of it, and under an id that nobody has heard of nothing
    /// can begin any more. When the money was taken, it answers with the payment as it is.
    ///
    /// # Errors
    /// [`Error::NotFound`] for such an id, which is closed then.
    pub(crate) async fn void(&self, id: PaymentId) -> Result<Payment, Error> {
        self.void_by(id, By::Caller).await
    }

    pub(super) async fn void_by(&self, id: PaymentId, by: By) -> Result<Payment, Error> {
        let Some((payment, attempt)) = self.begin_void(id, by).await? else { return Err(Error::NotFound) };
        let Some(attempt) = attempt else { return Ok(payment) };
        let call = Void { payment_id: id, idempotency_key: attempt.key.clone() };
        let answer = self.connector(&payment.provider)?.void(&call).await;
        self.settle(&attempt, answer, by).await
    }

    async fn begin_void(&self, id: PaymentId, by: By) -> Result<Option<(Payment, Option<Attempt>)>, Error> {
        let now = self.now();
        self.database
            .write_with(Isolation::ReadCommitted, |mut tx| async move {
                tx.lock_key(&id.to_string()).await?;
                let Some(before) = store::payments::lock(&mut tx, id).await? else {
                    store::payments::close(&mut tx, id, now).await?;
                    return Ok(tx.commit(None).await?);
                };
                // An authorisation that is under way, or that we only believe not to have happened, may
                // still turn up.
                let may_hold =
                    before.stage.is_open() || matches!(before.stage, Stage::Created | Stage::NotDone);
                if !may_hold {
                    return Ok(tx.rollback(Some((before, None))).await?);
                }
                let mut next = Payment { void_wanted: true, ..before.clone() };
                let mut attempt = None;
                if next.needs_void() {
                    let operation = Operation::Void;
                    let new =
                        NewAttempt { by, payment_id: id, refund_id: None, operation, amount: before.amount };
                    let begun = self.begin_attempt(&mut tx, self.connector(&before.provider)?, new).await?;
                    next = next.asking(begun.id, operation);
                    attempt = Some(begun);
                }
                let step = Step { next, postings: Vec::new(), observed: Observed::Applied };
                let payment = record::payment(&mut tx, &before, step, Ended::Done, now).await?;
                Ok::<_, Error>(tx.commit(Some((payment, attempt))).await?)
            })
            .await
    }
}
