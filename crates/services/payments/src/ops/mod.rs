//! What this service does, one verb per file.
//!
//! Everything that asks a provider goes the same way: write down the attempt and commit, call outside
//! any transaction, write down what it came to. A crash in between leaves an attempt that has not
//! ended, and [`resolve`] finds out by asking the provider.

mod authorize;
mod books;
mod capture;
mod process_webhooks;
mod receive_webhook;
mod record;
mod refund;
mod resolve;
mod settle;
mod void;

use std::sync::Arc;
use std::time::Duration;

use database::{Database, Due, Tx};
use kernel::{Money, PaymentId, RefundId, Timestamp};

pub(crate) use refund::{AskRefund, request_key};

use crate::connectors::{Connector, Connectors};
use crate::error::Error;
use crate::model::attempt::idempotency_key;
use crate::model::return_url::ReturnOrigins;
use crate::model::{Attempt, AttemptId, Operation};
use crate::store;

/// The queue of payments of which something is not certain.
pub(crate) const RESOLVE: &str = "payments.resolve";
/// The queue of payments that providers have told something about.
pub(crate) const WEBHOOKS: &str = "payments.webhooks";

/// For how long an answer is waited for beyond what the connector allows itself.
const MARGIN: Duration = Duration::from_secs(1);

/// How often the time after which a call counts as not done is doubled.
const MOST_DOUBLINGS: i64 = 10;

/// What every operation stands on.
#[derive(Clone)]
pub(crate) struct Payments {
    pub(crate) database: Database,
    pub(crate) connectors: Connectors,
    pub(crate) origins: Arc<ReturnOrigins>,
}

/// Who makes a call, and so who sees to it that its outcome is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// Somebody who asked for it: the payment is to be looked after should the answer not come.
    Caller,
    /// The worker that looks after the payment, and comes back by itself with growing pauses.
    Worker,
}

/// A call that is to be written down.
struct NewAttempt {
    by: By,
    payment_id: PaymentId,
    refund_id: Option<RefundId>,
    operation: Operation,
    amount: Money,
}

impl Payments {
    pub(crate) fn now(&self) -> Timestamp {
        self.database.clock().now()
    }

    /// The connector that a payment went through.
    fn connector(&self, provider: &str) -> Result<&dyn Connector, Error> {
        self.connectors.get(provider).ok_or(Error::NoProvider)
    }

    /// Writes down a call, and that somebody is to look after it should its answer not be.
    async fn begin_attempt(
        &self,
        tx: &mut Tx,
        connector: &dyn Connector,
        new: NewAttempt,
    ) -> Result<Attempt, database::Error> {
        let NewAttempt { by, payment_id, refund_id, operation, amount } = new;
        let now = self.now();
        let number = 1 + store::attempts::count(tx, payment_id, refund_id, operation).await?;
        let subject = refund_id.map_or(payment_id.uuid(), RefundId::uuid);
        // A provider that loses every call is left alone for longer after each of them.
        let patience = 1_u32 << (number - 1).clamp(0, MOST_DOUBLINGS);
        let attempt = Attempt {
            id: AttemptId::new(now, self.database.rng()),
            payment_id,
            refund_id,
            operation,
            number,
            amount,
            key: idempotency_key(operation, subject, number),
            started_at: now,
            answer_by: now.plus(connector.timeout() + MARGIN),
            settles_at: now.plus(connector.settles_within() * patience),
        };
        store::attempts::insert(tx, &attempt).await?;
        if by == By::Caller {
            look_after(tx, payment_id, attempt.answer_by).await?;
        }
        Ok(attempt)
    }
}

/// Has the payment looked after at `at`.
async fn look_after(tx: &mut Tx, payment: PaymentId, at: Timestamp) -> Result<(), database::Error> {
    tx.schedule(&Due { queue: RESOLVE, key: payment.to_string(), payload: serde_json::Value::Null, at }).await
}

#[cfg(test)]
mod tests;
