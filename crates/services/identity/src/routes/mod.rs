//! The service's API as one table.

use axum::Router;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::context::Context;

mod caller;
mod change_password;
mod complete_recovery;
mod end_other_sessions;
mod end_session;
mod export;
mod jwks;
mod list_audit;
mod list_sessions;
mod recover;
mod refresh;
mod resend;
mod revocations;
mod signin;
mod signout;
mod signup;
mod verify;

/// What people and their programs may call.
pub(crate) fn public() -> OpenApiRouter<Context> {
    OpenApiRouter::new()
        .routes(routes!(signup::signup))
        .routes(routes!(verify::verify))
        .routes(routes!(resend::resend))
        .routes(routes!(signin::signin))
        .routes(routes!(refresh::refresh))
        .routes(routes!(signout::signout))
        .routes(routes!(list_sessions::list_sessions, end_other_sessions::end_other_sessions))
        .routes(routes!(end_session::end_session))
        .routes(routes!(recover::recover))
        .routes(routes!(complete_recovery::complete_recovery))
        .routes(routes!(change_password::change_password))
        .routes(routes!(jwks::jwks))
        .routes(routes!(list_audit::list_audit))
}

/// What other services may call.
pub(crate) fn internal() -> Router<Context> {
    Router::new()
        .route("/internal/identity/revocations", get(revocations::revocations))
        .route("/internal/identity/jwks", get(jwks::internal_jwks))
        .route("/internal/identity/customers/{id}/export", get(export::export))
}
