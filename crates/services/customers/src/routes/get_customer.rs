use axum::extract::State;
use kernel::CustomerId;
use web::{Handled, Id, RequestId, Staff, Versioned, code};

use crate::context::Context;
use crate::error::code::NOT_FOUND;
use crate::ops::show_to_staff::{CustomerFile, ROLE};

web::errors!(pub(super) Errors: code::BAD_ID, code::CALLER, NOT_FOUND);

/// Read a customer
///
/// Profile, addresses and consents of one customer. Needs the role `support`. That it was read is on
/// record.
#[utoipa::path(
    get,
    path = "/v1/admin/customers/{id}",
    tag = "customers",
    operation_id = "get_customer",
    security(("bearer" = ["staff:support"])),
    params(("id" = CustomerId, Path, description = "Which customer.")),
    responses(
        (status = 200, description = "The customer.", body = CustomerFile,
            headers(("ETag" = String, description = "The version of the profile."))),
        Errors,
    ),
)]
pub(super) async fn get_customer(
    State(context): State<Context>,
    staff: Staff,
    request: RequestId,
    Id(id): Id<CustomerId>,
) -> Handled<Versioned<CustomerFile>> {
    staff.require(ROLE)?;
    let file = context.show_file(&staff, &request, id).await?;
    let version = file.customer.version;
    Ok(Versioned::new(file, version))
}
