//! Transactions: what they promise, and what happens when they are left alone.

use std::sync::Arc;
use std::time::Duration;

use database::{Error, Isolation, params};
use testkit::TestDatabase;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::tables;

testkit::on_both_engines! {
    async fn what_is_committed_stands_for_everybody(db: TestDatabase) {
        tables::with_anna(&db).await;
        let other = db.reopen().await;
        for expected in 1..=20 {
            let returned: i64 = db
                .write(|mut tx| async move {
                    let sql = "UPDATE accounts SET points = points + 1 RETURNING points";
                    let (points,): (i64,) = tx.fetch_one(sql, &[]).await?;
                    tx.commit(points).await
                })
                .await
                .unwrap();
            assert_eq!(returned, expected);
            assert_eq!(tables::points(&other, 1).await, expected, "an answer comes only after the commit");
        }
    }

    async fn a_transaction_sees_itself_and_others_do_not(db: TestDatabase) {
        tables::with_anna(&db).await;
        let db = &db;
        db.write(|mut tx| async move {
            tx.execute("UPDATE accounts SET points = 5", &[]).await?;
            let own: (i64,) = tx.fetch_one("SELECT points FROM accounts", &[]).await?;
            assert_eq!(own, (5,));
            assert_eq!(tables::points(db, 1).await, 0);
            tx.commit(()).await
        })
        .await
        .unwrap();
        assert_eq!(tables::points(db, 1).await, 5);
    }

    async fn rollback_drop_and_error_undo_everything(db: TestDatabase) {
        tables::with_anna(&db).await;
        let change = "UPDATE accounts SET points = 5";
        let kept: Result<&str, Error> = db
            .write(|mut tx| async move {
                tx.execute(change, &[]).await?;
                tx.rollback("decided against it").await
            })
            .await;
        assert_eq!(kept.unwrap(), "decided against it");
        let failed: Result<(), Error> = db
            .write(|mut tx| async move {
                tx.execute(change, &[]).await?;
                Err(Error::NotFound)
            })
            .await;
        assert!(matches!(failed, Err(Error::NotFound)));
        assert_eq!(tables::points(&db, 1).await, 0);
        tables::insert(&db, 2, "bert").await.unwrap();
    }

    async fn a_failed_statement_ends_what_a_transaction_can_do(db: TestDatabase) {
        tables::with_anna(&db).await;
        let caught: Result<(), Error> = db
            .write(|mut tx| async move {
                let sql = "INSERT INTO accounts (id, name, points) VALUES ($1, $2, 0)";
                tx.execute(sql, &params![2, "bert"]).await?;
                assert!(tx.execute(sql, &params![3, "anna"]).await.is_err());
                assert!(matches!(tx.execute(sql, &params![4, "dora"]).await, Err(Error::Aborted)));
                tx.commit(()).await
            })
            .await;
        assert!(matches!(caught, Err(Error::Aborted)), "{caught:?}");
        assert_eq!(tables::count(&db).await, 1);
    }

    async fn a_value_of_the_wrong_type_does_not_end_it(db: TestDatabase) {
        tables::with_anna(&db).await;
        db.write(|mut tx| async move {
            tx.execute("UPDATE accounts SET points = 7", &[]).await?;
            assert!(tx.fetch_one::<(i64,)>("SELECT name FROM accounts", &[]).await.is_err());
            tx.commit(()).await
        })
        .await
        .unwrap();
        assert_eq!(tables::points(&db, 1).await, 7);
    }

    async fn a_panic_in_the_closure_undoes_the_transaction(db: TestDatabase) {
        tables::with_anna(&db).await;
        let handle = database::Database::clone(&db);
        let panicked = tokio::spawn(async move {
            handle
                .write(|mut tx| async move {
                    tx.execute("UPDATE accounts SET points = 5", &[]).await?;
                    assert_eq!(1, 2, "a bug in a handler");
                    tx.commit(()).await
                })
                .await
        })
        .await;
        assert!(panicked.unwrap_err().is_panic());
        tables::insert(&db, 2, "bert").await.unwrap();
        assert_eq!(tables::points(&db, 1).await, 0);
    }

    async fn a_cancelled_task_undoes_its_transaction(db: TestDatabase) {
        tables::with_anna(&db).await;
        let halfway = Arc::new(Notify::new());
        let (handle, reached) = (database::Database::clone(&db), halfway.clone());
        let task = tokio::spawn(async move {
            let reached = &reached;
            handle
                .write(|mut tx| async move {
                    tx.execute("UPDATE accounts SET points = 5", &[]).await?;
                    reached.notify_one();
                    std::future::pending::<()>().await;
                    tx.commit(()).await
                })
                .await
        });
        halfway.notified().await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        // The row's lock is free again, well before any time-out.
        let update = db.write_with(Isolation::ReadCommitted, |mut tx| async move {
            tx.execute("UPDATE accounts SET points = points + 1", &[]).await?;
            tx.commit(()).await
        });
        let updated: Result<(), Error> = tokio::time::timeout(Duration::from_secs(2), update).await.unwrap();
        updated.unwrap();
        assert_eq!(tables::points(&db, 1).await, 1);
    }

    async fn concurrent_read_modify_write_loses_nothing(db: TestDatabase) {
        tables::with_anna(&db).await;
        let mut tasks = JoinSet::new();
        for _ in 0..50 {
            let db = database::Database::clone(&db);
            tasks.spawn(async move {
                db.write(|mut tx| async move {
                    let (points,): (i64,) = tx.fetch_one("SELECT points FROM accounts WHERE id = 1", &[]).await?;
                    tokio::task::yield_now().await;
                    tx.execute("UPDATE accounts SET points = $1 WHERE id = 1", &params![points + 1]).await?;
                    tx.commit(()).await
                })
                .await
            });
        }
        let results: Vec<Result<(), Error>> = tasks.join_all().await;
        for result in results {
            result.unwrap();
        }
        assert_eq!(tables::points(&db, 1).await, 50);
    }

    async fn a_key_is_locked_until_the_end(db: TestDatabase) {
        tables::with_anna(&db).await;
        let mut tasks = JoinSet::new();
        for _ in 0..10 {
            let db = database::Database::clone(&db);
            tasks.spawn(async move {
                db.write_with(Isolation::ReadCommitted, |mut tx| async move {
                    tx.lock_key("points").await?;
                    let (points,): (i64,) = tx.fetch_one("SELECT points FROM accounts WHERE id = 1", &[]).await?;
                    tokio::task::yield_now().await;
                    tx.execute("UPDATE accounts SET points = $1 WHERE id = 1", &params![points + 1]).await?;
                    tx.commit(()).await
                })
                .await
            });
        }
        let results: Vec<Result<(), Error>> = tasks.join_all().await;
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        assert_eq!(tables::points(&db, 1).await, 10);
    }

    async fn locked_rows_are_read_as_last_committed(db: TestDatabase) {
        tables::with_anna(&db).await;
        let mut tasks = JoinSet::new();
        for _ in 0..10 {
            let db = database::Database::clone(&db);
            tasks.spawn(async move {
                db.write_with(Isolation::ReadCommitted, |mut tx| async move {
                    let sql = "SELECT points FROM accounts WHERE id = $1";
                    let rows: Vec<(i64,)> = tx.fetch_all_locked(sql, &params![1]).await?;
                    tokio::task::yield_now().await;
                    tx.execute("UPDATE accounts SET points = $1", &params![rows[0].0 + 1]).await?;
                    tx.commit(()).await
                })
                .await
            });
        }
        let results: Vec<Result<(), Error>> = tasks.join_all().await;
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        assert_eq!(tables::points(&db, 1).await, 10);
    }
}
