use axum::extract::State;
use web::{Handled, Versioned, code};

use crate::context::Context;
use crate::error::code::NOT_FOUND;
use crate::model::customer::Customer;

web::errors!(pub(super) Errors: code::CALLER, NOT_FOUND);

/// Read who I am
///
/// The profile of the signed-in customer. Until they choose a language, `locale` is the shop's.
#[utoipa::path(
    get,
    path = "/v1/customers/me",
    tag = "customers",
    operation_id = "get_me",
    security(("bearer" = ["customer"])),
    responses(
        (status = 200, description = "The customer.", body = Customer,
            headers(("ETag" = String, description = "The version, for `If-Match`."))),
        Errors,
    ),
)]
pub(super) async fn get_me(
    State(context): State<Context>,
    customer: web::Customer,
) -> Handled<Versioned<Customer>> {
    let customer = context.read_customer(customer.id).await?;
    let version = customer.version;
    Ok(Versioned::new(customer, version))
}
