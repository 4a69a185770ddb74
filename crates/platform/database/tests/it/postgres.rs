//! What only PostgreSQL has: lost connections, retries, poolers, TLS.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use database::{Database, DatabaseConfig, Due, Error, Next, PostgresConfig, Row, WorkOptions, params};
use kernel::Fail as _;
use testkit::TestDatabase;
use testkit::certificates::Authority;
use testkit::engines::{Postgres, PostgresOptions, Replica};
use tokio::sync::Barrier;

use crate::tables;

async fn database(change: impl FnOnce(&mut PostgresConfig)) -> TestDatabase {
    let url = Postgres::shared().await.create_database("tested").await;
    let mut config = PostgresConfig::new(url);
    change(&mut config);
    let db = TestDatabase::with(DatabaseConfig::Postgres(config), "tested").await;
    tables::with_anna(&db).await;
    db
}

/// Two transactions that each read what the other one writes: one of them has to run again.
#[tokio::test]
async fn write_skew_is_impossible() {
    let db = database(|_| {}).await;
    tables::insert(&db, 2, "bert").await.unwrap();
    let (runs, both_have_read) = (AtomicU32::new(0), Barrier::new(2));
    let claim = |own: i64, other: i64| {
        let (db, runs, both_have_read, first) = (&db, &runs, &both_have_read, AtomicBool::new(true));
        async move {
            let first = &first;
            let claimed: Result<(), Error> = db
                .write(|mut tx| async move {
                    runs.fetch_add(1, Ordering::SeqCst);
                    let sql = "SELECT points FROM accounts WHERE id = $1";
                    let (taken,): (i64,) = tx.fetch_one(sql, &params![other]).await?;
                    if first.swap(false, Ordering::SeqCst) {
                        both_have_read.wait().await;
                    }
                    if taken == 0 {
                        tx.execute("UPDATE accounts SET points = 1 WHERE id = $1", &params![own]).await?;
                    }
                    tx.commit(()).await
                })
                .await;
            claimed.unwrap();
        }
    };
    tokio::join!(claim(1, 2), claim(2, 1));
    assert_eq!(tables::points(&db, 1).await + tables::points(&db, 2).await, 1);
    assert_eq!(runs.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn retries_have_an_end() {
    let db = database(|config| config.retries = 2).await;
    let (runs, handle) = (AtomicU32::new(0), &db);
    let outcome: Result<(), Error> = db
        .write(|mut tx| {
            runs.fetch_add(1, Ordering::SeqCst);
            async move {
                tx.fetch_one::<(i64,)>("SELECT points FROM accounts WHERE id = 1", &[]).await?;
                // Somebody else always comes first.
                let interfere: Result<(), Error> = handle
                    .write(|mut tx| async move {
                        tx.execute("UPDATE accounts SET points = points + 1", &[]).await?;
                        tx.commit(()).await
                    })
                    .await;
                interfere?;
                tx.execute("UPDATE accounts SET points = 0", &[]).await?;
                tx.commit(()).await
            }
        })
        .await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, Error::Conflict), "{error:?}");
    assert_eq!((error.code(), runs.load(Ordering::SeqCst)), ("database.conflict", 3));
}

#[tokio::test]
async fn a_slow_statement_is_ended() {
    let db = database(|config| config.statement_timeout_ms = 100).await;
    let mut reader = db.read().await.unwrap();
    let slept = reader.fetch_one::<Row>("SELECT pg_sleep(60)", &[]).await;
    assert!(matches!(slept, Err(Error::StatementTimeout)), "{slept:?}");
    assert_eq!(reader.fetch_one::<(i64,)>("SELECT points FROM accounts", &[]).await.unwrap(), (0,));
}

#[tokio::test]
async fn a_transaction_that_stays_open_is_ended() {
    let db = database(|config| config.tx_timeout_ms = 100).await;
    let idle: Result<(), Error> = db
        .write(|mut tx| async move {
            tx.execute("UPDATE accounts SET points = 9", &[]).await?;
            tokio::time::sleep(Duration::from_millis(150)).await;
            tx.commit(()).await
        })
        .await;
    assert!(matches!(idle, Err(Error::TransactionTimeout)), "{idle:?}");
    assert_eq!(tables::points(&db, 1).await, 0);
}

#[tokio::test]
async fn a_full_pool_is_overload() {
    let db = database(|config| (config.pool, config.pool_timeout_ms) = (1, 50)).await;
    let reader = db.read().await.unwrap();
    let refused = tables::insert(&db, 2, "bert").await.unwrap_err();
    assert!(matches!(refused, Error::Overloaded), "{refused:?}");
    drop(reader);
    tables::insert(&db, 2, "bert").await.unwrap();
}

/// With one connection, whatever a dropped transaction leaves behind meets the next user.
#[tokio::test]
async fn a_connection_is_clean_after_a_dropped_transaction() {
    let db = database(|config| config.pool = 1).await;
    for _ in 0..5 {
        let failed: Result<(), Error> = db
            .write(|mut tx| async move {
                tx.execute("UPDATE accounts SET points = 9", &[]).await?;
                Err(Error::NotFound)
            })
            .await;
        assert!(matches!(failed, Err(Error::NotFound)));
        assert_eq!(tables::points(&db, 1).await, 0);
    }
    // A query that is given up in the middle.
    let mut reader = db.read().await.unwrap();
    let given_up =
        tokio::time::timeout(Duration::from_millis(30), reader.fetch_one::<Row>("SELECT pg_sleep(4)", &[]))
            .await;
    assert!(given_up.is_err());
    drop(reader);
    let read = tokio::time::timeout(Duration::from_secs(2), tables::points(&db, 1)).await;
    assert_eq!(read.unwrap(), 0);
}

#[tokio::test]
async fn a_restart_of_the_server_is_survived() {
    let postgres = Postgres::start().await;
    let url = postgres.create_database("tested").await;
    let db = TestDatabase::with(DatabaseConfig::postgres(url), "tested").await;
    tables::with_anna(&db).await;
    // Fill the pool with connections that are about to die.
    let readers = [db.read().await.unwrap(), db.read().await.unwrap(), db.read().await.unwrap()];
    drop(readers);
    postgres.stop().await;
    let away = tables::insert(&db, 2, "bert").await.unwrap_err();
    assert_eq!((away.code(), away.kind().status()), ("database.unavailable", 503));
    assert!(away.retry_after().is_some());
    assert!(matches!(db.read().await.map(drop), Err(Error::Unavailable { .. })));
    postgres.start_again().await;
    soon(async || tables::insert(&db, 2, "bert").await).await;
    assert_eq!(tables::count(&db).await, 2);
}

/// Whoever could not connect just now is told so again for a moment, without another attempt.
async fn soon<T>(mut what: impl AsyncFnMut() -> Result<T, Error>) -> T {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(2);
    loop {
        match what().await {
            Ok(done) => return done,
            Err(error) => assert!(tokio::time::Instant::now() < deadline, "{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn when_the_primary_dies_and_its_replica_is_promoted_writes_go_there() {
    let options = PostgresOptions { replica: Replica::Synchronous, ..PostgresOptions::default() };
    let postgres = Postgres::start_with(options).await;
    let url = postgres.create_database("tested").await;
    let config = PostgresConfig {
        replica_url: Some(kernel::Secret::new(postgres.on_replica(&url))),
        ..PostgresConfig::new(postgres.on_both(&url))
    };
    let db = TestDatabase::with(DatabaseConfig::Postgres(config), "tested").await;
    tables::with_anna(&db).await;
    postgres.kill().await;
    let away = tables::insert(&db, 2, "bert").await.unwrap_err();
    assert_eq!((away.code(), away.kind().status()), ("database.unavailable", 503), "{away:?}");
    assert_eq!(tables::count(&db).await, 1, "what can be read is read");
    postgres.promote_replica().await;
    soon(async || tables::insert(&db, 2, "bert").await).await;
    let anna = database::consistency::with_caller("anna", async {
        tables::insert(&db, 3, "carl").await.unwrap();
        tables::count(&db).await
    });
    assert_eq!(anna.await, 3);
}

#[tokio::test]
async fn a_server_that_is_gone_without_a_word_costs_no_time() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = silent.local_addr().unwrap().to_string();
    let url = Postgres::shared().await.create_database("tested").await;
    let config = PostgresConfig::new(url.replace('@', &format!("@{silent},")));
    let asked = tokio::time::Instant::now();
    let db = TestDatabase::with(DatabaseConfig::Postgres(config), "tested").await;
    tables::with_anna(&db).await;
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
}

#[tokio::test]
async fn a_replica_is_one_server() {
    let mut config = PostgresConfig::new("postgres://a/souk");
    config.replica_url = Some(kernel::Secret::new("postgres://b,c/souk".to_owned()));
    let folder = tempfile::tempdir().unwrap();
    let (clock, rng) = (kernel::Clock::system(), kernel::Rng::system());
    let config = DatabaseConfig::Postgres(config);
    let refused = Database::open(&config, "tested", folder.path(), clock, rng).await.map(drop).unwrap_err();
    assert!(matches!(refused, Error::Config { field: "postgres.replica_url", .. }), "{refused:?}");
}

/// To cancel it would make it visible here although no replica has it.
#[tokio::test]
async fn a_commit_that_waits_for_the_replica_is_not_cancelled() {
    let options = PostgresOptions { replica: Replica::Synchronous, ..PostgresOptions::default() };
    let postgres = Postgres::start_with(options).await;
    let url = postgres.create_database("tested").await;
    let config = PostgresConfig { statement_timeout_ms: 500, ..PostgresConfig::new(url) };
    let db = TestDatabase::with(DatabaseConfig::Postgres(config), "tested").await;
    tables::with_anna(&db).await;
    postgres.stop_replica().await;
    let unknown = tables::insert(&db, 2, "bert").await.unwrap_err();
    assert!(matches!(unknown, Error::CommitUnknown { .. }), "{unknown:?}");
    // A cancellation would have arrived long before another connection was made.
    for _ in 0..20 {
        assert_eq!(tables::count(&db).await, 1);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    postgres.start_replica_again().await;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while tables::count(&db).await != 2 {
        assert!(tokio::time::Instant::now() < deadline, "the replica is back and the commit still waits");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Work whose end cannot be written down is not left until its claim runs out.
#[tokio::test]
async fn due_work_that_ends_while_the_server_is_away_goes_on_when_it_is_back() {
    let postgres = std::sync::Arc::new(Postgres::start().await);
    let url = postgres.create_database("tested").await;
    let db = TestDatabase::with(DatabaseConfig::postgres(url), "tested").await;
    for key in ["a", "b"] {
        let due =
            &Due { queue: "mails", key: key.into(), payload: serde_json::Value::Null, at: db.clock().now() };
        let scheduled: Result<(), Error> = db
            .write(|mut tx| async move {
                tx.schedule(due).await?;
                tx.commit(()).await
            })
            .await;
        scheduled.unwrap();
    }
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let worker = tokio::spawn({
        let (db, postgres) = (Database::clone(&db), postgres.clone());
        async move {
            let options = WorkOptions { concurrency: 1, ..WorkOptions::default() };
            let stopped = async { stopped.await.unwrap() };
            db.work("mails", options, stopped, |item| {
                let postgres = postgres.clone();
                async move {
                    if item.key == "a" {
                        postgres.kill().await;
                    }
                    Ok(Next::Done)
                }
            })
            .await;
        }
    });
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while db.read().await.is_ok() {
        assert!(tokio::time::Instant::now() < deadline, "the work was not begun");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    postgres.start_again().await;
    // The clock of the test stands still: a claim never runs out.
    let left = async || {
        let (left,): (i64,) = db.read().await?.fetch_one("SELECT COUNT(*) FROM platform_due", &[]).await?;
        Ok::<i64, Error>(left)
    };
    while left().await.ok() != Some(0) {
        assert!(tokio::time::Instant::now() < deadline, "the work is left alone");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.send(()).unwrap();
    worker.await.unwrap();
}

#[tokio::test]
async fn a_lost_connection_ends_its_transaction() {
    let db = database(|_| {}).await;
    let handle = &Database::clone(&db);
    let lost: Result<(), Error> = db
        .write(|mut tx| async move {
            tx.execute("UPDATE accounts SET points = 9", &[]).await?;
            let (own,): (i32,) = tx.fetch_one("SELECT pg_backend_pid()", &[]).await?;
            let mut other = handle.read().await?;
            other.fetch_one::<(bool,)>("SELECT pg_terminate_backend($1)", &params![own]).await?;
            tx.commit(()).await
        })
        .await;
    let error = lost.unwrap_err();
    assert_eq!(error.code(), "database.unavailable", "{error:?}");
    assert_eq!(tables::points(&db, 1).await, 0);
}

#[tokio::test]
async fn a_reader_whose_connection_is_lost_takes_another() {
    let db = database(|_| {}).await;
    let (mut reader, mut assassin) = (db.read().await.unwrap(), db.read().await.unwrap());
    let (own,): (i32,) = reader.fetch_one("SELECT pg_backend_pid()", &[]).await.unwrap();
    assassin.fetch_one::<(bool,)>("SELECT pg_terminate_backend($1)", &params![own]).await.unwrap();
    assert_eq!(reader.fetch_one::<(i64,)>("SELECT points FROM accounts", &[]).await.unwrap(), (0,));
}

/// Nothing that outlives a transaction is used, so a pooler may hand each one to another server connection.
#[tokio::test]
async fn transaction_pooling_needs_nothing_of_a_session() {
    let db = database(|config| (config.transaction_pooling, config.pool) = (true, 3)).await;
    tables::insert(&db, 2, "bert").await.unwrap();
    let unique = tables::insert(&db, 3, "bert").await.unwrap_err();
    assert_eq!(unique.is_unique_violation(), Some("accounts_name_key"));
    let mut reader = db.read().await.unwrap();
    let sql = "SELECT id, name FROM accounts WHERE points = $1 AND ($2 OR name = $3) ORDER BY id LIMIT $4";
    let rows: Vec<(i64, String)> = reader.fetch_all(sql, &params![0, true, None::<String>, 1]).await.unwrap();
    assert_eq!(rows, [(1, "anna".to_owned())]);
    let (prepared,): (i64,) =
        reader.fetch_one("SELECT COUNT(*) FROM pg_prepared_statements", &[]).await.unwrap();
    assert_eq!(prepared, 0);
    let (path,): (String,) = reader.fetch_one("SELECT current_setting('search_path')", &[]).await.unwrap();
    assert_eq!(path, "tested");
    drop(reader);
    let kinds = "INSERT INTO kinds (id, flag, medium, small, words, bytes, document) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let inserted: Result<u64, Error> = db
        .write(|mut tx| async move {
            let document = serde_json::json!({"a": [1]});
            let rows = tx.execute(kinds, &params![1, true, 70_000, 7, "x", vec![1_u8], document]).await?;
            tx.commit(rows).await
        })
        .await;
    assert_eq!(inserted.unwrap(), 1);
}

#[tokio::test]
async fn statements_put_together_at_run_time_do_not_pile_up() {
    let db = database(|config| (config.statement_cache, config.pool) = (16, 1)).await;
    let mut reader = db.read().await.unwrap();
    for number in 0..40 {
        let sql = format!("SELECT points + {number} FROM accounts");
        assert_eq!(reader.fetch_one::<(i64,)>(&sql, &[]).await.unwrap(), (number,));
    }
    let (prepared,): (i64,) =
        reader.fetch_one("SELECT COUNT(*) FROM pg_prepared_statements", &[]).await.unwrap();
    assert!(prepared <= 17, "{prepared}");
}

#[tokio::test]
async fn schemas_keep_services_apart() {
    let url = Postgres::shared().await.create_database("shop").await;
    let open = async |name| TestDatabase::with(DatabaseConfig::postgres(url.clone()), name).await;
    let (orders, payments) = (open("orders").await, open("payments").await);
    tables::with_anna(&orders).await;
    tables::make(&payments).await;
    assert_eq!((tables::count(&orders).await, tables::count(&payments).await), (1, 0));
    let folder = tempfile::tempdir().unwrap();
    let (clock, rng) = (kernel::Clock::system(), kernel::Rng::system());
    let config = DatabaseConfig::postgres(url.clone());
    let injected = Database::open(&config, "x; DROP SCHEMA orders", folder.path(), clock, rng).await;
    assert!(matches!(injected.map(drop), Err(Error::Config { .. })));
}

/// Makes the server speak TLS with a certificate of `authority`, through SQL alone.
async fn enable_tls(admin: &tokio_postgres::Client, authority: &Authority) {
    let issued = authority.issue(&["127.0.0.1"]);
    for (file, pem) in [("server.crt", &issued.certificate), ("server.key", &issued.private_key)] {
        let lines = pem.lines().map(|line| format!("('{line}')")).collect::<Vec<_>>().join(", ");
        let save = format!("COPY (VALUES {lines}) TO PROGRAM 'umask 077; cat > {file}'");
        admin.batch_execute(&save).await.unwrap();
    }
    admin.batch_execute("ALTER SYSTEM SET ssl = on").await.unwrap();
    admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
}

#[tokio::test]
async fn tls_is_verified() {
    let postgres = Postgres::start().await;
    let url = postgres.create_database("tested").await;
    let (admin, connection) = tokio_postgres::connect(&postgres.url(), tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let (authority, stranger) = (Authority::new(), Authority::new());
    enable_tls(&admin, &authority).await;
    drop(admin);
    connection.await.unwrap().unwrap();

    let folder = tempfile::tempdir().unwrap();
    let trusting = |name: &str, authority: &Authority| {
        let file = folder.path().join(name);
        std::fs::write(&file, authority.certificate()).unwrap();
        let mut config = PostgresConfig::new(format!("{url}?sslmode=require"));
        config.ca_file = Some(file);
        DatabaseConfig::Postgres(config)
    };
    let open = async |config| {
        Database::open(&config, "tested", folder.path(), kernel::Clock::system(), kernel::Rng::system()).await
    };
    // The server reads its new configuration a moment after it was told to.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    let db = loop {
        match open(trusting("authority.pem", &authority)).await {
            Ok(db) => break db,
            Err(error) => assert!(tokio::time::Instant::now() < deadline, "{error:?}"),
        }
    };
    let mut reader = db.read().await.unwrap();
    let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    assert_eq!(reader.fetch_one::<(bool,)>(sql, &[]).await.unwrap(), (true,));
    let refused = open(trusting("stranger.pem", &stranger)).await.map(drop).unwrap_err();
    assert_eq!(refused.code(), "database.unavailable", "{refused:?}");
}
