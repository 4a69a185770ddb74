use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use kernel::{Clock, Rng, TraceContext};
use tracing::Instrument as _;

use crate::extract::TrustedProxies;
use crate::{ClientAddress, RequestContext, RequestId};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What observing needs.
#[derive(Clone, Debug)]
pub struct Observer {
    /// Ids of requests begin with the time.
    pub clock: Clock,
    /// And end with chance.
    pub rng: Rng,
    /// Whose word about the client's address is taken.
    pub proxies: TrustedProxies,
}

/// Gives each request its id and its trace, tells both to everything that works on it, and leaves
/// one line in the log and one measurement per request.
pub async fn observe(State(observer): State<Observer>, request: Request, next: Next) -> Response {
    let request_id = given_id(request.headers())
        .unwrap_or_else(|| RequestId::new(observer.clock.now(), &observer.rng));
    let (mut parts, body) = request.into_parts();
    observer.proxies.resolve(&parts.headers, &mut parts.extensions);
    parts.extensions.insert(request_id.clone());
    let seen = Seen::new(&parts);
    let span = tracing::info_span!(
        "request",
        request_id = request_id.as_str(),
        trace_id = tracing::field::Empty,
        method = %seen.method,
        route = seen.route,
    );
    let trace = follow(&span, &parts.headers, &observer.rng);
    span.record("trace_id", tracing::field::display(format_args!("{:032x}", trace.trace_id())));
    let request = Request::from_parts(parts, body);

    let context = RequestContext { request_id: request_id.clone(), trace, deadline: None };
    let mut response = async {
        let response = context.scope(next.run(request)).await;
        seen.tell(response.status());
        response
    }
    .instrument(span)
    .await;
    if let Ok(value) = HeaderValue::from_str(request_id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

fn given_id(headers: &HeaderMap) -> Option<RequestId> {
    RequestId::parse(headers.get(REQUEST_ID)?.to_str().ok()?)
}

/// The request's place in the trace that its caller began, or in a new one. It has one also when no
/// collector is configured, so that the logs of several processes can be joined.
fn follow(span: &tracing::Span, headers: &HeaderMap, rng: &Rng) -> TraceContext {
    let parent = telemetry::extract(headers);
    if let Some(parent) = parent {
        telemetry::continue_trace(span, parent);
    }
    telemetry::trace_of(span)
        .unwrap_or_else(|| parent.map_or_else(|| TraceContext::root(false, rng), |parent| parent.child(rng)))
}

/// What the log line and the measurement tell. The route is the template and the path is left
/// out: paths hold ids, and there would be a series for each.
struct Seen {
    begun: Instant,
    method: Method,
    route: String,
    client: Option<ClientAddress>,
}

impl Seen {
    fn new(parts: &http::request::Parts) -> Self {
        let route = parts.extensions.get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
        let method = match parts.method {
            Method::GET | Method::POST | Method::PUT | Method::PATCH | Method::DELETE | Method::HEAD | Method::OPTIONS => parts.method.clone(),
            // A caller can invent methods; they must not make series.
            _ => Method::TRACE,
        };
        Self { begun: Instant::now(), method, route, client: parts.extensions.get().copied() }
    }

    fn tell(&self, status: StatusCode) {
        let elapsed = self.begun.elapsed();
        let labels = [
            ("method", self.method.to_string()),
            ("route", self.route.clone()),
            ("status", status.as_str().to_owned()),
        ];
        metrics::histogram!("http_server_request_duration_seconds", &labels).record(elapsed);
        let client = self.client.map(|ClientAddress(address)| address.to_string());
        tracing::info!(
            target: "access",
            status = status.as_u16(),
            duration_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            client,
            "answered"
        );
    }
}
