//! Migrations run once, in order, whoever starts.

use database::{Database, Error, Migration, params};
use testkit::TestDatabase;
use tokio::task::JoinSet;

const fn step(number: u32, name: &'static str, sql: &'static str) -> Migration {
    Migration { number, name, sqlite: sql, postgres: sql }
}

/// Each would fail if it ran twice.
const STEPS: [Migration; 3] = [
    step(
        1,
        "0001_notes",
        "CREATE TABLE notes (id bigint PRIMARY KEY, body text NOT NULL); INSERT INTO notes VALUES (1, 'a; b')",
    ),
    step(2, "0002_more", "INSERT INTO notes VALUES (2, 'c')"),
    step(3, "0003_column", "ALTER TABLE notes ADD COLUMN extra text"),
];

async fn notes(db: &Database) -> Vec<(i64, String)> {
    let mut reader = db.read().await.unwrap();
    reader.fetch_all("SELECT id, body FROM notes ORDER BY id", &[]).await.unwrap()
}

testkit::on_both_engines! {
    async fn they_run_once_and_in_order(db: TestDatabase) {
        db.migrate("notes", &STEPS[..1]).await.unwrap();
        assert_eq!(notes(&db).await, [(1, "a; b".to_owned())]);
        db.migrate("notes", &STEPS).await.unwrap();
        db.migrate("notes", &STEPS).await.unwrap();
        assert_eq!(notes(&db).await, [(1, "a; b".to_owned()), (2, "c".to_owned())]);
        // An older program starts again during a rolling upgrade.
        db.migrate("notes", &STEPS[..1]).await.unwrap();
    }

    async fn sets_are_counted_by_themselves(db: TestDatabase) {
        db.migrate("notes", &STEPS).await.unwrap();
        db.migrate("others", &[step(1, "0001_others", "CREATE TABLE others (id bigint PRIMARY KEY)")]).await.unwrap();
        assert_eq!(db.schema_columns().await.unwrap().len(), 4);
    }

    async fn ten_starting_copies_run_them_once(db: TestDatabase) {
        let mut starts = JoinSet::new();
        for _ in 0..10 {
            // Handles of their own share nothing but the data, as processes would.
            let copy = db.reopen();
            starts.spawn({
                let copy = copy.await;
                async move { copy.migrate("notes", &STEPS).await }
            });
        }
        for result in starts.join_all().await {
            result.unwrap();
        }
        assert_eq!(notes(&db).await.len(), 2);
    }

    async fn a_changed_migration_is_refused(db: TestDatabase) {
        db.migrate("notes", &STEPS).await.unwrap();
        let changed = [STEPS[0], step(2, "0002_more", "INSERT INTO notes VALUES (2, 'd')"), STEPS[2]];
        let error = db.migrate("notes", &changed).await.unwrap_err();
        assert!(matches!(error, Error::Migration { number: 2, .. }), "{error:?}");
        let gap = db.migrate("notes", &[STEPS[0], STEPS[2]]).await.unwrap_err();
        assert!(matches!(gap, Error::Migration { number: 3, .. }), "{gap:?}");
    }

    async fn a_failing_migration_leaves_nothing_behind(db: TestDatabase) {
        let failing = [STEPS[0], step(2, "0002_fails", "CREATE TABLE extra (id bigint); INSERT INTO nowhere VALUES (1)")];
        assert!(db.migrate("notes", &failing).await.is_err());
        assert!(db.schema_columns().await.unwrap().is_empty());
        db.migrate("notes", &STEPS).await.unwrap();
        assert_eq!(notes(&db).await.len(), 2);
    }

    async fn statements_prepared_before_go_on_after(db: TestDatabase) {
        db.migrate("notes", &STEPS[..2]).await.unwrap();
        let copy = db.reopen().await;
        let read = async |db: &Database| {
            let sql = "SELECT * FROM notes WHERE id = $1";
            db.write(|mut tx| async move {
                let row: database::Row = tx.fetch_one(sql, &params![1]).await?;
                tx.commit(row.len()).await
            })
            .await
        };
        let before: Result<usize, Error> = read(&db).await;
        assert_eq!(before.unwrap(), 2);
        copy.migrate("notes", &STEPS).await.unwrap();
        let after: Result<usize, Error> = read(&db).await;
        assert_eq!(after.unwrap(), 3);
    }

    async fn readers_that_prepared_before_go_on_after(db: TestDatabase) {
        db.migrate("notes", &STEPS[..2]).await.unwrap();
        let mut reader = db.read().await.unwrap();
        let sql = "SELECT * FROM notes WHERE id = $1";
        assert_eq!(reader.fetch_one::<database::Row>(sql, &params![1]).await.unwrap().len(), 2);
        db.reopen().await.migrate("notes", &STEPS).await.unwrap();
        assert_eq!(reader.fetch_one::<database::Row>(sql, &params![1]).await.unwrap().len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_copies_that_open_at_once_all_start() {
    let folder = tempfile::tempdir().unwrap();
    open_ten(&database::DatabaseConfig::default(), folder.path()).await;
    let postgres = testkit::engines::Postgres::shared().await;
    let url = postgres.create_database("starters").await;
    open_ten(&database::DatabaseConfig::postgres(url), folder.path()).await;
}

async fn open_ten(config: &database::DatabaseConfig, folder: &std::path::Path) {
    let mut starts = JoinSet::new();
    for _ in 0..10 {
        let (config, folder) = (config.clone(), folder.to_owned());
        starts.spawn(async move {
            let (clock, rng) = (kernel::Clock::system(), kernel::Rng::system());
            let db = Database::open(&config, "starter", &folder, clock, rng).await?;
            db.migrate("notes", &STEPS).await?;
            Ok::<_, Error>(db)
        });
    }
    let opened: Vec<Database> = starts.join_all().await.into_iter().map(Result::unwrap).collect();
    assert_eq!(notes(&opened[9]).await.len(), 2);
}
