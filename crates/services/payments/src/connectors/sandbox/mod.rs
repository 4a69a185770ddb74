//! The way to the sandbox. It knows of the sandbox what any merchant's program would: addresses,
//! documents, signatures.

mod wire;

use std::time::Duration;

use bytes::Bytes;
use contracts::{Channel, ChannelError};
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, Request, StatusCode, header};
use kernel::{PaymentId, Secret, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    Authorize, Call, Capture, Connector, ConnectorError, Notification, RefundPayment, Void, WebhookError,
    signature,
};
use crate::model::{RefundSnapshot, Snapshot, decline};
use wire::{WireError, WireEvent, WirePayment, WireRefund};

/// Its name in addresses and tables.
pub(crate) const NAME: &str = "sandbox";
/// The header that it signs notifications in.
pub(crate) const SIGNATURE: &str = "sandbox-signature";

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The connector.
pub(crate) struct Sandbox {
    channel: Channel,
    timeout: Duration,
    /// What notifications may be signed with: the present secret, and the one before while it is rotated.
    secrets: Vec<Secret<Vec<u8>>>,
}

impl Sandbox {
    /// A connector that reaches the sandbox through `channel` and waits `timeout` for its answers.
    pub(crate) fn new(channel: Channel, timeout: Duration, secrets: Vec<Secret<Vec<u8>>>) -> Self {
        Self { channel, timeout, secrets }
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        key: &str,
        body: &Value,
    ) -> Result<T, ConnectorError> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header(IDEMPOTENCY_KEY, key)
            .body(Bytes::from(body.to_string()))
            .map_err(|_| ConnectorError::NotSent)?;
        let (status, answer) = self.send(request).await?;
        read(status, &answer)
    }

    async fn send(&self, request: Request<Bytes>) -> Result<(StatusCode, Bytes), ConnectorError> {
        match tokio::time::timeout(self.timeout, self.channel.send(request)).await {
            Ok(Ok(response)) => Ok((response.status(), response.into_body())),
            Ok(Err(ChannelError::Unreachable { .. })) => Err(ConnectorError::NotSent),
            Ok(Err(ChannelError::TimedOut { .. })) | Err(_) => Err(ConnectorError::Lost("no answer in time")),
        }
    }

    async fn payment(&self, path: &str, key: &str, body: &Value) -> Result<Snapshot, ConnectorError> {
        self.post::<WirePayment>(path, key, body).await?.snapshot()
    }
}

impl Connector for Sandbox {
    fn name(&self) -> &'static str {
        NAME
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }

    fn settles_within(&self) -> Duration {
        // A request that is given up is dropped on the other side too, or committed a moment later.
        self.timeout * 2
    }

    fn authorize<'a>(&'a self, request: &'a Authorize) -> Call<'a, Snapshot> {
        Box::pin(async move {
            let body = json!({
                "reference": request.payment_id,
                "amount": request.amount,
                "token": request.token.expose(),
                "return_url": request.return_url,
            });
            self.payment("/sandbox/v1/payments", &request.idempotency_key, &body).await
        })
    }

    fn capture<'a>(&'a self, request: &'a Capture) -> Call<'a, Snapshot> {
        Box::pin(async move {
            let path = format!("/sandbox/v1/payments/{}/capture", request.payment_id);
            self.payment(&path, &request.idempotency_key, &json!({"amount": request.amount})).await
        })
    }

    fn void<'a>(&'a self, request: &'a Void) -> Call<'a, Snapshot> {
        Box::pin(async move {
            let path = format!("/sandbox/v1/payments/{}/void", request.payment_id);
            self.payment(&path, &request.idempotency_key, &json!({})).await
        })
    }

    fn refund<'a>(&'a self, request: &'a RefundPayment) -> Call<'a, RefundSnapshot> {
        Box::pin(async move {
            let path = format!("/sandbox/v1/payments/{}/refunds", request.payment_id);
            let body = json!({"reference": request.refund_id, "amount": request.amount});
            let refund: WireRefund = self.post(&path, &request.idempotency_key, &body).await?;
            refund.snapshot()
        })
    }

    fn fetch(&self, payment: PaymentId) -> Call<'_, Option<Snapshot>> {
        Box::pin(async move {
            let request = Request::builder()
                .uri(format!("/sandbox/v1/payments/{payment}"))
                .body(Bytes::new())
                .map_err(|_| ConnectorError::NotSent)?;
            let (status, answer) = self.send(request).await?;
            let unknown =
                || serde_json::from_slice::<WireError>(&answer).is_ok_and(|error| error.is_not_found());
            if status == StatusCode::NOT_FOUND && unknown() {
                return Ok(None);
            }
            read::<WirePayment>(status, &answer)?.snapshot().map(Some)
        })
    }

    fn verify_webhook<'a>(
        &'a self,
        headers: &'a HeaderMap,
        body: &'a [u8],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), WebhookError>> {
        let header = headers.get(SIGNATURE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Box::pin(std::future::ready(signature::verify(header, body, &self.secrets, now)))
    }

    fn parse_webhook(&self, body: &[u8]) -> Result<Notification, WebhookError> {
        serde_json::from_slice::<WireEvent>(body).map_err(|_| WebhookError::Unreadable)?.notification()
    }
}

/// What an answer means. Only a refusal in the sandbox's own words is one.
fn read<T: DeserializeOwned>(status: StatusCode, body: &[u8]) -> Result<T, ConnectorError> {
    if status.is_success() {
        return serde_json::from_slice(body)
            .map_err(|_| ConnectorError::Lost("an answer that cannot be read"));
    }
    match serde_json::from_slice::<WireError>(body) {
        Ok(error) if status.is_client_error() => {
            Err(ConnectorError::Refused { reason: error.reason(), provider_reason: Some(error.message()) })
        }
        _ => Err(ConnectorError::Lost("a fault of the provider")),
    }
}

/// Our word for the sandbox's.
fn reason(code: &str) -> &'static str {
    match code {
        "insufficient_funds" => decline::INSUFFICIENT_FUNDS,
        "challenge_failed" => decline::CHALLENGE_FAILED,
        "invalid_token" => decline::INVALID_METHOD,
        "capture_failed" => decline::CAPTURE_FAILED,
        "refund_failed" => decline::REFUND_FAILED,
        _ => decline::DECLINED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_sandbox_itself_can_refuse() {
        let refusal = br#"{"error":{"code":"insufficient_funds","message":"Not enough."}}"#;
        let refused = read::<WirePayment>(StatusCode::PAYMENT_REQUIRED, refusal).unwrap_err();
        let expected = ConnectorError::Refused {
            reason: decline::INSUFFICIENT_FUNDS,
            provider_reason: Some("Not enough.".into()),
        };
        assert_eq!(refused, expected);
        for (status, body) in [
            (StatusCode::INTERNAL_SERVER_ERROR, &refusal[..]),
            (StatusCode::BAD_REQUEST, b"<html>a proxy</html>"),
            (StatusCode::OK, b"<html>a proxy</html>"),
        ] {
            assert!(matches!(read::<WirePayment>(status, body), Err(ConnectorError::Lost(_))), "{status}");
        }
    }
}
