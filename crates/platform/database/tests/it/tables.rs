//! The tables that the tests use.

use database::{Database, Migration};

/// Accounts with a unique name and points that never fall below zero, and a table with every type.
pub(crate) const TABLES: &[Migration] = &[Migration {
    number: 1,
    name: "0001_tests",
    sqlite: "
        CREATE TABLE accounts (
            id INTEGER PRIMARY KEY NOT NULL,
            name TEXT NOT NULL UNIQUE,
            points INTEGER NOT NULL CHECK (points >= 0)
        ) STRICT;
        CREATE TABLE visits (account_id INTEGER NOT NULL REFERENCES accounts (id)) STRICT;
        CREATE TABLE kinds (
            id INTEGER PRIMARY KEY NOT NULL,
            flag INTEGER, large INTEGER, medium INTEGER, small INTEGER, words TEXT, bytes BLOB, uid BLOB,
            happened_at INTEGER, document TEXT
        ) STRICT;",
    postgres: "
        CREATE TABLE accounts (
            id bigint PRIMARY KEY,
            name text NOT NULL UNIQUE,
            points bigint NOT NULL CHECK (points >= 0)
        );
        CREATE TABLE visits (account_id bigint NOT NULL REFERENCES accounts (id));
        CREATE TABLE kinds (
            id bigint PRIMARY KEY,
            flag boolean, large bigint, medium integer, small smallint, words text, bytes bytea, uid uuid,
            happened_at timestamptz, document jsonb
        );",
}];

/// Makes the tables.
pub(crate) async fn make(db: &Database) {
    db.migrate("tests", TABLES).await.unwrap();
}

/// Makes the tables and account 1, "anna", with no points.
pub(crate) async fn with_anna(db: &Database) {
    make(db).await;
    insert(db, 1, "anna").await.unwrap();
}

/// Inserts an account without points.
pub(crate) async fn insert(db: &Database, id: i64, name: &str) -> Result<(), database::Error> {
    db.write(|mut tx| async move {
        let sql = "INSERT INTO accounts (id, name, points) VALUES ($1, $2, 0)";
        tx.execute(sql, &database::params![id, name]).await?;
        tx.commit(()).await
    })
    .await
}

/// The points of an account, as a new connection sees them.
pub(crate) async fn points(db: &Database, id: i64) -> i64 {
    let mut reader = db.read().await.unwrap();
    let sql = "SELECT points FROM accounts WHERE id = $1";
    reader.fetch_one::<(i64,)>(sql, &database::params![id]).await.unwrap().0
}

/// How many accounts there are.
pub(crate) async fn count(db: &Database) -> i64 {
    let mut reader = db.read().await.unwrap();
    reader.fetch_one::<(i64,)>("SELECT COUNT(*) FROM accounts", &[]).await.unwrap().0
}
