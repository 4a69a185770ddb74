use axum::extract::State;
use web::{Checks, Handled, IfMatch, ValidJson, Validate, Versioned, code};

use crate::context::Context;
use crate::error::code::{NOT_FOUND, TOO_MANY_PREFERENCES};
use crate::model::customer::Customer;
use crate::model::profile::ProfilePatch;

/// Its limits depend on the day, so the handler checks them.
impl Validate for ProfilePatch {}

web::errors!(pub(super) Errors: code::BODY, code::CALLER, code::VERSION, NOT_FOUND, TOO_MANY_PREFERENCES);

/// Change my profile
///
/// A JSON merge patch (RFC 7396): fields that are absent stay, null removes. The mail address
/// belongs to the account and is changed there.
#[utoipa::path(
    patch,
    path = "/v1/customers/me",
    tag = "customers",
    operation_id = "update_me",
    security(("bearer" = ["customer"])),
    params(("If-Match" = String, Header, description = "The `ETag` that the change is for.")),
    request_body(content(
        (ProfilePatch = "application/merge-patch+json"),
        (ProfilePatch = "application/json"),
    )),
    responses(
        (status = 200, description = "The customer after the change.", body = Customer,
            headers(("ETag" = String, description = "The new version."))),
        Errors,
    ),
)]
pub(super) async fn update_me(
    State(context): State<Context>,
    customer: web::Customer,
    if_match: IfMatch,
    ValidJson(patch): ValidJson<ProfilePatch>,
) -> Handled<Versioned<Customer>> {
    let mut checks = Checks::of_body();
    patch.check(&mut checks, context.now().date());
    checks.finish()?;
    let customer = context.update_profile(customer.id, if_match, &patch).await?;
    let version = customer.version;
    Ok(Versioned::new(customer, version))
}
