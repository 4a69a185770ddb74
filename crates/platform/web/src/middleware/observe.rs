use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
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
    let request_id =
        given_id(request.headers()).unwrap_or_else(|| RequestId::new(observer.clock.now(), &observer.rng));
    let (mut parts, body) = request.into_parts();
    observer.proxies.resolve(&parts.headers, &mut parts.extensions);
    parts.extensions.insert(request_id.clone());
    let mut seen = Seen::new(&parts, &request_id);
    let trace = follow(&seen.span, &parts.headers, &observer.rng);
    seen.span.record("trace_id", tracing::field::display(format_args!("{:032x}", trace.trace_id())));

    let context = RequestContext { request_id: request_id.clone(), trace, deadline: None };
    let work = context.scope(next.run(Request::from_parts(parts, body)));
    let mut response = work.instrument(seen.span.clone()).await;
    seen.tell(response.status().as_u16());
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
    method: &'static str,
    route: String,
    client: Option<ClientAddress>,
    span: tracing::Span,
    told: bool,
}

/// The status that the log gives a request whose caller went away before the answer; nobody is
/// ever answered with it.
const ABANDONED: u16 = 499;

impl Seen {
    fn new(parts: &Parts, request_id: &RequestId) -> Self {
        let route = parts.extensions.get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
        let method = known_method(&parts.method);
        let span = tracing::info_span!(
            "request",
            request_id = request_id.as_str(),
            trace_id = tracing::field::Empty,
            method,
            route,
        );
        metrics::gauge!("http_server_active_requests").increment(1);
        Self {
            begun: Instant::now(),
            method,
            route,
            client: parts.extensions.get().copied(),
            span,
            told: false,
        }
    }

    fn tell(&mut self, status: u16) {
        self.told = true;
        let elapsed = self.begun.elapsed();
        let labels = [
            ("method", self.method.to_owned()),
            ("route", self.route.clone()),
            ("status", status.to_string()),
        ];
        metrics::histogram!("http_server_request_duration_seconds", &labels).record(elapsed);
        metrics::gauge!("http_server_active_requests").decrement(1);
        tracing::info!(
            target: "access",
            parent: &self.span,
            status,
            duration_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            client = self.client.map(|ClientAddress(address)| tracing::field::display(address)),
            "answered"
        );
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        if !self.told {
            self.tell(ABANDONED);
        }
    }
}

/// A caller can invent methods; they must not make series.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}
