use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use web::{ClientAddress, Problem, RequestContext, code};

use crate::config::GatewayConfig;
use crate::headers::strip_hop_by_hop;
use crate::service::GatewayError;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A service in another process.
#[derive(Clone)]
pub(crate) struct Proxy {
    client: Client<HttpsConnector<HttpConnector>, Body>,
    service: &'static str,
    scheme: Scheme,
    authority: Authority,
}

impl Proxy {
    pub(crate) fn new(
        service: &'static str,
        address: &Uri,
        config: &GatewayConfig,
    ) -> Result<Self, GatewayError> {
        let fault = || GatewayError::Address { service, address: address.to_string() };
        let scheme = address.scheme().cloned().ok_or_else(fault)?;
        let authority = address.authority().cloned().ok_or_else(fault)?;
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(Duration::from_millis(config.connect_timeout_ms)));
        connector.set_nodelay(true);
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(|_| fault())?
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(config.idle_connections)
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self { client, service, scheme, authority })
    }

    fn target(&self, uri: &Uri) -> Result<Uri, http::Error> {
        let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()
    }
}

/// Passes a request on, body and answer streaming. When the service cannot be reached, nothing is
/// known to have happened unless the body was already on its way.
pub(crate) async fn forward(State(proxy): State<Proxy>, mut request: Request) -> Response {
    let Ok(target) = proxy.target(request.uri()) else {
        return code::NOT_FOUND.problem("There is nothing at this address.").into_response();
    };
    let client = request.extensions().get::<ClientAddress>().copied();
    *request.uri_mut() = target;
    *request.version_mut() = http::Version::HTTP_11;
    prepare(request.headers_mut(), client);
    match proxy.client.request(request).await {
        Ok(mut response) => {
            strip_hop_by_hop(response.headers_mut());
            response.map(Body::new).into_response()
        }
        Err(error) => {
            metrics::counter!("gateway_upstream_failures_total", "service" => proxy.service).increment(1);
            tracing::warn!(service = proxy.service, %error, "a service could not be reached");
            unreachable(proxy.service).into_response()
        }
    }
}

fn prepare(headers: &mut HeaderMap, client: Option<ClientAddress>) {
    strip_hop_by_hop(headers);
    headers.remove(header::HOST);
    // The address was found out here, from proxies that are trusted here; what else stood in the
    // field is not worth passing on.
    headers.remove(FORWARDED_FOR);
    if let Some(ClientAddress(address)) = client
        && let Ok(value) = HeaderValue::try_from(address.to_string())
    {
        headers.insert(FORWARDED_FOR, value);
    }
    headers.remove(FORWARDED_PROTO);
    if let Some(context) = RequestContext::current() {
        if let Ok(value) = HeaderValue::from_str(context.request_id.as_str()) {
            headers.insert(REQUEST_ID, value);
        }
        telemetry::inject(context.trace, headers);
    }
}

fn unreachable(service: &str) -> Problem {
    code::SERVICE_UNAVAILABLE
        .problem(format!("The part of the shop that does this ({service}) is away. Try again shortly."))
        .with_retry_after(Duration::from_secs(1))
}
