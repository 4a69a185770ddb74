use axum::extract::State;
use axum::response::Response;
use kernel::OrderId;
use web::{Handled, Id, Role, Staff, code};

use super::get_order::answer;
use super::order_body::OrderBody;
use crate::error;
use crate::model::order::Reader;
use crate::shop::Shop;

web::errors!(Errors: code::CALLER, code::BAD_ID, error::NOT_FOUND);

/// Show anybody's order
///
/// For staff with the role `orders` or `support`.
#[utoipa::path(
    get, path = "/v1/admin/orders/{id}", tag = "orders", operation_id = "admin_get_order",
    params(("id" = OrderId, Path, description = "The order.")),
    security(("bearer" = ["staff:orders"]), ("bearer" = ["staff:support"])),
    responses((status = 200, description = "The order.", body = OrderBody), Errors),
)]
pub(super) async fn admin_get_order(
    State(shop): State<Shop>,
    staff: Staff,
    Id(id): Id<OrderId>,
) -> Handled<Response> {
    if !staff.may(Role::Orders) {
        staff.require(Role::Support)?;
    }
    Ok(answer(OrderBody::load(&shop, id, Reader::Shop).await?))
}
