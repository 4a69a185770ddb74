use axum::Json;
use axum::extract::State;
use http::StatusCode;
use kernel::Secret;
use mail::Address;
use serde::Deserialize;
use web::{Checks, Handled, ValidJson, Validate, code};

use super::caller::{self, Accepted, check_password};
use crate::context::{Client, Context};
use crate::error::code::{OVERLOADED, PASSWORD_TOO_WEAK};

/// Who wants an account.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = SignupRequest)]
pub(crate) struct Request {
    /// The address for mail, and for signing in.
    #[serde(deserialize_with = "caller::address")]
    #[schema(value_type = Address)]
    email: Address,
    /// 10 to 256 characters; neither the address nor one that is tried first.
    #[schema(value_type = String, format = Password, examples("correct horse battery staple"), min_length = 10, max_length = 256)]
    password: Secret<String>,
    /// What they are called.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
}

impl Validate for Request {
    fn validate(&self, checks: &mut Checks) {
        check_password(checks, "password", &self.password);
        checks.optional_text("name", self.name.as_deref(), 1..=200);
    }
}

web::errors!(Errors: code::BODY, PASSWORD_TOO_WEAK, OVERLOADED);

/// Open an account
///
/// A mail with a link and a code goes to the address; the account opens when one of them comes back to
/// `POST /v1/auth/verify`. The answer is the same whether or not the address has an account already; whoever
/// reads its mail learns.
#[utoipa::path(
    post, path = "/v1/auth/signup", operation_id = "sign_up", tag = "identity", security(()),
    request_body = Request,
    responses((status = 202, description = "Taken down.", body = Accepted), Errors),
)]
pub(crate) async fn signup(
    State(context): State<Context>,
    client: Client,
    ValidJson(request): ValidJson<Request>,
) -> Handled<(StatusCode, Json<Accepted>)> {
    context.sign_up(&request.email, &request.password, request.name, &client).await?;
    Ok(Accepted::response())
}
