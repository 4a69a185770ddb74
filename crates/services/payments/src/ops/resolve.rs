use std::time::Duration;

use database::Isolation;
use kernel::{PaymentId, Timestamp};

use super::{By, Payments, record};
use crate::connectors::ConnectorError;
use crate::error::Error;
use crate::model::refund::RefundStep;
use crate::model::{Attempt, Ended, Observed, Payment, Refund, RefundStatus, Snapshot, Step};
use crate::store;

/// Why a payment is still not certain. It is looked after again, with growing pauses.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResolveError {
    /// The provider could not be asked.
    #[error("the provider could not be asked where the payment stands")]
    Provider(#[from] ConnectorError),
    /// What is to be done at the provider was not done yet.
    #[error("the provider has not yet done what it is to do")]
    Undone,
    #[error(transparent)]
    Payments(#[from] Error),
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// A payment with everything about it that is not certain.
struct Case {
    payment: Payment,
    /// Calls that have not ended.
    attempts: Vec<Attempt>,
    /// Refunds of which the provider has not said how they end.
    refunds: Vec<Refund>,
}

impl Payments {
    /// Finds out what is not certain about a payment, by asking its provider, and does what is still to
    /// be done: void what is not wanted any more, send refunds that did not arrive. Returns when to look
    /// again, if ever. Nothing is guessed, and no other provider is asked instead.
    pub(crate) async fn resolve(&self, id: PaymentId) -> Result<Option<Timestamp>, ResolveError> {
        let Some(case) = self.case(id).await? else { return Ok(None) };
        let now = self.now();
        if let Some(answer_by) = case.under_way(now) {
            return Ok(Some(answer_by));
        }
        let case = self.lose(case).await?;
        let case = if case.is_to_be_asked() { self.ask(&case).await? } else { case };
        if case.payment.needs_void() {
            self.void_by(id, By::Worker).await?;
        }
        for refund in case.refunds.iter().filter(|refund| refund.is_unsent()) {
            if let Some(asked) = self.ask_refund_again(refund).await? {
                self.send_refund_by(asked, By::Worker).await?;
            }
        }
        match self.case(id).await? {
            Some(case) => case.look_again(self.now()),
            None => Ok(None),
        }
    }

    async fn case(&self, id: PaymentId) -> Result<Option<Case>, database::Error> {
        let mut reader = self.database.read_primary().await?;
        let Some(payment) = store::payments::get(&mut reader, id).await? else { return Ok(None) };
        let attempts = store::attempts::open(&mut reader, id).await?;
        let refunds = store::refunds::open(&mut reader, id).await?;
        Ok(Some(Case { payment, attempts, refunds }))
    }

    /// Writes down that nobody waits for the answers any more.
    async fn lose(&self, case: Case) -> Result<Case, Error> {
        if !case.has_unlost() {
            return Ok(case);
        }
        let (now, case) = (self.now(), &case);
        self.database
            .write_with(Isolation::ReadCommitted, |mut tx| async move {
                let before = store::payments::lock(&mut tx, case.payment.id).await?.ok_or(Error::NotFound)?;
                let asked = before.asked.map(|asked| asked.attempt);
                let overdue = case.attempts.iter().find(|attempt| Some(attempt.id) == asked);
                let next = overdue.map_or_else(|| before.clone(), |attempt| before.lost(attempt.id));
                let step = Step { next, postings: Vec::new(), observed: Observed::Known };
                let payment = record::payment(&mut tx, &before, step, Ended::NotDone, now).await?;
                let mut refunds = store::refunds::open(&mut tx, payment.id).await?;
                for refund in &mut refunds {
                    let known = case.attempts.iter().any(|attempt| Some(attempt.id) == refund.attempt);
                    let next = if known { refund.lost() } else { refund.clone() };
                    let step = RefundStep { next, posting: None, observed: Observed::Known };
                    (_, *refund) =
                        record::refund(&mut tx, &payment, refund, step, Ended::NotDone, now).await?;
                }
                let attempts = store::attempts::open(&mut tx, payment.id).await?;
                Ok::<_, Error>(tx.commit(Case { payment, attempts, refunds }).await?)
            })
            .await
    }

    /// Asks the provider where everything stands, and writes that down.
    async fn ask(&self, case: &Case) -> Result<Case, ResolveError> {
        // Taken before asking: what could take effect until now, the answer would show.
        let asked_at = self.now();
        let snapshot = self.connector(&case.payment.provider)?.fetch(case.payment.id).await?;
        let (now, snapshot) = (self.now(), snapshot.as_ref());
        let case = self
            .database
            .write_with(Isolation::ReadCommitted, |mut tx| async move {
                let before = store::payments::lock(&mut tx, case.payment.id).await?.ok_or(Error::NotFound)?;
                let conclusive = |attempt| {
                    let known = case.attempts.iter().find(|known| Some(known.id) == attempt);
                    known.is_some_and(|known| known.settles_at <= asked_at)
                };
                // Refunds first: a payment that turns out not to have been taken fails those that are still
                // open, and the answer may say that one of them was paid before that.
                let mut before = before;
                for refund in store::refunds::open(&mut tx, before.id).await? {
                    let (step, ended) = fetched(&refund, snapshot, conclusive(refund.attempt));
                    (before, _) = record::refund(&mut tx, &before, &refund, step, ended, now).await?;
                }
                let step = before.fetched(snapshot, conclusive(before.asked.map(|asked| asked.attempt)));
                let ended = if step.observed == Observed::Applied { Ended::Done } else { Ended::NotDone };
                let payment = record::payment(&mut tx, &before, step, ended, now).await?;
                let attempts = store::attempts::open(&mut tx, payment.id).await?;
                let refunds = store::refunds::open(&mut tx, payment.id).await?;
                Ok::<_, Error>(tx.commit(Case { payment, attempts, refunds }).await?)
            })
            .await?;
        Ok(case)
    }
}

/// What the provider's answer makes of a refund, and how that ends its call.
fn fetched(refund: &Refund, snapshot: Option<&Snapshot>, conclusive: bool) -> (RefundStep, Ended) {
    let found =
        snapshot.and_then(|snapshot| snapshot.refunds.iter().find(|told| told.refund_id == refund.id));
    match found {
        Some(told) => (refund.observe(told), Ended::Done),
        None => {
            let next = if conclusive { refund.not_done() } else { refund.clone() };
            (RefundStep { next, posting: None, observed: Observed::Known }, Ended::NotDone)
        }
    }
}

impl Case {
    /// Until when somebody still waits for the answer to a call.
    fn under_way(&self, now: Timestamp) -> Option<Timestamp> {
        let waited_for = self.attempts.iter().filter(|attempt| !self.is_lost(attempt));
        waited_for.map(|attempt| attempt.answer_by).filter(|answer_by| *answer_by > now).max()
    }

    fn is_lost(&self, attempt: &Attempt) -> bool {
        let asked = self.payment.asked.is_some_and(|asked| asked.attempt == attempt.id && asked.lost);
        let unknown =
            |refund: &Refund| refund.attempt == Some(attempt.id) && refund.status == RefundStatus::Unknown;
        asked || self.refunds.iter().any(unknown)
    }

    fn has_unlost(&self) -> bool {
        self.attempts.iter().any(|attempt| !self.is_lost(attempt))
    }

    fn is_to_be_asked(&self) -> bool {
        let refunding = self.refunds.iter().any(|refund| !refund.is_unsent());
        !self.attempts.is_empty() || self.payment.is_waiting() || refunding
    }

    fn look_again(&self, now: Timestamp) -> Result<Option<Timestamp>, ResolveError> {
        if self.payment.needs_void() || self.refunds.iter().any(Refund::is_unsent) {
            return Err(ResolveError::Undone);
        }
        if let Some(settles_at) = self.attempts.iter().map(|attempt| attempt.settles_at).min() {
            return Ok(Some(settles_at.max(now.plus(Duration::from_secs(1)))));
        }
        let waiting = self.payment.is_waiting() || !self.refunds.is_empty();
        Ok(waiting.then(|| self.payment.look_again(now)))
    }
}
