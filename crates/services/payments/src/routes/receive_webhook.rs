use axum::Json;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use bytes::Bytes;
use http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;
use web::{Handled, Id, code};

use crate::error::{PROVIDER_UNKNOWN, WEBHOOK_SIGNATURE, WEBHOOK_UNREADABLE};
use crate::ops::Payments;

/// That a notification was kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookReceived {
    /// Always true.
    received: bool,
}

web::errors!(Errors: code::TOO_LARGE, code::BAD_ID, PROVIDER_UNKNOWN, WEBHOOK_SIGNATURE, WEBHOOK_UNREADABLE);

/// Takes a payment provider's notification.
///
/// Its signature is checked over the body as it came; then it is kept, answered, and acted upon. A
/// notification that comes again is answered in the same way and acted upon once.
#[utoipa::path(
    post,
    path = "/webhooks/{provider}",
    tag = "payments",
    operation_id = "receive_webhook",
    params(("provider" = String, Path, description = "The provider's name.", example = "sandbox")),
    request_body(content = serde_json::Value, description = "Whatever the provider sends, signed as it signs."),
    responses((status = 200, description = "It was kept.", body = WebhookReceived), Errors),
    security(())
)]
pub(crate) async fn receive_webhook(
    State(payments): State<Payments>,
    Id(provider): Id<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Handled<Json<WebhookReceived>> {
    let body = body.map_err(|rejection| {
        code::TOO_LARGE
            .problem("The notification is larger than is allowed, or broke off.")
            .caused_by(rejection)
    })?;
    payments.receive_webhook(&provider, &headers, &body).await?;
    Ok(Json(WebhookReceived { received: true }))
}
