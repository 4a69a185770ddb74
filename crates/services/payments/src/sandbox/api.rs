//! What the sandbox does for its merchant.

use std::time::Duration;

use database::idempotency::{self, Begin, StoredResponse};
use database::{Isolation, Tx};
use http::StatusCode;
use kernel::{Money, PaymentId, RefundId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::notify::Reversal;
use super::payment::{
    RefundStatus, SandboxId, SandboxPayment, SandboxRefund, SandboxRefundId, Status, failure, unguessable,
};
use super::token::Token;
use super::{Sandbox, store};

/// In whose name idempotency keys are kept, beside those of the shop's own callers.
const CALLER: &str = "sandbox";
/// For how long an answer is kept for repetitions.
const KEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// An answer of the sandbox.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Value,
    /// Whether it is kept to itself, so that the merchant waits in vain.
    pub(super) withheld: bool,
}

/// `POST /sandbox/v1/payments`
#[derive(Debug, Deserialize)]
pub(super) struct NewPayment {
    reference: PaymentId,
    amount: Money,
    token: String,
    return_url: String,
}

/// `POST /sandbox/v1/payments/{reference}/capture`
#[derive(Debug, Deserialize)]
pub(super) struct CaptureAmount {
    amount: Money,
}

/// `POST /sandbox/v1/payments/{reference}/refunds`
#[derive(Debug, Deserialize)]
pub(super) struct NewRefund {
    reference: RefundId,
    amount: Money,
}

/// A request as far as its repetition is recognised by it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keyed<'a> {
    pub(super) key: &'a str,
    pub(super) fingerprint: &'a [u8],
}

impl Answer {
    pub(super) const fn new(status: StatusCode, body: Value) -> Self {
        Self { status, body, withheld: false }
    }

    pub(super) fn refused(status: StatusCode, code: &str, message: &str) -> Self {
        Self::new(status, json!({"error": {"code": code, "message": message}}))
    }

    fn withheld(self, withheld: bool) -> Self {
        Self { withheld, ..self }
    }
}

impl Sandbox {
    /// Sets money aside, as the token says.
    pub(super) async fn authorize(
        &self,
        keyed: Keyed<'_>,
        new: &NewPayment,
    ) -> Result<Answer, database::Error> {
        let Ok(token) = new.token.parse::<Token>() else {
            return Ok(Answer::refused(StatusCode::BAD_REQUEST, "invalid_token", "There is no such token."));
        };
        if token == Token::Error500 {
            let (code, message) = ("internal", "Something went wrong; nothing was done.");
            return Ok(Answer::refused(StatusCode::INTERNAL_SERVER_ERROR, code, message));
        }
        let (now, rng) = (self.now(), self.database.rng());
        let (status, refusal) = match token {
            Token::Challenge => (Status::RequiresAction, None),
            Token::Declined => (Status::Failed, failure("card_declined")),
            Token::InsufficientFunds => (Status::Failed, failure("insufficient_funds")),
            _ => (Status::Authorized, None),
        };
        let challenged = status == Status::RequiresAction;
        let payment = SandboxPayment {
            reference: new.reference,
            id: SandboxId::new(now, rng),
            token,
            amount: new.amount,
            captured: 0,
            status,
            failure: refusal,
            challenge: challenged.then(|| unguessable(rng)),
            return_url: challenged.then(|| new.return_url.clone()),
            created_at: now,
            updated_at: now,
        };
        let payment = &payment;
        self.once(keyed, |mut tx| async move {
            if store::get(&mut tx, payment.reference).await?.is_some() {
                let message = "There is a payment of this reference.";
                return Ok((tx, Answer::refused(StatusCode::CONFLICT, "reference_taken", message)));
            }
            store::insert(&mut tx, payment).await?;
            self.tell_created(&mut tx, payment).await?;
            let answer = Answer::new(StatusCode::CREATED, payment.to_json(&self.public_url, &[]));
            Ok((tx, answer.withheld(token == Token::TimeoutAfterSuccess)))
        })
        .await
    }

    /// Takes money that is set aside.
    pub(super) async fn capture(
        &self,
        keyed: Keyed<'_>,
        reference: PaymentId,
        part: &CaptureAmount,
    ) -> Result<Answer, database::Error> {
        let now = self.now();
        self.once(keyed, |mut tx| async move {
            let Some(mut payment) = store::lock(&mut tx, reference).await? else {
                return Ok((tx, not_found()));
            };
            let fits = part.amount.currency == payment.amount.currency
                && (1..=payment.amount.amount).contains(&part.amount.amount);
            if payment.status != Status::Authorized || !fits {
                let message = "So much is not set aside.";
                return Ok((tx, Answer::refused(StatusCode::CONFLICT, "not_capturable", message)));
            }
            payment.status = Status::Captured;
            payment.captured = part.amount.amount;
            payment.updated_at = now;
            store::update(&mut tx, &payment).await?;
            self.tell_payment(&mut tx, &payment).await?;
            if payment.token == Token::CaptureFails {
                self.take_back_later(&mut tx, Reversal::Capture { payment: reference }).await?;
            }
            let answer = Answer::new(StatusCode::OK, payment.to_json(&self.public_url, &[]));
            Ok((tx, answer.withheld(payment.token == Token::CaptureTimeout)))
        })
        .await
    }

    /// Lets go of money that is set aside, or ends a challenge.
    pub(super) async fn void(
        &self,
        keyed: Keyed<'_>,
        reference: PaymentId,
    ) -> Result<Answer, database::Error> {
        let now = self.now();
        self.once(keyed, |mut tx| async move {
            let Some(mut payment) = store::lock(&mut tx, reference).await? else {
                return Ok((tx, not_found()));
            };
            if !matches!(payment.status, Status::Authorized | Status::RequiresAction) {
                let message = "Nothing of it is set aside.";
                return Ok((tx, Answer::refused(StatusCode::CONFLICT, "not_voidable", message)));
            }
            payment.status = Status::Voided;
            payment.return_url = None;
            payment.updated_at = now;
            store::update(&mut tx, &payment).await?;
            self.tell_payment(&mut tx, &payment).await?;
            let answer = Answer::new(StatusCode::OK, payment.to_json(&self.public_url, &[]));
            Ok((tx, answer))
        })
        .await
    }

    /// Gives money back.
    pub(super) async fn refund(
        &self,
        keyed: Keyed<'_>,
        reference: PaymentId,
        new: &NewRefund,
    ) -> Result<Answer, database::Error> {
        let (now, id) = (self.now(), SandboxRefundId::new(self.now(), self.database.rng()));
        self.once(keyed, |mut tx| async move {
            let Some(payment) = store::lock(&mut tx, reference).await? else { return Ok((tx, not_found())) };
            let refunds = store::refunds(&mut tx, reference).await?;
            let given = refunds.iter().filter(|refund| refund.status == RefundStatus::Succeeded);
            let left = payment.captured - given.map(|refund| refund.amount).sum::<i64>();
            let fits =
                new.amount.currency == payment.amount.currency && (1..=left).contains(&new.amount.amount);
            if payment.status != Status::Captured || !fits {
                let message = "So much was not taken, or was given back.";
                return Ok((tx, Answer::refused(StatusCode::CONFLICT, "not_refundable", message)));
            }
            let refund = SandboxRefund {
                reference: new.reference,
                id,
                payment: reference,
                amount: new.amount.amount,
                status: RefundStatus::Succeeded,
                created_at: now,
                updated_at: now,
            };
            store::insert_refund(&mut tx, &refund).await?;
            self.tell_refund(&mut tx, &payment, &refund).await?;
            if payment.token == Token::RefundFails {
                self.take_back_later(&mut tx, Reversal::Refund { refund: refund.reference }).await?;
            }
            let answer = Answer::new(StatusCode::CREATED, refund.to_json(payment.amount));
            Ok((tx, answer.withheld(payment.token == Token::RefundTimeout)))
        })
        .await
    }

    /// A payment and its refunds as they are.
    pub(super) async fn fetch(&self, reference: PaymentId) -> Result<Answer, database::Error> {
        let mut reader = self.database.read_primary().await?;
        let Some(payment) = store::get(&mut reader, reference).await? else { return Ok(not_found()) };
        let refunds = store::refunds(&mut reader, reference).await?;
        Ok(Answer::new(StatusCode::OK, payment.to_json(&self.public_url, &refunds)))
    }

    /// Does `work` once for a key, and gives its answer again to whoever repeats the request.
    async fn once<F, Fut>(&self, keyed: Keyed<'_>, work: F) -> Result<Answer, database::Error>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<(Tx, Answer), database::Error>>,
    {
        let (now, work) = (self.now(), &work);
        let Keyed { key, fingerprint } = keyed;
        self.database
            .write_with(Isolation::ReadCommitted, |mut tx| async move {
                match idempotency::begin(&mut tx, CALLER, key, fingerprint, now, KEEP).await? {
                    Begin::New => {}
                    Begin::Replay(stored) => return tx.rollback(replayed(&stored)).await,
                    Begin::Mismatch | Begin::InFlight => {
                        let message = "The key was used for another request.";
                        let refused = Answer::refused(StatusCode::CONFLICT, "idempotency_conflict", message);
                        return tx.rollback(refused).await;
                    }
                }
                let (mut tx, answer) = work(tx).await?;
                let stored = StoredResponse {
                    status: answer.status.as_u16(),
                    headers: Vec::new(),
                    body: answer.body.to_string().into_bytes(),
                };
                idempotency::finish(&mut tx, CALLER, key, &stored).await?;
                tx.commit(answer).await
            })
            .await
    }
}

fn replayed(stored: &StoredResponse) -> Answer {
    let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Answer::new(status, serde_json::from_slice(&stored.body).unwrap_or_default())
}

fn not_found() -> Answer {
    Answer::refused(StatusCode::NOT_FOUND, "not_found", "There is no such payment.")
}
