//! SQLite and nothing around it: the rows that the server wrote, written again.
//!
//! Which rows one operation writes is not guessed: the databases of the server are compared before and after a
//! load, and what is new in them is what the bare writer writes, into the same tables with the same indexes, as
//! durably (`synchronous = FULL`), with as many operations to a commit as there were clients at once, and all
//! databases at the same time. It writes less than the server did: rows that came and went are not found, and
//! of a row that changed often only the last state is.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};

use crate::process::own_cpu;
use crate::shop::databases;
use crate::table::{Limit, grouped};

/// The databases of a shop as they were.
pub(crate) struct Baseline {
    folder: PathBuf,
}

/// What several operations wrote.
pub(crate) struct Rows {
    databases: Vec<Database>,
    /// How many operations.
    operations: u64,
}

struct Database {
    name: String,
    tables: Vec<Table>,
}

struct Table {
    /// The table and its indexes.
    ddl: Vec<String>,
    insert: String,
    rows: Vec<Vec<Value>>,
    /// Rows that one operation writes.
    per_operation: f64,
}

/// A table that gets fewer rows than this with each operation has them from something else.
const FEWEST_ROWS: f64 = 0.01;

/// More would take long and tell the same.
const MOST_OPERATIONS: u64 = 20_000;

impl Baseline {
    /// Copies every database under `data`, which may be in use, to `folder`.
    pub(crate) fn take(data: &Path, folder: &Path) -> Result<Self> {
        for path in databases(data)? {
            let copy = folder.join(path.file_name().context("a database has a name")?);
            let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            connection.execute("VACUUM INTO ?1", [copy.to_str().context("path")?])?;
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// What `operations` operations added to the databases under `data`. In the tables `changed` each of them
    /// changed one row and added none.
    pub(crate) fn rows(&self, data: &Path, operations: u64, changed: &[&str]) -> Result<Rows> {
        let mut found = Vec::new();
        for path in databases(data)? {
            let name = path.file_name().and_then(|name| name.to_str()).context("a database has a name")?;
            let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            let before = self.folder.join(name);
            connection.execute("ATTACH ?1 AS before", [before.to_str().context("path")?])?;
            let mut tables = Vec::new();
            for table in names(&connection)? {
                tables.extend(new_rows(&connection, &table, operations, changed.contains(&table.as_str()))?);
            }
            if !tables.is_empty() {
                found.push(Database { name: name.to_owned(), tables });
            }
        }
        Ok(Rows { databases: found, operations })
    }
}

/// Tables of both states whose rows can be compared.
fn names(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection.prepare(
        "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' \
         AND sql NOT LIKE 'CREATE VIRTUAL%' AND name IN (SELECT name FROM before.sqlite_master)",
    )?;
    Ok(statement.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?)
}

fn new_rows(connection: &Connection, table: &str, operations: u64, changed: bool) -> Result<Option<Table>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let columns: Vec<String> = statement
        .query_map([table], |row| Ok(format!("\"{}\"", row.get::<_, String>(0)?)))?
        .collect::<Result<_, _>>()?;
    let list = columns.join(", ");
    let mut statement = connection.prepare(&format!(
        "SELECT {list} FROM main.\"{table}\" EXCEPT SELECT {list} FROM before.\"{table}\""
    ))?;
    let read = |row: &rusqlite::Row<'_>| (0..columns.len()).map(|index| row.get(index)).collect();
    let rows: Vec<Vec<Value>> = statement.query_map((), read)?.collect::<Result<_, _>>()?;
    let per_operation = if changed { 1.0 } else { rows.len() as f64 / operations.max(1) as f64 };
    if rows.is_empty() || per_operation < FEWEST_ROWS {
        return Ok(None);
    }
    let mut statement = connection.prepare(
        "SELECT sql FROM main.sqlite_master WHERE tbl_name = ?1 AND sql IS NOT NULL ORDER BY type DESC",
    )?;
    let ddl = statement.query_map([table], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let marks = vec!["?"; columns.len()].join(", ");
    let insert = format!("INSERT OR REPLACE INTO \"{table}\" ({list}) VALUES ({marks})");
    Ok(Some(Table { ddl, insert, rows, per_operation }))
}

impl Rows {
    /// For people: how much one operation writes.
    pub(crate) fn describe(&self) -> String {
        let tables = || self.databases.iter().flat_map(|database| &database.tables);
        let rows: f64 = tables().map(|table| table.per_operation).sum();
        let bytes: f64 = tables()
            .map(|table| {
                let bytes: usize = table.rows.iter().flatten().map(length).sum();
                table.per_operation * bytes as f64 / table.rows.len() as f64
            })
            .sum();
        let databases = match self.databases.len() {
            1 => "one database".to_owned(),
            count => format!("{count} databases"),
        };
        format!("{rows:.1} rows with {} bytes in {databases}", grouped(bytes))
    }

    /// Writes them again into databases of their own in `folder`, `group` operations to a commit.
    pub(crate) fn limit(self, group: usize, folder: &Path) -> Result<Limit> {
        let operations = usize::try_from(self.operations.min(MOST_OPERATIONS))?;
        let barrier = Arc::new(Barrier::new(self.databases.len() + 1));
        let mut threads = Vec::new();
        for database in self.databases {
            let connection = open(&folder.join(&database.name), &database)?;
            let barrier = Arc::clone(&barrier);
            threads.push(thread::spawn(move || {
                barrier.wait();
                write(connection, &database, operations, group)
            }));
        }
        barrier.wait();
        let (begun, cpu) = (Instant::now(), own_cpu()?);
        for thread in threads {
            thread.join().map_err(|_| anyhow!("a thread of the SQLite limit failed"))??;
        }
        let (elapsed, cpu, operations) =
            (begun.elapsed(), own_cpu()?.saturating_sub(cpu), operations.max(1) as f64);
        fs::remove_dir_all(folder)?;
        Ok(Limit {
            rate: operations / elapsed.as_secs_f64(),
            cpu: Some(cpu.as_secs_f64() * 1e6 / operations),
        })
    }
}

fn length(value: &Value) -> usize {
    match value {
        Value::Null => 0,
        Value::Integer(_) | Value::Real(_) => 8,
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
    }
}

fn open(path: &Path, database: &Database) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.set_prepared_statement_cache_capacity(64);
    for ddl in database.tables.iter().flat_map(|table| &table.ddl) {
        connection.execute_batch(ddl)?;
    }
    Ok(connection)
}

fn write(mut connection: Connection, database: &Database, operations: usize, group: usize) -> Result<()> {
    for first in (0..operations).step_by(group) {
        let transaction = connection.transaction()?;
        for table in &database.tables {
            let row = |operation: usize| (operation as f64 * table.per_operation) as usize;
            let mut statement = transaction.prepare_cached(&table.insert)?;
            for index in row(first)..row(operations.min(first + group)) {
                statement.execute(params_from_iter(&table.rows[index % table.rows.len()]))?;
            }
        }
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_is_written_again() {
        let folder = std::env::temp_dir().join(format!("souk-bench-{}", std::process::id()));
        let (data, before, bare) = (folder.join("data"), folder.join("before"), folder.join("bare"));
        for folder in [&data, &before, &bare] {
            fs::create_dir_all(folder).unwrap();
        }
        let connection = Connection::open(data.join("orders.db")).unwrap();
        let run = |sql: &str| connection.execute_batch(sql).unwrap();
        run("CREATE TABLE lines (id INTEGER PRIMARY KEY, title TEXT); CREATE INDEX lines_title ON lines (title);
             CREATE TABLE carts (id INTEGER PRIMARY KEY, version INTEGER);
             INSERT INTO lines VALUES (1, 'old'); INSERT INTO carts VALUES (1, 1), (2, 1);");
        let baseline = Baseline::take(&data, &before).unwrap();
        run("INSERT INTO lines VALUES (2, 'new'), (3, 'new'), (4, 'new'), (5, 'new');
             UPDATE carts SET version = 2 WHERE id = 1");
        let rows = baseline.rows(&data, 2, &["carts"]).unwrap();
        assert_eq!(rows.describe(), "3.0 rows with 38 bytes in one database");
        assert!(rows.limit(1, &bare).unwrap().rate > 0.0);
        fs::remove_dir_all(folder).unwrap();
    }
}
