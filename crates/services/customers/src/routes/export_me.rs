use axum::Json;
use axum::extract::State;
use web::{Handled, code};

use crate::context::Context;
use crate::error::code::NOT_FOUND;
use crate::ops::export::Export;

web::errors!(pub(super) Errors: code::CALLER, NOT_FOUND);

/// Export everything about me
///
/// Everything that any service holds about the signed-in customer, in one document. While a service
/// is away the answer is 503: an export is whole or none.
#[utoipa::path(
    post,
    path = "/v1/customers/me/export",
    tag = "customers",
    operation_id = "export_me",
    security(("bearer" = ["customer"])),
    responses((status = 200, description = "Everything.", body = Export), Errors),
)]
pub(super) async fn export_me(
    State(context): State<Context>,
    customer: web::Customer,
) -> Handled<Json<Export>> {
    Ok(Json(context.export(customer.id).await?))
}
