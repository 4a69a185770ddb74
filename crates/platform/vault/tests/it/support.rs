use std::path::Path;
use std::time::Duration;

use database::{Database, DatabaseConfig};
use kernel::{Clock, Rng, Timestamp};
use tempfile::TempDir;
use testkit::engines::Postgres;
use uuid::Uuid;
use vault::{Vault, VaultConfig, VaultError};

pub(crate) const START: Timestamp = Timestamp::from_seconds(1_800_000_000);
pub(crate) const NAME: &str = "customers.name";

/// Runs one test on both engines.
macro_rules! on_both_engines {
    (async fn $name:ident($ground:ident: Ground) $body:block) => {
        mod $name {
            #[allow(unused_imports)] // Not every test needs what its file imports.
            use super::*;

            async fn run($ground: $crate::support::Ground) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                run($crate::support::Ground::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                run($crate::support::Ground::postgres().await).await;
            }
        }
    };
}

pub(crate) fn person(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// An empty database, a folder for the data, and a clock that stands still.
pub(crate) struct Ground {
    pub(crate) folder: TempDir,
    pub(crate) clock: Clock,
    config: DatabaseConfig,
}

impl Ground {
    pub(crate) fn sqlite() -> Self {
        Self::on(DatabaseConfig::default())
    }

    pub(crate) async fn postgres() -> Self {
        Self::on(DatabaseConfig::postgres(Postgres::shared().await.create_database("vault").await))
    }

    pub(crate) fn on(config: DatabaseConfig) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: Clock::manual(START), config }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn key_file(&self) -> std::path::PathBuf {
        self.path().join("master.key")
    }

    pub(crate) fn later(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// A connection pool of its own, as another process has.
    pub(crate) async fn database(&self) -> Database {
        Database::open(&self.config, "vault", self.path(), self.clock.clone(), Rng::system()).await.unwrap()
    }

    /// A vault as another process opens it: nothing in memory is shared.
    pub(crate) async fn open(&self) -> Vault {
        self.try_open(&VaultConfig::default()).await.unwrap()
    }

    pub(crate) async fn try_open(&self, config: &VaultConfig) -> Result<Vault, VaultError> {
        self.try_open_in(self.path(), config).await
    }

    pub(crate) async fn try_open_in(&self, folder: &Path, config: &VaultConfig) -> Result<Vault, VaultError> {
        let db = self.database().await;
        Vault::open(config, db, folder, self.clock.clone(), Rng::system()).await
    }
}
