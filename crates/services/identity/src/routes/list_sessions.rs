use axum::Json;
use axum::extract::State;
use kernel::{Page, SessionId, Timestamp};
use serde::Serialize;
use web::{Handled, Problem, code};

use super::caller::SignedIn;
use crate::context::Context;
use crate::error::Error;
use crate::store::sessions;

/// A session, so that its person recognises it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Session)]
pub(crate) struct Response {
    /// Names it.
    id: SessionId,
    /// The device, as people call it.
    #[schema(examples("Firefox on Linux"))]
    device: String,
    /// The device, as it calls itself.
    user_agent: String,
    /// The network it signed in from.
    #[schema(examples("203.0.113.0/24"))]
    network: String,
    /// How the person proved who they are: `password` or `verification`.
    #[schema(examples("password"))]
    method: &'static str,
    /// When it began.
    created_at: Timestamp,
    /// When it last asked for tokens.
    last_used_at: Timestamp,
    /// When it ends by itself, unless it is used again.
    ends_at: Timestamp,
    /// Whether it is the one that asks.
    current: bool,
}

web::errors!(Errors: code::CALLER);

/// List one's sessions
///
/// Those that go on, the newest first, all on one page.
#[utoipa::path(
    get, path = "/v1/auth/sessions", operation_id = "list_sessions", tag = "identity",
    security(("bearer" = ["customer"]), ("bearer" = ["staff"]), ("bearer" = ["seller"])),
    responses((status = 200, description = "The sessions.", body = Page<Response>), Errors),
)]
pub(crate) async fn list_sessions(
    State(context): State<Context>,
    caller: SignedIn,
) -> Handled<Json<Page<Response>>> {
    let mut reader = context.database.read().await?;
    let sessions = sessions::alive(&mut reader, caller.subject.uuid(), context.now()).await?;
    drop(reader);
    let devices = context.devices(&sessions).await.map_err(|error: Error| Problem::from(error))?;
    let listed = sessions.into_iter().zip(devices).map(|(session, device)| Response {
        id: session.id,
        device: device.name(),
        user_agent: device.user_agent,
        network: device.network,
        method: session.method.as_str(),
        created_at: session.created_at,
        last_used_at: session.last_used_at,
        ends_at: session.ends_at,
        current: session.id == caller.session,
    });
    Ok(Json(Page { data: listed.collect(), next_cursor: None }))
}
