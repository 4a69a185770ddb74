use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contracts::{Channel, ChannelError};
use database::consistency;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kernel::{Clock, Rng};

use super::breaker::{Breaker, BreakerOptions};
use super::{DEADLINE, MAX_ANSWER_BYTES};
use crate::RequestContext;
use crate::auth::{INTERNAL_TOKEN, InternalTokens, position};

/// How to call a service in another process.
#[derive(Clone, Debug)]
pub struct RemoteOptions {
    /// Who calls.
    pub from: String,
    /// Whom.
    pub to: String,
    /// Signs the token of each call.
    pub tokens: InternalTokens,
    /// Until a connection stands.
    pub connect_timeout: Duration,
    /// Until the whole answer is there, each time it is tried.
    pub request_timeout: Duration,
    /// How often it is tried in all, when trying again is safe.
    pub attempts: u32,
    /// Before the second attempt it waits up to so long, before each further one up to twice as long.
    pub backoff: Duration,
    /// When to leave the service alone.
    pub breaker: BreakerOptions,
}

impl RemoteOptions {
    /// Calls of `from` to `to` with the usual bounds.
    pub fn new(from: impl Into<String>, to: impl Into<String>, tokens: InternalTokens) -> Self {
        Self {
            from: from.into(),
            to: to.into(),
            tokens,
            connect_timeout: Duration::from_secs(1),
            request_timeout: Duration::from_secs(5),
            attempts: 3,
            backoff: Duration::from_millis(50),
            breaker: BreakerOptions::default(),
        }
    }
}

/// A channel that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The address is not `http://host:port` or `https://host:port`.
    #[error("the address of a service must be http://host:port or https://host:port, and is {0:?}")]
    Address(String),
    /// The machine's certificates cannot be read.
    #[error("the machine's trusted certificates cannot be read")]
    Certificates(#[source] std::io::Error),
}

/// Connections that are kept open while nobody uses them.
const MAX_IDLE_CONNECTIONS: usize = 32;

struct Remote {
    options: RemoteOptions,
    scheme: Scheme,
    authority: Authority,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    breaker: Breaker,
    rng: Rng,
}

/// A channel to the service at `url` (`http://host:port`).
///
/// A call is tried again when it certainly did nothing (no connection), and when its outcome is
/// not known or the service was overloaded but asking twice is harmless: the method is idempotent
/// (RFC 9110 section 9.2.2) or the request carries an `Idempotency-Key`.
///
/// # Errors
/// When the address is none, or when it is `https` and the trusted certificates cannot be read.
pub fn remote(url: &str, options: RemoteOptions, clock: Clock, rng: Rng) -> Result<Channel, RemoteError> {
    let (scheme, authority) = address(url).ok_or_else(|| RemoteError::Address(url.to_owned()))?;
    let mut http = HttpConnector::new();
    http.set_connect_timeout(Some(options.connect_timeout));
    http.set_nodelay(true);
    http.enforce_http(false);
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
        .map_err(RemoteError::Certificates)?
        .https_or_http()
        .enable_http1()
        .wrap_connector(http);
    let client = Client::builder(TokioExecutor::new())
        .pool_idle_timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(MAX_IDLE_CONNECTIONS)
        .build(connector);
    let breaker = Breaker::new(&options.to, options.breaker, clock);
    let remote = Arc::new(Remote { options, scheme, authority, client, breaker, rng });
    Ok(Channel::new(tower::service_fn(move |request| {
        let remote = Arc::clone(&remote);
        async move { remote.call(request).await }
    })))
}

fn address(url: &str) -> Option<(Scheme, Authority)> {
    let parts = url.parse::<Uri>().ok()?.into_parts();
    let bare = parts.path_and_query.is_none_or(|path| path.as_str() == "/");
    let scheme = parts.scheme.filter(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS)?;
    parts.authority.filter(|_| bare).map(|authority| (scheme, authority))
}

impl Remote {
    async fn call(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ChannelError> {
        let (parts, body) = request.into_parts();
        let repeatable = parts.method.is_safe()
            || matches!(parts.method, Method::PUT | Method::DELETE)
            || parts.headers.contains_key(crate::extract::IDEMPOTENCY_KEY);
        let mut attempt = 1;
        loop {
            let request = Request::from_parts(parts.clone(), body.clone());
            let outcome = self.attempt(request).await;
            let again = match &outcome {
                Ok(response) => repeatable && is_overload(response.status()),
                Err(ChannelError::Unreachable { .. }) => true,
                Err(ChannelError::TimedOut { .. }) => repeatable,
            };
            let pause = self.pause(attempt);
            let left = RequestContext::current().and_then(|context| context.time_left());
            if !again || attempt >= self.options.attempts || left.is_some_and(|left| left <= pause) {
                return outcome;
            }
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    /// Full jitter: anything up to the bound, so that callers who failed together do not return together.
    fn pause(&self, attempt: u32) -> Duration {
        let bound = self.options.backoff.saturating_mul(1 << (attempt - 1).min(10));
        Duration::from_micros(self.rng.below(u64::try_from(bound.as_micros()).unwrap_or(u64::MAX).max(1)))
    }

    async fn attempt(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, ChannelError> {
        let service = || self.options.to.clone();
        let Some(permit) = self.breaker.acquire() else {
            return Err(ChannelError::Unreachable { service: service() });
        };
        let context = RequestContext::current();
        let left = context.as_ref().and_then(RequestContext::time_left).unwrap_or(Duration::MAX);
        let time = left.min(self.options.request_timeout);
        self.prepare(&mut request, context.as_ref(), time)
            .ok_or_else(|| ChannelError::Unreachable { service: service() })?;
        let outcome = tokio::time::timeout(time, self.exchange(request.map(Full::new))).await;
        match outcome {
            Ok(Ok(response)) => {
                permit.end(!is_overload(response.status()));
                if let Some(position) = position::read(response.headers()) {
                    consistency::learn(&position);
                }
                Ok(response)
            }
            Ok(Err(Broken { before_sending })) => {
                permit.end(false);
                Err(match before_sending {
                    true => ChannelError::Unreachable { service: service() },
                    false => ChannelError::TimedOut { service: service() },
                })
            }
            Err(_) => {
                // Running out of the caller's own time is no fault of the service.
                if time == self.options.request_timeout {
                    permit.end(false);
                }
                Err(ChannelError::TimedOut { service: service() })
            }
        }
    }

    /// Fills in the address and the fields that every call carries; `None` when one of them has no
    /// valid form.
    fn prepare(
        &self,
        request: &mut Request<Bytes>,
        context: Option<&RequestContext>,
        time: Duration,
    ) -> Option<()> {
        let path = request.uri().path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
        *request.uri_mut() = Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()
            .ok()?;
        let token = self.options.tokens.sign(&self.options.from, &self.options.to).ok()?;
        let mut set = |name: &'static str, value: &str| {
            let value = HeaderValue::from_str(value).ok()?;
            request.headers_mut().insert(HeaderName::from_static(name), value);
            Some(())
        };
        set(INTERNAL_TOKEN, &token)?;
        set(DEADLINE, &time.as_millis().to_string())?;
        if let Some(context) = context {
            set("x-request-id", context.request_id.as_str())?;
        }
        // The span in hand is closer to the truth; without a collector there is only the request's own place.
        let trace = telemetry::trace_of(&tracing::Span::current()).or(context.map(|context| context.trace));
        if let Some(trace) = trace {
            telemetry::inject(trace, request.headers_mut());
        }
        position::write(request.headers_mut());
        Some(())
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, Broken> {
        let response = self
            .client
            .request(request)
            .await
            .map_err(|error| Broken { before_sending: error.is_connect() })?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MAX_ANSWER_BYTES)
            .collect()
            .await
            .map_err(|_| Broken { before_sending: false })?
            .to_bytes();
        Ok(Response::from_parts(parts, body))
    }
}

struct Broken {
    before_sending: bool,
}

fn is_overload(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_scheme_a_host_and_a_port() {
        assert!(address("http://127.0.0.1:8080").is_some());
        assert!(address("https://orders.internal/").is_some());
        for bad in ["ftp://x", "127.0.0.1:80", "http://x/path", "", "/x"] {
            assert!(address(bad).is_none(), "{bad}");
        }
    }
}
