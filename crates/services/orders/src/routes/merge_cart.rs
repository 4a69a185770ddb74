use axum::extract::State;
use axum::response::Response;
use http::header::SET_COOKIE;
use kernel::{CartId, CustomerId};
use serde::Deserialize;
use web::{Customer, Handled, Idempotent, Once, Problem, ValidJson, Validate, code};

use super::cart_body::{self, CartBody};
use super::visitor::Visitor;
use crate::error::{self, Error};
use crate::model::cart::Owner;
use crate::ops::merge_carts::merge_carts;
use crate::shop::Shop;
use crate::store::carts;

/// Which cart.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct MergeCart {
    /// The guest's cart.
    cart_id: CartId,
}

impl Validate for MergeCart {}

web::errors!(Errors: code::CALLER, code::BODY, code::IDEMPOTENCY, error::CART_NOT_FOUND);

/// Merge a guest's cart into one's own
///
/// Quantities of the same variant are added up, to 999 at most, and the guest's cart is gone. Any request
/// of a customer that carries a guest's cart does the same by itself.
#[utoipa::path(
    post, path = "/v1/carts/me/merge", tag = "orders", operation_id = "merge_cart",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key merges once.")),
    request_body = MergeCart,
    security(("bearer" = ["customer"])),
    responses((status = 200, description = "The customer's cart as it is now.", body = CartBody), Errors),
)]
pub(super) async fn merge_cart(
    State(shop): State<Shop>,
    customer: Customer,
    Idempotent(once, ValidJson(body)): Idempotent<ValidJson<MergeCart>>,
) -> Handled<Response> {
    let key = customer.id.to_string();
    if let Some(before) = merge(&shop, &once, customer.id, body.cart_id).await? {
        return Ok(before);
    }
    let found = carts::find(&mut *shop.database.read_primary().await?, Owner::Customer(customer.id)).await?;
    let visitor = Visitor { customer: Some(customer.id), carried: Some(body.cart_id) };
    match cart_body::answer(&shop, &visitor, found.ok_or(Error::CartNotFound)?).await {
        Ok(answer) => {
            let cookie = answer.headers().get(SET_COOKIE).cloned();
            let mut answer = once.finish(&shop.database, &key, answer).await?;
            answer.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
            Ok(answer)
        }
        Err(problem) => {
            once.abandon(&shop.database, &key).await;
            Err(problem)
        }
    }
}

/// Merges; the answer that was given before, if that was done before.
async fn merge(shop: &Shop, once: &Once, customer: CustomerId, guest: CartId) -> Handled<Option<Response>> {
    shop.database
        .write(|mut tx| async move {
            if let Some(before) = once.begin(&mut tx, &customer.to_string()).await? {
                return Ok::<_, Problem>(tx.rollback(Some(before)).await?);
            }
            if !merge_carts(shop, &mut tx, customer, guest).await? {
                return Err(Error::CartNotFound.into());
            }
            Ok(tx.commit(None).await?)
        })
        .await
}
