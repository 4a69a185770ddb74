use axum::extract::State;
use web::{Handled, NoContent, code};

use super::caller::SignedIn;
use crate::context::{Client, Context};

web::errors!(Errors: code::CALLER);

/// Sign out
///
/// Ends the session that the access token belongs to. Its tokens are refused everywhere within a second.
#[utoipa::path(
    post, path = "/v1/auth/signout", operation_id = "sign_out", tag = "identity",
    security(("bearer" = ["customer"]), ("bearer" = ["staff"]), ("bearer" = ["seller"])),
    responses((status = 204, description = "The session has ended."), Errors),
)]
pub(crate) async fn signout(
    State(context): State<Context>,
    caller: SignedIn,
    client: Client,
) -> Handled<NoContent> {
    context.sign_out(caller.subject, caller.session, &client).await?;
    Ok(NoContent)
}
