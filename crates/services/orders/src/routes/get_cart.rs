use axum::extract::State;
use axum::response::Response;
use kernel::CartId;
use web::{Handled, code};

use super::cart_body::{self, CartBody};
use super::visitor::Visitor;
use crate::ops::set_item::new_cart;
use crate::shop::Shop;
use crate::store::carts;

web::errors!(Errors: code::OPTIONAL_CALLER, code::FORBIDDEN, code::VALIDATION);

/// Show the cart
///
/// The caller's own cart, or the guest's cart whose id is given. A guest's cart that a customer brings
/// along becomes part of their own. Somebody without a cart gets an empty one with an id to use.
#[utoipa::path(
    get, path = "/v1/carts/me", tag = "orders", operation_id = "get_cart",
    params(
        ("cart_id" = Option<CartId>, Query, description = "A guest's cart."),
        ("souk-cart" = Option<CartId>, Header, description = "The same."),
        ("souk_cart" = Option<CartId>, Cookie, description = "The same."),
    ),
    security((), ("bearer" = ["customer"])),
    responses((status = 200, description = "The cart, at the prices of this moment.", body = CartBody), Errors),
)]
pub(super) async fn get_cart(State(shop): State<Shop>, visitor: Visitor) -> Handled<Response> {
    let owner = visitor.cart(&shop).await?;
    let found = carts::find(&mut *shop.database.read().await?, owner).await?;
    let cart = found.unwrap_or_else(|| new_cart(&shop, owner));
    cart_body::answer(&shop, &visitor, cart).await
}
