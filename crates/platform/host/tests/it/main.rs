//! Workers as whoever supervises them sees them.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use contracts::{Channel, ChannelError};
use database::{Database, DatabaseConfig, Due, Next, WorkOptions};
use host::{Channels, Shutdown, StartError, Worker};
use kernel::{Clock, Rng, Timestamp};
use tokio::sync::Notify;

#[tokio::test]
async fn due_work_is_done_until_shutdown() {
    let data = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Timestamp::from_seconds(1_780_000_000));
    let database =
        Database::open(&DatabaseConfig::default(), "orders", data.path(), clock.clone(), Rng::seeded(1))
            .await
            .unwrap();
    let (done, count) = (Arc::new(Notify::new()), Arc::new(AtomicU32::new(0)));
    let handler = {
        let (done, count) = (Arc::clone(&done), Arc::clone(&count));
        move |item: database::DueItem| {
            let (done, count) = (Arc::clone(&done), Arc::clone(&count));
            async move {
                assert_eq!(item.key, "chk_1");
                count.fetch_add(1, Ordering::SeqCst);
                done.notify_one();
                Ok(Next::Done)
            }
        }
    };
    let worker = Worker::due(&database, "orders.checkout", WorkOptions::default(), handler);
    assert_eq!(worker.name, "orders.checkout");

    // Run twice, as after a panic: nothing of the first run is needed by the second.
    for round in 1..=2 {
        let shutdown = Shutdown::new();
        let running = tokio::spawn(worker.run(shutdown.clone()));
        let at = clock.now();
        database
            .write(|mut tx| async move {
                let due = Due {
                    queue: "orders.checkout",
                    key: "chk_1".to_owned(),
                    payload: serde_json::Value::Null,
                    at,
                };
                tx.schedule(&due).await?;
                tx.commit(()).await
            })
            .await
            .unwrap();
        done.notified().await;
        assert!(!shutdown.is_set());
        shutdown.set();
        running.await.unwrap();
        assert_eq!(count.load(Ordering::SeqCst), round);
    }
}

#[tokio::test]
async fn shutdown_is_one_signal_for_all() {
    let shutdown = Shutdown::new();
    let waiting = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { shutdown.wait().await }
    });
    shutdown.token().cancel();
    waiting.await.unwrap();
    assert!(shutdown.is_set());
    shutdown.wait().await;
}

#[tokio::test]
async fn each_channel_leads_to_the_service_of_its_name() {
    let channels = Channels::open(|service| {
        Ok::<_, std::convert::Infallible>(Channel::new(tower::service_fn(move |_| async move {
            Err(ChannelError::Unreachable { service: service.to_owned() })
        })))
    })
    .unwrap();
    let Channels { identity, customers, catalog, orders, payments, analytics, sync, feedback } = channels;
    let all = [
        (identity, "identity"),
        (customers, "customers"),
        (catalog, "catalog"),
        (orders, "orders"),
        (payments, "payments"),
        (analytics, "analytics"),
        (sync, "sync"),
        (feedback, "feedback"),
    ];
    for (channel, name) in all {
        let error = channel.send(http::Request::new(bytes::Bytes::new())).await.unwrap_err();
        assert!(matches!(error, ChannelError::Unreachable { service } if service == name));
    }
}

#[test]
fn why_a_service_cannot_start_keeps_its_cause() {
    let failed: Result<(), _> = Err(std::io::Error::other("the disk is full"));
    let error = failed.map_err(StartError::because("its tables cannot be made")).unwrap_err();
    assert_eq!(error.to_string(), "its tables cannot be made");
    assert_eq!(error.source().unwrap().to_string(), "the disk is full");
}
