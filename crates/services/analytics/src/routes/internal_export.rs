//! `GET /internal/analytics/customers/{id}/export`

use axum::Json;
use axum::extract::State;
use kernel::CustomerId;
use web::{Handled, Id, Internal};

use crate::ops::{self, Export};
use crate::service;

/// Everything that is held about a customer, for the service that puts their export together.
pub(super) async fn handler(
    State(state): State<service::State>,
    _: Internal,
    Id(customer): Id<CustomerId>,
) -> Handled<Json<Export>> {
    Ok(Json(ops::export(&state, customer).await?))
}
