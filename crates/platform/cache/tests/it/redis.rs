//! What only a server that can go away can show.

use std::time::{Duration, Instant};

use cache::{Cache, CacheConfig, CacheError, Delivery, Policy, RedisConfig};
use kernel::{Clock, Fail, FailureKind};
use testkit::engines;
use testkit::proxy::Proxy;
use tokio::net::TcpListener;

use crate::eventually;

const LONG: Duration = Duration::from_secs(600);

fn config(url: impl Into<String>) -> RedisConfig {
    RedisConfig { timeout_ms: 500, heartbeat_ms: 50, ..RedisConfig::new(url) }
}

fn assert_unavailable(error: &CacheError) {
    assert_eq!((error.code(), error.kind()), ("cache.unavailable", FailureKind::Unavailable));
    assert!(error.retry_after().is_some());
    assert!(!error.to_string().contains("127.0.0.1"), "an error does not print its source");
}

#[tokio::test]
async fn calls_fail_in_time_while_the_server_is_away_and_work_when_it_is_back() {
    let server = engines::Redis::start().await;
    let cache = Cache::open(&CacheConfig::Redis(config(server.url())), Clock::system()).await.unwrap();
    let policy = Policy::new("test", 5, LONG);
    cache.put("key", "value", LONG).await.unwrap();
    assert_eq!(cache.take("ann", &policy, 3).await.unwrap().remaining, 2);

    server.stop().await;
    let before = Instant::now();
    let errors = [
        cache.ping().await.unwrap_err(),
        cache.get("key").await.unwrap_err(),
        cache.put("key", "value", LONG).await.unwrap_err(),
        cache.put_if_absent("key", "value", LONG).await.unwrap_err(),
        cache.remove("key").await.unwrap_err(),
        cache.increment("count", LONG).await.unwrap_err(),
        cache.publish("channel", "x").await.unwrap_err(),
        cache.subscribe("channel").await.unwrap_err(),
    ];
    // Eight calls of half a second each, and room for a slow machine.
    assert!(before.elapsed() < Duration::from_secs(10));
    errors.iter().for_each(assert_unavailable);
    assert_unavailable(&Cache::connect(&config(server.url()), Clock::system()).await.unwrap_err());
    let counted =
        [cache.take("ann", &policy, 3).await.unwrap(), cache.take("ann", &policy, 3).await.unwrap()];
    assert_eq!(counted.map(|verdict| verdict.allowed), [true, false], "this process counts for itself");

    server.start_again().await;
    eventually("the connection is back", async || cache.ping().await.ok()).await;
    assert_eq!(cache.get("key").await.unwrap().unwrap(), "value");
    eventually("the server counts again, where it was", async || {
        (cache.take("ann", &policy, 0).await.unwrap().remaining == 2).then_some(())
    })
    .await;
    assert_eq!(cache.take("ann", &policy, 1).await.unwrap().remaining, 1, "the script is loaded again");
}

#[tokio::test]
async fn a_listener_is_told_when_the_connection_is_back_and_then_hears_again() {
    let server = engines::Redis::start().await;
    let cache = Cache::connect(&config(server.url()), Clock::system()).await.unwrap();
    let mut listener = cache.subscribe("ended").await.unwrap();
    let mut second = cache.subscribe("ended").await.unwrap();
    server.restart().await;
    for listener in [&mut listener, &mut second] {
        let delivery = tokio::time::timeout(Duration::from_secs(10), listener.next()).await.unwrap();
        assert_eq!(delivery, Some(Delivery::Lagged));
    }
    eventually("the connection is back", async || cache.ping().await.ok()).await;
    cache.publish("ended", "session").await.unwrap();
    for listener in [&mut listener, &mut second] {
        assert_eq!(listener.next().await, Some(Delivery::Message("session".into())));
    }
}

#[tokio::test]
async fn a_connection_that_falls_silent_is_noticed() {
    let server = engines::Redis::start().await;
    let proxy = Proxy::start(server.url().trim_start_matches("redis://").to_owned()).await;
    let (near, far) = (
        Cache::connect(&config(server.url()), Clock::system()).await.unwrap(),
        Cache::connect(&config(format!("redis://{}", proxy.address())), Clock::system()).await.unwrap(),
    );
    let mut listener = far.subscribe("ended").await.unwrap();

    proxy.silence();
    near.publish("ended", "lost").await.unwrap();
    let delivery = tokio::time::timeout(Duration::from_secs(10), listener.next()).await.unwrap();
    assert_eq!(delivery, Some(Delivery::Lagged));
    near.publish("ended", "heard").await.unwrap();
    assert_eq!(listener.next().await, Some(Delivery::Message("heard".into())));
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let before = Instant::now();
    assert_unavailable(&Cache::connect(&config(url), Clock::system()).await.unwrap_err());
    assert!(before.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn what_expires_leaves_nothing_behind() {
    let server = engines::Redis::start().await;
    let cache = Cache::connect(&config(server.url()), Clock::system()).await.unwrap();
    let brief = Duration::from_millis(30);
    cache.put("value", "x", brief).await.unwrap();
    cache.increment("count", brief).await.unwrap();
    cache.take("ann", &Policy::new("test", 5, brief), 5).await.unwrap();
    let client = ::redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    eventually("all keys are gone", async || {
        let keys: u64 = ::redis::cmd("DBSIZE").query_async(&mut connection).await.unwrap();
        (keys == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn installations_with_another_prefix_do_not_meet() {
    let server = engines::Redis::start().await;
    let one = Cache::connect(&config(server.url()), Clock::system()).await.unwrap();
    let other = RedisConfig { prefix: "other".into(), ..config(server.url()) };
    let other = Cache::connect(&other, Clock::system()).await.unwrap();
    let policy = Policy::new("test", 1, LONG);
    let mut listener = one.subscribe("channel").await.unwrap();
    other.publish("channel", "not for you").await.unwrap();
    other.put("key", "not yours", LONG).await.unwrap();
    assert!(other.take("ann", &policy, 1).await.unwrap().allowed);
    assert!(one.take("ann", &policy, 1).await.unwrap().allowed);
    assert_eq!(one.get("key").await.unwrap(), None);
    one.publish("channel", "for you").await.unwrap();
    assert_eq!(listener.next().await, Some(Delivery::Message("for you".into())));
}

#[tokio::test]
async fn an_address_that_is_none_is_a_misconfiguration() {
    for url in ["", "http://localhost", "not an address"] {
        let error = Cache::connect(&config(url), Clock::system()).await.unwrap_err();
        assert_eq!(error.code(), "cache.misconfigured");
    }
    let hasty = RedisConfig { timeout_ms: 0, ..config("redis://127.0.0.1") };
    assert_eq!(Cache::connect(&hasty, Clock::system()).await.unwrap_err().code(), "cache.misconfigured");
}
