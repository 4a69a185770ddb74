use axum::extract::State;
use axum::http::StatusCode;
use web::{Handled, code};

use crate::context::Context;
use crate::error::code::{NOT_FOUND, RECENT_AUTHENTICATION_REQUIRED};

web::errors!(pub(super) Errors: code::CALLER, NOT_FOUND, RECENT_AUTHENTICATION_REQUIRED);

/// Erase me
///
/// Cannot be taken back, so the caller must have signed in a moment ago. Everything that is held
/// about them is erased in every service within moments: the key under which it is sealed is
/// destroyed. Orders stay without a person, as the law on bookkeeping asks.
#[utoipa::path(
    delete,
    path = "/v1/customers/me",
    tag = "customers",
    operation_id = "erase_me",
    security(("bearer" = ["customer"])),
    responses((status = 202, description = "It is being done and cannot fail to happen."), Errors),
)]
pub(super) async fn erase_me(State(context): State<Context>, customer: web::Customer) -> Handled<StatusCode> {
    context.erase(&customer).await?;
    Ok(StatusCode::ACCEPTED)
}
