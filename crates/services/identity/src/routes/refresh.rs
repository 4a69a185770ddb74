use axum::extract::State;
use axum::response::Response;
use kernel::Secret;
use serde::Deserialize;
use web::{Checks, Handled, ValidJson, Validate, code};

use super::caller::with_tokens;
use crate::context::{Client, Context};
use crate::error::code::REFRESH_TOKEN_INVALID;
use crate::model::token::MAX_REFRESH_CHARACTERS;
use crate::tokens::Tokens;

/// Which session goes on.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = RefreshRequest)]
pub(crate) struct Request {
    /// The last refresh token that was given out.
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 100)]
    refresh_token: Secret<String>,
}

impl Validate for Request {
    fn validate(&self, checks: &mut Checks) {
        checks.text("refresh_token", self.refresh_token.expose(), 1..=MAX_REFRESH_CHARACTERS);
    }
}

web::errors!(Errors: code::BODY, REFRESH_TOKEN_INVALID);

/// Get the next pair of tokens
///
/// A refresh token is good once. When the answer is lost, send the same token again: what was lost is revoked and
/// given out anew. A token that comes again after its successor was used is taken for theft: the session ends and
/// its person is told.
#[utoipa::path(
    post, path = "/v1/auth/refresh", operation_id = "refresh", tag = "identity", security(()),
    request_body = Request,
    responses((status = 200, description = "The next pair.", body = Tokens), Errors),
)]
pub(crate) async fn refresh(
    State(context): State<Context>,
    client: Client,
    ValidJson(request): ValidJson<Request>,
) -> Handled<Response> {
    Ok(with_tokens(context.refresh(request.refresh_token.expose(), &client).await?))
}
