//! A database of its own for every test, on both engines.

use std::ops::Deref;

use database::{Database, DatabaseConfig};
use kernel::{Clock, Rng, Timestamp};
use tempfile::TempDir;

use crate::engines::Postgres;

/// The service that a test's database belongs to, unless the test says otherwise.
const NAME: &str = "tested";

/// An engine to test on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite in a temporary folder.
    Sqlite,
    /// A database of the shared PostgreSQL cluster.
    Postgres,
}

/// An empty database that nobody else uses, with a clock that stands still and chance that repeats.
/// It goes away with the test.
pub struct TestDatabase {
    database: Database,
    config: DatabaseConfig,
    // Removed when the test ends.
    folder: TempDir,
}

impl Deref for TestDatabase {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.database
    }
}

impl TestDatabase {
    /// A new database on `engine`.
    pub async fn on(engine: Engine) -> Self {
        Self::named(engine, NAME).await
    }

    /// A new database on `engine` for the service `name`.
    pub async fn named(engine: Engine, name: &'static str) -> Self {
        let config = match engine {
            Engine::Sqlite => DatabaseConfig::default(),
            Engine::Postgres => {
                DatabaseConfig::postgres(Postgres::shared().await.create_database(name).await)
            }
        };
        Self::with(config, name).await
    }

    /// A new database with limits of the test's own choice.
    pub async fn with(config: DatabaseConfig, name: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // 2026-01-01T00:00:00Z
        let clock = Clock::manual(Timestamp::from_seconds(1_767_225_600));
        let database = Database::open(&config, name, folder.path(), clock, Rng::seeded(42)).await.unwrap();
        Self { database, config, folder }
    }

    /// Opens the same data once more, as another process would: nothing but the data and the clock is shared.
    pub async fn reopen(&self) -> Database {
        self.try_reopen().await.unwrap()
    }

    /// As [`TestDatabase::reopen`], for a test that expects it to fail.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub async fn try_reopen(&self) -> Result<Database, database::Error> {
        let (clock, rng) = (self.database.clock().clone(), Rng::system());
        Database::open(&self.config, self.database.name(), self.folder.path(), clock, rng).await
    }

    /// How it was opened.
    pub fn config(&self) -> &DatabaseConfig {
        &self.config
    }

    /// Where an embedded database has its file.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

/// Runs `test` on a new database of `engine`, on a runtime with two threads. [`crate::on_both_engines!`]
/// calls it.
pub fn run<F: Future<Output = ()>>(engine: Engine, test: impl FnOnce(TestDatabase) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { test(TestDatabase::on(engine).await).await });
}

/// Makes two tests of each function: `name::sqlite` and `name::postgres`.
///
/// ```
/// testkit::on_both_engines! {
///     /// A database that was just made holds nothing.
///     async fn starts_empty(db: testkit::TestDatabase) {
///         assert!(db.schema_columns().await.unwrap().is_empty());
///     }
/// }
/// ```
#[macro_export]
macro_rules! on_both_engines {
    ($($(#[$attribute:meta])* async fn $name:ident($database:ident: $kind:ty) $body:block)+) => {
        $(
            $(#[$attribute])*
            mod $name {
                #[allow(unused_imports)]
                use super::*;

                async fn test($database: $kind) $body

                #[test]
                fn sqlite() {
                    $crate::database::run($crate::database::Engine::Sqlite, test);
                }

                #[test]
                fn postgres() {
                    $crate::database::run($crate::database::Engine::Postgres, test);
                }
            }
        )+
    };
}
