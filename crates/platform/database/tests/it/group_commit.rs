//! SQLite's one writer: groups share a commit, and nobody's misfortune becomes another's.

use std::sync::Arc;
use std::time::Duration;

use database::{Database, DatabaseConfig, EmbeddedConfig, Error, params};
use kernel::Fail as _;
use testkit::TestDatabase;
use testkit::database::Engine;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;

use crate::tables;

async fn database(limits: EmbeddedConfig) -> TestDatabase {
    let db = TestDatabase::with(DatabaseConfig::Embedded(limits), "tested").await;
    tables::with_anna(&db).await;
    db
}

/// A slow query: some seconds of counting.
const ENDLESS: &str = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers) \
                       SELECT COUNT(*) FROM numbers WHERE n < 0";

/// Opens a transaction in a task of its own and keeps it open until it is told to end.
struct Holder {
    end: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<Result<(), Error>>,
}

impl Holder {
    async fn start(db: &Database, sql: &'static str) -> Self {
        let (end, ended) = oneshot::channel();
        let (db, holds) = (db.clone(), Arc::new(Notify::new()));
        let (tell, ended) = (holds.clone(), Arc::new(tokio::sync::Mutex::new(Some(ended))));
        let task = tokio::spawn(async move {
            db.write(|mut tx| {
                let (tell, ended) = (tell.clone(), ended.clone());
                async move {
                    tx.execute(sql, &[]).await?;
                    tell.notify_one();
                    if let Some(ended) = ended.lock().await.take() {
                        let _ = ended.await;
                    }
                    tx.commit(()).await
                }
            })
            .await
        });
        holds.notified().await;
        Self { end, task }
    }

    async fn finish(self) -> Result<(), Error> {
        self.end.send(()).unwrap();
        self.task.await.unwrap()
    }
}

fn inserts(db: &Database, ids: std::ops::Range<i64>) -> JoinSet<Result<(), Error>> {
    let mut tasks = JoinSet::new();
    for id in ids {
        let db = db.clone();
        tasks.spawn(async move { tables::insert(&db, id, &format!("account {id}")).await });
    }
    tasks
}

#[tokio::test]
async fn waiting_transactions_share_a_commit() {
    let db =
        database(EmbeddedConfig { group_max: 16, group_max_wait_ms: 1_000, ..EmbeddedConfig::default() })
            .await;
    let holder = Holder::start(&db, "UPDATE accounts SET points = 1").await;
    let before = db.stats();
    let tasks = inserts(&db, 10..74);
    until_queued().await;
    holder.finish().await.unwrap();
    assert!(tasks.join_all().await.iter().all(Result::is_ok));
    let (commits, transactions) =
        (db.stats().commits - before.commits, db.stats().transactions - before.transactions);
    assert_eq!(transactions, 65);
    // The holder and 64 others in groups of 16 at most.
    assert!((5..=8).contains(&commits), "{commits} commits");
    assert_eq!(tables::count(&db.reopen().await).await, 65);
}

/// On the test's one thread, those who were spawned before have asked for the writer once this is over.
async fn until_queued() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_lone_transaction_commits_at_once() {
    let db = database(EmbeddedConfig::default()).await;
    let before = db.stats().commits;
    tables::insert(&db, 2, "bert").await.unwrap();
    assert_eq!(db.stats().commits - before, 1);
}

#[tokio::test]
async fn another_process_sees_what_was_answered_and_nothing_else() {
    let db = database(EmbeddedConfig::default()).await;
    let outside = rusqlite::Connection::open(db.folder().join("tested.db")).unwrap();
    let count =
        || outside.query_row("SELECT COUNT(*) FROM accounts", [], |row| row.get::<_, i64>(0)).unwrap();
    let holder = Holder::start(&db, "INSERT INTO accounts (id, name, points) VALUES (2, 'bert', 0)").await;
    assert_eq!(count(), 1);
    holder.finish().await.unwrap();
    assert_eq!(count(), 2);
}

#[tokio::test]
async fn the_failure_of_one_member_does_not_touch_the_others() {
    let db = database(EmbeddedConfig { group_max_wait_ms: 1_000, ..EmbeddedConfig::default() }).await;
    let holder = Holder::start(&db, "UPDATE accounts SET points = 1").await;
    let before = db.stats().commits;
    let good = inserts(&db, 10..20);
    let handle = Database::clone(&db);
    let unlucky = tokio::spawn(async move { tables::insert(&handle, 50, "anna").await });
    let handle = Database::clone(&db);
    let panicking = tokio::spawn(async move {
        handle
            .write(|mut tx| async move {
                tx.execute("DELETE FROM accounts", &[]).await?;
                assert_eq!(1, 2, "a bug");
                tx.commit(()).await
            })
            .await
    });
    let more = inserts(&db, 20..30);
    until_queued().await;
    holder.finish().await.unwrap();
    assert!(good.join_all().await.iter().chain(more.join_all().await.iter()).all(Result::is_ok));
    assert_eq!(unlucky.await.unwrap().unwrap_err().is_unique_violation(), Some("accounts_name_key"));
    assert!(panicking.await.unwrap_err().is_panic());
    assert_eq!(tables::count(&db).await, 21);
    assert!(db.stats().commits - before <= 2, "they were one group");
}

#[tokio::test]
async fn cancelled_waiters_and_holders_strand_nobody() {
    let db = database(EmbeddedConfig { group_max_wait_ms: 1_000, ..EmbeddedConfig::default() }).await;
    let holder = Holder::start(&db, "UPDATE accounts SET points = 1").await;
    let mut leaving = inserts(&db, 10..20);
    let staying = inserts(&db, 20..30);
    until_queued().await;
    // Some leave the queue while they wait, and the holder is cancelled in the middle of its work.
    leaving.shutdown().await;
    holder.task.abort();
    assert!(staying.join_all().await.iter().all(Result::is_ok));
    assert_eq!(tables::count(&db).await, 11);
    assert_eq!(tables::points(&db, 1).await, 0);
    tables::insert(&db, 99, "afterwards").await.unwrap();
}

/// Tasks are cancelled at every step of their way, again and again; what was answered stands, nothing hangs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancellation_at_any_moment_is_survived() {
    let db = database(EmbeddedConfig::default()).await;
    let rng = kernel::Rng::seeded(11);
    let mut confirmed = 0;
    for round in 0..60 {
        let mut tasks = inserts(&db, 1_000 + round * 10..1_000 + round * 10 + 10);
        let patience = Duration::from_micros(rng.below(3_000));
        let _ = tokio::time::timeout(patience, async {
            while let Some(result) = tasks.join_next().await {
                result.unwrap().unwrap();
                confirmed += 1;
            }
        })
        .await;
        tasks.abort_all();
        while let Some(result) = tasks.join_next().await {
            confirmed += i64::from(matches!(result, Ok(Ok(()))));
        }
    }
    tables::insert(&db, 2, "afterwards").await.unwrap();
    let count = tables::count(&db.reopen().await).await;
    assert!(count >= confirmed + 2, "{count} rows, {confirmed} confirmed");
}

#[tokio::test]
async fn the_queue_has_an_end() {
    let db = database(EmbeddedConfig { writer_queue: 4, ..EmbeddedConfig::default() }).await;
    let holder = Holder::start(&db, "UPDATE accounts SET points = 1").await;
    let waiting = inserts(&db, 10..14);
    until_queued().await;
    let refused = tables::insert(&db, 20, "one too many").await.unwrap_err();
    assert!(matches!(refused, Error::Overloaded), "{refused:?}");
    assert_eq!((refused.code(), refused.kind().status()), ("database.overloaded", 503));
    // Those who leave make room.
    drop(waiting);
    until_queued().await;
    let late = inserts(&db, 30..32);
    until_queued().await;
    holder.finish().await.unwrap();
    assert!(late.join_all().await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn waiting_has_an_end() {
    let db = database(EmbeddedConfig { queue_timeout_ms: 50, ..EmbeddedConfig::default() }).await;
    let holder = Holder::start(&db, "UPDATE accounts SET points = 1").await;
    assert!(matches!(tables::insert(&db, 2, "bert").await, Err(Error::Overloaded)));
    holder.finish().await.unwrap();
    tables::insert(&db, 2, "bert").await.unwrap();
}

#[tokio::test]
async fn a_transaction_that_stays_open_is_rolled_back() {
    let db = database(EmbeddedConfig { tx_timeout_ms: 50, ..EmbeddedConfig::default() }).await;
    let holder = Holder::start(&db, "UPDATE accounts SET points = 1").await;
    // Whoever waits takes the connection from the one who does not give it back.
    tables::insert(&db, 2, "bert").await.unwrap();
    assert!(matches!(holder.finish().await, Err(Error::TransactionTimeout)));
    assert_eq!(tables::points(&db, 1).await, 0);
}

#[tokio::test]
async fn a_nested_write_cannot_deadlock_for_ever() {
    let db = database(EmbeddedConfig { tx_timeout_ms: 50, ..EmbeddedConfig::default() }).await;
    let handle = &Database::clone(&db);
    let outer: Result<(), Error> = db
        .write(|mut tx| async move {
            tables::insert(handle, 2, "bert").await?;
            tx.execute("UPDATE accounts SET points = 9", &[]).await?;
            tx.commit(()).await
        })
        .await;
    assert!(matches!(outer, Err(Error::TransactionTimeout)), "{outer:?}");
    assert_eq!(tables::points(&db, 1).await, 0);
}

#[tokio::test]
async fn runaway_statements_are_interrupted() {
    let db = database(EmbeddedConfig { statement_timeout_ms: 50, ..EmbeddedConfig::default() }).await;
    let mut reader = db.read().await.unwrap();
    let read = reader.fetch_one::<(i64,)>(ENDLESS, &[]).await;
    assert!(matches!(read, Err(Error::StatementTimeout)), "{read:?}");
    assert_eq!(reader.fetch_one::<(i64,)>("SELECT 1", &[]).await.unwrap(), (1,), "the reader goes on");
    let written: Result<(), Error> = db
        .write(|mut tx| async move {
            tx.fetch_one::<(i64,)>(ENDLESS, &[]).await?;
            tx.commit(()).await
        })
        .await;
    assert!(matches!(written, Err(Error::StatementTimeout)), "{written:?}");
    tables::insert(&db, 2, "bert").await.unwrap();
}

/// An interrupted change makes SQLite undo the whole transaction, which holds the others of the group.
#[tokio::test]
async fn members_of_a_lost_group_run_again() {
    let limits =
        EmbeddedConfig { statement_timeout_ms: 50, group_max_wait_ms: 1_000, ..EmbeddedConfig::default() };
    let db = database(limits).await;
    let holder = Holder::start(&db, "UPDATE accounts SET points = 1").await;
    let before = inserts(&db, 10..15);
    until_queued().await;
    let handle = Database::clone(&db);
    let runaway = tokio::spawn(async move {
        handle
            .write(|mut tx| async move {
                let sql = format!("UPDATE accounts SET points = ({ENDLESS})");
                tx.execute(&sql, &[]).await?;
                tx.commit(()).await
            })
            .await
    });
    until_queued().await;
    let after = inserts(&db, 20..25);
    until_queued().await;
    holder.finish().await.unwrap();
    let failed: Result<(), Error> = runaway.await.unwrap();
    assert!(matches!(failed, Err(Error::StatementTimeout)), "{failed:?}");
    assert!(before.join_all().await.iter().chain(after.join_all().await.iter()).all(Result::is_ok));
    assert_eq!(tables::count(&db).await, 11);
    assert_eq!(tables::points(&db, 1).await, 1);
}

/// A deferred constraint is the one thing that makes SQLite refuse a commit as such.
#[tokio::test]
async fn a_failed_commit_fails_everybody_in_the_group() {
    let db = database(EmbeddedConfig { group_max_wait_ms: 1_000, ..EmbeddedConfig::default() }).await;
    db.write(|mut tx| async move {
        let sql =
            "CREATE TABLE late (id INTEGER REFERENCES accounts (id) DEFERRABLE INITIALLY DEFERRED) STRICT";
        tx.execute(sql, &[]).await?;
        tx.commit(()).await
    })
    .await
    .unwrap();
    let holder = Holder::start(&db, "INSERT INTO late (id) VALUES (77)").await;
    let others = inserts(&db, 10..13);
    until_queued().await;
    assert!(holder.finish().await.is_err());
    assert!(others.join_all().await.iter().all(Result::is_err));
    assert_eq!(tables::count(&db.reopen().await).await, 1, "and nothing of it stands");
    tables::insert(&db, 2, "bert").await.unwrap();
}

/// The writer survives a full disk: the transaction that needs more room fails, those before it do not.
#[tokio::test]
async fn a_full_disk_fails_whoever_needs_room() {
    let db = database(EmbeddedConfig { group_max_wait_ms: 1_000, ..EmbeddedConfig::default() }).await;
    let limit = async |pages: &str| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        let set: Result<(), Error> = db
            .write(|mut tx| {
                let sql = sql.clone();
                async move {
                    tx.fetch_one::<(i64,)>(&sql, &[]).await?;
                    tx.commit(()).await
                }
            })
            .await;
        set.unwrap();
    };
    // As many as there are: SQLite never sets it lower.
    limit("1").await;
    let holder = Holder::start(&db, "UPDATE accounts SET points = 1").await;
    let handle = Database::clone(&db);
    let greedy = tokio::spawn(async move { tables::insert(&handle, 2, &"x".repeat(1_000_000)).await });
    until_queued().await;
    holder.finish().await.unwrap();
    let full = greedy.await.unwrap().unwrap_err();
    assert_eq!(full.code(), "database.unavailable", "{full:?}");
    assert_eq!((tables::points(&db, 1).await, tables::count(&db).await), (1, 1));
    limit("1000000").await;
    tables::insert(&db, 2, &"x".repeat(1_000_000)).await.unwrap();
}

#[tokio::test]
async fn a_writer_in_another_process_is_waited_for() {
    let db = TestDatabase::on(Engine::Sqlite).await;
    tables::with_anna(&db).await;
    let other = db.reopen().await;
    let holder = Holder::start(&other, "UPDATE accounts SET points = 1").await;
    let task = inserts(&db, 2..3);
    until_queued().await;
    holder.finish().await.unwrap();
    task.join_all().await.remove(0).unwrap();
    assert_eq!((tables::count(&db).await, tables::points(&db, 1).await), (2, 1));
}

#[tokio::test]
async fn a_writer_in_another_process_is_not_waited_for_in_vain() {
    let db = database(EmbeddedConfig { busy_timeout_ms: 30, ..EmbeddedConfig::default() }).await;
    let other = db.reopen().await;
    let holder = Holder::start(&other, "UPDATE accounts SET points = 1").await;
    let busy = tables::insert(&db, 2, "bert").await.unwrap_err();
    assert_eq!(busy.code(), "database.unavailable");
    holder.finish().await.unwrap();
    tables::insert(&db, 2, "bert").await.unwrap();
}

#[tokio::test]
async fn readers_are_bounded_and_do_not_wait_for_the_writer() {
    let db = database(EmbeddedConfig { readers: 2, queue_timeout_ms: 50, ..EmbeddedConfig::default() }).await;
    let holder = Holder::start(&db, "UPDATE accounts SET points = 1").await;
    let first = db.read().await.unwrap();
    let mut second = db.read().await.unwrap();
    assert_eq!(second.fetch_one::<(i64,)>("SELECT points FROM accounts", &[]).await.unwrap(), (0,));
    assert!(matches!(db.read().await, Err(Error::Overloaded)));
    drop(first);
    assert_eq!(tables::points(&db, 1).await, 0);
    holder.finish().await.unwrap();
    assert_eq!(second.fetch_one::<(i64,)>("SELECT points FROM accounts", &params![]).await.unwrap(), (1,));
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let db = TestDatabase::on(Engine::Sqlite).await;
    tables::with_anna(&db).await;
    for file in ["tested.db", "tested.db-wal"] {
        let mode = std::fs::metadata(db.folder().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}
