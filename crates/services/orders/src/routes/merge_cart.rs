use axum::extract::State;
use axum::response::Response;
use kernel::CartId;
use serde::Deserialize;
use web::{Customer, Handled, ValidJson, Validate, code};

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

web::errors!(Errors: code::CALLER, code::BODY, error::CART_NOT_FOUND);

/// Merge a guest's cart into one's own
///
/// Quantities of the same variant are added up, to 999 at most, and the guest's cart is gone. Any request
/// of a customer that carries a guest's cart does the same by itself.
#[utoipa::path(
    post, path = "/v1/carts/me/merge", tag = "orders", operation_id = "mergeCart",
    request_body = MergeCart,
    security(("bearer" = ["customer"])),
    responses((status = 200, description = "The customer's cart as it is now.", body = CartBody), Errors),
)]
pub(super) async fn merge_cart(
    State(shop): State<Shop>,
    customer: Customer,
    ValidJson(body): ValidJson<MergeCart>,
) -> Handled<Response> {
    if !merge_carts(&shop, customer.id, body.cart_id).await? {
        return Err(Error::CartNotFound.into());
    }
    let found = carts::find(&mut *shop.database.read().await?, Owner::Customer(customer.id)).await?;
    let visitor = Visitor { customer: Some(customer.id), carried: Some(body.cart_id) };
    cart_body::answer(&shop, &visitor, found.ok_or(Error::CartNotFound)?).await
}
