use database::{Isolation, Tx};
use kernel::{Money, PaymentId, RefundId};
use ledger::LedgerError;
use sha2::{Digest, Sha256};

use super::{By, NewAttempt, Payments, books, look_after, record};
use crate::connectors::{ConnectorError, RefundPayment};
use crate::error::Error;
use crate::model::decline::decline;
use crate::model::refund::RefundStep;
use crate::model::{Attempt, Ended, Observed, Operation, Payment, Refund, RefundSnapshot, RefundStatus};
use crate::ops::settle;
use crate::store;

/// Give money back.
#[derive(Clone, Debug)]
pub(crate) struct AskRefund {
    pub(crate) payment_id: PaymentId,
    pub(crate) refund_id: RefundId,
    /// How much; all that is left when not said.
    pub(crate) amount: Option<Money>,
    pub(crate) reason: String,
    pub(crate) requested_by: String,
    /// Tells a repetition of the request, when it had a key: see [`request_key`].
    pub(crate) request_key: Option<[u8; 32]>,
}

/// A refund that is written down, with the call that is still to be made for it.
#[derive(Clone, Debug)]
pub(crate) struct AskedRefund {
    pub(crate) refund: Refund,
    pub(crate) provider: String,
    pub(crate) attempt: Option<Attempt>,
}

/// What tells the refund of a request with an `Idempotency-Key`, for a repetition after a crash.
pub(crate) fn request_key(caller: &str, payment: PaymentId, key: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(caller);
    hash.update(b"\n");
    hash.update(payment.uuid().as_bytes());
    hash.update(key);
    hash.finalize().into()
}

impl Payments {
    /// Reserves the money for a refund and writes it down. Asked again, it answers with the refund.
    ///
    /// # Errors
    /// [`Error::RefundExceeds`] when less than that was taken and not given back yet.
    pub(crate) async fn ask_refund(&self, tx: &mut Tx, ask: &AskRefund) -> Result<AskedRefund, Error> {
        let now = self.now();
        let payment = store::payments::lock(tx, ask.payment_id).await?.ok_or(Error::NotFound)?;
        if let Some(refund) = known(tx, ask).await? {
            return Ok(AskedRefund { refund, provider: payment.provider, attempt: None });
        }
        let amount = refundable(tx, &payment, ask.amount, now).await?;
        let refund = Refund {
            id: ask.refund_id,
            payment_id: payment.id,
            amount,
            reason: ask.reason.clone(),
            status: RefundStatus::Pending,
            attempt: None,
            failure: None,
            provider_reference: None,
            requested_by: ask.requested_by.clone(),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        books::reserve(tx, &payment, &refund, now).await.map_err(|error| match error {
            LedgerError::Exceeds(short) => {
                let left = short.first().map_or(0, |shortfall| shortfall.available);
                Error::RefundExceeds { available: Money::new(left, amount.currency) }
            }
            error => error.into(),
        })?;
        let attempt = self.begin_refund_attempt(tx, &payment.provider, &refund, By::Caller).await?;
        let refund = refund.asking(attempt.id);
        store::refunds::insert(tx, &refund, ask.request_key).await?;
        Ok(AskedRefund { refund, provider: payment.provider, attempt: Some(attempt) })
    }

    /// Makes the call for a refund, if it is still to be made, and returns the refund as it is then.
    pub(crate) async fn send_refund(&self, asked: AskedRefund) -> Result<Refund, Error> {
        self.send_refund_by(asked, By::Caller).await
    }

    pub(super) async fn send_refund_by(&self, asked: AskedRefund, by: By) -> Result<Refund, Error> {
        let AskedRefund { refund, provider, attempt } = asked;
        let Some(attempt) = attempt else { return Ok(refund) };
        let call = RefundPayment {
            payment_id: refund.payment_id,
            refund_id: refund.id,
            amount: refund.amount,
            idempotency_key: attempt.key.clone(),
        };
        let answer = self.connector(&provider)?.refund(&call).await;
        self.settle_refund(&attempt, &refund, answer, by).await
    }

    /// Begins the call for a refund anew, whose last one is known not to have happened.
    pub(super) async fn ask_refund_again(&self, refund: &Refund) -> Result<Option<AskedRefund>, Error> {
        self.database
            .write_with(Isolation::ReadCommitted, |mut tx| async move {
                let payment =
                    store::payments::lock(&mut tx, refund.payment_id).await?.ok_or(Error::NotFound)?;
                let present = store::refunds::get(&mut tx, refund.id).await?.filter(Refund::is_unsent);
                let Some(refund) = present else { return Ok(tx.rollback(None).await?) };
                let attempt =
                    self.begin_refund_attempt(&mut tx, &payment.provider, &refund, By::Worker).await?;
                let refund = refund.asking(attempt.id);
                store::refunds::update(&mut tx, &refund).await?;
                let asked = AskedRefund { refund, provider: payment.provider, attempt: Some(attempt) };
                Ok::<_, Error>(tx.commit(Some(asked)).await?)
            })
            .await
    }

    async fn begin_refund_attempt(
        &self,
        tx: &mut Tx,
        provider: &str,
        refund: &Refund,
        by: By,
    ) -> Result<Attempt, Error> {
        let new = NewAttempt {
            by,
            payment_id: refund.payment_id,
            refund_id: Some(refund.id),
            operation: Operation::Refund,
            amount: refund.amount,
        };
        Ok(self.begin_attempt(tx, self.connector(provider)?, new).await?)
    }

    async fn settle_refund(
        &self,
        attempt: &Attempt,
        refund: &Refund,
        answer: Result<RefundSnapshot, ConnectorError>,
        by: By,
    ) -> Result<Refund, Error> {
        settle::count(attempt.operation, &answer);
        let (now, answer) = (self.now(), &answer);
        self.database
            .write_with(Isolation::ReadCommitted, |mut tx| async move {
                let payment =
                    store::payments::lock(&mut tx, refund.payment_id).await?.ok_or(Error::NotFound)?;
                let before = store::refunds::get(&mut tx, refund.id).await?.ok_or(Error::NotFound)?;
                if before.attempt != Some(attempt.id) && answer.is_err() {
                    // A notification was faster than the answer.
                    return Ok(tx.rollback(before).await?);
                }
                let (step, ended) = understand(&before, answer);
                let (_, after) = record::refund(&mut tx, &payment, &before, step, ended, now).await?;
                if by == By::Caller && after.status.is_open() {
                    look_after(&mut tx, payment.id, now).await?;
                }
                Ok::<_, Error>(tx.commit(after).await?)
            })
            .await
    }
}

/// What an answer makes of the refund, and how it ends the call.
fn understand(before: &Refund, answer: &Result<RefundSnapshot, ConnectorError>) -> (RefundStep, Ended) {
    let unchanged = |next| RefundStep { next, posting: None, observed: Observed::Known };
    match answer {
        Ok(snapshot) => (before.observe(snapshot), Ended::Done),
        Err(ConnectorError::Refused { reason, provider_reason }) => {
            (before.refused(&decline(reason, provider_reason.as_deref())), Ended::Refused)
        }
        Err(ConnectorError::Unsupported) => (before.refused(&decline("unsupported", None)), Ended::NotSent),
        Err(ConnectorError::NotSent) => (unchanged(before.not_done()), Ended::NotSent),
        Err(ConnectorError::Lost(_)) => (unchanged(before.lost()), Ended::NotDone),
    }
}

/// The refund that the request asks for, when it was asked for before.
async fn known(tx: &mut Tx, ask: &AskRefund) -> Result<Option<Refund>, Error> {
    let mut found = store::refunds::get(tx, ask.refund_id).await?;
    if let (None, Some(key)) = (&found, ask.request_key) {
        found = store::refunds::by_request_key(tx, key).await?;
    }
    let Some(refund) = found else { return Ok(None) };
    let same = refund.payment_id == ask.payment_id && ask.amount.is_none_or(|amount| amount == refund.amount);
    if same { Ok(Some(refund)) } else { Err(Error::Conflict) }
}

/// How much is to be given back, when that can be.
async fn refundable(
    tx: &mut Tx,
    payment: &Payment,
    asked: Option<Money>,
    now: kernel::Timestamp,
) -> Result<Money, Error> {
    let currency = payment.amount.currency;
    if asked.is_some_and(|amount| amount.currency != currency) {
        return Err(Error::CurrencyMismatch { expected: currency });
    }
    let available = Money::new(books::refundable(tx, payment, now).await?, currency);
    let amount = asked.unwrap_or(available);
    if amount.amount <= 0 || amount.amount > available.amount {
        return Err(Error::RefundExceeds { available });
    }
    Ok(amount)
}
