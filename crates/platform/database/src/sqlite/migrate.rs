use std::time::Duration;

use kernel::Timestamp;
use rusqlite::{Connection, params};

use super::{Files, classify};
use crate::error::Error;
use crate::migrate::{Applied, Migration, checksum, pending};

/// For how long a starting copy waits while another one migrates.
const PATIENCE: Duration = Duration::from_secs(600);

/// Runs what is missing of `set`. The file's write lock lets one process at a time do so.
pub(crate) fn migrate(
    files: &Files,
    set: &'static str,
    migrations: &[Migration],
    now: Timestamp,
) -> Result<(), Error> {
    let (mut connection, _deadline) = files.open_writer().map_err(classify)?;
    connection.busy_timeout(PATIENCE).map_err(classify)?;
    let tx =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(classify)?;
    let applied = applied(&tx, set).map_err(classify)?;
    for migration in pending(set, migrations, &applied, |migration| migration.sqlite)? {
        tx.execute_batch(migration.sqlite).map_err(classify)?;
        tx.execute(
            "INSERT INTO platform_migrations (set_name, number, name, checksum, applied_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![set, migration.number, migration.name, checksum(migration.sqlite), now.as_micros()],
        )
        .map_err(classify)?;
        tracing::info!(set, migration = migration.name, "migrated");
    }
    tx.commit().map_err(classify)
}

fn applied(tx: &Connection, set: &str) -> rusqlite::Result<Vec<Applied>> {
    tx.execute_batch(
        "CREATE TABLE IF NOT EXISTS platform_migrations (
             set_name TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, checksum BLOB NOT NULL,
             applied_at INTEGER NOT NULL, PRIMARY KEY (set_name, number)
         ) STRICT, WITHOUT ROWID",
    )?;
    let mut select =
        tx.prepare("SELECT number, checksum FROM platform_migrations WHERE set_name = ?1 ORDER BY number")?;
    let rows = select.query_map([set], |row| Ok(Applied { number: row.get(0)?, checksum: row.get(1)? }))?;
    rows.collect()
}
