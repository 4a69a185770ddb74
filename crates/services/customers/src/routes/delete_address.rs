use axum::extract::State;
use kernel::AddressId;
use web::{Handled, Id, IfMatch, NoContent, code};

use crate::context::Context;
use crate::error::code::ADDRESS_NOT_FOUND;

web::errors!(pub(super) Errors: code::BAD_ID, code::CALLER, code::PRECONDITION_FAILED, ADDRESS_NOT_FOUND);

/// Delete an address
#[utoipa::path(
    delete,
    path = "/v1/customers/me/addresses/{id}",
    tag = "customers",
    operation_id = "delete_address",
    description = "Takes an address out of the book of the signed-in customer.",
    security(("bearer" = ["customer"])),
    params(
        ("id" = AddressId, Path, description = "Which address."),
        ("If-Match" = Option<String>, Header, description = "Delete it only if it is at this version."),
    ),
    responses((status = 204, description = "It is gone."), Errors),
)]
pub(super) async fn delete_address(
    State(context): State<Context>,
    customer: web::Customer,
    Id(id): Id<AddressId>,
    if_match: Option<IfMatch>,
) -> Handled<NoContent> {
    context.delete_address(customer.id, id, if_match).await?;
    Ok(NoContent)
}
