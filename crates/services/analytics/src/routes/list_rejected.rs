//! `GET /v1/admin/analytics/rejected`

use axum::extract::State;
use kernel::{EventId, Page, Timestamp};
use serde::{Deserialize, Serialize};
use web::{Checks, Handled, ListQuery, PageQuery, Paged, Role, Staff, Validate, code};

use crate::service;
use crate::store::{self, RejectedEvent, RejectedFilter};

/// Which refused events.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Request {
    /// Who sent it.
    #[param(max_length = 64)]
    source: Option<String>,
    /// Why it was refused.
    #[param(max_length = 64, example = "analytics.event_required")]
    code: Option<String>,
}

impl Validate for Request {
    fn validate(&self, checks: &mut Checks) {
        checks.optional_text("source", self.source.as_deref(), 1..=64);
        checks.optional_text("code", self.code.as_deref(), 1..=64);
    }
}

/// An event that was refused.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct RefusedEvent {
    /// Names the refusal.
    id: EventId,
    /// Where the event came from.
    source: String,
    /// The event's own id, when it had one.
    message_id: Option<String>,
    /// Why it was refused.
    code: String,
    /// The same in a sentence.
    detail: String,
    /// When it arrived.
    received_at: Timestamp,
    /// The first 4 KB of what was sent, without what is about the person.
    message: String,
}

impl From<RejectedEvent> for RefusedEvent {
    fn from(event: RejectedEvent) -> Self {
        let RejectedEvent { id, source, message_id, code, detail, received_at, message, .. } = event;
        Self { id, source, message_id, code, detail, received_at, message }
    }
}

web::errors!(Errors: code::CALLER, code::PAGE);

/// List refused events
///
/// For staff with the role `analyst`, the last one first. They are kept for some days.
#[utoipa::path(
    get, path = "/v1/admin/analytics/rejected", tag = "analytics", operation_id = "list_rejected_events",
    params(PageQuery, Request),
    responses((status = 200, description = "A page of events.", body = Page<RefusedEvent>), Errors),
    security(("bearer" = ["staff:analyst"])),
)]
pub(super) async fn handler(
    State(state): State<service::State>,
    staff: Staff,
    list: ListQuery<Request>,
) -> Handled<Paged<RefusedEvent>> {
    staff.require(Role::Analyst)?;
    let Request { source, code } = list.filter;
    let (after, limit) = (list.page.after()?, list.page.limit);
    let mut reader = state.database.read().await?;
    let rows =
        store::rejected(&mut reader, &RejectedFilter { source, code, customer: None }, after, limit).await?;
    let page = Page::from_overfetched(rows, limit, |row| row.id);
    Ok(list.page.page(page.map(RefusedEvent::from)))
}
