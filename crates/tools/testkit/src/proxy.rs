//! A relay on loopback whose connections can fall silent without closing, as a broken network makes them.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A relay to one address. It goes away with the test.
pub struct Proxy {
    port: u16,
    /// Connections made before the number rose are silent.
    generation: watch::Sender<u64>,
    _relays: JoinSet<()>,
}

impl Proxy {
    /// Relays to `target`, a `host:port`.
    pub async fn start(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let generation = watch::Sender::new(0);
        let watching = generation.subscribe();
        let mut relays = JoinSet::new();
        relays.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let far = TcpStream::connect(&target).await.unwrap();
                connections.spawn(relay(near, far, watching.clone()));
            }
        });
        Self { port, generation, _relays: relays }
    }

    /// Where it listens: `127.0.0.1:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// From now on the present connections carry nothing, and stay open. New ones work.
    pub fn silence(&self) {
        self.generation.send_modify(|generation| *generation += 1);
    }
}

async fn relay(mut near: TcpStream, mut far: TcpStream, mut generation: watch::Receiver<u64>) {
    generation.mark_unchanged();
    let (mut up, mut down) = ([0; 4096], [0; 4096]);
    loop {
        tokio::select! {
            biased;
            _ = generation.changed() => break,
            read = near.read(&mut up) => match read {
                Ok(length) if length > 0 => far.write_all(&up[..length]).await.unwrap(),
                _ => return,
            },
            read = far.read(&mut down) => match read {
                Ok(length) if length > 0 => near.write_all(&down[..length]).await.unwrap(),
                _ => return,
            },
        }
    }
    // Whatever the client says is swallowed until it gives up.
    while near.read(&mut up).await.is_ok_and(|length| length > 0) {}
}
