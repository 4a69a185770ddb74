use axum::Json;
use axum::extract::State;
use kernel::CustomerId;
use web::{Handled, Id, Internal};

use crate::context::Context;
use crate::ops::export::Export;

/// Everything identity holds about a customer, for their export.
pub(crate) async fn export(
    _: Internal,
    State(context): State<Context>,
    Id(customer): Id<CustomerId>,
) -> Handled<Json<Export>> {
    Ok(Json(context.export(customer).await?))
}
