use contracts::CallError;
use contracts::payments::{AuthorizePayment, Payment, PaymentMethod};

use crate::model::checkout::{Checkout, Outcome, Unclear};
use crate::shop::{Shop, sealed};

/// Sets the money aside. Asked again with the same id, the payment service says what has become of it.
pub(super) async fn authorise(shop: &Shop, checkout: &Checkout) -> Outcome {
    let method = match method(shop, checkout).await {
        Ok(method) => method,
        Err(outcome) => return outcome,
    };
    let request = AuthorizePayment {
        payment_id: checkout.payment_id,
        order_id: checkout.order_id,
        customer_id: checkout.customer_id,
        amount: checkout.totals.total,
        method,
        return_url: format!("{}/orders/{}", shop.public_url, checkout.order_id),
    };
    answer(shop.payments.authorize(&request).await)
}

/// Asks where the payment stands.
pub(super) async fn ask(shop: &Shop, checkout: &Checkout) -> Outcome {
    answer(shop.payments.get(checkout.payment_id).await)
}

/// Undo of [`authorise`]: lets the money go, or makes sure that none is ever set aside.
pub(super) async fn void(shop: &Shop, checkout: &Checkout) -> Outcome {
    answer(shop.payments.void(checkout.payment_id).await)
}

/// What a call to the payment service came to.
pub(super) fn answer(result: Result<Payment, CallError>) -> Outcome {
    match result {
        Ok(payment) => Outcome::payment(payment),
        Err(error) if error.is("payments.not_found") => Outcome::NoPayment,
        Err(error) => Outcome::failed_call(&error, "payments"),
    }
}

async fn method(shop: &Shop, checkout: &Checkout) -> Result<PaymentMethod, Outcome> {
    let sealed = checkout.method.as_deref().ok_or(Outcome::PersonErased)?;
    match shop.vault.open_json(checkout.person_id, sealed::METHOD, sealed).await {
        Ok(Some(method)) => Ok(method),
        Ok(None) => Err(Outcome::PersonErased),
        Err(error) => {
            tracing::warn!(checkout = %checkout.id, error = &error as &dyn std::error::Error,
                "what is paid with cannot be unsealed now");
            Err(Outcome::Unclear(Unclear::Failed))
        }
    }
}
