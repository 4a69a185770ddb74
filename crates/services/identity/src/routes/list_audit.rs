use axum::extract::State;
use kernel::{Page, Timestamp};
use serde::Deserialize;
use web::{Checks, Handled, ListQuery, Paged, Role, Staff, Validate, code};

use crate::context::Context;
use crate::model::account::Subject;
use crate::model::audit::Outcome;
use crate::ops::export::SeenEntry;
use crate::store::audit::{self, Filter};

/// Which attempts are asked for.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Query {
    /// Whose: a customer's id or a staff id.
    #[param(example = "cus_01h2xcejqtf2nbrexx3vqjhp41")]
    account: Option<String>,
    /// Which ended so.
    #[param(inline)]
    outcome: Option<Outcome>,
    /// Not before this moment.
    from: Option<Timestamp>,
    /// Before this moment.
    to: Option<Timestamp>,
}

impl Validate for Query {
    fn validate(&self, checks: &mut Checks) {
        if let Some(account) = &self.account {
            let is_id = account.parse::<Subject>().is_ok();
            checks.check("account", is_id, "invalid", "must be a customer's id or a staff id");
        }
    }
}

web::errors!(Errors: code::PAGE, code::CALLER);

/// List attempts
///
/// Every attempt to sign up, prove an address, sign in, recover, change a password or end a session, the newest first.
/// Administrators only.
#[utoipa::path(
    get, path = "/v1/admin/identity/audit", operation_id = "list_audit", tag = "identity",
    security(("bearer" = ["staff:administrator"])),
    params(Query, web::PageQuery),
    responses((status = 200, description = "One page of attempts.", body = Page<SeenEntry>), Errors),
)]
pub(crate) async fn list_audit(
    State(context): State<Context>,
    staff: Staff,
    ListQuery { page, filter }: ListQuery<Query>,
) -> Handled<Paged<SeenEntry>> {
    staff.require(Role::Administrator)?;
    let filter = Filter {
        account: filter.account,
        outcome: filter.outcome,
        from: filter.from,
        to: filter.to,
        after: page.after()?,
    };
    let mut reader = context.database.read().await?;
    let entries = audit::list(&mut reader, &filter, page.limit.overfetch()).await?;
    drop(reader);
    let Page { data, next_cursor } = Page::from_overfetched(entries, page.limit, |entry| entry.entry.id);
    let seen = context.see(data).await?;
    Ok(page.page(Page { data: seen, next_cursor }))
}
