use axum::Json;
use axum::extract::State;
use kernel::CustomerId;
use web::{Handled, Id, Internal};

use crate::ops::export_answers::{Export, export_answers};
use crate::service::Service;

/// Everything that is held about a customer, for the service that puts their export together.
pub(crate) async fn internal_export(
    State(service): State<Service>,
    _: Internal,
    Id(customer): Id<CustomerId>,
) -> Handled<Json<Export>> {
    Ok(Json(export_answers(&service, customer).await?))
}
