use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::OrderId;
use web::{Handled, Id, Role, Versioned, code};

use super::order_access::OrderCaller;
use super::order_body::OrderBody;
use crate::error;
use crate::shop::Shop;

web::errors!(Errors: code::CALLER, code::BAD_ID, error::NOT_FOUND);

/// Show an order
///
/// One's own; a guest's with the token that came with it; any for staff. While its payment is not certain
/// it is `pending`; ask again after a challenge. An order that was never placed shows as `cancelled`.
#[utoipa::path(
    get, path = "/v1/orders/{id}", tag = "orders", operation_id = "get_order",
    params(
        ("id" = OrderId, Path, description = "The order."),
        ("token" = Option<String>, Query, description = "The token of a guest's order."),
        ("souk-order-token" = Option<String>, Header, description = "The same."),
    ),
    security((), ("bearer" = ["customer"]), ("bearer" = ["staff:orders"]), ("bearer" = ["staff:support"])),
    responses((status = 200, description = "The order.", body = OrderBody), Errors),
)]
pub(super) async fn get_order(
    State(shop): State<Shop>,
    caller: OrderCaller,
    Id(id): Id<OrderId>,
) -> Handled<Response> {
    let (reader, _) = caller.right(&shop, id, Role::Support)?;
    Ok(answer(OrderBody::load(&shop, id, reader).await?))
}

/// The order with its `ETag`, once something counts its changes.
pub(super) fn answer(order: OrderBody) -> Response {
    match order.summary.version() {
        Some(version) => Versioned::new(order, version).into_response(),
        None => Json(order).into_response(),
    }
}
