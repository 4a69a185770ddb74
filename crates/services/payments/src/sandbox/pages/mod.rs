//! The pages that the sandbox shows to people.

mod challenge;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Sandbox;
use crate::model::return_url::ReturnOrigins;

/// What the pages stand on.
#[derive(Clone)]
pub(crate) struct Pages {
    sandbox: Sandbox,
    origins: Arc<ReturnOrigins>,
}

impl Pages {
    /// The pages of `sandbox`, from which people are sent back to `origins` only.
    pub(crate) fn new(sandbox: Sandbox, origins: Arc<ReturnOrigins>) -> Self {
        Self { sandbox, origins }
    }

    /// Which pages there are.
    pub(crate) fn router() -> OpenApiRouter<Self> {
        OpenApiRouter::new().routes(routes!(challenge::show_challenge, challenge::end_challenge))
    }
}
