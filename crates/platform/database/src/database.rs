use std::path::Path;
use std::sync::Arc;

use kernel::{Clock, Rng};
use tracing::Instrument as _;

use crate::config::{DatabaseConfig, EmbeddedConfig};
use crate::connection::{Backend, Connection, Engine};
use crate::error::Error;
use crate::migrate::{self, Migration};
use crate::postgres;
use crate::retry::Backoff;
use crate::signals::{Changes, DueChanges, Signals};
use crate::sqlite;
use crate::transaction::{Attempt, Done, Isolation, Reader, Tx};

/// One service's own database: the file `<name>.db` or the schema `<name>`. Clones share everything.
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
}

struct Inner {
    name: &'static str,
    clock: Clock,
    rng: Rng,
    signals: Arc<Signals>,
    engine: Handle,
}

enum Handle {
    Sqlite { files: sqlite::Files, writer: Arc<sqlite::Writer>, readers: Arc<sqlite::Readers> },
    Postgres(Arc<postgres::Engine>),
}

/// On SQLite a transaction runs again only when another one of its group made the engine give up the group.
const SQLITE_RETRIES: u32 = 20;

/// How much work the database has done, for tests and for the curious.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Transactions that were made durable.
    pub transactions: u64,
    /// Commits that made them so: on SQLite fewer than transactions, because one commit serves a group.
    pub commits: u64,
}

impl Database {
    /// Opens the database of the service `name`, creates it if there is none, and brings the platform's own
    /// tables (outbox, inbox, due work, leases, idempotency keys) up to date.
    ///
    /// # Errors
    /// [`Error::Config`] for unusable limits; [`Error::Unavailable`] when the engine cannot be reached.
    pub async fn open(
        config: &DatabaseConfig,
        name: &'static str,
        data_dir: &Path,
        clock: Clock,
        rng: Rng,
    ) -> Result<Self, Error> {
        config.validate()?;
        check_name(name)?;
        let signals = Arc::new(Signals::new());
        let engine = match config {
            DatabaseConfig::Embedded(limits) => open_sqlite(limits, name, data_dir, &signals).await?,
            DatabaseConfig::Postgres(limits) => {
                Handle::Postgres(postgres::Engine::open(limits, name, signals.clone())?)
            }
        };
        let database = Self { inner: Arc::new(Inner { name, clock, rng, signals, engine }) };
        database.migrate("platform", migrate::PLATFORM).await?;
        Ok(database)
    }

    /// The service that it belongs to.
    pub fn name(&self) -> &'static str {
        self.inner.name
    }

    /// The clock that it was opened with.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The randomness that it was opened with.
    pub fn rng(&self) -> &Rng {
        &self.inner.rng
    }

    /// Runs those migrations of `set` that have not run yet, each once, however many copies start at once.
    ///
    /// # Errors
    /// [`Error::Migration`] when one that has run differs from the program's, or the numbers have a gap.
    pub async fn migrate(&self, set: &'static str, migrations: &[Migration]) -> Result<(), Error> {
        migrate::check(set, migrations)?;
        match &self.inner.engine {
            Handle::Sqlite { files, .. } => {
                let (files, migrations, now) = (files.clone(), migrations.to_vec(), self.inner.clock.now());
                blocking(move || sqlite::migrate(&files, set, &migrations, now)).await
            }
            Handle::Postgres(engine) => engine.migrate(set, migrations, self.inner.clock.now()).await,
        }
    }

    /// A connection for reading, maybe on a replica; what the present caller wrote is seen in any case
    /// (see [`crate::consistency`]).
    ///
    /// # Errors
    /// [`Error::Overloaded`] when none becomes free in time, [`Error::Unavailable`] when there is no engine.
    pub async fn read(&self) -> Result<Reader, Error> {
        match &self.inner.engine {
            Handle::Sqlite { .. } => self.read_primary().await,
            Handle::Postgres(engine) => {
                Ok(Reader::new(Connection::reading(Backend::PostgresRead(engine.read().await?))))
            }
        }
    }

    /// A connection for reading that sees everything that is committed.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn read_primary(&self) -> Result<Reader, Error> {
        let backend = match &self.inner.engine {
            Handle::Sqlite { readers, .. } => Backend::SqliteRead(readers.acquire().await?),
            Handle::Postgres(engine) => Backend::PostgresRead(engine.read_primary().await?),
        };
        Ok(Reader::new(Connection::reading(backend)))
    }

    /// Runs `body` in a serialisable transaction. `body` may run several times, so it must do nothing that
    /// cannot be done twice, and await nothing but the database.
    ///
    /// # Errors
    /// What `body` returns; [`Error::Overloaded`], [`Error::Unavailable`] or [`Error::Conflict`] when the
    /// transaction cannot begin or commit.
    pub async fn write<T, E, F, Fut>(&self, body: F) -> Result<T, E>
    where
        F: FnMut(Tx) -> Fut,
        Fut: Future<Output = Result<Done<T>, E>>,
        E: From<Error>,
    {
        self.write_with(Isolation::Serializable, body).await
    }

    /// As [`Self::write`], with the isolation that is asked for.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn write_with<T, E, F, Fut>(&self, isolation: Isolation, mut body: F) -> Result<T, E>
    where
        F: FnMut(Tx) -> Fut,
        Fut: Future<Output = Result<Done<T>, E>>,
        E: From<Error>,
    {
        let mut backoff = Backoff::new(&self.inner.rng, self.retries());
        loop {
            let attempt = Arc::new(Attempt::default());
            let tx = self.begin(isolation, attempt.clone()).await?;
            match body(tx).instrument(tracing::debug_span!("write", database = self.inner.name)).await {
                Ok(done) => return Ok(done.value),
                Err(error) if !attempt.should_retry() => return Err(error),
                Err(_) => {
                    metrics::counter!("database_retries_total", "database" => self.inner.name).increment(1);
                    if !backoff.wait().await {
                        return Err(Error::Conflict.into());
                    }
                }
            }
        }
    }

    async fn begin(&self, isolation: Isolation, attempt: Arc<Attempt>) -> Result<Tx, Error> {
        let backend = match &self.inner.engine {
            Handle::Sqlite { writer, .. } => Backend::SqliteWrite(writer.begin().await?),
            Handle::Postgres(engine) => Backend::PostgresWrite(engine.begin(isolation).await?),
        };
        Ok(Tx::new(Connection::writing(backend, attempt.clone()), self.clone(), attempt))
    }

    pub(crate) fn engine(&self) -> Engine {
        match &self.inner.engine {
            Handle::Sqlite { .. } => Engine::Sqlite,
            Handle::Postgres(_) => Engine::Postgres,
        }
    }

    fn retries(&self) -> u32 {
        match &self.inner.engine {
            Handle::Sqlite { .. } => SQLITE_RETRIES,
            Handle::Postgres(engine) => engine.retries,
        }
    }

    /// Tells of every commit of this process that wrote an event.
    pub fn outbox_changed(&self) -> Changes {
        self.inner.signals.outbox()
    }

    pub(crate) fn due_changed(&self, queue: &'static str) -> DueChanges {
        self.inner.signals.due(queue)
    }

    /// How much work has been done since it was opened.
    pub fn stats(&self) -> Stats {
        match &self.inner.engine {
            Handle::Sqlite { writer, .. } => {
                let (commits, transactions) = writer.counts();
                Stats { transactions, commits }
            }
            Handle::Postgres(engine) => Stats { transactions: engine.commits(), commits: engine.commits() },
        }
    }

    /// Every table and column of the live schema, in order, without the platform's own tables and the engine's.
    ///
    /// # Errors
    /// As [`Connection::fetch_all`].
    pub async fn schema_columns(&self) -> Result<Vec<(String, String)>, Error> {
        let mut connection = self.read_primary().await?;
        let sql = match &self.inner.engine {
            Handle::Sqlite { .. } => {
                "SELECT tables.name, columns.name FROM pragma_table_list AS tables \
                 JOIN pragma_table_info(tables.name) AS columns \
                 WHERE tables.schema = 'main' AND tables.type IN ('table', 'virtual') \
                 AND tables.name NOT LIKE 'platform\\_%' ESCAPE '\\' AND tables.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                 ORDER BY tables.name, columns.cid"
            }
            Handle::Postgres(_) => {
                "SELECT table_name::text, column_name::text FROM information_schema.columns \
                 WHERE table_schema = current_schema() AND table_name NOT LIKE 'platform\\_%' \
                 ORDER BY table_name, ordinal_position"
            }
        };
        connection.fetch_all(sql, &[]).await
    }
}

/// The name becomes part of a path or of SQL.
fn check_name(name: &str) -> Result<(), Error> {
    let plain = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_';
    if name.len() <= 40
        && name.starts_with(|letter: char| letter.is_ascii_lowercase())
        && name.bytes().all(plain)
    {
        return Ok(());
    }
    Err(Error::Config { field: "name", problem: format!("{name:?} is not a plain lower-case name") })
}

async fn open_sqlite(
    limits: &EmbeddedConfig,
    name: &'static str,
    data_dir: &Path,
    signals: &Arc<Signals>,
) -> Result<Handle, Error> {
    let files = sqlite::Files { path: data_dir.join(format!("{name}.db")), config: limits.clone() };
    let (opening, signals) = (files.clone(), signals.clone());
    let writer = blocking(move || sqlite::Writer::open(name, opening, signals)).await?;
    let readers = sqlite::Readers::new(files.clone());
    Ok(Handle::Sqlite { files, writer, readers })
}

/// Runs what may wait for the disk away from the tasks of others.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Error::Unavailable { source: Arc::new(error) }),
    }
}
