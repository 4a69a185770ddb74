//! NATS with JetStream.

use std::sync::Arc;

use super::server::{self, Launch, Server};
use super::{blocking, ports, programs};

/// A NATS server with JetStream, which stores its streams in files.
pub struct Nats {
    server: Arc<Server>,
    port: u16,
}

impl Nats {
    /// Starts an empty server.
    pub async fn start() -> Self {
        let nats = blocking(|| {
            let port = ports::free();
            Self { server: Arc::new(Server::new(server::folder("nats"), launch(port))), port }
        })
        .await;
        nats.start_again().await;
        nats
    }

    /// The test process's own server, started by whoever asks first. Name streams and subjects after the
    /// test: others use the same server.
    pub async fn shared() -> &'static Self {
        static SHARED: tokio::sync::OnceCell<Nats> = tokio::sync::OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// Where clients connect: `nats://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Stops the server in good order. Its streams stay.
    pub async fn stop(&self) {
        let server = Arc::clone(&self.server);
        blocking(move || server.stop()).await;
    }

    /// Kills the server, as a crash would. Its streams stay.
    pub async fn kill(&self) {
        let server = Arc::clone(&self.server);
        blocking(move || server.kill()).await;
    }

    /// Starts the stopped server again at the same address, with nothing of its streams left.
    pub async fn start_empty(&self) {
        std::fs::remove_dir_all(self.server.folder().join("jetstream")).unwrap();
        self.start_again().await;
    }

    /// Starts the stopped server again, at the same address with the same streams.
    pub async fn start_again(&self) {
        let (server, port) = (Arc::clone(&self.server), self.port);
        blocking(move || server.start(|| greets(port))).await;
    }

    /// Stops the server and starts it again.
    pub async fn restart(&self) {
        self.stop().await;
        self.start_again().await;
    }
}

/// The server sends its description to whoever connects, and listens only after JetStream is up.
fn greets(port: u16) -> bool {
    server::ask(port, b"").is_some_and(|greeting| greeting.starts_with("INFO "))
}

fn launch(port: u16) -> Launch {
    let program = programs::find("nats-server").display().to_string();
    let port = port.to_string();
    let options = ["--addr", "127.0.0.1", "--port", &port, "--jetstream", "--store_dir", "jetstream"];
    Launch {
        command: std::iter::once(program).chain(options.map(str::to_owned)).collect(),
        user: None,
        orderly: "TERM",
        at_once: "KILL",
        leftovers: Vec::new(),
    }
}
