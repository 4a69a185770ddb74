use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::routing::get as on_get;
use axum::{Json, Router};
use cache::Cache;
use contracts::identity::{Client, REVOCATIONS_CHANNEL, Revocation};
use kernel::{Clock, SessionId, Timestamp};
use parking_lot::Mutex;
use web::auth::Revocations;
use web::channel;

use crate::support::clock;

#[derive(Clone, Default)]
struct Identity {
    list: Arc<Mutex<Vec<Revocation>>>,
    reads: Arc<AtomicU32>,
}

impl Identity {
    fn client(&self) -> Client {
        let identity = self.clone();
        let list = async move || {
            identity.reads.fetch_add(1, Ordering::SeqCst);
            Json(identity.list.lock().clone())
        };
        let router = Router::new().route("/internal/identity/revocations", on_get(list));
        Client::new(channel::local("gateway", "identity", router))
    }
}

fn session(number: u128) -> SessionId {
    SessionId::from_uuid(uuid::Uuid::from_u128(number))
}

fn ended(number: u128, clock: &Clock) -> Revocation {
    let now = clock.now();
    let until = now.plus(Duration::from_secs(300));
    Revocation { session_id: session(number), not_issued_before: now, until }
}

fn refused(revocations: &Revocations, number: u128) -> bool {
    revocations.refuse(session(number), Timestamp::EPOCH)
}

/// Lets other tasks run until `holds`; time stands still unless all of them wait for it.
async fn until(holds: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if holds() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never came to hold");
}

struct Following {
    identity: Identity,
    cache: Cache,
    clock: Clock,
    revocations: Revocations,
    task: tokio::task::JoinHandle<()>,
    stop: Arc<tokio::sync::Notify>,
}

fn follow() -> Following {
    let (identity, clock) = (Identity::default(), clock());
    let cache = Cache::memory(Default::default(), clock.clone());
    let revocations = Revocations::new(clock.clone());
    let stop = Arc::new(tokio::sync::Notify::new());
    let task = tokio::spawn({
        let (revocations, client, cache, stop) =
            (revocations.clone(), identity.client(), cache.clone(), Arc::clone(&stop));
        async move { revocations.follow(client, cache, stop.notified()).await }
    });
    Following { identity, cache, clock, revocations, task, stop }
}

#[tokio::test(start_paused = true)]
async fn the_list_is_read_at_the_start() {
    let shop = follow();
    shop.identity.list.lock().push(ended(1, &shop.clock));
    assert_eq!(shop.revocations.age(), None);
    until(|| shop.revocations.age().is_some()).await;
    assert!(refused(&shop.revocations, 1));
    assert!(!refused(&shop.revocations, 2));
    shop.stop.notify_one();
    shop.task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_announcement_is_heard_at_once() {
    let shop = follow();
    until(|| shop.revocations.age().is_some()).await;
    let began = tokio::time::Instant::now();
    let announcement = serde_json::to_vec(&ended(1, &shop.clock)).unwrap();
    shop.cache.publish(REVOCATIONS_CHANNEL, announcement).await.unwrap();
    until(|| refused(&shop.revocations, 1)).await;
    assert_eq!(began.elapsed(), Duration::ZERO, "without waiting for the next look at the list");
    shop.task.abort();
}

#[tokio::test(start_paused = true)]
async fn a_missed_announcement_is_made_up_for_within_a_second() {
    let shop = follow();
    until(|| shop.revocations.age().is_some()).await;
    let reads = shop.identity.reads.load(Ordering::SeqCst);
    shop.cache.publish(REVOCATIONS_CHANNEL, "nonsense").await.unwrap();
    shop.identity.list.lock().push(ended(1, &shop.clock));
    tokio::time::advance(Duration::from_secs(1)).await;
    until(|| refused(&shop.revocations, 1)).await;
    assert_eq!(shop.identity.reads.load(Ordering::SeqCst), reads + 1);
    shop.task.abort();
}

#[tokio::test]
async fn an_entry_leaves_when_no_token_of_it_can_be_unexpired() {
    let (identity, clock) = (Identity::default(), clock());
    let revocations = Revocations::new(clock.clone());
    identity.list.lock().push(ended(1, &clock));
    revocations.resync(&identity.client()).await;
    assert_eq!(revocations.len(), 1);
    clock.advance(Duration::from_secs(299));
    revocations.resync(&identity.client()).await;
    assert!(refused(&revocations, 1));
    clock.advance(Duration::from_secs(1));
    revocations.resync(&identity.client()).await;
    assert!(revocations.is_empty());
    assert_eq!(revocations.age(), Some(Duration::ZERO));
}

#[tokio::test]
async fn told_twice_the_later_moment_counts() {
    let clock = clock();
    let revocations = Revocations::new(clock.clone());
    let early = ended(1, &clock);
    clock.advance(Duration::from_secs(10));
    let late = ended(1, &clock);
    revocations.add([late]);
    revocations.add([early]);
    assert!(revocations.refuse(session(1), early.not_issued_before));
    assert!(!revocations.refuse(session(1), late.not_issued_before));
}
