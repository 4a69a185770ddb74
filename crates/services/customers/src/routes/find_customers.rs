use axum::extract::State;
use kernel::Page;
use serde::Deserialize;
use web::{Checks, Handled, ListQuery, PageQuery, Paged, Problem, RequestId, Staff, Validate, code};

use crate::context::Context;
use crate::model::customer::Customer;
use crate::ops::show_to_staff::{ROLE, Search};

/// Whom to look for.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EmailFilter {
    /// Their whole mail address, in capitals or not.
    #[param(max_length = 254)]
    email: String,
}

impl Validate for EmailFilter {
    fn validate(&self, checks: &mut Checks) {
        let sound = self.email.parse::<mail::Address>().is_ok();
        checks.check("email", sound, "invalid_email", "must be a mail address");
    }
}

web::errors!(pub(super) Errors: code::CALLER, code::PAGE);

/// Find customers by mail address
///
/// Needs the role `support`. Whom it shows is on record.
#[utoipa::path(
    get,
    path = "/v1/admin/customers",
    tag = "customers",
    operation_id = "find_customers",
    security(("bearer" = ["staff:support"])),
    params(EmailFilter, PageQuery),
    responses((status = 200, description = "Those who have this address.", body = Page<Customer>), Errors),
)]
pub(super) async fn find_customers(
    State(context): State<Context>,
    staff: Staff,
    request: RequestId,
    query: Result<ListQuery<EmailFilter>, Problem>,
) -> Handled<Paged<Customer>> {
    staff.require(ROLE)?;
    let ListQuery { page, filter } = query?;
    let email: mail::Address = filter.email.parse().map_err(Problem::internal)?;
    let search = Search { email: &email, after: page.after()?, limit: page.limit };
    let found = context.find_by_email(&staff, &request, &search).await?;
    Ok(page.page(found))
}
