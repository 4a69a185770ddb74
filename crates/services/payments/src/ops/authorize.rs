use contracts::payments::AuthorizePayment;
use database::Isolation;
use kernel::Secret;

use super::{By, NewAttempt, Payments};
use crate::connectors::{Authorize, Connector};
use crate::error::Error;
use crate::model::{Attempt, Operation, Payment, Stage};
use crate::store;

/// The only way of paying so far.
const CARD: &str = "card";

enum Begun {
    /// It is written down and its provider is to be asked.
    New(Attempt),
    /// It was begun before.
    Known(Box<Payment>),
}

impl Payments {
    /// Sets money aside. Asked again, it answers with the payment as it is.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the id stands for another payment, [`Error::Closed`] when it was
    /// voided before it began.
    pub(crate) async fn authorize(&self, request: &AuthorizePayment) -> Result<Payment, Error> {
        if request.method.method != CARD {
            return Err(Error::MethodUnknown);
        }
        if !self.origins.allow(&request.return_url) {
            return Err(Error::ReturnUrlRefused);
        }
        let connector = self.connectors.preferred()?;
        let attempt = match self.begin(request, connector).await? {
            Begun::New(attempt) => attempt,
            Begun::Known(payment) => return Ok(*payment),
        };
        let call = Authorize {
            payment_id: request.payment_id,
            amount: request.amount,
            token: Secret::new(request.method.token.clone()),
            return_url: request.return_url.clone(),
            idempotency_key: attempt.key.clone(),
        };
        let answer = connector.authorize(&call).await;
        self.settle(&attempt, answer, By::Caller).await
    }

    async fn begin(&self, request: &AuthorizePayment, connector: &dyn Connector) -> Result<Begun, Error> {
        let now = self.now();
        let id = request.payment_id;
        self.database
            .write_with(Isolation::ReadCommitted, |mut tx| async move {
                // Against a second request for the same id, and against a void that comes first.
                tx.lock_key(&id.to_string()).await?;
                if let Some(known) = store::payments::get(&mut tx, id).await? {
                    let asked = (request.order_id, request.customer_id, request.amount);
                    if asked != (known.order_id, known.customer_id, known.amount) {
                        return Err(Error::Conflict);
                    }
                    return Ok(tx.rollback(Begun::Known(Box::new(known))).await?);
                }
                if store::payments::is_closed(&mut tx, id).await? {
                    return Err(Error::Closed);
                }
                let new = NewAttempt {
                    by: By::Caller,
                    payment_id: id,
                    refund_id: None,
                    operation: Operation::Authorize,
                    amount: request.amount,
                };
                let attempt = self.begin_attempt(&mut tx, connector, new).await?;
                let payment = Payment {
                    id,
                    order_id: request.order_id,
                    customer_id: request.customer_id,
                    provider: connector.name().to_owned(),
                    method: request.method.method.clone(),
                    card: None,
                    amount: request.amount,
                    captured: 0,
                    refunded: 0,
                    stage: Stage::Created,
                    asked: None,
                    void_wanted: false,
                    action_url: None,
                    decline: None,
                    provider_reference: None,
                    version: 1,
                    created_at: now,
                    updated_at: now,
                };
                store::payments::insert(&mut tx, &payment.asking(attempt.id, Operation::Authorize)).await?;
                Ok(tx.commit(Begun::New(attempt)).await?)
            })
            .await
    }
}
