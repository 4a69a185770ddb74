use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use kernel::Clock;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, FromRedisValue, IntoConnectionInfo, RedisResult, Script};
use tokio::sync::Mutex;

use super::Memory;
use super::channels::Channels;
use super::redis_channel::{Listener, listen};
use crate::policy::Terms;
use crate::{CacheError, MemoryConfig, RedisConfig, Subscription, Verdict};

/// The cache on a Redis server. One multiplexed connection carries all commands; each channel that is listened to
/// has a connection of its own.
pub(crate) struct Redis {
    connection: ConnectionManager,
    client: Client,
    channels: Arc<Mutex<Channels>>,
    take: Script,
    increment: Script,
    prefix: String,
    timeout: Duration,
    heartbeat: Duration,
    /// Counts for this process alone while the server is away.
    spare: Memory,
    /// Until when the server is not asked to count, because it was away just now.
    spare_until: parking_lot::Mutex<Option<Instant>>,
}

/// For how long this process counts for itself before it asks the server again.
const SPARE_FOR: Duration = Duration::from_secs(1);

impl Redis {
    pub(crate) async fn connect(config: &RedisConfig, clock: Clock) -> Result<Self, CacheError> {
        if config.timeout_ms == 0 || config.heartbeat_ms == 0 {
            return Err(CacheError::Misconfigured { reason: "timeout_ms and heartbeat_ms must not be zero" });
        }
        let timeout = Duration::from_millis(config.timeout_ms);
        let client = client(config.url.expose(), timeout).map_err(|_| CacheError::Misconfigured {
            reason: "url is not a redis:// or rediss:// address",
        })?;
        // A single quick retry: the outer time-out bounds the wait, and the next command tries again.
        let manager = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(Some(timeout))
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(100));
        let connecting = ConnectionManager::new_with_config(client.clone(), manager);
        Ok(Self {
            connection: within(timeout, connecting).await?,
            client,
            channels: Arc::new(Mutex::new(Channels::new(config.subscription_buffer))),
            take: Script::new(include_str!("take.lua")),
            increment: Script::new(include_str!("increment.lua")),
            prefix: config.prefix.clone(),
            timeout,
            heartbeat: Duration::from_millis(config.heartbeat_ms),
            spare: Memory::new(&MemoryConfig::default(), clock),
            spare_until: parking_lot::Mutex::new(None),
        })
    }

    pub(crate) async fn ping(&self) -> Result<(), CacheError> {
        self.ask(&redis::cmd("PING")).await
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Option<Bytes>, CacheError> {
        self.ask(redis::cmd("GET").arg(self.value_key(key))).await
    }

    pub(crate) async fn put(&self, key: &str, value: &[u8], ttl: Duration) -> Result<(), CacheError> {
        self.ask(redis::cmd("SET").arg(self.value_key(key)).arg(value).arg("PX").arg(millis(ttl))).await
    }

    pub(crate) async fn put_if_absent(
        &self,
        key: &str,
        value: &[u8],
        ttl: Duration,
    ) -> Result<bool, CacheError> {
        let mut command = redis::cmd("SET");
        command.arg(self.value_key(key)).arg(value).arg("PX").arg(millis(ttl)).arg("NX");
        let done: Option<String> = self.ask(&command).await?;
        Ok(done.is_some())
    }

    pub(crate) async fn remove(&self, key: &str) -> Result<(), CacheError> {
        self.ask(redis::cmd("DEL").arg(self.value_key(key))).await
    }

    pub(crate) async fn increment(&self, key: &str, ttl: Duration) -> Result<u64, CacheError> {
        let mut connection = self.connection.clone();
        let mut call = self.increment.key(self.value_key(key));
        call.arg(millis(ttl));
        let count: Option<u64> = within(self.timeout, call.invoke_async(&mut connection)).await?;
        count.ok_or(CacheError::NotACounter)
    }

    /// Never keeps anybody waiting for a server that was away just now.
    pub(crate) async fn take(&self, bucket: &str, terms: &Terms) -> Result<Verdict, CacheError> {
        if self.spare_until.lock().is_some_and(|until| Instant::now() < until) {
            return Ok(self.spare.take(bucket.to_owned(), terms));
        }
        match self.take_there(bucket, terms).await {
            Err(CacheError::Unavailable { .. }) => {
                *self.spare_until.lock() = Some(Instant::now() + SPARE_FOR);
                Ok(self.spare.take(bucket.to_owned(), terms))
            }
            verdict => verdict,
        }
    }

    async fn take_there(&self, bucket: &str, terms: &Terms) -> Result<Verdict, CacheError> {
        let mut connection = self.connection.clone();
        let mut call = self.take.key(format!("{}:bucket:{bucket}", self.prefix));
        call.arg(terms.quota).arg(terms.window_ms).arg(terms.need);
        let (allowed, level): (bool, u64) = within(self.timeout, call.invoke_async(&mut connection)).await?;
        Ok(terms.verdict(level, allowed))
    }

    pub(crate) async fn publish(&self, channel: &str, message: &[u8]) -> Result<(), CacheError> {
        self.ask(redis::cmd("PUBLISH").arg(self.channel_name(channel)).arg(message)).await
    }

    pub(crate) async fn subscribe(&self, channel: &str) -> Result<Subscription, CacheError> {
        let name = self.channel_name(channel);
        // Held while connecting, so that two subscribers of one channel share a connection.
        let mut channels = self.channels.lock().await;
        if let Some(sender) = channels.get(&name) {
            return Ok(Subscription::new(sender.subscribe()));
        }
        let listener = Listener {
            client: self.client.clone(),
            name: name.clone(),
            timeout: self.timeout,
            heartbeat: self.heartbeat,
        };
        let connection = listener.connect().await?;
        let sender = channels.open(&name)?;
        let receiver = sender.subscribe();
        tokio::spawn(listen(listener, connection, sender, self.channels.clone()));
        Ok(Subscription::new(receiver))
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, CacheError> {
        let mut connection = self.connection.clone();
        within(self.timeout, command.query_async(&mut connection)).await
    }

    fn value_key(&self, key: &str) -> String {
        format!("{}:value:{key}", self.prefix)
    }

    fn channel_name(&self, channel: &str) -> String {
        format!("{}:channel:{channel}", self.prefix)
    }
}

fn client(url: &str, timeout: Duration) -> RedisResult<Client> {
    let info = url.into_connection_info()?;
    // Bytes that nobody acknowledges for this long end the connection: a server that vanished without a word would
    // otherwise hold it for minutes while every call runs into its time-out.
    #[cfg(target_os = "linux")]
    let info = {
        let settings = info.tcp_settings().clone().set_user_timeout(timeout);
        info.set_tcp_settings(settings)
    };
    #[cfg(not(target_os = "linux"))]
    let _ = timeout;
    Client::open(info)
}

/// Waits for Redis, but not for longer than `timeout`.
pub(super) async fn within<T>(
    timeout: Duration,
    answer: impl Future<Output = RedisResult<T>>,
) -> Result<T, CacheError> {
    match tokio::time::timeout(timeout, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(CacheError::TIMED_OUT),
    }
}

fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
