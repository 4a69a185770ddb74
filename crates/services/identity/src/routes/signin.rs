use axum::extract::State;
use axum::response::Response;
use kernel::Secret;
use mail::Address;
use serde::Deserialize;
use web::{Checks, Handled, ValidJson, Validate, code};

use super::caller::{self, check_password, with_tokens};
use crate::context::{Client, Context};
use crate::error::code::{BAD_CREDENTIALS, OVERLOADED};
use crate::tokens::Tokens;

/// Who somebody says they are.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = SigninRequest)]
pub(crate) struct Request {
    /// The address of the account.
    #[serde(deserialize_with = "caller::address")]
    #[schema(value_type = Address)]
    email: Address,
    /// Its password.
    #[schema(value_type = String, format = Password, examples("correct horse battery staple"), min_length = 1, max_length = 4096)]
    password: Secret<String>,
}

impl Validate for Request {
    fn validate(&self, checks: &mut Checks) {
        check_password(checks, "password", &self.password);
    }
}

web::errors!(Errors: code::BODY, BAD_CREDENTIALS, OVERLOADED);

/// Sign in
///
/// For customers, staff and sellers alike. An unknown address, a wrong password and an address that was not
/// proved get the same answer after the same time. An address that was not proved gets its mail again.
#[utoipa::path(
    post, path = "/v1/auth/signin", operation_id = "sign_in", tag = "identity", security(()),
    request_body = Request,
    responses((status = 200, description = "Signed in.", body = Tokens), Errors),
)]
pub(crate) async fn signin(
    State(context): State<Context>,
    client: Client,
    ValidJson(request): ValidJson<Request>,
) -> Handled<Response> {
    Ok(with_tokens(context.sign_in(&request.email, &request.password, &client).await?))
}
