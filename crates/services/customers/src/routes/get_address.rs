use axum::extract::State;
use kernel::AddressId;
use web::{Handled, Id, Versioned, code};

use crate::context::Context;
use crate::error::code::ADDRESS_NOT_FOUND;
use crate::model::address::SavedAddress;

web::errors!(pub(super) Errors: code::BAD_ID, code::CALLER, ADDRESS_NOT_FOUND);

/// Read an address
#[utoipa::path(
    get,
    path = "/v1/customers/me/addresses/{id}",
    tag = "customers",
    operation_id = "get_address",
    description = "One address of the book of the signed-in customer.",
    security(("bearer" = ["customer"])),
    params(("id" = AddressId, Path, description = "Which address.")),
    responses(
        (status = 200, description = "The address.", body = SavedAddress,
            headers(("ETag" = String, description = "Its version, for `If-Match`."))),
        Errors,
    ),
)]
pub(super) async fn get_address(
    State(context): State<Context>,
    customer: web::Customer,
    Id(id): Id<AddressId>,
) -> Handled<Versioned<SavedAddress>> {
    let address = context.read_address(customer.id, id).await?;
    let version = address.version;
    Ok(Versioned::new(address, version))
}
