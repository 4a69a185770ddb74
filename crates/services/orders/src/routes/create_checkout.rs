use axum::Json;
use axum::extract::State;
use axum::response::Response;
use contracts::customers::Address;
use contracts::payments::{NextAction, PaymentMethod, PaymentStatus};
use kernel::{CartId, Money, PaymentId};
use serde::{Deserialize, Serialize};
use web::{Checks, Created, Handled, Idempotent, Once, Problem, ValidJson, Validate, code};

use super::address::Checked;
use super::order_body::OrderBody;
use super::visitor::Visitor;
use crate::error::{self, Error};
use crate::jobs::checkout::{drive, lease, let_go};
use crate::model::cart::Owner;
use crate::model::checkout::{Checkout, Details, Plan};
use crate::model::order::Reader;
use crate::ops::resolve_cart::named_cart;
use crate::ops::start_checkout::{self, Begun, CheckoutRequest};
use crate::shop::Shop;

/// How and where to.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct CreateCheckout {
    /// The cart of a guest; customers check out their own.
    cart_id: Option<CartId>,
    /// Where to write to. Guests must say; for customers it is their own address unless they say otherwise.
    #[schema(max_length = 254)]
    email: Option<String>,
    /// Where it is sent.
    shipping_address: Address,
    /// Where the bill goes, when that is somewhere else.
    billing_address: Option<Address>,
    /// What is paid with.
    payment: PaymentMethod,
    /// Anything to say, up to 1,000 characters.
    #[schema(max_length = 1000)]
    note: Option<String>,
}

/// What is paid with, within its limits; whether it is any good is for the payment service to say.
struct CheckedMethod<'a>(&'a PaymentMethod);

impl Validate for CheckedMethod<'_> {
    fn validate(&self, checks: &mut Checks) {
        checks.text("method", &self.0.method, 1..=50);
        checks.text("token", &self.0.token, 1..=200);
    }
}

impl Validate for CreateCheckout {
    fn validate(&self, checks: &mut Checks) {
        checks.within("shipping_address", &Checked(&self.shipping_address));
        if let Some(address) = &self.billing_address {
            checks.within("billing_address", &Checked(address));
        }
        checks.within("payment", &CheckedMethod(&self.payment));
        let email = self.email.as_deref().is_none_or(|email| email.parse::<mail::Address>().is_ok());
        checks.check("email", email, "invalid_value", "must be an email address");
        checks.optional_text("note", self.note.as_deref(), 0..=1_000);
    }
}

/// An order and its payment.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CheckoutBody {
    /// The order. `pending` until the payment is certain; ask for it again then.
    order: OrderBody,
    /// Its payment.
    payment: CheckoutPayment,
    /// What the person must do before the payment can go on.
    next_action: Option<NextAction>,
    /// The token with which a guest reads and cancels the order; null for customers.
    guest_token: Option<String>,
}

/// The payment of a checkout.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CheckoutPayment {
    /// Which.
    id: PaymentId,
    /// Where it stands.
    status: PaymentStatus,
    /// How much.
    amount: Money,
}

web::errors!(
    Errors: code::OPTIONAL_CALLER, code::FORBIDDEN, code::BODY, code::IDEMPOTENCY, error::CART_NOT_FOUND,
    error::CART_EMPTY, error::OUT_OF_STOCK, error::CHECKOUT_IN_PROGRESS, error::CHECKOUT_FAILED,
    error::DECLINED, error::PAYMENT_REFUSED, error::ERASED
);

/// Check out
///
/// Buys what the cart holds now, at the prices of now: the stock is reserved, the payment authorised, the
/// order placed and paid, or all of it taken back. When the payment asks the person something, the order
/// stays `pending` and `next_action` says what to do. Of a part of the shop that is away nothing is lost:
/// what was begun is finished or taken back. Send an `Idempotency-Key`: asked again with it, the same
/// checkout answers.
#[utoipa::path(
    post, path = "/v1/checkouts", tag = "orders", operation_id = "create_checkout",
    params(
        ("souk-cart" = Option<CartId>, Header, description = "A guest's cart."),
        ("souk_cart" = Option<CartId>, Cookie, description = "The same."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key buys once."),
    ),
    request_body = CreateCheckout,
    security((), ("bearer" = ["customer"])),
    responses((status = 201, description = "The order and its payment.", body = CheckoutBody), Errors),
)]
pub(super) async fn create_checkout(
    State(shop): State<Shop>,
    visitor: Visitor,
    Idempotent(once, ValidJson(body)): Idempotent<ValidJson<CreateCheckout>>,
) -> Handled<Response> {
    if visitor.customer.is_none() && body.email.is_none() {
        let mut checks = Checks::of_body();
        checks.refuse("email", "required", "must be there when nobody is signed in");
        checks.finish()?;
    }
    let owner = match body.cart_id {
        Some(cart) => named_cart(&shop, visitor.customer, cart).await?,
        None => visitor.cart(&shop).await?,
    };
    let CreateCheckout { email, shipping_address, billing_address, payment, note, .. } = body;
    let details = Details { email, shipping_address, billing_address, note };
    let key = once.key().map(|key| key.as_str().to_owned());
    let request = CheckoutRequest { owner, details, payment, key };
    let answer = match begin(&shop, &once, &request).await {
        Ok(Answer::Before(answer)) => return Ok(answer),
        Ok(Answer::Begun { checkout, leased }) => see_through(&shop, &once, owner, *checkout, leased).await,
        Err(problem) if may_have_begun(&problem) => Err(problem),
        Err(problem) => return Err(problem),
    };
    if answer.is_err() {
        // A repetition finds the checkout by what was asked for.
        once.abandon(&shop.database, &caller_key(owner)).await;
    }
    answer
}

/// Whether the transaction that failed may stand all the same.
fn may_have_begun(problem: &Problem) -> bool {
    problem.code() == "database.unavailable"
}

/// Drives a checkout and keeps the answer.
async fn see_through(
    shop: &Shop,
    once: &Once,
    owner: Owner,
    checkout: Checkout,
    leased: bool,
) -> Handled<Response> {
    let driven = if leased { drive(shop, checkout).await? } else { take_up(shop, checkout).await? };
    let body = conclude(shop, driven).await?;
    let location = format!("/v1/orders/{}", body.order.summary.id);
    once.finish(&shop.database, &caller_key(owner), Created { location, body: Json(body) }).await
}

enum Answer {
    Before(Response),
    /// Whether the lease is ours already.
    Begun {
        checkout: Box<Checkout>,
        leased: bool,
    },
}

/// How often a cart that changes while it is being frozen is frozen again.
const TRIES: usize = 3;

async fn begin(shop: &Shop, once: &Once, request: &CheckoutRequest) -> Handled<Answer> {
    for _ in 0..TRIES {
        let frozen = start_checkout::freeze(shop, request).await;
        let (frozen_ref, caller) = (&frozen.as_ref().ok(), &caller_key(request.owner));
        let begun = shop
            .database
            .write(|mut tx| async move {
                if let Some(before) = once.begin(&mut tx, caller).await? {
                    return Ok::<_, Problem>(tx.rollback(Some(Answer::Before(before))).await?);
                }
                if let Some(checkout) = start_checkout::before(&mut tx, request).await? {
                    let checkout = Box::new(checkout);
                    return Ok(tx.commit(Some(Answer::Begun { checkout, leased: false })).await?);
                }
                let Some(frozen) = frozen_ref else { return Ok(tx.rollback(None).await?) };
                match start_checkout::begin(&mut tx, request.owner, frozen).await? {
                    Begun::Outdated => Ok(tx.rollback(None).await?),
                    Begun::Before(checkout) => {
                        Ok(tx.commit(Some(Answer::Begun { checkout, leased: false })).await?)
                    }
                    Begun::New(checkout) => {
                        Ok(tx.commit(Some(Answer::Begun { checkout, leased: true })).await?)
                    }
                }
            })
            .await
            .inspect_err(|problem| {
                if let Some(frozen) = frozen_ref.filter(|_| may_have_begun(problem)) {
                    let_go(shop, frozen.id, [frozen.leased_until; 2]);
                }
            })?;
        match (begun, frozen) {
            (Some(answer), _) => return Ok(answer),
            (None, Err(error)) => return Err(error.into()),
            (None, Ok(_)) => {}
        }
    }
    Err(Error::CheckoutInProgress.into())
}

/// Takes up a checkout that an earlier request began: drives it on unless somebody else is at it.
async fn take_up(shop: &Shop, checkout: Checkout) -> Result<Checkout, Error> {
    if !matches!(checkout.saga.plan(shop.clock.now()), Plan::Take(_)) {
        return Ok(checkout);
    }
    match lease(shop, checkout.id).await? {
        Some(leased) => drive(shop, leased).await,
        None => Err(Error::CheckoutInProgress),
    }
}

/// What a checkout has come to.
async fn conclude(shop: &Shop, checkout: Checkout) -> Result<CheckoutBody, Error> {
    if let Some(failure) = checkout.saga.failure.as_ref().filter(|_| !checkout.saga.order_is_placed()) {
        return Err(failure.into());
    }
    let reader = checkout.customer_id.map_or(Reader::Guest, Reader::Customer);
    let order = OrderBody::load(shop, checkout.order_id, reader).await?;
    let guest = checkout.customer_id.is_none();
    Ok(CheckoutBody {
        order,
        payment: CheckoutPayment {
            id: checkout.payment_id,
            status: checkout.saga.payment_status.unwrap_or(PaymentStatus::Unknown),
            amount: checkout.totals.total,
        },
        next_action: checkout.saga.next_action,
        guest_token: guest.then(|| shop.guest_token(checkout.order_id).expose().clone()),
    })
}

fn caller_key(owner: Owner) -> String {
    match owner {
        Owner::Customer(customer) => customer.to_string(),
        Owner::Guest(cart) => cart.to_string(),
    }
}
