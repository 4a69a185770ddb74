use axum::extract::State;
use kernel::SessionId;
use web::{Handled, Id, NoContent, code};

use super::caller::SignedIn;
use crate::context::{Client, Context};
use crate::error::code::SESSION_NOT_FOUND;

web::errors!(Errors: code::CALLER, code::BAD_ID, SESSION_NOT_FOUND);

/// End one of one's sessions
///
/// Its tokens are refused everywhere within a second.
#[utoipa::path(
    delete, path = "/v1/auth/sessions/{id}", operation_id = "end_session", tag = "identity",
    security(("bearer" = ["customer"]), ("bearer" = ["staff"]), ("bearer" = ["seller"])),
    params(("id" = SessionId, Path, description = "The session.")),
    responses((status = 204, description = "The session has ended."), Errors),
)]
pub(crate) async fn end_session(
    State(context): State<Context>,
    caller: SignedIn,
    client: Client,
    Id(session): Id<SessionId>,
) -> Handled<NoContent> {
    context.end_session(caller.subject, session, &client).await?;
    Ok(NoContent)
}
