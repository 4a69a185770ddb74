use contracts::payments::{PaymentStatus, RefundPayment};

use super::authorise_payment::answer;
use crate::model::checkout::{Checkout, Outcome};
use crate::shop::Shop;

/// Takes the money that was set aside.
pub(super) async fn capture(shop: &Shop, checkout: &Checkout) -> Outcome {
    answer(shop.payments.capture(checkout.payment_id).await)
}

/// Undo of [`capture`]: gives back what was taken and not yet given back. The refund's id was chosen with
/// the checkout, so asking twice gives back once.
pub(super) async fn refund(shop: &Shop, checkout: &Checkout) -> Outcome {
    let payment = match shop.payments.get(checkout.payment_id).await {
        Ok(payment) => payment,
        error => return answer(error),
    };
    let left = match payment.captured.minus(payment.refunded) {
        Ok(left) if left.amount > 0 => left,
        _ => return Outcome::payment(payment),
    };
    let request =
        RefundPayment { refund_id: checkout.refund_id, amount: left, reason: "order_cancelled".to_owned() };
    match answer(shop.payments.refund(checkout.payment_id, &request).await) {
        Outcome::Payment { status: status @ PaymentStatus::Refunded, next_action, decline, .. } => {
            Outcome::Payment { status, next_action, decline, given_back: Some(left) }
        }
        outcome => outcome,
    }
}
