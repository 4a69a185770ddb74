//! The API as one table.

mod amount;
mod get_payment;
mod internal;
mod internal_export;
mod list_payments;
mod list_refunds;
mod receive_webhook;
mod refund_payment;
mod view;

use axum::Router;
use axum::routing::{get, post};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::ops::Payments;

/// What anybody may reach.
pub(crate) fn public() -> OpenApiRouter<Payments> {
    OpenApiRouter::new()
        .routes(routes!(get_payment::get_payment))
        .routes(routes!(list_refunds::list_refunds, refund_payment::refund_payment))
        .routes(routes!(list_payments::list_payments))
        .routes(routes!(receive_webhook::receive_webhook))
}

/// What the other services reach; the client is `contracts::payments::Client`.
pub(crate) fn internal(payments: Payments) -> Router {
    Router::new()
        .route("/internal/payments", post(internal::authorize))
        .route("/internal/payments/{id}", get(internal::get))
        .route("/internal/payments/{id}/capture", post(internal::capture))
        .route("/internal/payments/{id}/void", post(internal::void))
        .route("/internal/payments/{id}/refunds", post(internal::refund))
        .route("/internal/payments/customers/{id}/export", get(internal_export::internal_export))
        .with_state(payments)
}
