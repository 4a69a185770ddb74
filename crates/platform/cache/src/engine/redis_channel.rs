//! Listening to one channel for as long as anybody cares, across lost connections.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use redis::aio::{PubSubSink, PubSubStream};
use redis::{Client, RedisError, Value};
use tokio::sync::{Mutex, broadcast};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use super::channels::Channels;
use super::redis::within;
use crate::{CacheError, Delivery};

const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Listener {
    pub(super) client: Client,
    pub(super) name: String,
    pub(super) timeout: Duration,
    pub(super) heartbeat: Duration,
}

type Connection = (PubSubSink, PubSubStream);

impl Listener {
    /// A connection on which the server has confirmed the subscription.
    pub(super) async fn connect(&self) -> Result<Connection, CacheError> {
        within(self.timeout, async {
            let (mut sink, stream) = self.client.get_async_pubsub().await?.split();
            sink.subscribe(&self.name).await?;
            Ok::<_, RedisError>((sink, stream))
        })
        .await
    }

    /// Passes messages on until the connection is lost or silent.
    async fn forward(&self, (mut sink, mut stream): Connection, sender: &broadcast::Sender<Delivery>) {
        let mut heartbeat = interval_at(Instant::now() + self.heartbeat, self.heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                message = stream.next() => match message {
                    Some(message) => {
                        let message = Bytes::copy_from_slice(message.get_payload_bytes());
                        // It fails when nobody listens any more; `listen` notices that by itself.
                        let _ = sender.send(Delivery::Message(message));
                    }
                    None => return,
                },
                _ = heartbeat.tick() => {
                    if within(self.timeout, sink.ping::<Value>()).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    async fn reconnect(&self) -> Connection {
        let mut pause = SHORTEST_PAUSE;
        loop {
            match self.connect().await {
                Ok(connection) => return connection,
                Err(_) => sleep(pause).await,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Never ends. After each loss the receivers are told only once the new subscription stands, so whatever they
    /// read again then, nothing announced later can slip past them.
    async fn run(&self, mut connection: Connection, sender: &broadcast::Sender<Delivery>) {
        loop {
            self.forward(connection, sender).await;
            tracing::warn!(channel = self.name, "lost the connection to a Redis channel");
            connection = self.reconnect().await;
            tracing::info!(channel = self.name, "listening to a Redis channel again");
            let _ = sender.send(Delivery::Lagged);
        }
    }
}

/// Listens until the last receiver is gone, then closes the channel.
pub(super) async fn listen(
    listener: Listener,
    connection: Connection,
    sender: broadcast::Sender<Delivery>,
    channels: Arc<Mutex<Channels>>,
) {
    let work = listener.run(connection, &sender);
    tokio::pin!(work);
    loop {
        tokio::select! {
            () = &mut work => {}
            () = sender.closed() => {
                // Under the lock nobody can subscribe between the look and the removal.
                let mut channels = channels.lock().await;
                if sender.receiver_count() == 0 {
                    channels.forget_idle();
                    return;
                }
            }
        }
    }
}
