use axum::extract::State;
use axum::response::Response;
use mail::Address;
use serde::Deserialize;
use web::{Checks, Handled, ValidJson, Validate, code};

use super::caller::{self, check_link_token, with_tokens};
use crate::context::{Client, Context};
use crate::error::Error;
use crate::error::code::CODE_INVALID;
use crate::ops::verify::Proof;
use crate::tokens::Tokens;

/// The proof that an address is theirs: the token of the link alone, or the code together with the address.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = VerifyRequest)]
pub(crate) struct Request {
    /// The token of the mail's link.
    #[schema(min_length = 1, max_length = 100)]
    token: Option<String>,
    /// The address that the mail went to.
    #[serde(default, deserialize_with = "caller::optional_address")]
    #[schema(value_type = Option<Address>)]
    email: Option<Address>,
    /// The code of the mail; spaces do not matter.
    #[schema(min_length = 1, max_length = 20, examples("1234 5678"))]
    code: Option<String>,
}

impl Validate for Request {
    fn validate(&self, checks: &mut Checks) {
        let detail = "send either `token`, or `email` and `code`";
        match (&self.token, &self.email, &self.code) {
            (Some(token), None, None) => check_link_token(checks, token),
            (None, Some(_), Some(code)) => checks.text("code", code, 1..=20),
            (None, Some(_), None) => checks.refuse("code", "required", detail),
            (None, None, Some(_)) => checks.refuse("email", "required", detail),
            (None, None, None) => checks.refuse("token", "required", detail),
            (Some(_), ..) => checks.refuse("token", "ambiguous", detail),
        }
    }
}

web::errors!(Errors: code::BODY, CODE_INVALID);

/// Prove an address
///
/// Opens the account and begins a session. A link and a code work once; a code can be typed wrongly five times.
#[utoipa::path(
    post, path = "/v1/auth/verify", operation_id = "verify", tag = "identity", security(()),
    request_body = Request,
    responses((status = 200, description = "The address is proved, and its person signed in.", body = Tokens), Errors),
)]
pub(crate) async fn verify(
    State(context): State<Context>,
    client: Client,
    ValidJson(request): ValidJson<Request>,
) -> Handled<Response> {
    let proof = match (request.token, request.email, request.code) {
        (Some(token), ..) => Proof::Link(token),
        (None, Some(address), Some(code)) => Proof::Code { address, code },
        _ => return Err(Error::CodeInvalid.into()),
    };
    Ok(with_tokens(context.verify(proof, &client).await?))
}
