//! The sandbox's interface for its merchant. Only its connector is given a way here: these routes are
//! never put before the public, as a provider's are reached with a secret key.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use kernel::PaymentId;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::Sandbox;
use super::api::{Answer, Keyed};

/// The provider as its merchant reaches it.
pub(crate) fn provider(sandbox: Sandbox) -> Router {
    Router::new()
        .route("/sandbox/v1/payments", post(authorize))
        .route("/sandbox/v1/payments/{reference}", get(fetch))
        .route("/sandbox/v1/payments/{reference}/capture", post(capture))
        .route("/sandbox/v1/payments/{reference}/void", post(void))
        .route("/sandbox/v1/payments/{reference}/refunds", post(refund))
        .with_state(sandbox)
}

async fn authorize(State(sandbox): State<Sandbox>, request: Asked) -> Response {
    match request.read() {
        Ok(new) => give(sandbox.authorize(request.keyed(), &new).await).await,
        Err(refused) => refused.into_response(),
    }
}

async fn capture(State(sandbox): State<Sandbox>, Path(id): Path<PaymentId>, request: Asked) -> Response {
    match request.read() {
        Ok(part) => give(sandbox.capture(request.keyed(), id, &part).await).await,
        Err(refused) => refused.into_response(),
    }
}

async fn void(State(sandbox): State<Sandbox>, Path(id): Path<PaymentId>, request: Asked) -> Response {
    give(sandbox.void(request.keyed(), id).await).await
}

async fn refund(State(sandbox): State<Sandbox>, Path(id): Path<PaymentId>, request: Asked) -> Response {
    match request.read() {
        Ok(new) => give(sandbox.refund(request.keyed(), id, &new).await).await,
        Err(refused) => refused.into_response(),
    }
}

async fn fetch(State(sandbox): State<Sandbox>, Path(id): Path<PaymentId>) -> Response {
    give(sandbox.fetch(id).await).await
}

async fn give(answer: Result<Answer, database::Error>) -> Response {
    match answer {
        // The merchant gives up at some time, and this is dropped.
        Ok(answer) if answer.withheld => std::future::pending().await,
        Ok(answer) => answer.into_response(),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "the sandbox cannot answer");
            let (code, message) = ("unavailable", "The sandbox is not well; try again.");
            Answer::refused(StatusCode::SERVICE_UNAVAILABLE, code, message).into_response()
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}

/// A request that changes something.
struct Asked {
    key: String,
    fingerprint: [u8; 32],
    body: Bytes,
}

impl Asked {
    fn keyed(&self) -> Keyed<'_> {
        Keyed { key: &self.key, fingerprint: &self.fingerprint }
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T, Answer> {
        let unreadable =
            |_| Answer::refused(StatusCode::BAD_REQUEST, "unreadable", "The request cannot be read.");
        serde_json::from_slice(&self.body).map_err(unreadable)
    }
}

impl<S: Send + Sync> axum::extract::FromRequest<S> for Asked {
    type Rejection = Answer;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, Answer> {
        let refused = |message| Answer::refused(StatusCode::BAD_REQUEST, "unreadable", message);
        let key = key(request.headers()).ok_or_else(|| refused("Send an Idempotency-Key."))?;
        let mut hash = Sha256::new();
        hash.update(request.uri().path());
        let body = Bytes::from_request(request, state).await.map_err(|_| refused("The body broke off."))?;
        hash.update(b"\n");
        hash.update(&body);
        Ok(Self { key, fingerprint: hash.finalize().into(), body })
    }
}

fn key(headers: &HeaderMap) -> Option<String> {
    headers.get("idempotency-key")?.to_str().ok().map(str::to_owned).filter(|key| key.len() <= 45)
}
