use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use tokio::sync::Semaphore;

use crate::channel::DEADLINE;
use crate::{Problem, RequestContext, code};

/// Refuses a request with `request.overloaded` when as many as the semaphore has permits are being
/// worked on. A request counts until its answer begins, so a long stream does not count.
pub async fn shed(State(places): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    let Ok(_place) = places.try_acquire() else {
        metrics::counter!("http_requests_shed_total").increment(1);
        return code::OVERLOADED
            .problem("Too much is going on at once. Nothing was done; try again shortly.")
            .with_retry_after(Duration::from_secs(1))
            .into_response();
    };
    next.run(request).await
}

/// Gives the answer up with `request.timeout` when it has not begun after `longest`, or after what
/// the caller said it would wait, if that is less. Calls to other services learn how much is left.
pub async fn limit_time(State(longest): State<Duration>, request: Request, next: Next) -> Response {
    let told = request
        .headers()
        .get(DEADLINE)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map_or(longest, Duration::from_millis);
    let deadline = tokio::time::Instant::now() + told.min(longest);
    let work = async {
        match RequestContext::current() {
            Some(context) => {
                RequestContext { deadline: Some(deadline), ..context }.scope(next.run(request)).await
            }
            None => next.run(request).await,
        }
    };
    match tokio::time::timeout_at(deadline, work).await {
        Ok(response) => response,
        Err(_) => code::TIMEOUT
            .problem("It did not end in time, and may still have been done. Look before you try again.")
            .into_response(),
    }
}

/// Answers `internal` when a handler panics, and keeps the process and the connection alive.
pub async fn catch_panic(request: Request, next: Next) -> Response {
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(payload) => {
            metrics::counter!("http_handler_panics_total").increment(1);
            Problem::internal(format!("a handler panicked: {}", message(payload.as_ref()))).into_response()
        }
    }
}

fn message(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
