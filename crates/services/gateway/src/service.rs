use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::any;
use cache::Cache;
use http::Uri;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use web::auth::Verifier;

use crate::config::GatewayConfig;
use crate::headers::{cors, guard, strict_transport};
use crate::proxy::{Proxy, forward};
use crate::rate_limits::{RateLimits, limit_rate};
use crate::routes::PREFIXES;

/// Where a service is.
pub enum Target {
    /// In this process: its public routes.
    Local(Router),
    /// In another: where that process listens, as in `http://10.0.0.7:8080`.
    Remote(Uri),
}

/// A service and where it is.
pub struct Upstream {
    /// Its name, as in [`PREFIXES`].
    pub service: &'static str,
    /// Where it is.
    pub target: Target,
}

/// Why the gateway cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The address of a service cannot be used.
    #[error("the service {service} cannot be at {address:?}; an address is like http://10.0.0.7:8080")]
    Address {
        /// Which service.
        service: &'static str,
        /// What was given.
        address: String,
    },
}

/// What the gateway stands on.
pub struct Gateway {
    /// Its section of the configuration.
    pub config: GatewayConfig,
    /// Where requests are counted.
    pub cache: Cache,
    /// Who checks tokens.
    pub verifier: Verifier,
    /// Whether clients come by TLS, here or at a proxy in front.
    pub tls: bool,
}

impl Gateway {
    /// One router for all of `upstreams` and for `pages`, which belong to no service: the API
    /// document, and whatever else the binary shows. It still has to be bounded and observed, and
    /// then given its [`edge`](Self::edge).
    ///
    /// # Errors
    /// When an address cannot be used.
    pub fn router(&self, upstreams: Vec<Upstream>, pages: Router) -> Result<Router, GatewayError> {
        let mut router = pages;
        for Upstream { service, target } in upstreams {
            router = match target {
                Target::Local(routes) => router.merge(routes),
                Target::Remote(address) => {
                    let proxy = Proxy::new(service, &address, &self.config)?;
                    router.merge(remote_routes(service, proxy))
                }
            };
        }
        let limits = RateLimits::new(self.cache.clone(), &self.config);
        // Whoever looks for addresses that do not exist is counted too.
        let router = web::middleware::answering(router).layer(from_fn_with_state(limits, limit_rate));
        let router = web::auth::layer(router, self.verifier.clone());
        Ok(router.layer(CompressionLayer::new().quality(CompressionLevel::Fastest)))
    }

    /// What stands outermost, around the bounds too: every answer goes through it, also one that
    /// says that there is nothing there or that it is too much.
    pub fn edge(&self, router: Router) -> Router {
        let router = router.layer(cors(&self.config.cors)).layer(from_fn(guard));
        if self.tls { router.layer(from_fn(strict_transport)) } else { router }
    }
}

fn remote_routes(service: &str, proxy: Proxy) -> Router {
    let mut router = Router::new();
    for (prefix, _) in PREFIXES.iter().filter(|(_, owner)| *owner == service) {
        router = router.route(prefix, any(forward)).route(&format!("{prefix}/{{*rest}}"), any(forward));
    }
    router.with_state(proxy)
}
