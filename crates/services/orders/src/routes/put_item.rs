use axum::extract::State;
use axum::response::Response;
use kernel::{CartId, VariantId};
use serde::Deserialize;
use web::{Checks, Handled, Id, IfMatch, ValidJson, Validate, code};

use super::cart_body::{self, CartBody};
use super::visitor::Visitor;
use crate::error;
use crate::model::cart::MAX_QUANTITY;
use crate::ops::set_item::{SetItem, set_item};
use crate::shop::Shop;

/// How many are wanted.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct PutItem {
    /// How many in all; zero takes the line out.
    #[schema(minimum = 0, maximum = 999, examples(2))]
    quantity: i64,
}

impl Validate for PutItem {
    fn validate(&self, checks: &mut Checks) {
        checks.range("quantity", self.quantity, 0..=MAX_QUANTITY);
    }
}

web::errors!(
    Errors: code::OPTIONAL_CALLER, code::FORBIDDEN, code::BODY, code::BAD_ID, code::PRECONDITION_FAILED,
    error::UNKNOWN_VARIANT, error::CART_FULL
);

/// Put a variant into the cart
///
/// Sets how many of a variant the cart holds, so that asking twice does it once. A cart has at most 100
/// lines of at most 999. Somebody unknown who brings no cart gets a new one, whose id is in the answer and
/// in a cookie. More than there is may be put in; checking out tells.
#[utoipa::path(
    put, path = "/v1/carts/me/items/{variant_id}", tag = "orders", operation_id = "put_cart_item",
    params(
        ("variant_id" = VariantId, Path, description = "The variant."),
        ("cart_id" = Option<CartId>, Query, description = "A guest's cart."),
        ("souk-cart" = Option<CartId>, Header, description = "The same."),
        ("souk_cart" = Option<CartId>, Cookie, description = "The same."),
        ("If-Match" = Option<String>, Header, description = "The cart's `ETag`, to change only that version."),
    ),
    request_body = PutItem,
    security((), ("bearer" = ["customer"])),
    responses((status = 200, description = "The cart as it is now.", body = CartBody), Errors),
)]
pub(super) async fn put_item(
    State(shop): State<Shop>,
    visitor: Visitor,
    Id(variant_id): Id<VariantId>,
    if_match: Option<IfMatch>,
    ValidJson(body): ValidJson<PutItem>,
) -> Handled<Response> {
    let owner = visitor.cart(&shop).await?;
    let cart = set_item(&shop, SetItem { owner, variant_id, quantity: body.quantity, if_match }).await?;
    cart_body::answer(&shop, &visitor, cart).await
}
