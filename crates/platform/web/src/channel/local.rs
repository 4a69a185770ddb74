use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use contracts::{Channel, ChannelError};
use futures_util::FutureExt as _;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use parking_lot::Mutex;
use tower::ServiceExt as _;

use super::MAX_ANSWER_BYTES;
use crate::RequestContext;
use crate::auth::Internal;

/// Somebody in the same process waits at most so long, as for a service elsewhere.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A channel to `router`, the internal routes of the service `to` in this process, for the
/// service `from`. No token is needed: nobody outside can put an [`Internal`] into a request.
pub fn local(from: impl Into<String>, to: impl Into<String>, router: Router) -> Channel {
    let (from, to) = (from.into(), to.into());
    Channel::new(tower::service_fn(move |request| {
        let (from, to, router) = (from.clone(), to.clone(), router.clone());
        async move { call(from, to, router, request).await }
    }))
}

/// Where the services of one process find each other. Channels are handed out before the routers
/// exist, since each service is made with channels to the others; a call to one that is not
/// connected yet is refused as unreachable.
#[derive(Clone, Debug, Default)]
pub struct Switchboard(Arc<Mutex<HashMap<String, Line>>>);

type Line = Arc<OnceLock<Router>>;

impl Switchboard {
    /// A board with nothing connected.
    pub fn new() -> Self {
        Self::default()
    }

    /// A channel from the service `from` to the service `to`, which may be connected later.
    pub fn channel(&self, from: impl Into<String>, to: impl Into<String>) -> Channel {
        let (from, to) = (from.into(), to.into());
        let line = self.line(&to);
        Channel::new(tower::service_fn(move |request| {
            let (from, to, line) = (from.clone(), to.clone(), Arc::clone(&line));
            async move {
                match line.get() {
                    Some(router) => call(from, to, router.clone(), request).await,
                    None => Err(ChannelError::Unreachable { service: to }),
                }
            }
        }))
    }

    /// Connects the internal routes of `service`. The first router stays.
    pub fn connect(&self, service: &str, router: Router) {
        if self.line(service).set(router).is_err() {
            tracing::error!(service, "the service is connected already");
        }
    }

    fn line(&self, service: &str) -> Line {
        Arc::clone(self.0.lock().entry(service.to_owned()).or_default())
    }
}

async fn call(
    from: String,
    to: String,
    router: Router,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, ChannelError> {
    let mut request = request.map(Body::from);
    request.extensions_mut().insert(Internal { service: from });
    let time =
        RequestContext::current().and_then(|context| context.time_left()).unwrap_or(TIMEOUT).min(TIMEOUT);
    let answer = async {
        let Ok(response) = router.oneshot(request).await;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await.ok()?.to_bytes();
        Some(Response::from_parts(parts, body))
    };
    // A panic over there ends as a fault of theirs, as it would across processes.
    match tokio::time::timeout(time, AssertUnwindSafe(answer).catch_unwind()).await {
        Ok(Ok(Some(response))) => Ok(response),
        Ok(Ok(None)) | Err(_) => Err(ChannelError::TimedOut { service: to }),
        Ok(Err(_panic)) => {
            tracing::error!(service = to, "a handler panicked");
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            Ok(response)
        }
    }
}
