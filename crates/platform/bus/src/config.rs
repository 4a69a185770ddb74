use std::time::Duration;

use kernel::Secret;
use serde::Deserialize;

/// How events travel.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "engine", rename_all = "snake_case", deny_unknown_fields)]
pub enum BusConfig {
    /// In this process, from the outbox itself.
    Embedded {
        /// How reactions are run.
        #[serde(default)]
        delivery: DeliveryConfig,
    },
    /// Through NATS JetStream.
    Nats {
        /// The servers.
        nats: NatsConfig,
        /// How reactions are run.
        #[serde(default)]
        delivery: DeliveryConfig,
    },
}

impl Default for BusConfig {
    fn default() -> Self {
        Self::Embedded { delivery: DeliveryConfig::default() }
    }
}

impl BusConfig {
    /// For how long after it was first delivered an event may come again, with a day to spare. What a consumer
    /// has seen must be remembered for as long.
    pub const fn comes_again_within(&self) -> Duration {
        const SPARE: Duration = Duration::from_secs(24 * 3_600);
        let kept = match self {
            Self::Embedded { delivery } => delivery.keep(),
            Self::Nats { nats, .. } => nats.keep(),
        };
        kept.saturating_add(SPARE)
    }
}

/// How reactions are run, the same for every way of travelling.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryConfig {
    /// How many events are taken in one transaction.
    pub batch: u32,
    /// How long a reaction may take for one event, in milliseconds.
    pub reaction_timeout_ms: u64,
    /// How often an event is tried before it is a dead letter.
    pub max_attempts: i64,
    /// The pause after the first failure, in milliseconds; it doubles with every further one.
    pub first_backoff_ms: u64,
    /// The longest pause, in milliseconds.
    pub max_backoff_ms: u64,
    /// How often to look for events when nothing said that there are any, in milliseconds.
    pub poll_ms: u64,
    /// How long an event stays in the outbox once everybody has it, in hours.
    pub keep_hours: u64,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            batch: 128,
            reaction_timeout_ms: 10_000,
            max_attempts: 12,
            first_backoff_ms: 200,
            max_backoff_ms: 300_000,
            poll_ms: 1_000,
            keep_hours: 72,
        }
    }
}

impl DeliveryConfig {
    /// How long an event that everybody has stays in the outbox.
    pub(crate) const fn keep(&self) -> Duration {
        Duration::from_secs(self.keep_hours.saturating_mul(3_600))
    }

    /// The pause after `attempts` failures.
    pub(crate) fn backoff(&self, attempts: i64) -> Duration {
        let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(30);
        let pause = self.first_backoff_ms.saturating_mul(1 << doublings);
        Duration::from_millis(pause.min(self.max_backoff_ms))
    }
}

/// A NATS deployment with JetStream.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatsConfig {
    /// `nats://host:4222`, or several with commas; `tls://` for TLS.
    pub url: Secret<String>,
    /// What stream names begin with, so that several shops can share a deployment.
    #[serde(default = "default_prefix")]
    pub prefix: String,
    /// How many servers keep each stream: 1, 3 or 5.
    #[serde(default = "default_replicas")]
    pub replicas: usize,
    /// How long events are kept, in days.
    #[serde(default = "default_keep_days")]
    pub keep_days: u64,
    /// How long one request to NATS may take, in milliseconds.
    #[serde(default = "default_timeout")]
    pub timeout_ms: u64,
}

impl NatsConfig {
    /// How long an event stays in its stream.
    pub(crate) const fn keep(&self) -> Duration {
        Duration::from_secs(self.keep_days.saturating_mul(86_400))
    }
}

fn default_prefix() -> String {
    "souk".to_owned()
}

const fn default_replicas() -> usize {
    1
}

const fn default_keep_days() -> u64 {
    14
}

const fn default_timeout() -> u64 {
    5_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let config = DeliveryConfig::default();
        let pauses: Vec<u128> = [1, 2, 3, 12, 60].map(|n| config.backoff(n).as_millis()).to_vec();
        assert_eq!(pauses, [200, 400, 800, 300_000, 300_000]);
    }

    #[test]
    fn what_was_seen_is_remembered_for_longer_than_events_are_kept() {
        let days = |config: &BusConfig| config.comes_again_within().as_secs() / 86_400;
        assert_eq!(days(&BusConfig::default()), 4);
        let nats = serde_json::json!({"engine": "nats", "nats": {"url": "nats://127.0.0.1:4222"}});
        assert_eq!(days(&serde_json::from_value(nats).unwrap()), 15);
    }
}
