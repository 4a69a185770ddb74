use contracts::catalog::Shortage;
use contracts::payments::{Decline, NextAction, PaymentStatus};
use contracts::{CallError, ChannelError};
use kernel::Money;

/// What a step came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The stock is held.
    Reserved,
    /// It cannot be had.
    OutOfStock(Vec<Shortage>),
    /// The hold on the stock ran out or was given up.
    ReservationEnded,
    /// The order is placed.
    Placed,
    /// The stock has left the shelf.
    StockCommitted,
    /// Nothing of the stock is held any more.
    StockReturned,
    /// Where the payment stands.
    Payment {
        /// The status itself.
        status: PaymentStatus,
        /// What the person must do.
        next_action: Option<NextAction>,
        /// Why it was refused.
        decline: Option<Decline>,
        /// What our own refund has just given back.
        given_back: Option<Money>,
    },
    /// The payment service knows of no such payment.
    NoPayment,
    /// The other service said no, in its own terms.
    Refused {
        /// The code.
        code: String,
        /// The sentence.
        detail: String,
    },
    /// The person was erased, so what was sealed for them cannot be read.
    PersonErased,
    /// What happened is not known.
    Unclear(Unclear),
}

/// Why the outcome of a call is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unclear {
    /// It could not be reached.
    Unreachable,
    /// It did not answer in time.
    TimedOut,
    /// It answered, but not with what the contract promises.
    Failed,
}

impl Outcome {
    /// The payment that was answered.
    pub(crate) fn payment(payment: contracts::payments::Payment) -> Self {
        let contracts::payments::Payment { status, next_action, decline, .. } = payment;
        Self::Payment { status, next_action, decline, given_back: None }
    }

    /// What the failed call to `service` means. Only a refusal in the terms of that service is an
    /// answer; anything else (a proxy's 404, a refused token) says nothing about what happened.
    pub(crate) fn failed_call(error: &CallError, service: &str) -> Self {
        match error {
            CallError::Rejected(rejection) => {
                if rejection.code.split('.').next() == Some(service) {
                    Self::Refused { code: rejection.code.clone(), detail: rejection.detail.clone() }
                } else {
                    Self::Unclear(Unclear::Failed)
                }
            }
            CallError::Channel(ChannelError::Unreachable { .. }) => Self::Unclear(Unclear::Unreachable),
            CallError::Channel(ChannelError::TimedOut { .. }) => Self::Unclear(Unclear::TimedOut),
            CallError::Failed { .. } => Self::Unclear(Unclear::Failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::Rejection;

    use super::*;

    fn rejected(code: &str) -> CallError {
        CallError::Rejected(Box::new(Rejection { code: code.into(), ..Rejection::default() }))
    }

    #[test]
    fn only_the_service_itself_can_refuse() {
        let refused = Outcome::failed_call(&rejected("payments.not_found"), "payments");
        assert!(matches!(refused, Outcome::Refused { code, .. } if code == "payments.not_found"));
        for code in ["", "identity.bad_token", "paymentsx.no"] {
            let outcome = Outcome::failed_call(&rejected(code), "payments");
            assert_eq!(outcome, Outcome::Unclear(Unclear::Failed), "{code}");
        }
    }
}
