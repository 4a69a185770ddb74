//! `GET /v1/admin/analytics/events/daily`

use axum::extract::State;
use kernel::{Date, Page};
use serde::{Deserialize, Serialize};
use web::{Checks, Handled, ListQuery, PageQuery, Paged, Role, Staff, Validate, code};

use crate::service;
use crate::store::{self, CountFilter, DailyCount};

/// Which counts.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Request {
    /// This day of UTC and later ones.
    from: Option<Date>,
    /// This day of UTC and earlier ones.
    to: Option<Date>,
    /// What happened: `Order Completed`; or the call when it is not `track`: `page`.
    #[param(max_length = 255)]
    event: Option<String>,
    /// Who sent it; `server` is the shop itself.
    #[param(max_length = 64)]
    source: Option<String>,
}

impl Validate for Request {
    fn validate(&self, checks: &mut Checks) {
        checks.optional_text("event", self.event.as_deref(), 1..=255);
        checks.optional_text("source", self.source.as_deref(), 1..=64);
    }
}

/// How often one event came from one source on one day of UTC.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DailyEvents)]
pub(super) struct DailyEvents {
    /// The day, in UTC.
    day: Date,
    /// Where the events came from.
    source: String,
    /// The name of the event.
    event: String,
    /// How many there were.
    count: i64,
}

web::errors!(Errors: code::CALLER, code::PAGE);

/// Count events by day
///
/// For staff with the role `analyst`, the newest day first.
#[utoipa::path(
    get, path = "/v1/admin/analytics/events/daily", tag = "analytics", operation_id = "list_daily_events",
    params(PageQuery, Request),
    responses((status = 200, description = "A page of counts.", body = Page<DailyEvents>), Errors),
    security(("bearer" = ["staff:analyst"])),
)]
pub(super) async fn handler(
    State(state): State<service::State>,
    staff: Staff,
    list: ListQuery<Request>,
) -> Handled<Paged<DailyEvents>> {
    staff.require(Role::Analyst)?;
    let Request { from, to, event, source } = list.filter;
    let filter = CountFilter { from, to, event, source };
    let (after, limit) = (list.page.after()?, list.page.limit);
    let mut reader = state.database.read().await?;
    let rows = store::counts(&mut reader, &filter, after, limit).await?;
    let page = Page::from_overfetched(rows, limit, |row| (row.day, row.event.clone(), row.source.clone()));
    Ok(list.page.page(page.map(|DailyCount { day, event, source, count }| DailyEvents {
        day,
        source,
        event,
        count,
    })))
}
