//! Everything that one service stands on, for its tests.

use std::ops::Deref;
use std::path::PathBuf;

use cache::{Cache, MemoryConfig};
use database::{Database, DatabaseConfig};
use host::{Channels, Platform};
use kernel::{Clock, Rng};
use mail::{MailConfig, Mailer};
use objects::Objects;
use tempfile::TempDir;
use vault::{Vault, VaultConfig};
use web::channel::Switchboard;

use crate::TestDatabase;
use crate::database::Engine;

/// A platform of real parts that nobody else uses: a database on the engine that the test names, a vault,
/// files and mail in a temporary folder, a cache in memory. Other services are reached once the test connects
/// something to the switchboard.
pub struct TestPlatform {
    platform: Platform,
    /// Where routers that stand for other services are connected.
    pub switchboard: Switchboard,
    database: TestDatabase,
    folder: TempDir,
}

impl Deref for TestPlatform {
    type Target = Platform;

    fn deref(&self) -> &Platform {
        &self.platform
    }
}

impl TestPlatform {
    /// The platform of the service `name` with its database on `engine`.
    pub async fn new(engine: Engine, name: &'static str) -> Self {
        let database = TestDatabase::named(engine, name).await;
        let folder = tempfile::tempdir().unwrap();
        let (clock, rng) = (database.clock().clone(), database.rng().clone());
        let keys = open(&folder, "vault", &clock, &rng).await;
        let vault = Vault::open(&VaultConfig::default(), keys, folder.path(), clock.clone(), rng.clone())
            .await
            .unwrap();
        let switchboard = Switchboard::new();
        let platform = Platform {
            database: Database::clone(&database),
            cache: Cache::memory(MemoryConfig::default(), clock.clone()),
            objects: Objects::folder(folder.path().join("objects")).unwrap(),
            mailer: Mailer::open(&MailConfig::default(), folder.path(), clock.clone(), rng.clone()).unwrap(),
            vault,
            channels: Channels::open(|to| Ok::<_, std::convert::Infallible>(switchboard.channel(name, to)))
                .unwrap(),
            public_url: "http://shop.example".to_owned(),
            clock,
            rng,
        };
        Self { platform, switchboard, database, folder }
    }

    /// The same platform after a restart: the data and the clock stay, everything else is new.
    pub async fn restarted(&self) -> Platform {
        Platform { database: self.database.reopen().await, ..self.platform.clone() }
    }

    /// Where mails are written.
    pub fn mail(&self) -> PathBuf {
        self.folder.path().join(MailConfig::default().folder)
    }
}

async fn open(folder: &TempDir, name: &'static str, clock: &Clock, rng: &Rng) -> Database {
    let config = DatabaseConfig::default();
    Database::open(&config, name, folder.path(), clock.clone(), rng.clone()).await.unwrap()
}
