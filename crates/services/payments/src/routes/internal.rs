//! The routes of `contracts::payments::Client`.

use axum::Json;
use axum::extract::State;
use contracts::payments::{AuthorizePayment, Payment, PaymentMethod, RefundPayment};
use database::Isolation;
use kernel::{Money, PaymentId};
use serde::Deserialize;
use web::{Checks, Handled, Id, Internal, ValidJson, Validate};

use super::amount::Positive;
use super::refund_payment::MAX_REASON;
use crate::error::Error;
use crate::model::return_url;
use crate::ops::{AskRefund, Payments};
use crate::store;

/// The most characters of a provider's token.
const MAX_TOKEN: usize = 200;

#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct AuthorizeBody(AuthorizePayment);

impl Validate for AuthorizeBody {
    fn validate(&self, checks: &mut Checks) {
        let Self(request) = self;
        checks.within("amount", &Positive(request.amount));
        checks.within("method", &Method(&request.method));
        checks.text("return_url", &request.return_url, 1..=return_url::MAX_LEN);
    }
}

/// `POST /internal/payments`
pub(super) async fn authorize(
    State(payments): State<Payments>,
    _: Internal,
    ValidJson(AuthorizeBody(request)): ValidJson<AuthorizeBody>,
) -> Handled<Json<Payment>> {
    Ok(Json(payments.authorize(&request).await?.view()))
}

/// `GET /internal/payments/{id}`
pub(super) async fn get(
    State(payments): State<Payments>,
    _: Internal,
    Id(id): Id<PaymentId>,
) -> Handled<Json<Payment>> {
    let mut reader = payments.database.read_primary().await?;
    let payment = store::payments::get(&mut reader, id).await?.ok_or(Error::NotFound)?;
    Ok(Json(payment.view()))
}

struct Method<'a>(&'a PaymentMethod);

impl Validate for Method<'_> {
    fn validate(&self, checks: &mut Checks) {
        checks.text("method", &self.0.method, 1..=50);
        checks.text("token", &self.0.token, 1..=MAX_TOKEN);
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaptureAmount {
    amount: Money,
}

/// How much to take; all of it when there is nothing.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct CaptureBody(Option<CaptureAmount>);

impl Validate for CaptureBody {
    fn validate(&self, checks: &mut Checks) {
        if let Some(CaptureAmount { amount }) = &self.0 {
            checks.within("amount", &Positive(*amount));
        }
    }
}

/// `POST /internal/payments/{id}/capture`
pub(super) async fn capture(
    State(payments): State<Payments>,
    _: Internal,
    Id(id): Id<PaymentId>,
    ValidJson(CaptureBody(part)): ValidJson<CaptureBody>,
) -> Handled<Json<Payment>> {
    Ok(Json(payments.capture(id, part.map(|part| part.amount)).await?.view()))
}

/// `POST /internal/payments/{id}/void`
pub(super) async fn void(
    State(payments): State<Payments>,
    _: Internal,
    Id(id): Id<PaymentId>,
) -> Handled<Json<Payment>> {
    Ok(Json(payments.void(id).await?.view()))
}

#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct RefundBody(RefundPayment);

impl Validate for RefundBody {
    fn validate(&self, checks: &mut Checks) {
        checks.within("amount", &Positive(self.0.amount));
        checks.text("reason", &self.0.reason, 1..=MAX_REASON);
    }
}

/// `POST /internal/payments/{id}/refunds`
pub(super) async fn refund(
    State(payments): State<Payments>,
    caller: Internal,
    Id(id): Id<PaymentId>,
    ValidJson(RefundBody(request)): ValidJson<RefundBody>,
) -> Handled<Json<Payment>> {
    let ask = AskRefund {
        payment_id: id,
        refund_id: request.refund_id,
        amount: Some(request.amount),
        reason: request.reason,
        requested_by: caller.service,
        request_key: None,
    };
    let (payments, ask) = (&payments, &ask);
    let asked = payments
        .database
        .write_with(Isolation::ReadCommitted, |mut tx| async move {
            let asked = payments.ask_refund(&mut tx, ask).await?;
            Ok::<_, Error>(tx.commit(asked).await?)
        })
        .await?;
    payments.send_refund(asked).await?;
    let mut reader = payments.database.read_primary().await?;
    let payment = store::payments::get(&mut reader, id).await?.ok_or(Error::NotFound)?;
    Ok(Json(payment.view()))
}
