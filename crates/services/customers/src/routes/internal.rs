use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use contracts::customers::Contact;
use kernel::CustomerId;
use web::{Handled, Id, Internal};

use crate::context::Context;

/// Every endpoint for other services; [`contracts::customers::Client`] calls them.
pub(crate) fn table() -> Router<Context> {
    Router::new().route("/internal/customers/{id}/contact", get(contact))
}

async fn contact(
    State(context): State<Context>,
    _: Internal,
    Id(id): Id<CustomerId>,
) -> Handled<Json<Contact>> {
    Ok(Json(context.contact(id).await?))
}
