//! `GET /v1/admin/analytics/events`

use axum::extract::State;
use kernel::Page;
use serde::Deserialize;
use web::{Checks, Handled, ListQuery, PageQuery, Paged, Role, Staff, Validate, code};

use crate::ops::{RawEvent, open_events};
use crate::service;
use crate::store::{self, EventFilter};

/// Which events.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Request {
    /// Who sent it; `server` is the shop itself.
    #[param(max_length = 64)]
    source: Option<String>,
    /// What happened, or the call when it is not `track`.
    #[param(max_length = 255)]
    event: Option<String>,
    /// Whose.
    #[param(max_length = 255)]
    user_id: Option<String>,
}

impl Validate for Request {
    fn validate(&self, checks: &mut Checks) {
        checks.optional_text("source", self.source.as_deref(), 1..=64);
        checks.optional_text("event", self.event.as_deref(), 1..=255);
        checks.optional_text("user_id", self.user_id.as_deref(), 1..=255);
    }
}

web::errors!(Errors: code::CALLER, code::PAGE);

/// List raw events
///
/// For staff with the role `analyst`, the one that was received last first. They are kept for some weeks.
#[utoipa::path(
    get, path = "/v1/admin/analytics/events", tag = "analytics", operation_id = "list_analytics_events",
    params(PageQuery, Request),
    responses((status = 200, description = "A page of events.", body = Page<RawEvent>), Errors),
    security(("bearer" = ["staff:analyst"])),
)]
pub(super) async fn handler(
    State(state): State<service::State>,
    staff: Staff,
    list: ListQuery<Request>,
) -> Handled<Paged<RawEvent>> {
    staff.require(Role::Analyst)?;
    let Request { source, event, user_id } = list.filter;
    let (after, limit) = (list.page.after()?, list.page.limit);
    let mut reader = state.database.read().await?;
    let rows =
        store::recent(&mut reader, &EventFilter { source, event, user_id, customer: None }, after, limit)
            .await?;
    let page = Page::from_overfetched(rows, limit, |row| row.id);
    let Page { data, next_cursor } = page;
    let data = open_events(&state.vault, data).await?;
    Ok(list.page.page(Page { data, next_cursor }))
}
