use std::time::Duration;

use kernel::{Fail, FailureKind};

/// What can go wrong between a caller and the cache.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The server cannot be reached, refuses to work, or did not answer within the time-out. The operation may
    /// have been carried out all the same.
    #[error("the cache cannot be reached; try again shortly")]
    Unavailable {
        /// What the client library said; absent for a time-out.
        #[source]
        source: Option<redis::RedisError>,
    },
    /// The key, bucket or channel name is longer than [`MAX_KEY_BYTES`](crate::MAX_KEY_BYTES), or empty.
    #[error("a cache key must have between 1 and {limit} bytes")]
    KeyLength {
        /// The longest key in bytes.
        limit: usize,
    },
    /// The value or message is too long to be kept or sent.
    #[error("a cached value or message may have at most {limit} bytes")]
    TooLarge {
        /// The longest value in bytes.
        limit: usize,
    },
    /// The value under the key is not a number that can be counted up.
    #[error("the cached value is not a counter")]
    NotACounter,
    /// The policy or the cost makes no sense, so nothing could ever be decided by it.
    #[error("the rate limit `{policy}` cannot be applied: {reason}")]
    BadPolicy {
        /// The policy's name.
        policy: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// This process already listens to as many channels as it may.
    #[error("no more than {limit} channels can be listened to at once")]
    TooManyChannels {
        /// The most channels at once.
        limit: usize,
    },
    /// The configuration names no server that can be connected to.
    #[error("the cache is misconfigured: {reason}")]
    Misconfigured {
        /// What is wrong; never the address itself, which may hold a password.
        reason: &'static str,
    },
}

impl CacheError {
    pub(crate) const TIMED_OUT: Self = Self::Unavailable { source: None };
}

impl From<redis::RedisError> for CacheError {
    fn from(source: redis::RedisError) -> Self {
        Self::Unavailable { source: Some(source) }
    }
}

impl Fail for CacheError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Unavailable { .. } | Self::TooManyChannels { .. } => FailureKind::Unavailable,
            Self::KeyLength { .. } => FailureKind::Invalid,
            Self::TooLarge { .. } => FailureKind::TooLarge,
            Self::NotACounter | Self::BadPolicy { .. } | Self::Misconfigured { .. } => FailureKind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "cache.unavailable",
            Self::KeyLength { .. } => "cache.key_length",
            Self::TooLarge { .. } => "cache.too_large",
            Self::NotACounter => "cache.not_a_counter",
            Self::BadPolicy { .. } => "cache.bad_policy",
            Self::TooManyChannels { .. } => "cache.too_many_channels",
            Self::Misconfigured { .. } => "cache.misconfigured",
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        matches!(self, Self::Unavailable { .. }).then_some(Duration::from_secs(1))
    }
}
