//! Due work: done when it is due, never lost, one run of a key at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use database::{Away, BoxError, Database, Due, DueItem, Error, Next, WorkOptions, params};
use kernel::Timestamp;
use parking_lot::Mutex;
use serde_json::json;
use testkit::TestDatabase;
use tokio::sync::{Notify, Semaphore, oneshot};

use crate::tables;

async fn schedule(db: &Database, key: &str, number: i64, at: Timestamp) {
    let due = &Due { queue: "mails", key: key.to_owned(), payload: json!({"number": number}), at };
    db.write(|mut tx| async move {
        tx.schedule(due).await?;
        tx.commit(()).await
    })
    .await
    .unwrap_or_else(|error: Error| panic!("{error}"));
}

/// Does all that is due and returns what it was.
async fn work(db: &Database) -> Vec<(String, i64, u32)> {
    work_with(db, |_| Ok(Next::Done)).await
}

async fn work_with(
    db: &Database,
    outcome: impl Fn(&DueItem) -> Result<Next, BoxError>,
) -> Vec<(String, i64, u32)> {
    let seen = Mutex::new(Vec::new());
    let count = db
        .work_once("mails", |item| {
            let next = outcome(&item);
            seen.lock().push((item.key, item.payload["number"].as_i64().unwrap(), item.attempts));
            async { next }
        })
        .await
        .unwrap();
    let seen = seen.into_inner();
    assert_eq!(count, seen.len());
    seen
}

fn item(key: &str, number: i64, attempts: u32) -> (String, i64, u32) {
    (key.to_owned(), number, attempts)
}

/// A process dies after its handler has put the work off for half an hour, and before that is put on record.
async fn die_after_putting_off(db: &Database) {
    schedule(db, "a", 1, db.clock().now()).await;
    let (handle, put_off) = (db.clone(), Arc::new(Notify::new()));
    let tell = put_off.clone();
    let crash = tokio::spawn(async move {
        let (handle, tell) = (&handle, &tell);
        let handler = |_| async move {
            schedule(handle, "a", 2, handle.clock().now().plus(1_800 * SECOND)).await;
            tell.notify_one();
            std::future::pending().await
        };
        handle.work_once("mails", handler).await
    });
    put_off.notified().await;
    crash.abort();
    assert!(crash.await.unwrap_err().is_cancelled());
}

const SECOND: Duration = Duration::from_secs(1);

testkit::on_both_engines! {
    async fn work_is_done_when_it_is_due_and_once(db: TestDatabase) {
        let now = db.clock().now();
        schedule(&db, "late", 1, now.plus(10 * SECOND)).await;
        schedule(&db, "now", 2, now).await;
        schedule(&db, "early", 3, now.minus(SECOND)).await;
        assert_eq!(work(&db).await, [item("early", 3, 1), item("now", 2, 1)]);
        assert_eq!(work(&db).await, []);
        db.clock().advance(10 * SECOND);
        assert_eq!(work(&db).await, [item("late", 1, 1)]);
        assert_eq!(work(&db).await, []);
    }

    async fn scheduling_is_part_of_the_transaction(db: TestDatabase) {
        let now = db.clock().now();
        let due = &Due { queue: "mails", key: "a".into(), payload: json!({"number": 1}), at: now };
        let undone: Result<(), Error> = db
            .write(|mut tx| async move {
                tx.schedule(due).await?;
                tx.rollback(()).await
            })
            .await;
        undone.unwrap();
        assert_eq!(work(&db).await, []);
    }

    async fn the_same_key_replaces_and_can_be_taken_back(db: TestDatabase) {
        let now = db.clock().now();
        schedule(&db, "a", 1, now).await;
        schedule(&db, "a", 2, now.plus(SECOND)).await;
        assert_eq!(work(&db).await, []);
        db.clock().advance(SECOND);
        assert_eq!(work(&db).await, [item("a", 2, 1)]);
        schedule(&db, "a", 3, now).await;
        let taken: Result<(bool, bool), Error> = db
            .write(|mut tx| async move {
                let taken = (tx.unschedule("mails", "a").await?, tx.unschedule("mails", "a").await?);
                tx.commit(taken).await
            })
            .await;
        assert_eq!(taken.unwrap(), (true, false));
        assert_eq!(work(&db).await, []);
    }

    async fn queues_do_not_mix(db: TestDatabase) {
        schedule(&db, "a", 1, db.clock().now()).await;
        assert_eq!(db.work_once("others", |_| async { Ok(Next::Done) }).await.unwrap(), 0);
        assert_eq!(work(&db).await, [item("a", 1, 1)]);
    }

    async fn work_can_be_put_off(db: TestDatabase) {
        let later = db.clock().now().plus(5 * SECOND);
        schedule(&db, "a", 1, db.clock().now()).await;
        assert_eq!(work_with(&db, |_| Ok(Next::At(later))).await, [item("a", 1, 1)]);
        assert_eq!(work(&db).await, []);
        db.clock().advance(5 * SECOND);
        assert_eq!(work(&db).await, [item("a", 1, 1)], "and counts from one again");
    }

    async fn failures_are_tried_again_ever_more_slowly(db: TestDatabase) {
        schedule(&db, "a", 1, db.clock().now()).await;
        let mut pauses = Vec::new();
        for attempt in 1..=12 {
            let mut waited = Duration::ZERO;
            loop {
                let done = work_with(&db, |_| Err("the mail server is away".into())).await;
                if !done.is_empty() {
                    assert_eq!(done, [item("a", 1, attempt)]);
                    break;
                }
                db.clock().advance(SECOND / 4);
                waited += SECOND / 4;
            }
            pauses.push(waited);
        }
        assert_eq!(pauses[0], Duration::ZERO);
        for (doublings, pause) in (0..).zip(&pauses[1..]) {
            let whole = (SECOND * 2_u32.pow(doublings)).min(600 * SECOND);
            assert!(*pause >= whole / 2 && *pause <= whole + SECOND / 4, "{doublings}: {pause:?}");
        }
        let mut reader = db.read().await.unwrap();
        let (error,): (String,) = reader.fetch_one("SELECT last_error FROM platform_due", &[]).await.unwrap();
        assert_eq!(error, "the mail server is away");
    }

    async fn a_crash_loses_nothing(db: TestDatabase) {
        schedule(&db, "a", 1, db.clock().now()).await;
        // A process claims the item and dies: its future is dropped while the handler runs.
        let handle = Database::clone(&db);
        let claimed = Arc::new(Notify::new());
        let tell = claimed.clone();
        let crash = tokio::spawn(async move {
            let tell = &tell;
            handle
                .work_once("mails", |_| async move {
                    tell.notify_one();
                    std::future::pending().await
                })
                .await
        });
        claimed.notified().await;
        crash.abort();
        assert!(crash.await.unwrap_err().is_cancelled());
        let survivor = db.reopen().await;
        assert_eq!(work(&survivor).await, [], "the claim still holds");
        db.clock().advance(31 * SECOND);
        assert_eq!(work(&survivor).await, [item("a", 1, 2)]);
    }

    async fn what_a_crash_left_for_later_can_be_wanted_sooner(db: TestDatabase) {
        die_after_putting_off(&db).await;
        let survivor = db.reopen().await;
        db.clock().advance(31 * SECOND);
        assert_eq!(work(&survivor).await, [], "it was put off for half an hour");
        schedule(&survivor, "a", 3, db.clock().now()).await;
        assert_eq!(work(&survivor).await, [item("a", 3, 1)]);
    }

    async fn what_is_wanted_sooner_waits_no_longer_than_a_dead_claim_holds(db: TestDatabase) {
        die_after_putting_off(&db).await;
        let survivor = db.reopen().await;
        schedule(&survivor, "a", 3, db.clock().now()).await;
        assert_eq!(work(&survivor).await, [], "the claim still holds");
        db.clock().advance(31 * SECOND);
        assert_eq!(work(&survivor).await, [item("a", 3, 1)]);
    }

    async fn work_survives_a_restart(db: TestDatabase) {
        schedule(&db, "a", 1, db.clock().now().plus(SECOND)).await;
        let restarted = db.reopen().await;
        db.clock().advance(SECOND);
        assert_eq!(work(&restarted).await, [item("a", 1, 1)]);
        assert_eq!(work(&db).await, []);
    }

    async fn scheduled_anew_while_it_runs_it_runs_again_afterwards(db: TestDatabase) {
        let now = db.clock().now();
        schedule(&db, "a", 1, now).await;
        let handle = &Database::clone(&db);
        let runs = db
            .work_once("mails", |item| async move {
                if item.payload["number"] == 1 {
                    schedule(handle, "a", 2, now).await;
                    let meanwhile = handle.work_once("mails", |_| async { Ok(Next::Done) }).await?;
                    assert_eq!(meanwhile, 0, "two runs of a key do not overlap");
                }
                Ok(Next::Done)
            })
            .await
            .unwrap();
        assert_eq!(runs, 2);
        assert_eq!(work(&db).await, []);
    }

    async fn done_and_effect_are_one(db: TestDatabase) {
        tables::with_anna(&db).await;
        schedule(&db, "a", 1, db.clock().now()).await;
        let handle = &Database::clone(&db);
        let complete = |item: DueItem| async move {
            let item = &item;
            let mine = handle
                .write(|mut tx| async move {
                    if !tx.complete(item).await? {
                        return tx.rollback(false).await;
                    }
                    tx.execute("UPDATE accounts SET points = points + 1", &[]).await?;
                    tx.commit(true).await
                })
                .await?;
            Ok::<bool, Error>(mine)
        };
        let runs = db
            .work_once("mails", |item| async move {
                assert!(complete(item.clone()).await?);
                assert!(!complete(item).await?, "a lost claim has no effect");
                Ok(Next::Done)
            })
            .await
            .unwrap();
        assert_eq!((runs, tables::points(&db, 1).await), (1, 1));
        assert_eq!(work(&db).await, []);
    }

    async fn the_worker_wakes_bounds_itself_and_stops(db: TestDatabase) {
        let (running, most, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let (stop, stopped) = oneshot::channel::<()>();
        let worker = tokio::spawn({
            let (db, running, most, done) = (Database::clone(&db), running.clone(), most.clone(), done.clone());
            async move {
                // Polling every hour: only being woken makes this test end.
                let options = WorkOptions { concurrency: 3, poll: 3_600 * SECOND, ..WorkOptions::default() };
                let stopped = async { stopped.await.unwrap() };
                db.work("mails", options, stopped, |item| {
                    let (running, most, done) = (running.clone(), most.clone(), done.clone());
                    async move {
                        most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        tokio::task::yield_now().await;
                        running.fetch_sub(1, Ordering::SeqCst);
                        done.add_permits(1);
                        if item.key == "panics" && item.attempts == 1 {
                            panic!("a bug in a handler");
                        }
                        Ok(Next::Done)
                    }
                })
                .await;
            }
        });
        schedule(&db, "panics", 0, db.clock().now()).await;
        for number in 0..20 {
            schedule(&db, &number.to_string(), number, db.clock().now()).await;
        }
        let all = done.acquire_many(21);
        tokio::time::timeout(20 * SECOND, all).await.unwrap().unwrap().forget();
        stop.send(()).unwrap();
        tokio::time::timeout(20 * SECOND, worker).await.unwrap().unwrap();
        assert!((1..=3).contains(&most.load(Ordering::SeqCst)));
        let mut reader = db.read().await.unwrap();
        let left: Vec<(String, String)> =
            reader.fetch_all("SELECT item_key, last_error FROM platform_due", &params![]).await.unwrap();
        assert_eq!(left, [("panics".to_owned(), "the handler panicked".to_owned())]);
    }

    async fn a_queue_whose_need_is_away_rests_as_a_whole(db: TestDatabase) {
        for number in 0..30 {
            schedule(&db, &number.to_string(), number, db.clock().now()).await;
        }
        let (tries, away) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(true)));
        let (stop, stopped) = oneshot::channel::<()>();
        let worker = tokio::spawn({
            let (db, tries, away) = (Database::clone(&db), tries.clone(), away.clone());
            async move {
                let options = WorkOptions { concurrency: 4, ..WorkOptions::default() };
                db.work("mails", options, async { stopped.await.unwrap() }, |_| {
                    tries.fetch_add(1, Ordering::SeqCst);
                    let away = away.load(Ordering::SeqCst);
                    async move {
                        if away { Err(Away("nobody answers".into()).into()) } else { Ok(Next::Done) }
                    }
                })
                .await;
            }
        });
        let left = async || {
            let mut reader = db.read().await.unwrap();
            let (left,): (i64,) = reader.fetch_one("SELECT COUNT(*) FROM platform_due", &[]).await.unwrap();
            left
        };
        let deadline = tokio::time::Instant::now() + 20 * SECOND;
        while tries.load(Ordering::SeqCst) < 6 {
            assert!(tokio::time::Instant::now() < deadline, "what is needed is not tried again");
            tokio::time::sleep(SECOND / 100).await;
        }
        // Four at first; then one after a second, and one after two more.
        assert_eq!((tries.load(Ordering::SeqCst), left().await), (6, 30));
        away.store(false, Ordering::SeqCst);
        while left().await > 0 {
            assert!(tokio::time::Instant::now() < deadline, "what is needed is back and the work is not done");
            tokio::time::sleep(SECOND / 100).await;
        }
        assert_eq!(tries.load(Ordering::SeqCst), 36, "no item waits longer because it was tried in vain");
        stop.send(()).unwrap();
        worker.await.unwrap();
    }

    /// The claim is renewed while the handler is within a transaction: neither may wait for the other.
    async fn a_renewal_does_not_stop_its_handler(db: TestDatabase) {
        const LEASE: Duration = Duration::from_millis(60);
        schedule(&db, "slow", 1, db.clock().now()).await;
        let (done, stop) = (Arc::new(Semaphore::new(0)), Arc::new(Notify::new()));
        let handler = {
            let (db, done) = (Database::clone(&db), done.clone());
            move |_: DueItem| {
                let (db, done) = (db.clone(), done.clone());
                async move {
                    let written = db.write::<_, Error, _, _>(|mut tx| async move {
                        tx.unschedule("mails", "other").await?;
                        tokio::time::sleep(2 * LEASE).await;
                        tx.commit(()).await
                    });
                    written.await?;
                    done.add_permits(1);
                    Ok(Next::Done)
                }
            }
        };
        let options = WorkOptions { lease: LEASE, ..WorkOptions::default() };
        let shutdown = { let stop = stop.clone(); async move { stop.notified().await } };
        let working = db.work("mails", options, shutdown, handler);
        // Less than a transaction may stay open, after which the handler would be undone and done again.
        let finished = async {
            let permit = tokio::time::timeout(4 * SECOND, done.acquire()).await;
            stop.notify_one();
            permit.is_ok()
        };
        assert!(tokio::join!(working, finished).1);
    }

    async fn two_workers_share_the_work(db: TestDatabase) {
        for number in 0..40 {
            schedule(&db, &number.to_string(), number, db.clock().now()).await;
        }
        let other = db.reopen().await;
        let (mine, theirs) = tokio::join!(work(&db), work(&other));
        let mut numbers: Vec<i64> = mine.iter().chain(&theirs).map(|(_, number, _)| *number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..40).collect::<Vec<_>>(), "each once");
    }
}
