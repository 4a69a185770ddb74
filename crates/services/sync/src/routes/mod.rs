//! The service's API.

mod stream;

use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::service::State;

/// Every public route.
pub(crate) fn table() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(stream::handler))
}

/// The public routes as a document.
pub fn openapi() -> OpenApi {
    table().into_openapi()
}
