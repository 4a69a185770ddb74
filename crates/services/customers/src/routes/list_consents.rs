use axum::Json;
use axum::extract::State;
use serde::Serialize;
use web::{Handled, code};

use crate::context::Context;
use crate::model::consent::Consent;

/// Where a customer stands.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Consents {
    /// One for each purpose that the shop asks about.
    data: Vec<Consent>,
}

web::errors!(pub(super) Errors: code::CALLER);

/// List my consents
///
/// Where the signed-in customer stands on each purpose that the shop asks about. The whole history
/// is in their export.
#[utoipa::path(
    get,
    path = "/v1/customers/me/consents",
    tag = "customers",
    operation_id = "list_consents",
    security(("bearer" = ["customer"])),
    responses((status = 200, description = "A consent for each purpose.", body = Consents), Errors),
)]
pub(super) async fn list_consents(
    State(context): State<Context>,
    customer: web::Customer,
) -> Handled<Json<Consents>> {
    Ok(Json(Consents { data: context.read_consents(customer.id).await? }))
}
