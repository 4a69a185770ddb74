//! What can go wrong in buying and selling.

use std::time::Duration;

use contracts::CallError;
use contracts::catalog::Shortage;
use kernel::{Fail, FailureKind, MoneyError, OrderId};
use serde_json::{Map, Value};
use web::{Code, StaleVersion};

use crate::model::checkout::Failure;
use crate::model::order::{Broken, Refusal, Unwritable};

macro_rules! codes {
    ($($name:ident = $code:literal, $status:literal, $title:literal;)+) => {
        $(
            #[doc = concat!("`", $code, "` (", stringify!($status), "): ", $title)]
            pub const $name: Code = Code::new($code, $status, $title);
        )+

        /// Every code of this service.
        pub const ALL: &[Code] = &[$($name),+];
    };
}

codes! {
    CART_NOT_FOUND = "orders.cart_not_found", 404, "There is no such cart, or it is somebody else's.";
    CART_EMPTY = "orders.cart_empty", 409, "There is nothing in the cart.";
    CART_FULL = "orders.cart_full", 409, "The cart has as many lines as it may have.";
    UNKNOWN_VARIANT = "orders.unknown_variant", 422, "No such variant is for sale.";
    OUT_OF_STOCK = "orders.out_of_stock", 409, "Some lines cannot be had; `lines` names them.";
    CHECKOUT_IN_PROGRESS = "orders.checkout_in_progress", 409, "The cart is being checked out already.";
    CHECKOUT_FAILED = "orders.checkout_failed", 409, "The checkout ended without an order; nothing was taken.";
    DECLINED = "payments.declined", 402, "The payment was refused; `reason` and `provider_reason` say why.";
    PAYMENT_REFUSED = "orders.payment_refused", 422, "What is to be paid with cannot be used here.";
    NOT_FOUND = "orders.not_found", 404, "There is no such order, or it is somebody else's.";
    NOT_CANCELLABLE = "orders.not_cancellable", 409, "The order is on its way or done with.";
    NOT_SHIPPABLE = "orders.not_shippable", 409, "The order is not one that can be sent.";
    SHIPS_TOO_MUCH = "orders.ships_too_much", 409, "More is to be sent than the order has left to send.";
}

/// The vault's own code, as endpoints that seal list it.
pub(crate) const ERASED: Code =
    Code::new("vault.erased", 410, "The person was erased, so nothing is kept for them any more.");

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such cart, or not theirs.
    #[error("There is no such cart. Begin a new one by putting something into it.")]
    CartNotFound,
    /// Nothing to buy.
    #[error("The cart is empty. Put something into it first.")]
    CartEmpty,
    /// No room.
    #[error("The cart is full: it has 100 lines. Take one out first.")]
    CartFull,
    /// Not for sale.
    #[error("This variant is not for sale.")]
    UnknownVariant,
    /// Not enough of something.
    #[error("Some of it is out of stock. Change the lines that `lines` names, then check out again.")]
    OutOfStock {
        /// What there is too little of.
        lines: Vec<Shortage>,
    },
    /// Somebody is at it.
    #[error("This cart is being checked out already. Ask again shortly.")]
    CheckoutInProgress,
    /// It came to nothing.
    #[error("The checkout ended without an order and nothing was taken: {why}. Check out again.")]
    CheckoutFailed {
        /// Why, in a few words.
        why: &'static str,
    },
    /// The provider refuses.
    #[error("The payment was declined ({reason}). Nothing was taken; try another way to pay.")]
    Declined {
        /// In our words.
        reason: String,
        /// In the provider's.
        provider_reason: Option<String>,
    },
    /// The payment service refuses to ask a provider.
    #[error("This way to pay cannot be used here: {detail}")]
    PaymentRefused {
        /// What the payment service says.
        detail: String,
    },
    /// A service could not be asked, so the checkout was taken back.
    #[error("A part of the shop that this needs did not answer. Nothing was taken; try again shortly.")]
    Unavailable {
        /// Whether it was asked and did not answer in time.
        timed_out: bool,
    },
    /// No such order, or not theirs.
    #[error("There is no such order.")]
    NotFound,
    /// Too late.
    #[error(
        "The order cannot be cancelled any more: it is on its way or done with. Ask for a return instead."
    )]
    NotCancellable,
    /// Not to be sent.
    #[error("The order cannot be sent: it is cancelled, was sent before, or its money is not there.")]
    NotShippable,
    /// More than there is.
    #[error("The shipment holds more of a variant than the order has left to send.")]
    ShipsTooMuch,
    /// Written against another version.
    #[error(transparent)]
    Stale(#[from] StaleVersion),
    /// Another service could not be asked, before anything was done.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The database.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The keys of people.
    #[error(transparent)]
    Vault(#[from] vault::VaultError),
    /// An order's log is not what was written.
    #[error("the log of the order {order} cannot be trusted")]
    Log {
        /// Which order.
        order: OrderId,
        /// Where.
        #[source]
        source: Broken,
    },
    /// An event cannot be written.
    #[error(transparent)]
    Unwritable(#[from] Unwritable),
    /// Amounts that cannot be added up.
    #[error("the amounts of the cart cannot be added up")]
    Money(#[from] MoneyError),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Absent | Refusal::Present => Self::NotFound,
            Refusal::NotCancellable => Self::NotCancellable,
            Refusal::NotShippable => Self::NotShippable,
            Refusal::ShipsTooMuch => Self::ShipsTooMuch,
        }
    }
}

impl From<&Failure> for Error {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::OutOfStock { lines } => Self::OutOfStock { lines: lines.clone() },
            Failure::Declined { reason, provider_reason } => {
                Self::Declined { reason: reason.clone(), provider_reason: provider_reason.clone() }
            }
            Failure::PaymentRefused { detail, .. } => Self::PaymentRefused { detail: detail.clone() },
            Failure::Unavailable { timed_out } => Self::Unavailable { timed_out: *timed_out },
            Failure::Expired => Self::CheckoutFailed { why: "it was not paid for in time" },
            Failure::Superseded => Self::CheckoutFailed { why: "the cart was checked out in another way" },
            Failure::PersonErased => Self::CheckoutFailed { why: "the account was erased" },
            Failure::StockLost => Self::CheckoutFailed { why: "the stock was gone" },
            Failure::PaymentLost => Self::CheckoutFailed { why: "the payment fell through" },
            Failure::Cancelled => Self::CheckoutFailed { why: "the order was cancelled" },
        }
    }
}

impl Error {
    const fn own_code(&self) -> Option<Code> {
        Some(match self {
            Self::CartNotFound => CART_NOT_FOUND,
            Self::CartEmpty => CART_EMPTY,
            Self::CartFull => CART_FULL,
            Self::UnknownVariant => UNKNOWN_VARIANT,
            Self::OutOfStock { .. } => OUT_OF_STOCK,
            Self::CheckoutInProgress => CHECKOUT_IN_PROGRESS,
            Self::CheckoutFailed { .. } => CHECKOUT_FAILED,
            Self::Declined { .. } => DECLINED,
            Self::PaymentRefused { .. } => PAYMENT_REFUSED,
            Self::Unavailable { timed_out: false } => web::code::SERVICE_UNAVAILABLE,
            Self::Unavailable { timed_out: true } => web::code::TIMEOUT,
            Self::NotFound => NOT_FOUND,
            Self::NotCancellable => NOT_CANCELLABLE,
            Self::NotShippable => NOT_SHIPPABLE,
            Self::ShipsTooMuch => SHIPS_TOO_MUCH,
            _ => return None,
        })
    }

    /// The error below that has its own code.
    fn inner(&self) -> Option<&dyn Fail> {
        match self {
            Self::Stale(error) => Some(error),
            Self::Call(error) => Some(error),
            Self::Database(error) => Some(error),
            Self::Vault(error) => Some(error),
            _ => None,
        }
    }
}

impl Fail for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::CartNotFound | Self::NotFound => FailureKind::NotFound,
            Self::CartEmpty
            | Self::CartFull
            | Self::OutOfStock { .. }
            | Self::CheckoutInProgress
            | Self::CheckoutFailed { .. }
            | Self::NotCancellable
            | Self::NotShippable
            | Self::ShipsTooMuch => FailureKind::Conflict,
            Self::UnknownVariant | Self::PaymentRefused { .. } => FailureKind::Unprocessable,
            Self::Declined { .. } => FailureKind::PaymentRequired,
            Self::Unavailable { timed_out: false } => FailureKind::Unavailable,
            Self::Unavailable { timed_out: true } => FailureKind::Timeout,
            other => other.inner().map_or(FailureKind::Internal, Fail::kind),
        }
    }

    fn code(&self) -> &'static str {
        self.own_code().map(|code| code.code).or_else(|| self.inner().map(Fail::code)).unwrap_or("internal")
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::CheckoutInProgress | Self::Unavailable { .. } => Some(Duration::from_secs(1)),
            other => other.inner().and_then(Fail::retry_after),
        }
    }

    fn extensions(&self) -> Map<String, Value> {
        let members = match self {
            Self::OutOfStock { lines } => vec![("lines", serde_json::to_value(lines).unwrap_or_default())],
            Self::Declined { reason, provider_reason } => {
                vec![("reason", reason.clone().into()), ("provider_reason", provider_reason.clone().into())]
            }
            other => return other.inner().map(Fail::extensions).unwrap_or_default(),
        };
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page() {
        let pages = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/errors");
        for code in ALL {
            let page = std::fs::read_to_string(pages.join(format!("{}.md", code.code))).unwrap_or_default();
            assert!(page.starts_with(&format!("# {}", code.code)), "{}", code.code);
            assert!(page.contains(&format!("**Status** {}", code.status)), "{}", code.code);
        }
    }

    #[test]
    fn the_status_of_each_code_is_the_one_that_is_documented() {
        let errors = [
            Error::CartNotFound,
            Error::CartEmpty,
            Error::CartFull,
            Error::UnknownVariant,
            Error::OutOfStock { lines: vec![] },
            Error::CheckoutInProgress,
            Error::CheckoutFailed { why: "" },
            Error::Declined { reason: String::new(), provider_reason: None },
            Error::PaymentRefused { detail: String::new() },
            Error::Unavailable { timed_out: false },
            Error::Unavailable { timed_out: true },
            Error::NotFound,
            Error::NotCancellable,
            Error::NotShippable,
            Error::ShipsTooMuch,
        ];
        for error in errors {
            let code = error.own_code().unwrap();
            assert_eq!((error.kind().status(), error.code()), (code.status, code.code));
        }
    }
}
