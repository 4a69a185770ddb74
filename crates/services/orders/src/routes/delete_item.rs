use axum::extract::State;
use axum::response::Response;
use kernel::{CartId, VariantId};
use web::{Handled, Id, IfMatch, code};

use super::cart_body::{self, CartBody};
use super::visitor::Visitor;
use crate::ops::set_item::{SetItem, set_item};
use crate::shop::Shop;

web::errors!(
    Errors: code::OPTIONAL_CALLER, code::FORBIDDEN, code::VALIDATION, code::BAD_ID, code::PRECONDITION_FAILED
);

/// Take a variant out of the cart
///
/// A variant that is not in the cart is no error.
#[utoipa::path(
    delete, path = "/v1/carts/me/items/{variant_id}", tag = "orders", operation_id = "delete_cart_item",
    params(
        ("variant_id" = VariantId, Path, description = "The variant."),
        ("cart_id" = Option<CartId>, Query, description = "A guest's cart."),
        ("souk-cart" = Option<CartId>, Header, description = "The same."),
        ("souk_cart" = Option<CartId>, Cookie, description = "The same."),
        ("If-Match" = Option<String>, Header, description = "The cart's `ETag`, to change only that version."),
    ),
    security((), ("bearer" = ["customer"])),
    responses((status = 200, description = "The cart as it is now.", body = CartBody), Errors),
)]
pub(super) async fn delete_item(
    State(shop): State<Shop>,
    visitor: Visitor,
    Id(variant_id): Id<VariantId>,
    if_match: Option<IfMatch>,
) -> Handled<Response> {
    let owner = visitor.cart(&shop).await?;
    let cart = set_item(&shop, SetItem { owner, variant_id, quantity: 0, if_match }).await?;
    cart_body::answer(&shop, &visitor, cart).await
}
