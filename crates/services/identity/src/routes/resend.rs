use axum::Json;
use axum::extract::State;
use http::StatusCode;
use mail::Address;
use serde::Deserialize;
use web::{Handled, ValidJson, Validate, code};

use super::caller::{self, Accepted};
use crate::context::{Client, Context};

/// Whose mail did not come.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = ResendRequest)]
pub(crate) struct Request {
    /// The address that signed up.
    #[serde(deserialize_with = "caller::address")]
    #[schema(value_type = Address)]
    email: Address,
}

impl Validate for Request {}

web::errors!(Errors: code::BODY);

/// Send the verification mail again
///
/// The answer is the same whether or not somebody signed up with this address.
#[utoipa::path(
    post, path = "/v1/auth/verify/resend", operation_id = "resend_verification", tag = "identity", security(()),
    request_body = Request,
    responses((status = 202, description = "Taken down.", body = Accepted), Errors),
)]
pub(crate) async fn resend(
    State(context): State<Context>,
    client: Client,
    ValidJson(request): ValidJson<Request>,
) -> Handled<(StatusCode, Json<Accepted>)> {
    context.resend(&request.email, &client).await?;
    Ok(Accepted::response())
}
