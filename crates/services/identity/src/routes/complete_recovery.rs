use axum::extract::State;
use kernel::Secret;
use serde::Deserialize;
use web::{Checks, Handled, NoContent, ValidJson, Validate, code};

use super::caller::{check_link_token, check_password};
use crate::context::{Client, Context};
use crate::error::code::{CODE_INVALID, OVERLOADED, PASSWORD_TOO_WEAK};

/// The token of a recovery or invitation mail, and the password from now on.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = CompleteRecoveryRequest)]
pub(crate) struct Request {
    /// The token of the mail's link.
    #[schema(max_length = 100)]
    token: String,
    /// 10 to 256 characters; neither the address nor one that is tried first.
    #[schema(value_type = String, format = Password, examples("correct horse battery staple"), min_length = 10, max_length = 256)]
    password: Secret<String>,
}

impl Validate for Request {
    fn validate(&self, checks: &mut Checks) {
        check_link_token(checks, &self.token);
        check_password(checks, "password", &self.password);
    }
}

web::errors!(Errors: code::BODY, CODE_INVALID, PASSWORD_TOO_WEAK, OVERLOADED);

/// Set a new password after recovery
///
/// Ends all sessions of the account; sign in with the new password then. A password that is refused leaves the token
/// good.
#[utoipa::path(
    post, path = "/v1/auth/recover/complete", operation_id = "complete_recovery", tag = "identity", security(()),
    request_body = Request,
    responses((status = 204, description = "The password is set, and everybody is signed out."), Errors),
)]
pub(crate) async fn complete_recovery(
    State(context): State<Context>,
    client: Client,
    ValidJson(request): ValidJson<Request>,
) -> Handled<NoContent> {
    context.complete_recovery(&request.token, &request.password, &client).await?;
    Ok(NoContent)
}
