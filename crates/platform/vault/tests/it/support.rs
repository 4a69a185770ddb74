use std::path::Path;
use std::time::Duration;

use database::{Database, DatabaseConfig};
use kernel::{Clock, Rng, Timestamp};
use tempfile::TempDir;
use uuid::Uuid;
use vault::{Vault, VaultConfig, VaultError};

pub(crate) const START: Timestamp = Timestamp::from_seconds(1_800_000_000);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn person(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A folder for the data, the database in it, and a clock that stands still.
pub(crate) struct Ground {
    pub(crate) folder: TempDir,
    pub(crate) db: Database,
    pub(crate) clock: Clock,
}

impl Ground {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(START);
        let config = DatabaseConfig::default();
        let db = Database::open(&config, "vault", folder.path(), clock.clone(), Rng::system()).await.unwrap();
        Self { folder, db, clock }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A vault as another process would open it: nothing in memory is shared.
    pub(crate) async fn open(&self) -> Result<Vault, VaultError> {
        self.open_with(&VaultConfig::default()).await
    }

    pub(crate) async fn open_with(&self, config: &VaultConfig) -> Result<Vault, VaultError> {
        Vault::open(config, self.db.clone(), self.path(), self.clock.clone(), Rng::system()).await
    }
}
