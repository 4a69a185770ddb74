//! What every engine must do, as functions of one subject.

use std::time::Duration;

use cache::{
    Cache, CacheError, Delivery, MAX_CHANNELS, MAX_KEY_BYTES, MAX_MESSAGE_BYTES, MAX_QUOTA, MAX_VALUE_BYTES,
    MAX_WINDOW, Policy, Subscription,
};
use kernel::{Fail, FailureKind};

use crate::{Subject, eventually};

const LONG: Duration = Duration::from_secs(600);
const BRIEF: Duration = Duration::from_millis(400);

async fn text(cache: &Cache, key: &str) -> Option<String> {
    let value = cache.get(key).await.unwrap()?;
    Some(String::from_utf8(value.to_vec()).unwrap())
}

async fn next(subscription: &mut Subscription) -> Delivery {
    let delivery = tokio::time::timeout(Duration::from_secs(10), subscription.next()).await;
    delivery.expect("no delivery came").expect("the cache is gone")
}

fn message(text: &str) -> Delivery {
    Delivery::Message(text.to_owned().into())
}

pub(crate) async fn answers_a_ping(subject: Subject) {
    subject.one.ping().await.unwrap();
}

pub(crate) async fn keeps_replaces_and_removes(subject: Subject) {
    let Subject { one, two, .. } = &subject;
    assert_eq!(text(one, "greeting").await, None);
    one.put("greeting", "hello", LONG).await.unwrap();
    assert_eq!(text(two, "greeting").await.as_deref(), Some("hello"));
    two.put("greeting", "good day", LONG).await.unwrap();
    assert_eq!(text(one, "greeting").await.as_deref(), Some("good day"));
    one.remove("greeting").await.unwrap();
    one.remove("greeting").await.unwrap();
    assert_eq!(text(two, "greeting").await, None);

    let bytes: Vec<u8> = (0..=255).collect();
    one.put("any bytes", bytes.clone(), LONG).await.unwrap();
    assert_eq!(two.get("any bytes").await.unwrap().unwrap(), bytes);
}

pub(crate) async fn expires(subject: Subject) {
    let cache = &subject.one;
    cache.put("brief", "x", BRIEF).await.unwrap();
    cache.put("long", "x", LONG).await.unwrap();
    cache.put("renewed", "x", BRIEF).await.unwrap();
    cache.put("renewed", "x", LONG).await.unwrap();
    cache.increment("count", BRIEF).await.unwrap();
    cache.increment("count", LONG).await.unwrap();
    subject.clock.advance(BRIEF);
    for key in ["brief", "count"] {
        eventually("the value expires", async || text(cache, key).await.is_none().then_some(())).await;
    }
    assert_eq!(text(cache, "long").await.as_deref(), Some("x"));
    assert_eq!(text(cache, "renewed").await.as_deref(), Some("x"));
    assert_eq!(cache.increment("count", LONG).await.unwrap(), 1);
}

pub(crate) async fn an_expired_value_is_absent(subject: Subject) {
    let cache = &subject.one;
    assert!(cache.put_if_absent("lock", "one", BRIEF).await.unwrap());
    subject.clock.advance(BRIEF);
    eventually("the lock falls free", async || {
        cache.put_if_absent("lock", "two", LONG).await.unwrap().then_some(())
    })
    .await;
    assert_eq!(text(cache, "lock").await.as_deref(), Some("two"));
}

pub(crate) async fn of_many_at_once_one_is_first(subject: Subject) {
    let attempts = (0..100).map(|number| {
        let cache = if number % 2 == 0 { subject.one.clone() } else { subject.two.clone() };
        tokio::spawn(async move {
            let first = cache.put_if_absent("nonce", number.to_string(), LONG).await.unwrap();
            first.then_some(number)
        })
    });
    let mut winners = Vec::new();
    for attempt in attempts.collect::<Vec<_>>() {
        winners.extend(attempt.await.unwrap());
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(text(&subject.one, "nonce").await, Some(winners[0].to_string()));
}

pub(crate) async fn counts_without_losing_any(subject: Subject) {
    let attempts = (0..100).map(|number| {
        let cache = if number % 2 == 0 { subject.one.clone() } else { subject.two.clone() };
        tokio::spawn(async move { cache.increment("visits", LONG).await.unwrap() })
    });
    let mut counts = Vec::new();
    for attempt in attempts.collect::<Vec<_>>() {
        counts.push(attempt.await.unwrap());
    }
    counts.sort_unstable();
    assert_eq!(counts, (1..=100).collect::<Vec<u64>>());
    assert_eq!(text(&subject.two, "visits").await.as_deref(), Some("100"));

    for no_counter in ["", "-1", "1.5", "many", "99999999999999999999"] {
        subject.one.put("text", no_counter, LONG).await.unwrap();
        let error = subject.one.increment("text", LONG).await.unwrap_err();
        assert_eq!(error.code(), "cache.not_a_counter", "{no_counter:?}");
        assert_eq!(text(&subject.one, "text").await.as_deref(), Some(no_counter));
    }
}

pub(crate) async fn refuses_what_is_too_long(subject: Subject) {
    let cache = &subject.one;
    let longest = "k".repeat(MAX_KEY_BYTES);
    cache.put(&longest, vec![7; MAX_VALUE_BYTES], LONG).await.unwrap();
    assert_eq!(cache.get(&longest).await.unwrap().unwrap().len(), MAX_VALUE_BYTES);

    for key in [String::new(), "k".repeat(MAX_KEY_BYTES + 1)] {
        let policy = Policy::new("p", 1, LONG);
        let bucket = if key.is_empty() { None } else { cache.take(&key, &policy, 1).await.err() };
        let refusals = [
            cache.get(&key).await.err(),
            cache.put(&key, "x", LONG).await.err(),
            cache.put_if_absent(&key, "x", LONG).await.err(),
            cache.remove(&key).await.err(),
            cache.increment(&key, LONG).await.err(),
            cache.publish(&key, "x").await.err(),
            cache.subscribe(&key).await.err(),
        ];
        for refusal in refusals.into_iter().chain(bucket.map(Some)) {
            let refusal = refusal.expect("the key was taken");
            assert_eq!((refusal.code(), refusal.kind()), ("cache.key_length", FailureKind::Invalid));
        }
    }
    for refusal in [
        cache.put("k", vec![7; MAX_VALUE_BYTES + 1], LONG).await.unwrap_err(),
        cache.put_if_absent("k", vec![7; MAX_VALUE_BYTES + 1], LONG).await.unwrap_err(),
        cache.publish("k", vec![7; MAX_MESSAGE_BYTES + 1]).await.unwrap_err(),
    ] {
        assert_eq!((refusal.code(), refusal.kind()), ("cache.too_large", FailureKind::TooLarge));
    }
}

/// The window is a day, so that no token comes back however slow the machine is.
pub(crate) async fn a_bucket_lets_exactly_its_quota_through(subject: Subject) {
    let takers = (0..200).map(|number| {
        let cache = if number % 2 == 0 { subject.one.clone() } else { subject.two.clone() };
        tokio::spawn(async move {
            let policy = Policy::new("signin", 50, Duration::from_secs(86_400));
            cache.take("203.0.113.7", &policy, 1).await.unwrap()
        })
    });
    let (mut let_through, mut refused) = (Vec::new(), 0);
    for taker in takers.collect::<Vec<_>>() {
        let verdict = taker.await.unwrap();
        assert_eq!(verdict.allowed, verdict.retry_after.is_none());
        if verdict.allowed {
            let_through.push(verdict.remaining);
        } else {
            assert_eq!(verdict.remaining, 0);
            refused += 1;
        }
    }
    let_through.sort_unstable();
    assert_eq!(let_through, (0..50).collect::<Vec<u32>>(), "each taker saw another number of tokens left");
    assert_eq!(refused, 150);
}

pub(crate) async fn buckets_are_kept_apart(subject: Subject) {
    let cache = &subject.one;
    let (reads, writes) = (Policy::new("reads", 1, LONG), Policy::new("writes", 1, LONG));
    assert!(cache.take("ann", &reads, 1).await.unwrap().allowed);
    assert!(!cache.take("ann", &reads, 1).await.unwrap().allowed);
    assert!(cache.take("bob", &reads, 1).await.unwrap().allowed);
    assert!(cache.take("ann", &writes, 1).await.unwrap().allowed);
    assert_eq!(text(cache, "reads:ann").await, None, "a bucket is no value");
}

pub(crate) async fn a_bucket_fills_again(subject: Subject) {
    let cache = &subject.one;
    let policy = Policy::new("brief", 4, Duration::from_millis(800));
    assert_eq!(cache.take("ann", &policy, 4).await.unwrap().remaining, 0);
    subject.clock.advance(Duration::from_millis(200));
    let verdict = eventually("a token comes back", async || {
        let verdict = cache.take("ann", &policy, 1).await.unwrap();
        verdict.allowed.then_some(verdict)
    })
    .await;
    assert!(!verdict.reset_after.is_zero(), "a token was taken: {verdict:?}");
    subject.clock.advance(Duration::from_millis(800));
    eventually("the bucket is full", async || {
        (cache.take("ann", &policy, 0).await.unwrap().reset_after.is_zero()).then_some(())
    })
    .await;
    assert_eq!(cache.take("ann", &policy, 0).await.unwrap().remaining, 4);
}

pub(crate) async fn a_cost_is_taken_whole_or_not_at_all(subject: Subject) {
    let cache = &subject.one;
    let policy = Policy::new("batch", 10, Duration::from_secs(86_400));
    assert_eq!(cache.take("ann", &policy, 7).await.unwrap().remaining, 3);
    let refused = cache.take("ann", &policy, 4).await.unwrap();
    assert_eq!((refused.allowed, refused.remaining), (false, 3));
    assert!(cache.take("ann", &policy, 3).await.unwrap().allowed);
    let error = cache.take("ann", &policy, 11).await.unwrap_err();
    assert!(matches!(error, CacheError::BadPolicy { .. }));
}

pub(crate) async fn the_largest_policy_is_exact(subject: Subject) {
    let cache = &subject.one;
    let policy = Policy::new("largest", MAX_QUOTA, MAX_WINDOW);
    let first = cache.take("ann", &policy, 1).await.unwrap();
    assert_eq!(first.remaining, MAX_QUOTA - 1);
    // One token takes 2678.4 ms to come back: what is told is exact to the millisecond.
    assert_eq!(first.reset_after, Duration::from_millis(2_679));
    let rest = cache.take("ann", &policy, MAX_QUOTA - 1).await.unwrap();
    assert_eq!((rest.allowed, rest.remaining), (true, 0));
    assert!(rest.reset_after > MAX_WINDOW - Duration::from_secs(60) && rest.reset_after <= MAX_WINDOW);
}

pub(crate) async fn announcements_reach_every_listener_in_order(subject: Subject) {
    let Subject { one, two, .. } = &subject;
    let mut listeners = [
        one.subscribe("ended").await.unwrap(),
        one.subscribe("ended").await.unwrap(),
        two.subscribe("ended").await.unwrap(),
    ];
    for number in 0..20 {
        two.publish("ended", number.to_string()).await.unwrap();
    }
    for listener in &mut listeners {
        for number in 0..20 {
            assert_eq!(next(listener).await, message(&number.to_string()));
        }
    }
}

pub(crate) async fn channels_are_kept_apart(subject: Subject) {
    let cache = &subject.one;
    let mut listener = cache.subscribe("a").await.unwrap();
    cache.publish("b", "for b").await.unwrap();
    cache.publish("nobody", "for nobody").await.unwrap();
    cache.put("a", "a value", LONG).await.unwrap();
    cache.publish("a", "for a").await.unwrap();
    assert_eq!(next(&mut listener).await, message("for a"));
}

/// Both engines keep 1,024 deliveries for a listener by default.
pub(crate) async fn a_slow_listener_is_told(subject: Subject) {
    let cache = &subject.one;
    let mut slow = cache.subscribe("busy").await.unwrap();
    let mut quick = cache.subscribe("busy").await.unwrap();
    let mut missed = 0;
    for number in 0..3_000 {
        cache.publish("busy", number.to_string()).await.unwrap();
        assert_eq!(next(&mut quick).await, message(&number.to_string()));
    }
    assert_eq!(next(&mut slow).await, Delivery::Lagged, "a gap comes before what follows it");
    loop {
        match next(&mut slow).await {
            Delivery::Lagged => panic!("one gap is told once"),
            Delivery::Message(text) if text == "2999" => break,
            Delivery::Message(_) => missed += 1,
        }
    }
    assert_eq!(missed, 1_023, "what was kept is delivered");
}

pub(crate) async fn a_channel_ends_with_its_last_listener(subject: Subject) {
    let cache = &subject.one;
    // More channels than may be open at once, one after the other.
    for number in 0..MAX_CHANNELS + 10 {
        let name = format!("channel-{number}");
        let mut listener = cache.subscribe(&name).await.unwrap();
        cache.publish(&name, "x").await.unwrap();
        assert_eq!(next(&mut listener).await, message("x"));
    }
    let mut open = Vec::new();
    for number in 0..MAX_CHANNELS {
        open.push(cache.subscribe(&format!("open-{number}")).await.unwrap());
    }
    let error = cache.subscribe("one too many").await.unwrap_err();
    assert_eq!((error.code(), error.kind()), ("cache.too_many_channels", FailureKind::Unavailable));
    open.pop();
    cache.subscribe("now there is room").await.unwrap();
}
