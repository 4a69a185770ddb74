//! Idempotency keys under repetition and races.

use std::time::Duration;

use database::idempotency::{self, Begin, StoredResponse, WORKING_FOR};
use database::{Database, Error};
use testkit::TestDatabase;
use tokio::task::JoinSet;

use crate::tables;

const KEEP: Duration = Duration::from_secs(24 * 3_600);

async fn begin(db: &Database, key: &str, fingerprint: &[u8]) -> Begin {
    let now = db.clock().now();
    let begun: Result<Begin, Error> = db
        .write(|mut tx| async move {
            let begun = idempotency::begin(&mut tx, "anna", key, fingerprint, now, KEEP).await?;
            tx.commit(begun).await
        })
        .await;
    begun.unwrap()
}

fn response() -> StoredResponse {
    StoredResponse {
        status: 201,
        headers: vec![("location".into(), "/orders/1".into())],
        body: b"{\"ok\":true}\xff".to_vec(),
    }
}

async fn finish(db: &Database, key: &str, response: &StoredResponse) {
    let finished: Result<(), Error> = db
        .write(|mut tx| async move {
            idempotency::finish(&mut tx, "anna", key, response).await?;
            tx.commit(()).await
        })
        .await;
    finished.unwrap();
}

testkit::on_both_engines! {
    async fn the_first_answer_is_given_again(db: TestDatabase) {
        assert_eq!(begin(&db, "k", b"body").await, Begin::New);
        assert_eq!(begin(&db, "k", b"body").await, Begin::InFlight);
        assert_eq!(begin(&db, "k", b"other").await, Begin::Mismatch);
        finish(&db, "k", &response()).await;
        finish(&db, "k", &StoredResponse { status: 500, ..response() }).await;
        assert_eq!(begin(&db, "k", b"body").await, Begin::Replay(response()), "the first response stays");
        assert_eq!(begin(&db, "k", b"other").await, Begin::Mismatch);
        assert_eq!(begin(&db, "other", b"body").await, Begin::New);
    }

    async fn callers_do_not_share_keys(db: TestDatabase) {
        assert_eq!(begin(&db, "k", b"body").await, Begin::New);
        let now = db.clock().now();
        let other: Result<Begin, Error> = db
            .write(|mut tx| async move {
                let begun = idempotency::begin(&mut tx, "bert", "k", b"body", now, KEEP).await?;
                tx.commit(begun).await
            })
            .await;
        assert_eq!(other.unwrap(), Begin::New);
    }

    async fn what_failed_or_died_may_start_over(db: TestDatabase) {
        assert_eq!(begin(&db, "failed", b"body").await, Begin::New);
        let abandoned: Result<(), Error> = db
            .write(|mut tx| async move {
                idempotency::abandon(&mut tx, "anna", "failed").await?;
                tx.commit(()).await
            })
            .await;
        abandoned.unwrap();
        assert_eq!(begin(&db, "failed", b"body").await, Begin::New);

        assert_eq!(begin(&db, "died", b"body").await, Begin::New);
        db.clock().advance(WORKING_FOR);
        assert_eq!(begin(&db, "died", b"body").await, Begin::New);
        assert_eq!(begin(&db, "died", b"body").await, Begin::InFlight);
    }

    async fn keys_expire(db: TestDatabase) {
        assert_eq!(begin(&db, "k", b"body").await, Begin::New);
        finish(&db, "k", &response()).await;
        db.clock().advance(KEEP);
        let now = db.clock().now();
        assert_eq!(begin(&db, "another", b"body").await, Begin::New);
        let trimmed: Result<u64, Error> = db
            .write(|mut tx| async move {
                let trimmed = idempotency::trim(&mut tx, now, 100).await?;
                tx.commit(trimmed).await
            })
            .await;
        assert_eq!(trimmed.unwrap(), 1);
        assert_eq!(begin(&db, "k", b"other").await, Begin::New);
    }

    async fn the_answers_of_an_erased_caller_go(db: TestDatabase) {
        for key in ["k", "l"] {
            assert_eq!(begin(&db, key, b"body").await, Begin::New);
            finish(&db, key, &response()).await;
        }
        let forgotten = async |caller: &'static str| {
            let forgotten: Result<u64, Error> = db
                .write(|mut tx| async move {
                    let forgotten = idempotency::forget(&mut tx, caller).await?;
                    tx.commit(forgotten).await
                })
                .await;
            forgotten.unwrap()
        };
        assert_eq!(forgotten("bert").await, 0);
        assert_eq!(forgotten("anna").await, 2);
        assert_eq!(begin(&db, "k", b"other").await, Begin::New);
    }

    async fn of_many_repetitions_at_once_one_does_the_work(db: TestDatabase) {
        tables::with_anna(&db).await;
        let mut requests = JoinSet::new();
        for _ in 0..16 {
            let db = Database::clone(&db);
            requests.spawn(async move {
                let begun = begin(&db, "k", b"body").await;
                if begun == Begin::New {
                    let answer = &response();
                    let worked: Result<(), Error> = db
                        .write(|mut tx| async move {
                            tx.execute("UPDATE accounts SET points = points + 1", &[]).await?;
                            idempotency::finish(&mut tx, "anna", "k", answer).await?;
                            tx.commit(()).await
                        })
                        .await;
                    worked.unwrap();
                }
                begun
            });
        }
        let begun = requests.join_all().await;
        assert_eq!(begun.iter().filter(|begun| **begun == Begin::New).count(), 1);
        assert!(!begun.contains(&Begin::Mismatch));
        assert_eq!(tables::points(&db, 1).await, 1);
        assert_eq!(begin(&db, "k", b"body").await, Begin::Replay(response()));
    }
}
