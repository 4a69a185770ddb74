use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header;
use serde_json::Value;
use web::{Handled, Internal};

use crate::context::Context;
use crate::error::Error;

web::errors!(Errors);

/// Read the signing keys
///
/// The public keys of access tokens as a JSON Web Key Set (RFC 7517). The next key stands here for an hour before it
/// signs anything, so an answer may be kept for as long as it says.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", operation_id = "read_signing_keys", tag = "identity", security(()),
    responses((status = 200, description = "The keys.", body = Value), Errors),
)]
pub(crate) async fn jwks(State(context): State<Context>) -> Handled<Response> {
    let keys = context.issuer.key_set().await.map_err(Error::from)?;
    Ok(([(header::CACHE_CONTROL, "public, max-age=300")], Json(keys)).into_response())
}

/// The same for other services, which keep it for as long as they see fit.
pub(crate) async fn internal_jwks(_: Internal, State(context): State<Context>) -> Handled<Json<Value>> {
    Ok(Json(context.issuer.key_set().await.map_err(Error::from)?))
}
