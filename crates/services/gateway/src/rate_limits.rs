use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use cache::{Cache, Policy, Verdict};
use web::{Caller, ClientAddress, rate_limited, write_rate_limit};

use crate::config::{GatewayConfig, RateLimit};

/// The buckets that a request is counted in.
#[derive(Clone)]
pub(crate) struct RateLimits {
    cache: Cache,
    requests: Option<Policy>,
    authentication: Option<Policy>,
}

impl RateLimits {
    pub(crate) fn new(cache: Cache, config: &GatewayConfig) -> Self {
        let policy = |name, limit: RateLimit| {
            (limit.quota > 0).then(|| Policy::new(name, limit.quota, limit.window()))
        };
        Self {
            cache,
            requests: policy("requests", config.requests),
            authentication: policy("authentication", config.authentication),
        }
    }

    /// The buckets that the request belongs to: their policies, and whose they are.
    fn buckets(&self, request: &Request) -> Vec<(&Policy, String)> {
        let source = source(request);
        let caller = request.extensions().get::<Caller>().and_then(Caller::key);
        let mut buckets = Vec::with_capacity(2);
        // By address even when somebody is signed in: guessing is what it holds back.
        if let Some(policy) = &self.authentication
            && request.method() == http::Method::POST
            && request.uri().path().starts_with("/v1/auth/")
        {
            buckets.push((policy, source.clone()));
        }
        if let Some(policy) = &self.requests {
            buckets.push((policy, caller.unwrap_or(source)));
        }
        buckets
    }

    async fn count(&self, buckets: Vec<(&Policy, String)>) -> Vec<(Policy, Verdict)> {
        let mut verdicts = Vec::with_capacity(buckets.len());
        for (policy, who) in buckets {
            match self.cache.take(&format!("rate:{}:{who}", policy.name), policy, 1).await {
                Ok(verdict) => verdicts.push((policy.clone(), verdict)),
                Err(error) => {
                    metrics::counter!("gateway_rate_limit_unavailable_total").increment(1);
                    tracing::debug!(%error, "a request was not counted");
                }
            }
        }
        verdicts
    }
}

/// Whom an unknown caller is taken for: an IPv4 address, or the network that one IPv6 subscriber has.
fn source(request: &Request) -> String {
    match request.extensions().get::<ClientAddress>() {
        Some(ClientAddress(IpAddr::V4(address))) => address.to_string(),
        Some(ClientAddress(IpAddr::V6(address))) => {
            let network = address.to_bits() >> 64;
            format!("{network:x}/64")
        }
        None => "unknown".to_owned(),
    }
}

/// Refuses what is too much and tells everybody how much is left.
pub(crate) async fn limit_rate(State(limits): State<RateLimits>, request: Request, next: Next) -> Response {
    let buckets = limits.buckets(&request);
    let verdicts = limits.count(buckets).await;
    let mut response = match rate_limited(&verdicts) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    };
    write_rate_limit(response.headers_mut(), &verdicts);
    response
}
