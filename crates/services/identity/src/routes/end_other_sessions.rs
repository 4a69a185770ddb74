use axum::extract::State;
use web::{Handled, NoContent, code};

use super::caller::SignedIn;
use crate::context::{Client, Context};

web::errors!(Errors: code::CALLER);

/// End all of one's other sessions
///
/// All but the one that asks. Their tokens are refused everywhere within a second.
#[utoipa::path(
    delete, path = "/v1/auth/sessions", operation_id = "end_other_sessions", tag = "identity",
    security(("bearer" = ["customer"]), ("bearer" = ["staff"]), ("bearer" = ["seller"])),
    responses((status = 204, description = "They have ended."), Errors),
)]
pub(crate) async fn end_other_sessions(
    State(context): State<Context>,
    caller: SignedIn,
    client: Client,
) -> Handled<NoContent> {
    context.end_other_sessions(caller.subject, caller.session, &client).await?;
    Ok(NoContent)
}
