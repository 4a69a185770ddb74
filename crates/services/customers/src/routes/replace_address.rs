use axum::extract::State;
use kernel::AddressId;
use web::{Handled, Id, IfMatch, ValidJson, Versioned, code};

use super::address_body::AddressBody;
use crate::context::Context;
use crate::error::code::{ADDRESS_NOT_FOUND, NOT_FOUND};
use crate::model::address::SavedAddress;
use crate::ops::replace_address::Replacement;

web::errors!(
    pub(super) Errors: code::BAD_ID, code::BODY, code::CALLER, code::VERSION, ADDRESS_NOT_FOUND, NOT_FOUND
);

/// Replace an address
#[utoipa::path(
    put,
    path = "/v1/customers/me/addresses/{id}",
    tag = "customers",
    operation_id = "replace_address",
    description = "Puts another address in the place of one in the book of the signed-in customer.",
    security(("bearer" = ["customer"])),
    params(
        ("id" = AddressId, Path, description = "Which address."),
        ("If-Match" = String, Header, description = "The `ETag` that the change is for."),
    ),
    request_body = AddressBody,
    responses(
        (status = 200, description = "The address after the change.", body = SavedAddress,
            headers(("ETag" = String, description = "The new version."))),
        Errors,
    ),
)]
pub(super) async fn replace_address(
    State(context): State<Context>,
    customer: web::Customer,
    Id(id): Id<AddressId>,
    if_match: IfMatch,
    ValidJson(body): ValidJson<AddressBody>,
) -> Handled<Versioned<SavedAddress>> {
    let (address, default) = body.into_parts();
    let address =
        context.replace_address(customer.id, id, if_match, Replacement { address, default }).await?;
    let version = address.version;
    Ok(Versioned::new(address, version))
}
