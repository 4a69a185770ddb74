use std::collections::VecDeque;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::connection::State;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use async_nats::jetstream::context::PublishAckFuture;
use async_nats::jetstream::{self, Message, stream};
use contracts::Envelope;
use futures_util::StreamExt as _;

use super::Entry;
use crate::config::NatsConfig;
use crate::error::BusError;

/// A connection to NATS and the names that this shop uses there.
#[derive(Clone)]
pub(crate) struct Nats {
    client: async_nats::Client,
    context: jetstream::Context,
    config: NatsConfig,
}

/// How long JetStream remembers message ids. A relay that retries later than this may store an
/// event twice, which the consumer's inbox then catches.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(600);

/// A consumer on the server that nobody has asked for so long is forgotten there.
const INACTIVE: Duration = Duration::from_secs(300);

/// How often a connection is tested.
const PING_EVERY: Duration = Duration::from_secs(2);

/// The longest pause between two attempts to connect again.
const LONGEST_RECONNECT_PAUSE: Duration = Duration::from_secs(1);

impl Nats {
    pub(crate) async fn connect(config: &NatsConfig) -> Result<Self, BusError> {
        let timeout = Duration::from_millis(config.timeout_ms);
        let client = async_nats::ConnectOptions::new()
            .name("souk")
            .connection_timeout(timeout)
            .request_timeout(Some(timeout))
            // A connection that fell silent without closing is given up after two of these.
            .ping_interval(PING_EVERY)
            // Doubles from a few milliseconds, as the client's own does, but not up to seconds.
            .reconnect_delay_callback(|attempts| {
                let doublings = u32::try_from(attempts.min(16)).unwrap_or(16);
                Duration::from_millis(1 << doublings).min(LONGEST_RECONNECT_PAUSE)
            })
            .connect(config.url.expose().as_str())
            .await
            .map_err(BusError::nats)?;
        let mut context = jetstream::new(client.clone());
        context.set_timeout(timeout);
        Ok(Self { client, context, config: config.clone() })
    }

    pub(crate) fn ready(&self) -> Result<(), BusError> {
        match self.client.connection_state() {
            State::Connected => Ok(()),
            State::Pending | State::Disconnected => Err(BusError::nats("not connected")),
        }
    }

    fn stream_name(&self, source: &str) -> String {
        format!("{}_{source}", self.config.prefix)
    }

    async fn stream(&self, source: &str) -> Result<stream::Stream, BusError> {
        self.ready()?;
        let prefix = &self.config.prefix;
        let wanted = stream::Config {
            name: self.stream_name(source),
            subjects: vec![format!("{prefix}.events.{source}.>")],
            max_age: self.config.keep(),
            num_replicas: self.config.replicas,
            storage: stream::StorageType::File,
            duplicate_window: DUPLICATE_WINDOW,
            ..stream::Config::default()
        };
        self.context.get_or_create_stream(wanted).await.map_err(BusError::nats)
    }

    /// Hands an event over; the future that comes back is done when it is stored.
    pub(crate) async fn publish(&self, source: &str, event: &Envelope) -> Result<PublishAckFuture, BusError> {
        // Without a connection the client would keep it until there is one, while we try again.
        self.ready()?;
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Msg-Id", event.id.to_string().as_str());
        headers.insert("Content-Type", "application/cloudevents+json");
        let payload = serde_json::to_vec(event).map_err(BusError::nats)?;
        let kind = event.kind.split_once('.').map_or(event.kind.as_str(), |(_, rest)| rest);
        let subject = format!("{}.events.{source}.{kind}", self.config.prefix);
        self.context.publish_with_headers(subject, headers, payload.into()).await.map_err(BusError::nats)
    }

    /// Makes the stream of `source` when there is none, and tells it from others of its name.
    pub(crate) async fn stream_epoch(&self, source: &str) -> Result<String, BusError> {
        self.stream(source).await.map(|stream| epoch(&stream))
    }

    /// The log of what `source` wrote.
    pub(crate) async fn log(&self, source: &str) -> Result<NatsLog, BusError> {
        Ok(NatsLog {
            nats: self.clone(),
            source: source.to_owned(),
            epoch: self.stream_epoch(source).await?,
            made_anew: false,
            consumer: None,
            buffer: VecDeque::new(),
            taken: 0,
            delivered: 0,
        })
    }
}

/// Whoever reads has to look up the position again.
fn anew() -> BusError {
    BusError::nats("the stream was lost and made anew; it is read from its beginning")
}

/// When it was made: one that takes the place of a lost one begins its positions anew.
fn epoch(stream: &stream::Stream) -> String {
    stream.cached_info().created.unix_timestamp_nanos().to_string()
}

/// A JetStream stream read in order through a consumer that lives only as long as this reader.
/// The position is the stream's sequence, kept in the database of the service that reads, so
/// nothing is acknowledged to NATS.
pub(crate) struct NatsLog {
    nats: Nats,
    source: String,
    epoch: String,
    /// The stream took the place of a lost one, and whoever reads has not been told.
    made_anew: bool,
    consumer: Option<PullConsumer>,
    buffer: VecDeque<Entry>,
    /// The position of the last entry that was handed out.
    taken: i64,
    /// How many messages the consumer on the server has sent: a gap means that one was lost.
    delivered: u64,
}

impl NatsLog {
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    pub(crate) fn epoch(&self) -> &str {
        &self.epoch
    }

    pub(crate) async fn read_after(&mut self, position: i64, limit: u32) -> Result<Vec<Entry>, BusError> {
        if std::mem::take(&mut self.made_anew) {
            return Err(anew());
        }
        if self.taken != position {
            self.restart(position);
        }
        let limit = usize::try_from(limit).unwrap_or(1);
        if self.buffer.is_empty()
            && let Err(error) = self.fill(limit, None).await
        {
            self.restart(position);
            self.made_anew = false;
            return Err(error);
        }
        let count = limit.min(self.buffer.len());
        let entries: Vec<Entry> = self.buffer.drain(..count).collect();
        self.taken = entries.last().map_or(position, |entry| entry.position);
        Ok(entries)
    }

    pub(crate) async fn changed(&mut self, wait: Duration) {
        if !self.buffer.is_empty() {
            return;
        }
        let asked = tokio::time::Instant::now();
        if let Err(error) = self.fill(64, Some(wait)).await {
            tracing::debug!(source = self.source, error = %error, "waiting for events failed");
            self.restart(self.taken);
            tokio::time::sleep_until(asked + wait).await;
        }
    }

    /// Forgets the consumer, so that the next read begins after `position`.
    fn restart(&mut self, position: i64) {
        self.consumer = None;
        self.buffer.clear();
        self.taken = position;
        self.delivered = 0;
    }

    /// Reads up to `limit` messages into the buffer: those that are there, or, with `wait`, the
    /// first that come within it.
    async fn fill(&mut self, limit: usize, wait: Option<Duration>) -> Result<(), BusError> {
        // The client waits without end for the answer to a question that was lost with the connection.
        let patience = wait.unwrap_or_default() + Duration::from_millis(self.nats.config.timeout_ms);
        tokio::time::timeout(patience, self.fetch(limit, wait)).await.map_err(BusError::nats)?
    }

    async fn fetch(&mut self, limit: usize, wait: Option<Duration>) -> Result<(), BusError> {
        self.nats.ready()?;
        let consumer = match &self.consumer {
            Some(consumer) => consumer.clone(),
            None => {
                let begun = self.begin().await?;
                self.consumer.insert(begun).clone()
            }
        };
        let mut messages = match wait {
            None => consumer.fetch().max_messages(limit).messages().await.map_err(BusError::nats)?,
            Some(wait) => {
                // One message ends the waiting; what comes with it is fetched without waiting.
                consumer.batch().max_messages(1).expires(wait).messages().await.map_err(BusError::nats)?
            }
        };
        while let Some(message) = messages.next().await {
            let message = message.map_err(BusError::nats)?;
            self.accept(&message)?;
        }
        Ok(())
    }

    fn accept(&mut self, message: &Message) -> Result<(), BusError> {
        let info = message.info().map_err(BusError::nats)?;
        self.delivered += 1;
        if info.consumer_sequence != self.delivered {
            return Err(BusError::nats("a message was lost on the way"));
        }
        let position = i64::try_from(info.stream_sequence).unwrap_or(i64::MAX);
        let envelope =
            serde_json::from_slice(&message.payload).map_err(|_| BusError::Unreadable { position })?;
        self.buffer.push_back(Entry { position, envelope });
        Ok(())
    }

    async fn begin(&mut self) -> Result<PullConsumer, BusError> {
        let stream = self.nats.stream(&self.source).await?;
        let epoch = epoch(&stream);
        if epoch != self.epoch {
            (self.epoch, self.made_anew) = (epoch, true);
            return Err(anew());
        }
        let next = u64::try_from(self.taken).unwrap_or(0) + 1;
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: next },
            ack_policy: AckPolicy::None,
            inactive_threshold: INACTIVE,
            max_deliver: 1,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        stream.create_consumer(config).await.map_err(BusError::nats)
    }
}
