use kernel::Secret;
use serde::Deserialize;

/// Which engine keeps the cache; memory unless said otherwise.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "engine", rename_all = "snake_case")]
pub enum CacheConfig {
    /// In this process.
    Memory(MemoryConfig),
    /// On a Redis or Valkey server that all copies share.
    Redis(RedisConfig),
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self::Memory(MemoryConfig::default())
    }
}

/// Bounds of the memory engine. What was used longest ago makes room for what is new.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemoryConfig {
    /// The most values kept at once.
    pub max_entries: u64,
    /// The most bytes that keys and values take together.
    pub max_bytes: u64,
    /// The most token buckets kept at once. When more callers than this are active, the quietest are forgotten
    /// and start with a full bucket.
    pub max_buckets: u64,
    /// The most announcements a slow receiver may be behind before it is told that it lagged.
    pub subscription_buffer: usize,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self { max_entries: 100_000, max_bytes: 64 << 20, max_buckets: 200_000, subscription_buffer: 1_024 }
    }
}

/// Where the Redis server is and how patient we are with it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisConfig {
    /// `redis://` or `rediss://` (TLS), with user, password and database number where needed.
    pub url: Secret<String>,
    /// Comes before every key and channel, so that several installations can share a server.
    #[serde(default = "default_prefix")]
    pub prefix: String,
    /// The longest that one call may take, connecting included.
    #[serde(default = "default_timeout_ms")]
    pub timeout_ms: u64,
    /// How often a listening connection is tested. A silent loss is noticed, and the receivers told, after this
    /// and one time-out at the latest.
    #[serde(default = "default_heartbeat_ms")]
    pub heartbeat_ms: u64,
    /// The most announcements a slow receiver may be behind before it is told that it lagged.
    #[serde(default = "default_subscription_buffer")]
    pub subscription_buffer: usize,
}

impl RedisConfig {
    /// The server at `url`, all else by default.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: Secret::new(url.into()),
            prefix: default_prefix(),
            timeout_ms: default_timeout_ms(),
            heartbeat_ms: default_heartbeat_ms(),
            subscription_buffer: default_subscription_buffer(),
        }
    }
}

fn default_prefix() -> String {
    "souk".into()
}

const fn default_timeout_ms() -> u64 {
    1_000
}

const fn default_heartbeat_ms() -> u64 {
    1_000
}

const fn default_subscription_buffer() -> usize {
    1_024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_engine_is_read_with_its_defaults() {
        let CacheConfig::Memory(memory) = toml::from_str("engine = 'memory'\nmax_entries = 7").unwrap()
        else {
            panic!("memory was asked for")
        };
        assert_eq!((memory.max_entries, memory.max_buckets), (7, 200_000));

        let CacheConfig::Redis(redis) =
            toml::from_str("engine = 'redis'\nurl = 'redis://:s3cret@h/'").unwrap()
        else {
            panic!("Redis was asked for")
        };
        assert_eq!((redis.prefix.as_str(), redis.timeout_ms), ("souk", 1_000));
        assert!(!format!("{redis:?}").contains("s3cret"));
    }

    #[test]
    fn a_misspelt_setting_is_refused() {
        assert!(toml::from_str::<CacheConfig>("engine = 'memory'\nmax_entires = 7").is_err());
        assert!(toml::from_str::<CacheConfig>("engine = 'redis'").is_err());
    }
}
