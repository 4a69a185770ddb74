use axum::Json;
use axum::extract::State;
use kernel::CustomerId;
use web::{Handled, Id, Internal};

use crate::ops::export_customer::export_customer;
use crate::shop::Shop;

/// Everything that is held about a customer, for the service that puts their export together.
pub(super) async fn internal_export(
    State(shop): State<Shop>,
    _: Internal,
    Id(customer): Id<CustomerId>,
) -> Handled<Json<serde_json::Value>> {
    Ok(Json(export_customer(&shop, customer).await?))
}
