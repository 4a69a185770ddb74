use std::path::{Path, PathBuf};
use std::time::Duration;

use database::Database;
use kernel::{Clock, Rng};
use testkit::TestDatabase;
use testkit::database::Engine;
use uuid::Uuid;
use vault::{Vault, VaultConfig, VaultError};

pub(crate) const NAME: &str = "customers.name";

pub(crate) fn person(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// An empty database, and the folder and the clock that belong to it.
pub(crate) struct Ground(TestDatabase);

impl Ground {
    pub(crate) fn on(db: TestDatabase) -> Self {
        Self(db)
    }

    pub(crate) async fn sqlite() -> Self {
        Self(TestDatabase::on(Engine::Sqlite).await)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.folder()
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.path().join("master.key")
    }

    pub(crate) fn clock(&self) -> &Clock {
        self.0.clock()
    }

    pub(crate) fn later(&self, by: Duration) {
        self.clock().advance(by);
    }

    /// A connection pool of its own, as another process has.
    pub(crate) async fn database(&self) -> Database {
        self.0.reopen().await
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
        Vault::open(config, db, folder, self.clock().clone(), Rng::system()).await
    }
}
