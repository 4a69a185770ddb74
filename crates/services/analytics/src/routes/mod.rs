//! The service's API.

mod calls;
mod internal_export;
mod list_daily_events;
mod list_daily_revenue;
mod list_events;
mod list_rejected;
mod request;
mod settings;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::service::State;

/// Every public route.
pub(crate) fn table() -> OpenApiRouter<State> {
    // Sources.
    let collection = OpenApiRouter::new()
        .routes(routes!(calls::track::call))
        .routes(routes!(calls::track::short))
        .routes(routes!(calls::identify::call))
        .routes(routes!(calls::identify::short))
        .routes(routes!(calls::page::call))
        .routes(routes!(calls::page::short))
        .routes(routes!(calls::screen::call))
        .routes(routes!(calls::screen::short))
        .routes(routes!(calls::group::call))
        .routes(routes!(calls::group::short))
        .routes(routes!(calls::alias::call))
        .routes(routes!(calls::alias::short))
        .routes(routes!(calls::batch::call))
        .routes(routes!(calls::batch::short))
        .layer(DefaultBodyLimit::max(request::MAX_BODY_BYTES))
        .routes(routes!(settings::handler));
    // Staff.
    collection
        .routes(routes!(list_daily_events::handler))
        .routes(routes!(list_daily_revenue::handler))
        .routes(routes!(list_events::handler))
        .routes(routes!(list_rejected::handler))
}

/// The route of `contracts::analytics::Client`.
pub(crate) fn internal() -> Router<State> {
    Router::new().route("/internal/analytics/customers/{id}/export", get(internal_export::handler))
}

/// The public routes as a document.
pub fn openapi() -> OpenApi {
    table().into_openapi()
}
