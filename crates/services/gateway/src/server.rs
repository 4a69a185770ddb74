use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::config::ServerConfig;
use crate::tls::Certificates;

/// Why connections cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is taken, or not one of this machine.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: String,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// Certificate or key cannot be used.
    #[error("the certificate cannot be used: {detail}")]
    Tls {
        /// Which file, and why.
        detail: String,
    },
}

/// Takes connections and speaks HTTP/1.1 and HTTP/2 over them, with TLS when it is configured.
pub struct Server {
    listener: TcpListener,
    config: ServerConfig,
    certificates: Option<Arc<Certificates>>,
}

/// After a failure to accept, such as no more file descriptors, there is nothing to do but wait.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

impl Server {
    /// Binds `address`, so that a port of zero can be asked for and [`Server::address`] tells which
    /// one it became.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub async fn bind(address: &str, config: &ServerConfig) -> Result<Self, ServerError> {
        let certificates = config.tls.as_ref().map(Certificates::read).transpose()?;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| ServerError::Listen { address: address.to_owned(), source })?;
        Ok(Self { listener, config: config.clone(), certificates })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the operating system does not tell.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves `router` until `shutdown`, then lets requests that are being worked on end.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub async fn serve(self, router: Router, shutdown: CancellationToken) -> Result<(), ServerError> {
        let acceptor = match &self.certificates {
            None => None,
            Some(certificates) => {
                tokio::spawn(certificates.clone().keep_fresh(shutdown.clone()));
                Some(TlsAcceptor::from(Arc::new(certificates.server_config()?)))
            }
        };
        let connection = Connection {
            router,
            acceptor,
            http: Arc::new(http(&self.config)),
            handshake: Duration::from_millis(self.config.handshake_timeout_ms),
        };
        let graceful = GracefulShutdown::new();
        let places = Arc::new(Semaphore::new(self.config.max_connections));
        while let Some((stream, peer, place)) = self.accept(&places, &shutdown).await {
            tokio::spawn(connection.clone().run(stream, peer, place, graceful.watcher()));
        }
        drop(self.listener);
        let drain = Duration::from_millis(self.config.drain_timeout_ms);
        if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests did not end in time and were cut off");
        }
        Ok(())
    }

    async fn accept(
        &self,
        places: &Arc<Semaphore>,
        shutdown: &CancellationToken,
    ) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        loop {
            let accepted = async {
                let place = places.clone().acquire_owned().await.ok()?;
                Some((self.listener.accept().await, place))
            };
            let (accepted, place) = tokio::select! {
                () = shutdown.cancelled() => return None,
                accepted = accepted => accepted?,
            };
            match accepted {
                Ok((stream, peer)) => return Some((stream, peer, place)),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

fn http(config: &ServerConfig) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(config.header_timeout_ms))
        .max_buf_size(64 * 1024)
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(config.max_streams)
        .max_header_list_size(64 * 1024)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

#[derive(Clone)]
struct Connection {
    router: Router,
    acceptor: Option<TlsAcceptor>,
    http: Arc<Builder<TokioExecutor>>,
    handshake: Duration,
}

impl Connection {
    async fn run(self, stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit, watcher: Watcher) {
        // Small answers must not wait for more to come.
        let _ = stream.set_nodelay(true);
        match &self.acceptor {
            None => self.speak(stream, peer, watcher).await,
            Some(acceptor) => match tokio::time::timeout(self.handshake, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => self.speak(stream, peer, watcher).await,
                Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS could be agreed on"),
                Err(_) => tracing::debug!(%peer, "the TLS handshake took too long"),
            },
        }
        drop(place);
    }

    async fn speak<S>(&self, stream: S, peer: SocketAddr, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let router = self.router.clone();
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().oneshot(request.map(axum::body::Body::new))
        });
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        if let Err(error) = watcher.watch(connection.into_owned()).await {
            // Clients go away all the time.
            tracing::debug!(%peer, error, "the connection ended early");
        }
    }
}
