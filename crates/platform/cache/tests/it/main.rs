//! One suite over both engines, and what only one of them can show.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod conformance;
mod memory;
mod redis;

use std::time::Duration;

use cache::{Cache, MemoryConfig, RedisConfig};
use kernel::{Clock, Timestamp};
use testkit::engines;

/// Two handles on one cache, as two copies of a service hold them.
struct Subject {
    one: Cache,
    two: Cache,
    /// Moves the time of the memory engine; Redis keeps its own.
    clock: Clock,
    _server: Option<engines::Redis>,
}

impl Subject {
    async fn memory() -> Self {
        let clock = Clock::manual(Timestamp::EPOCH);
        let cache = Cache::memory(MemoryConfig::default(), clock.clone());
        Self { one: cache.clone(), two: cache, clock, _server: None }
    }

    async fn redis() -> Self {
        let server = engines::Redis::start().await;
        let config = RedisConfig { timeout_ms: 10_000, ..RedisConfig::new(server.url()) };
        Self {
            one: Cache::connect(&config, Clock::system()).await.unwrap(),
            two: Cache::connect(&config, Clock::system()).await.unwrap(),
            clock: Clock::system(),
            _server: Some(server),
        }
    }
}

/// Asks again until `probe` answers, or fails the test after ten seconds.
async fn eventually<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = probe().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), asking)
        .await
        .unwrap_or_else(|_| panic!("never happened: {what}"))
}

macro_rules! on_both_engines {
    ($($test:ident)*) => {
        mod on_memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                crate::conformance::$test(crate::Subject::memory().await).await;
            })*
        }
        mod on_redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                crate::conformance::$test(crate::Subject::redis().await).await;
            })*
        }
    };
}

on_both_engines! {
    answers_a_ping
    keeps_replaces_and_removes
    expires
    an_expired_value_is_absent
    of_many_at_once_one_is_first
    counts_without_losing_any
    refuses_what_is_too_long
    a_bucket_lets_exactly_its_quota_through
    buckets_are_kept_apart
    a_bucket_fills_again
    a_cost_is_taken_whole_or_not_at_all
    the_largest_policy_is_exact
    announcements_reach_every_listener_in_order
    channels_are_kept_apart
    a_slow_listener_is_told
    a_channel_ends_with_its_last_listener
}
