use axum::extract::State;
use axum::response::Response;
use web::{Created, Handled, Idempotent, ValidJson, Versioned, code};

use super::address_body::AddressBody;
use crate::context::Context;
use crate::error::code::{NOT_FOUND, TOO_MANY_ADDRESSES};
use crate::model::address::SavedAddress;
use crate::ops::add_address::NewAddress;
use crate::ops::read_addresses::saved;

web::errors!(pub(super) Errors: code::BODY, code::CALLER, code::IDEMPOTENCY, NOT_FOUND, TOO_MANY_ADDRESSES);

/// Add an address
///
/// Adds an address to the book of the signed-in customer, which holds up to 50.
#[utoipa::path(
    post,
    path = "/v1/customers/me/addresses",
    tag = "customers",
    operation_id = "add_address",
    security(("bearer" = ["customer"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes asking again harmless.")),
    request_body = AddressBody,
    responses(
        (status = 201, description = "The address.", body = SavedAddress, headers(
            ("ETag" = String, description = "Its version, for `If-Match`."),
            ("Location" = String, description = "Where it is."),
        )),
        Errors,
    ),
)]
pub(super) async fn add_address(
    State(context): State<Context>,
    customer: web::Customer,
    Idempotent(once, ValidJson(body)): Idempotent<ValidJson<AddressBody>>,
) -> Handled<Response> {
    let (address, default) = body.into_parts();
    let sealed = context.seal_address(customer.id, &address).await?;
    let (context, address, new) =
        (&context, &address, &NewAddress { customer: customer.id, sealed, default });
    once.run(&context.database, &customer.id.to_string(), |mut tx| async move {
        let stored = context.add_address(&mut tx, new).await?;
        let location = format!("/v1/customers/me/addresses/{}", stored.id);
        let body = Versioned::new(saved(&stored, address.clone()), stored.version);
        Ok((tx, Created { location, body }))
    })
    .await
}
