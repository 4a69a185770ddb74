use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::is_busy;
use crate::config::EmbeddedConfig;

/// How many steps of SQLite's machine go by between two looks at the deadline: some tenths of a millisecond.
const STEPS_PER_LOOK: i32 = 20_000;

/// After how many pages of the log they are copied into the database: 16 MiB. A page that is written often is
/// copied once, and a start after a crash still reads the log in a moment.
const PAGES_PER_CHECKPOINT: i32 = 4_096;

/// Where the database lies and how its connections are set up.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) path: PathBuf,
    pub(crate) config: EmbeddedConfig,
}

/// The moment at which the statement that runs on a connection is interrupted.
#[derive(Clone, Debug)]
pub(crate) struct Deadline {
    start: Instant,
    /// Milliseconds after `start`; `u64::MAX` when nothing limits the statement.
    at: Arc<AtomicU64>,
}

impl Deadline {
    fn new() -> Self {
        Self { start: Instant::now(), at: Arc::new(AtomicU64::new(u64::MAX)) }
    }

    /// Interrupts the connection's statement once `timeout` has passed.
    pub(crate) fn set(&self, timeout: Duration) {
        let at = self.start.elapsed().saturating_add(timeout).as_millis();
        self.at.store(u64::try_from(at).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn has_passed(&self) -> bool {
        self.start.elapsed().as_millis() > u128::from(self.at.load(Ordering::Relaxed))
    }
}

impl Files {
    /// Opens the connection that writes. Creates the file, readable by its owner alone, if there is none.
    pub(crate) fn open_writer(&self) -> rusqlite::Result<(Connection, Deadline)> {
        create_private(&self.path);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        // Switching to WAL takes the file's lock for a moment, and another process may be doing the same.
        connection.busy_timeout(Duration::from_millis(self.config.busy_timeout_ms))?;
        self.enter_wal(&connection)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "wal_autocheckpoint", PAGES_PER_CHECKPOINT)?;
        connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
        // What is erased must not be left to read in the free space of a page.
        connection.pragma_update(None, "secure_delete", "FAST")?;
        // From here on a busy file is waited for without blocking a thread.
        connection.busy_timeout(Duration::ZERO)?;
        self.finish(connection)
    }

    /// SQLite does not wait for the lock that this switch needs, so several starting processes take turns here.
    fn enter_wal(&self, connection: &Connection) -> rusqlite::Result<()> {
        let until = Instant::now() + Duration::from_millis(self.config.busy_timeout_ms);
        loop {
            match connection.pragma_update(None, "journal_mode", "WAL") {
                Err(error) if is_busy(&error) && Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                result => return result,
            }
        }
    }

    /// Opens a connection that can only read.
    pub(crate) fn open_reader(&self) -> rusqlite::Result<(Connection, Deadline)> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(Duration::from_millis(self.config.busy_timeout_ms))?;
        connection.pragma_update(None, "query_only", true)?;
        self.finish(connection)
    }

    fn finish(&self, mut connection: Connection) -> rusqlite::Result<(Connection, Deadline)> {
        connection.pragma_update(None, "cache_size", -i64::from(self.config.cache_kib))?;
        connection.pragma_update(None, "mmap_size", i64::from(self.config.mmap_mib) << 20)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        // Without this SQLite plans a statement anew whenever a parameter that its plan may depend on has
        // another value, which for short statements costs more than running them.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(self.config.statement_cache);
        let deadline = Deadline::new();
        let watched = deadline.clone();
        connection.progress_handler(STEPS_PER_LOOK, Some(move || watched.has_passed()))?;
        Ok((connection, deadline))
    }
}

/// The file holds people's data, so nobody else on the machine may read it. SQLite gives its companions
/// (`-wal`, `-shm`) the same permissions. A failure shows when the file is opened.
fn create_private(path: &std::path::Path) {
    let mut options = std::fs::OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let _ = options.open(path);
}
