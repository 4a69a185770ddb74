//! `GET /v1/admin/analytics/events`

use axum::extract::State;
use kernel::{EventId, Page, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use vault::{Sealed, Vault};
use web::{Checks, Handled, ListQuery, PageQuery, Paged, Problem, Role, Staff, Validate, code};

use crate::ops::PERSONAL;
use crate::service;
use crate::store::{self, EventFilter, StoredEvent};

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

/// A raw event.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct RawEvent {
    id: EventId,
    source: String,
    event: String,
    /// When it happened, by our clock.
    occurred_at: Timestamp,
    received_at: Timestamp,
    /// The message of the tracking protocol, without what is about the person.
    message: Value,
    /// The `traits`, and the `traits` and `ip` of `context`, of a customer who was not erased.
    personal: Option<Value>,
}

web::errors!(Errors: code::CALLER, code::PAGE);

/// List raw events
///
/// For staff with the role `analyst`, the one that was received last first. They are kept for some weeks.
#[utoipa::path(
    get, path = "/v1/admin/analytics/events", tag = "analytics", operation_id = "listAnalyticsEvents",
    params(PageQuery, Request),
    responses((status = 200, description = "A page of events.", body = Page<RawEvent>), Errors),
    security(("bearer" = ["staff"])),
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
    let rows = store::recent(&mut reader, &EventFilter { source, event, user_id }, after, limit).await?;
    let page = Page::from_overfetched(rows, limit, |row| row.id);
    let mut opened = open(&state.vault, &page.data).await?.into_iter();
    let page = page.map(|row| RawEvent {
        id: row.id,
        source: row.source,
        event: row.event,
        occurred_at: row.occurred_at,
        received_at: row.received_at,
        message: serde_json::from_str(&row.message).unwrap_or_default(),
        personal: opened.next().flatten(),
    });
    Ok(list.page.page(page))
}

/// What each event holds about its person, in their order, with one look-up of keys for all.
async fn open(vault: &Vault, events: &[StoredEvent]) -> Result<Vec<Option<Value>>, Problem> {
    let sealed = |event: &'_ StoredEvent| Some((event.customer?.uuid(), event.personal.is_some()));
    let values: Vec<Sealed<'_>> = events
        .iter()
        .filter_map(|event| {
            let (person, _) = sealed(event)?;
            Some(Sealed { person, context: PERSONAL, sealed: event.personal.as_deref()? })
        })
        .collect();
    let mut opened = vault.open_many(&values).await?.into_iter();
    let personal = events.iter().map(|event| match sealed(event) {
        Some((_, true)) => opened.next().flatten().and_then(|json| serde_json::from_slice(&json).ok()),
        _ => None,
    });
    Ok(personal.collect())
}
