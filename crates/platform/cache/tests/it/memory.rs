//! What only an engine whose clock stands still can show.

use std::time::Duration;

use cache::{Cache, CacheConfig, MemoryConfig, Policy};
use kernel::{Clock, Timestamp};

#[tokio::test]
async fn a_value_lives_to_the_millisecond() {
    let clock = Clock::manual(Timestamp::EPOCH);
    let cache = Cache::open(&CacheConfig::default(), clock.clone()).await.unwrap();
    cache.put("key", "value", Duration::from_millis(100)).await.unwrap();
    clock.advance(Duration::from_millis(99));
    assert!(cache.get("key").await.unwrap().is_some());
    assert!(!cache.put_if_absent("key", "other", Duration::from_secs(1)).await.unwrap());
    clock.advance(Duration::from_millis(1));
    assert!(cache.get("key").await.unwrap().is_none());
}

#[tokio::test]
async fn a_refused_caller_who_waits_as_told_is_let_through_and_not_before() {
    let clock = Clock::manual(Timestamp::EPOCH);
    let cache = Cache::memory(MemoryConfig::default(), clock.clone());
    let policy = Policy::new("test", 7, Duration::from_secs(60));
    assert!(cache.take("ann", &policy, 7).await.unwrap().allowed);
    let wait = cache.take("ann", &policy, 1).await.unwrap().retry_after.unwrap();
    clock.advance(wait - Duration::from_millis(1));
    assert!(!cache.take("ann", &policy, 1).await.unwrap().allowed);
    clock.advance(Duration::from_millis(1));
    assert!(cache.take("ann", &policy, 1).await.unwrap().allowed);
}
