//! Redis.

use std::sync::Arc;

use super::server::{self, Launch, Server};
use super::{blocking, ports, programs};

/// A Redis server with an append-only file, so that its data survives a stop.
pub struct Redis {
    server: Arc<Server>,
    port: u16,
}

impl Redis {
    /// Starts an empty server.
    pub async fn start() -> Self {
        let redis = blocking(|| {
            let port = ports::free();
            Self { server: Arc::new(Server::new(server::folder("redis"), launch(port))), port }
        })
        .await;
        redis.start_again().await;
        redis
    }

    /// Where clients connect: `redis://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Stops the server in good order. Its data stays.
    pub async fn stop(&self) {
        let server = Arc::clone(&self.server);
        blocking(move || server.stop()).await;
    }

    /// Kills the server, as a crash would. Its data stays.
    pub async fn kill(&self) {
        let server = Arc::clone(&self.server);
        blocking(move || server.kill()).await;
    }

    /// Starts the stopped server again at the same address, with nothing of its data left.
    pub async fn start_empty(&self) {
        std::fs::remove_dir_all(self.server.folder().join("appendonlydir")).unwrap();
        self.start_again().await;
    }

    /// Starts the stopped server again, at the same address with the same data.
    pub async fn start_again(&self) {
        let (server, port) = (Arc::clone(&self.server), self.port);
        blocking(move || server.start(|| answers(port))).await;
    }

    /// Stops the server and starts it again.
    pub async fn restart(&self) {
        self.stop().await;
        self.start_again().await;
    }
}

fn answers(port: u16) -> bool {
    server::ask(port, b"PING\r\n").is_some_and(|answer| answer.starts_with("+PONG"))
}

fn launch(port: u16) -> Launch {
    let program = programs::find("redis-server").display().to_string();
    let port = port.to_string();
    let options = ["--bind", "127.0.0.1", "--port", &port, "--appendonly", "yes", "--save", "", "--dir", "."];
    Launch {
        command: std::iter::once(program).chain(options.map(str::to_owned)).collect(),
        user: None,
        orderly: "TERM",
        at_once: "KILL",
        leftovers: Vec::new(),
    }
}
