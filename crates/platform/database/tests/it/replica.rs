//! Reads on a replica never hide a caller's own writes.

use database::consistency::{self, with_caller, with_caller_at};
use database::{Database, DatabaseConfig, Error, PostgresConfig, params};
use kernel::Secret;
use testkit::TestDatabase;
use testkit::engines::Postgres;

use crate::tables;

struct Pair {
    postgres: Postgres,
    db: TestDatabase,
}

impl Pair {
    async fn start() -> Self {
        let postgres = Postgres::start_with_replica().await;
        let url = postgres.create_database("tested").await;
        let replica_url = Some(Secret::new(postgres.on_replica(&url)));
        let config = DatabaseConfig::Postgres(PostgresConfig { replica_url, ..PostgresConfig::new(url) });
        let db = TestDatabase::with(config, "tested").await;
        tables::with_anna(&db).await;
        postgres.replica_caught_up().await;
        Self { postgres, db }
    }
}

async fn set(db: &Database, value: i64) {
    let set: Result<(), Error> = db
        .write(|mut tx| async move {
            tx.execute("UPDATE accounts SET points = $1", &params![value]).await?;
            tx.commit(()).await
        })
        .await;
    set.unwrap();
}

async fn on_replica(db: &Database) -> bool {
    let mut reader = db.read().await.unwrap();
    reader.fetch_one::<(bool,)>("SELECT pg_is_in_recovery()", &[]).await.unwrap().0
}

#[tokio::test]
async fn a_caller_sees_its_own_writes_and_others_may_wait() {
    let Pair { postgres, db } = Pair::start().await;
    assert!(on_replica(&db).await, "who wrote nothing reads on the replica");
    postgres.pause_replica().await;
    let position = with_caller("anna", async {
        set(&db, 5).await;
        assert_eq!(tables::points(&db, 1).await, 5);
        assert!(!on_replica(&db).await);
        consistency::position()
    })
    .await;
    assert!(!position.is_empty());
    assert_eq!(with_caller("anna", tables::points(&db, 1)).await, 5, "in a later request too");
    assert_eq!(with_caller("bert", tables::points(&db, 1)).await, 0, "others read what the replica shows");
    assert!(with_caller("bert", on_replica(&db)).await);
    // Another process knows nothing but the position that the caller brings along.
    let elsewhere = db.reopen().await;
    assert_eq!(with_caller("anna", tables::points(&elsewhere, 1)).await, 0);
    let carried = position.to_string().parse().unwrap();
    assert_eq!(with_caller_at("anna", carried, tables::points(&elsewhere, 1)).await, 5);

    postgres.resume_replica().await;
    postgres.replica_caught_up().await;
    assert!(with_caller("anna", on_replica(&db)).await, "the replica has come far enough");
    assert_eq!(with_caller("anna", tables::points(&db, 1)).await, 5);
    let mut primary = db.read_primary().await.unwrap();
    assert_eq!(primary.fetch_one::<(bool,)>("SELECT pg_is_in_recovery()", &[]).await.unwrap(), (false,));
}

#[tokio::test]
async fn without_a_replica_reads_go_to_the_primary() {
    let postgres = Postgres::shared().await;
    let url = postgres.create_database("tested").await;
    let gone = Some(Secret::new("postgres://souk:souk@127.0.0.1:1/nowhere".to_owned()));
    let config = DatabaseConfig::Postgres(PostgresConfig { replica_url: gone, ..PostgresConfig::new(url) });
    let db = TestDatabase::with(config, "tested").await;
    tables::with_anna(&db).await;
    assert!(!on_replica(&db).await);
    assert_eq!(tables::points(&db, 1).await, 0);
}

/// A reader that was on the replica when that went away finishes on the primary.
#[tokio::test]
async fn a_replica_that_ends_a_query_is_left() {
    let Pair { postgres: _postgres, db } = Pair::start().await;
    let mut reader = db.read().await.unwrap();
    let recovering = "SELECT pg_is_in_recovery()";
    assert_eq!(reader.fetch_one::<(bool,)>(recovering, &[]).await.unwrap(), (true,));
    let mut assassin = db.read().await.unwrap();
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                WHERE application_name = 'souk tested' AND pid <> pg_backend_pid()";
    assassin.fetch_all::<(bool,)>(kill, &[]).await.unwrap();
    assert_eq!(reader.fetch_one::<(bool,)>(recovering, &[]).await.unwrap(), (false,));
}
