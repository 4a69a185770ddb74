use axum::extract::State;
use kernel::Secret;
use serde::Deserialize;
use web::{Checks, Handled, NoContent, ValidJson, Validate, code};

use super::caller::{SignedIn, check_password};
use crate::context::{Client, Context};
use crate::error::code::{OVERLOADED, PASSWORD_TOO_WEAK, WRONG_PASSWORD};

/// The password up to now, and from now on.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = ChangePasswordRequest)]
pub(crate) struct Request {
    /// The present password.
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 4096)]
    current_password: Secret<String>,
    /// 10 to 256 characters; neither the address nor one that is tried first.
    #[schema(value_type = String, format = Password, examples("correct horse battery staple"), min_length = 10, max_length = 256)]
    new_password: Secret<String>,
}

impl Validate for Request {
    fn validate(&self, checks: &mut Checks) {
        check_password(checks, "current_password", &self.current_password);
        check_password(checks, "new_password", &self.new_password);
    }
}

web::errors!(Errors: code::BODY, code::CALLER, WRONG_PASSWORD, PASSWORD_TOO_WEAK, OVERLOADED);

/// Change one's password
///
/// Ends one's other sessions and sends a mail that says so.
#[utoipa::path(
    post, path = "/v1/auth/password", operation_id = "change_password", tag = "identity",
    security(("bearer" = ["customer"]), ("bearer" = ["staff"]), ("bearer" = ["seller"])),
    request_body = Request,
    responses((status = 204, description = "The password is changed."), Errors),
)]
pub(crate) async fn change_password(
    State(context): State<Context>,
    caller: SignedIn,
    client: Client,
    ValidJson(request): ValidJson<Request>,
) -> Handled<NoContent> {
    let SignedIn { subject, session } = caller;
    let (current, new) = (&request.current_password, &request.new_password);
    context.change_password((subject, session), current, new, &client).await?;
    Ok(NoContent)
}
