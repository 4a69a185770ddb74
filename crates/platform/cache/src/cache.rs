use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kernel::Clock;

use crate::engine::{Memory, Redis};
use crate::{CacheConfig, CacheError, MemoryConfig, Policy, RedisConfig, Subscription, Verdict};

/// The longest key, bucket or channel name in bytes.
pub const MAX_KEY_BYTES: usize = 512;

/// The longest value in bytes.
pub const MAX_VALUE_BYTES: usize = 1 << 20;

/// The longest announcement in bytes.
pub const MAX_MESSAGE_BYTES: usize = 64 << 10;

/// The most channels one process listens to at once.
pub const MAX_CHANNELS: usize = 256;

const SHORTEST_TTL: Duration = Duration::from_millis(1);
const LONGEST_TTL: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// A handle on the cache. Clones share everything.
///
/// A time to live is counted in whole milliseconds and held between 1 ms and 366 days.
#[derive(Clone, Debug)]
pub struct Cache(Engine);

#[derive(Clone, Debug)]
enum Engine {
    Memory(Arc<Memory>),
    Redis(Arc<Redis>),
}

impl Cache {
    /// The engine that `config` names.
    ///
    /// # Errors
    /// As for [`Cache::connect`].
    pub async fn open(config: &CacheConfig, clock: Clock) -> Result<Self, CacheError> {
        match config {
            CacheConfig::Memory(config) => Ok(Self::memory(config.clone(), clock)),
            CacheConfig::Redis(config) => Self::connect(config, clock).await,
        }
    }

    /// A cache in this process; values expire by `clock`.
    pub fn memory(config: MemoryConfig, clock: Clock) -> Self {
        Self(Engine::Memory(Arc::new(Memory::new(&config, clock))))
    }

    /// A cache on a Redis server; values expire by the server's clock. A connection that is lost later is made
    /// anew by itself. While the server is away, limits are counted in this process, by `clock`.
    ///
    /// # Errors
    /// `cache.misconfigured` for an address that is none, `cache.unavailable` when nobody answers.
    pub async fn connect(config: &RedisConfig, clock: Clock) -> Result<Self, CacheError> {
        Ok(Self(Engine::Redis(Arc::new(Redis::connect(config, clock).await?))))
    }

    /// Whether the engine answers; for readiness checks.
    ///
    /// # Errors
    /// `cache.unavailable`.
    pub async fn ping(&self) -> Result<(), CacheError> {
        match &self.0 {
            Engine::Memory(_) => Ok(()),
            Engine::Redis(redis) => redis.ping().await,
        }
    }

    /// The value under `key`, unless it has expired or was never there.
    ///
    /// # Errors
    /// `cache.unavailable`, `cache.key_length`.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, CacheError> {
        check_key(key)?;
        match &self.0 {
            Engine::Memory(memory) => Ok(memory.get(key)),
            Engine::Redis(redis) => redis.get(key).await,
        }
    }

    /// Keeps `value` under `key` for `ttl`, in the place of what was there.
    ///
    /// # Errors
    /// `cache.unavailable`, `cache.key_length`, `cache.too_large`.
    pub async fn put(&self, key: &str, value: impl Into<Bytes>, ttl: Duration) -> Result<(), CacheError> {
        let value = value.into();
        check_key(key)?;
        check_size(&value, MAX_VALUE_BYTES)?;
        match &self.0 {
            Engine::Memory(memory) => {
                memory.put(key, value, bounded(ttl));
                Ok(())
            }
            Engine::Redis(redis) => redis.put(key, &value, bounded(ttl)).await,
        }
    }

    /// Keeps `value` under `key` for `ttl` if nothing is there; whether it did. Of several at once, one does.
    ///
    /// # Errors
    /// As for [`Cache::put`].
    pub async fn put_if_absent(
        &self,
        key: &str,
        value: impl Into<Bytes>,
        ttl: Duration,
    ) -> Result<bool, CacheError> {
        let value = value.into();
        check_key(key)?;
        check_size(&value, MAX_VALUE_BYTES)?;
        match &self.0 {
            Engine::Memory(memory) => Ok(memory.put_if_absent(key, value, bounded(ttl))),
            Engine::Redis(redis) => redis.put_if_absent(key, &value, bounded(ttl)).await,
        }
    }

    /// Forgets `key`, if it is there.
    ///
    /// # Errors
    /// `cache.unavailable`, `cache.key_length`.
    pub async fn remove(&self, key: &str) -> Result<(), CacheError> {
        check_key(key)?;
        match &self.0 {
            Engine::Memory(memory) => {
                memory.remove(key);
                Ok(())
            }
            Engine::Redis(redis) => redis.remove(key).await,
        }
    }

    /// Counts `key` up by one and says where it stands. The first count starts the time to live; later ones do not
    /// prolong it. The value reads as decimal digits.
    ///
    /// # Errors
    /// `cache.unavailable`, `cache.key_length`, `cache.not_a_counter`.
    pub async fn increment(&self, key: &str, ttl: Duration) -> Result<u64, CacheError> {
        check_key(key)?;
        match &self.0 {
            Engine::Memory(memory) => memory.increment(key, bounded(ttl)),
            Engine::Redis(redis) => redis.increment(key, bounded(ttl)).await,
        }
    }

    /// Takes `cost` tokens from the caller's bucket under `policy`, or none if they are not all there. A cost of
    /// zero only looks. While a server is away, this process counts for itself and begins with full buckets: limits
    /// are then as many times as generous as there are processes, and nobody is refused for want of a server.
    ///
    /// # Errors
    /// `cache.key_length`, `cache.bad_policy`.
    pub async fn take(&self, bucket: &str, policy: &Policy, cost: u32) -> Result<Verdict, CacheError> {
        let terms = policy.terms(cost)?;
        let key = format!("{}:{bucket}", policy.name);
        check_key(&key)?;
        match &self.0 {
            Engine::Memory(memory) => Ok(memory.take(key, &terms)),
            Engine::Redis(redis) => redis.take(&key, &terms).await,
        }
    }

    /// Announces `message` to everybody who listens to `channel` now.
    ///
    /// # Errors
    /// `cache.unavailable`, `cache.key_length`, `cache.too_large`.
    pub async fn publish(&self, channel: &str, message: impl Into<Bytes>) -> Result<(), CacheError> {
        let message = message.into();
        check_key(channel)?;
        check_size(&message, MAX_MESSAGE_BYTES)?;
        match &self.0 {
            Engine::Memory(memory) => {
                memory.publish(channel, message);
                Ok(())
            }
            Engine::Redis(redis) => redis.publish(channel, &message).await,
        }
    }

    /// Listens to `channel`: whatever is published after this returns is delivered, or `Lagged` in its place.
    ///
    /// # Errors
    /// `cache.unavailable`, `cache.key_length`, `cache.too_many_channels`.
    pub async fn subscribe(&self, channel: &str) -> Result<Subscription, CacheError> {
        check_key(channel)?;
        match &self.0 {
            Engine::Memory(memory) => memory.subscribe(channel),
            Engine::Redis(redis) => redis.subscribe(channel).await,
        }
    }
}

fn check_key(key: &str) -> Result<(), CacheError> {
    if key.is_empty() || key.len() > MAX_KEY_BYTES {
        return Err(CacheError::KeyLength { limit: MAX_KEY_BYTES });
    }
    Ok(())
}

fn check_size(value: &Bytes, limit: usize) -> Result<(), CacheError> {
    if value.len() > limit {
        return Err(CacheError::TooLarge { limit });
    }
    Ok(())
}

fn bounded(ttl: Duration) -> Duration {
    ttl.clamp(SHORTEST_TTL, LONGEST_TTL)
}
