use axum::extract::State;
use axum::response::Response;
use database::Isolation;
use kernel::{Money, PaymentId, RefundId};
use serde::Deserialize;
use utoipa::ToSchema;
use web::{
    Checks, Created, Handled, Id, Idempotent, Problem, Role, Staff, ValidJson, Validate, Versioned, code,
};

use super::amount::Positive;
use super::view::RefundView;
use crate::error::{CURRENCY_MISMATCH, NO_PROVIDER, NOT_FOUND, REFUND_EXCEEDS};
use crate::ops::{AskRefund, Payments, request_key};

/// The most characters of a reason.
pub(super) const MAX_REASON: usize = 500;

/// What to give back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefundBody {
    /// How much; all that was taken and not given back yet when it is left out.
    #[serde(default)]
    amount: Option<Money>,
    /// Why, for the books.
    #[schema(min_length = 1, max_length = 500, examples("The shade did not match."))]
    reason: String,
}

impl Validate for RefundBody {
    fn validate(&self, checks: &mut Checks) {
        checks.text("reason", &self.reason, 1..=MAX_REASON);
        if let Some(amount) = self.amount {
            checks.within("amount", &Positive(amount));
        }
    }
}

web::errors!(
    Errors: code::CALLER, code::BAD_ID, code::BODY, code::IDEMPOTENCY, NOT_FOUND, REFUND_EXCEEDS,
    CURRENCY_MISMATCH, NO_PROVIDER
);

/// Gives money back.
///
/// All of a payment or a part, and several times, until everything that was taken is given back. The
/// answer says how far the refund has come: mostly `succeeded`, `failed` when the provider refused,
/// `pending` or `unknown` while it is found out. Needs the role `payments`.
#[utoipa::path(
    post,
    path = "/v1/payments/{id}/refunds",
    tag = "payments",
    operation_id = "refund_payment",
    params(
        ("id" = PaymentId, Path, description = "The payment."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes it safe to send the request again.")
    ),
    request_body = RefundBody,
    responses(
        (status = 201, description = "The refund.", body = RefundView,
         headers(("Location" = String, description = "The payment's refunds."),
                 ("ETag" = String, description = "The refund's version."))),
        Errors
    ),
    security(("bearer" = ["staff:payments"]))
)]
pub(crate) async fn refund_payment(
    State(payments): State<Payments>,
    staff: Staff,
    Id(id): Id<PaymentId>,
    Idempotent(once, ValidJson(body)): Idempotent<ValidJson<RefundBody>>,
) -> Handled<Response> {
    staff.require(Role::Payments)?;
    let caller = staff.id.to_string();
    let ask = AskRefund {
        payment_id: id,
        refund_id: RefundId::new(payments.now(), payments.database.rng()),
        amount: body.amount,
        reason: body.reason,
        requested_by: caller.clone(),
        request_key: once.key().map(|key| request_key(&caller, id, key.as_str())),
    };
    let (once, payments, ask, caller) = (&once, &payments, &ask, &caller);
    let asked = payments
        .database
        .write_with(Isolation::ReadCommitted, |mut tx| async move {
            if let Some(before) = once.begin(&mut tx, caller).await? {
                return Ok(tx.rollback(Err(before)).await?);
            }
            let asked = payments.ask_refund(&mut tx, ask).await?;
            Ok::<_, Problem>(tx.commit(Ok(asked)).await?)
        })
        .await?;
    let asked = match asked {
        Ok(asked) => asked,
        Err(before) => return Ok(before),
    };
    let refund = payments.send_refund(asked).await?;
    let version = refund.version;
    let body = Versioned::new(RefundView::from(refund), version);
    once.finish(&payments.database, caller, Created { location: format!("/v1/payments/{id}/refunds"), body })
        .await
}
