use axum::Json;
use axum::extract::State;
use http::StatusCode;
use mail::Address;
use serde::Deserialize;
use web::{Handled, ValidJson, Validate, code};

use super::caller::{self, Accepted};
use crate::context::{Client, Context};

/// Who forgot their password.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = RecoverRequest)]
pub(crate) struct Request {
    /// The address of the account.
    #[serde(deserialize_with = "caller::address")]
    #[schema(value_type = Address)]
    email: Address,
}

impl Validate for Request {}

web::errors!(Errors: code::BODY);

/// Recover an account
///
/// A mail with a link goes to the address; its token sets a new password with
/// `POST /v1/auth/recover/complete`. The answer is the same whether or not there is such an account.
#[utoipa::path(
    post, path = "/v1/auth/recover", operation_id = "recover", tag = "identity", security(()),
    request_body = Request,
    responses((status = 202, description = "Taken down.", body = Accepted), Errors),
)]
pub(crate) async fn recover(
    State(context): State<Context>,
    client: Client,
    ValidJson(request): ValidJson<Request>,
) -> Handled<(StatusCode, Json<Accepted>)> {
    context.recover(&request.email, &client).await?;
    Ok(Accepted::response())
}
