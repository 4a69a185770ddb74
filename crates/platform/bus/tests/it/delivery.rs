use std::sync::atomic::Ordering;
use std::time::Duration;

use bus::BusConfig;
use testkit::database::Engine;
use testkit::engines::{Nats, Postgres};
use testkit::proxy::Proxy;

use crate::reactions::Noting;
use crate::setup::{World, delivery, over_nats, over_nats_at};

/// Runs one test body over every way of carrying events.
async fn everywhere(body: impl AsyncFn(&mut World)) {
    let nats = Nats::start().await;
    for (engine, prefix) in [(Engine::Sqlite, "lite"), (Engine::Postgres, "full")] {
        for config in [BusConfig::Embedded { delivery: delivery() }, over_nats(&nats, prefix)] {
            let mut world = World::new(engine, config).await;
            body(&mut world).await;
            world.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_a_key_arrive_in_order_and_once() {
    everywhere(async |world| {
        let labels: Vec<String> = (0..40).map(|n| n.to_string()).collect();
        for label in &labels[..20] {
            world.emit(1, label).await;
            world.emit(2, label).await;
        }
        // The reaction begins later than the writing: nothing may be missed.
        world.start(&[Noting::new("orders.noting")]).await;
        for label in &labels[20..] {
            world.emit(1, label).await;
        }
        let all: Vec<&str> = labels.iter().map(String::as_str).collect();
        world.expect("orders.noting", 1, &all).await;
        world.expect("orders.noting", 2, &all[..20]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_event_holds_up_its_own_key_only() {
    everywhere(async |world| {
        let (noting, other) = (Noting::new("orders.noting"), Noting::new("orders.other"));
        noting.fail("b", 2);
        for label in ["a", "b", "c"] {
            world.emit(1, label).await;
            world.emit(2, &label.to_uppercase()).await;
        }
        world.start(&[noting, other]).await;
        world.expect("orders.noting", 2, &["A", "B", "C"]).await;
        world.expect("orders.other", 1, &["a", "b", "c"]).await;
        world.expect("orders.noting", 1, &["a", "b", "c"]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_for_good_is_a_dead_letter_that_can_be_replayed() {
    everywhere(async |world| {
        let noting = Noting::new("orders.noting");
        noting.fail("b", u32::MAX);
        for label in ["a", "b", "c", "panic", "d"] {
            world.emit(1, label).await;
        }
        world.start(std::slice::from_ref(&noting)).await;
        world.expect("orders.noting", 1, &["a", "c", "d"]).await;

        let mut dead = bus::dead_letters(&world.target, None, 10).await.unwrap();
        let last = dead.last().unwrap().event.id;
        // The clock stands still, so that ids alone do not tell which of the two is older.
        dead.sort_by(|a, b| b.last_error.cmp(&a.last_error));
        let errors: Vec<&str> = dead.iter().map(|letter| letter.last_error.as_str()).collect();
        assert_eq!(errors, ["told to fail", "the reaction panicked"]);
        assert_eq!(dead[0].attempts, 4);
        assert_eq!(dead[0].consumer, "orders.noting");

        let id = dead[0].event.id;
        noting.fail("b", 0);
        assert!(bus::replay(&world.target, "orders.noting", id).await.unwrap());
        world.expect("orders.noting", 1, &["a", "c", "d", "b"]).await;
        assert!(!bus::replay(&world.target, "orders.noting", id).await.unwrap());
        assert_eq!(bus::dead_letters(&world.target, None, 10).await.unwrap().len(), 1);
        assert!(bus::dead_letters(&world.target, Some(last), 10).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_always_fails_does_not_hold_up_another() {
    everywhere(async |world| {
        let (broken, sound) = (Noting::new("orders.broken"), Noting::new("orders.sound"));
        broken.broken.store(true, Ordering::SeqCst);
        world.start(&[broken, sound]).await;
        for label in ["a", "b", "c"] {
            world.emit(1, label).await;
        }
        world.expect("orders.sound", 1, &["a", "b", "c"]).await;
        assert!(world.noted("orders.broken", 1).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_and_crashes_repeat_nothing_and_lose_nothing() {
    everywhere(async |world| {
        let labels: Vec<String> = (0..60).map(|n| n.to_string()).collect();
        let noting = Noting::new("orders.noting");
        world.start(std::slice::from_ref(&noting)).await;
        world.start(std::slice::from_ref(&noting)).await;
        for label in &labels[..30] {
            world.emit(1, label).await;
        }
        world.kill();
        world.start(std::slice::from_ref(&noting)).await;
        for label in &labels[30..] {
            world.emit(1, label).await;
        }
        let all: Vec<&str> = labels.iter().map(String::as_str).collect();
        world.expect("orders.noting", 1, &all).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_may_go_away_and_come_back() {
    let nats = Nats::start().await;
    let mut world = World::new(Engine::Sqlite, over_nats(&nats, "away")).await;
    world.start(&[Noting::new("orders.noting")]).await;
    world.emit(1, "before").await;
    world.expect("orders.noting", 1, &["before"]).await;

    nats.stop().await;
    world.emit(1, "while away").await;
    nats.start_again().await;
    world.emit(1, "after").await;
    tokio::time::timeout(
        Duration::from_secs(25),
        world.expect("orders.noting", 1, &["before", "while away", "after"]),
    )
    .await
    .unwrap();
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_may_lose_everything() {
    let nats = Nats::start().await;
    let mut world = World::new(Engine::Sqlite, over_nats(&nats, "lost")).await;
    world.start(&[Noting::new("orders.noting")]).await;
    for label in ["a", "b", "c"] {
        world.emit(1, label).await;
    }
    world.expect("orders.noting", 1, &["a", "b", "c"]).await;

    nats.kill().await;
    world.emit(1, "d").await;
    nats.start_empty().await;
    world.emit(1, "e").await;
    // The stream begins anew, with what the outbox has: nothing is missed, and nothing done twice.
    world.expect("orders.noting", 1, &["a", "b", "c", "d", "e"]).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_to_nats_that_falls_silent_is_given_up() {
    let nats = Nats::start().await;
    let proxy = Proxy::start(nats.url().trim_start_matches("nats://").to_owned()).await;
    let config = over_nats_at(format!("nats://{}", proxy.address()), "silent");
    let mut world = World::new(Engine::Sqlite, config).await;
    world.start(&[Noting::new("orders.noting")]).await;
    world.emit(1, "before").await;
    world.expect("orders.noting", 1, &["before"]).await;

    // Whatever was asked just now is never answered.
    proxy.silence();
    world.emit(1, "after").await;
    let found = world.expect("orders.noting", 1, &["before", "after"]);
    tokio::time::timeout(Duration::from_secs(15), found).await.unwrap();
    world.stop().await;
}

/// The lease of the copy that lost its database does not keep that very copy from going on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failure_of_the_database_events_go_on_at_once() {
    let postgres = Postgres::start().await;
    let config = BusConfig::Embedded { delivery: delivery() };
    let mut world = World::on_server(&postgres, config).await;
    world.start(&[Noting::new("orders.noting")]).await;
    world.emit(1, "before").await;
    world.expect("orders.noting", 1, &["before"]).await;
    // Long enough for the pauses between its attempts to have grown.
    for _ in 0..2 {
        postgres.kill().await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        postgres.start_again().await;
    }
    let deadline = tokio::time::Instant::now() + Duration::from_secs(8);
    while world.source.read().await.is_err() || world.target.read_primary().await.is_err() {
        assert!(tokio::time::Instant::now() < deadline, "the database is back and not found");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.emit(1, "after").await;
    // The clock of the test stands still, so a lease that had to run out never would.
    while world.noted("orders.noting", 1).await != ["before", "after"] {
        assert!(tokio::time::Instant::now() < deadline, "nobody goes on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.stop().await;
}
