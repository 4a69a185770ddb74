use axum::extract::State;
use kernel::PaymentId;
use web::{Caller, Handled, Id, Role, Versioned, code};

use super::view::PaymentView;
use crate::error::{Error, NOT_FOUND};
use crate::model::Payment;
use crate::ops::Payments;
use crate::store;

web::errors!(Errors: code::CALLER, code::BAD_ID, NOT_FOUND);

/// Shows a payment.
///
/// Customers see their own; the staff see all, for which they need the role `payments`, `orders` or
/// `support`.
#[utoipa::path(
    get,
    path = "/v1/payments/{id}",
    tag = "payments",
    operation_id = "get_payment",
    params(("id" = PaymentId, Path, description = "The payment.")),
    responses(
        (status = 200, description = "The payment.", body = PaymentView,
         headers(("ETag" = String, description = "The payment's version."))),
        Errors
    ),
    security(("bearer" = ["customer"]), ("bearer" = ["staff:orders"]), ("bearer" = ["staff:payments"]), ("bearer" = ["staff:support"]))
)]
pub(crate) async fn get_payment(
    State(payments): State<Payments>,
    caller: Caller,
    Id(id): Id<PaymentId>,
) -> Handled<Versioned<PaymentView>> {
    let payment = readable(&payments, &caller, id).await?;
    let version = payment.version;
    Ok(Versioned::new(payment.into(), version))
}

/// The payment when `caller` may read it; somebody else's is not found.
pub(super) async fn readable(payments: &Payments, caller: &Caller, id: PaymentId) -> Handled<Payment> {
    let found = match caller {
        Caller::Customer(customer) => {
            store::payments::get_of(&mut *payments.database.read().await?, id, customer.id).await?
        }
        Caller::Staff(staff) => {
            if ![Role::Orders, Role::Support].into_iter().any(|role| staff.may(role)) {
                staff.require(Role::Payments)?;
            }
            store::payments::get(&mut *payments.database.read().await?, id).await?
        }
        Caller::Anonymous => {
            return Err(code::AUTH_MISSING.problem("Sign in first, and send the access token."));
        }
        Caller::Seller(_) | Caller::Service(_) => {
            return Err(code::FORBIDDEN.problem("This is not for this kind of account."));
        }
    };
    Ok(found.ok_or(Error::NotFound)?)
}
