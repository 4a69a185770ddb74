use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use cache::{Cache, MemoryConfig};
use contracts::identity::Client as Identity;
use gateway::{Gateway, GatewayConfig, Server, ServerConfig, Target, Upstream};
use http::Uri;
use kernel::{Clock, Rng};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use web::auth::{Revocations, Verifier, VerifierOptions};
use web::channel::Switchboard;
use web::middleware::{Observer, Standard, bounded};

/// Something that answers on a port of this machine until it is dropped.
pub struct Door {
    pub address: SocketAddr,
    shutdown: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Door {
    pub async fn serve(router: Router, config: ServerConfig) -> Self {
        let server = Server::bind("127.0.0.1:0", &config).await.unwrap();
        let (address, shutdown) = (server.address().unwrap(), CancellationToken::new());
        let token = shutdown.clone();
        let task = tokio::spawn(async move { server.serve(router, token).await.unwrap() });
        Self { address, shutdown, task: Some(task) }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Begins to end.
    pub fn end(&self) {
        self.shutdown.cancel();
    }

    /// Ends, and waits for requests that are being worked on.
    pub async fn close(mut self) {
        self.end();
        self.task.take().unwrap().await.unwrap();
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.end();
    }
}

pub fn local(service: &'static str, router: Router) -> Upstream {
    Upstream { service, target: Target::Local(router) }
}

pub fn remote(service: &'static str, address: SocketAddr) -> Upstream {
    let address: Uri = format!("http://{address}").parse().unwrap();
    Upstream { service, target: Target::Remote(address) }
}

/// The gateway in front of `upstreams`, bounded as the binary bounds it.
pub fn gateway(config: GatewayConfig, server: &ServerConfig, upstreams: Vec<Upstream>) -> Router {
    let clock = Clock::system();
    let nobody = Switchboard::new().channel("gateway", "identity");
    let verifier = Verifier::new(
        VerifierOptions::new("http://shop.example", "souk"),
        Identity::new(nobody),
        Revocations::new(clock.clone()),
        clock.clone(),
    );
    let cache = Cache::memory(MemoryConfig::default(), clock.clone());
    let gateway = Gateway { config, cache, verifier, tls: server.tls.is_some() };
    let router = gateway.router(upstreams, Router::new()).unwrap();
    let observer = Observer { clock, rng: Rng::system(), proxies: server.proxies().unwrap() };
    let bounds = Standard {
        timeout: Duration::from_millis(server.request_timeout_ms),
        body_limit: server.body_limit,
        max_in_flight: server.max_in_flight,
        ..Standard::new(observer)
    };
    gateway.edge(bounded(router, bounds))
}

pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}
