use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::connection::{Backend, Connection, Engine};
use crate::database::Database;
use crate::error::Error;
use crate::params;
use crate::row::FromRow;
use crate::signals::Touched;
use crate::value::Value;

/// How far a transaction is kept apart from concurrent ones. SQLite has one writer, so there it makes no
/// difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// As if transactions ran one after the other. PostgreSQL makes some of them run again.
    #[default]
    Serializable,
    /// Each statement sees what was committed before it began. For statements that are right by themselves
    /// under contention, such as a conditional `UPDATE`.
    ReadCommitted,
}

/// A connection for reading. Each statement sees what was committed before it began.
pub struct Reader {
    connection: Connection,
}

impl Reader {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection }
    }
}

impl Deref for Reader {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

/// An open transaction. Ends with [`Tx::commit`] or [`Tx::rollback`]; dropping it rolls back.
///
/// Await nothing but the database while it is open: on SQLite every other writer of the service waits.
pub struct Tx {
    connection: Connection,
    database: Database,
    attempt: Arc<Attempt>,
    touched: Touched,
}

/// Proof that a transaction was ended on purpose, with what the closure of [`Database::write`] returns.
#[must_use]
pub struct Done<T> {
    pub(crate) value: T,
}

/// What the retrying loop learns from a transaction that has been moved into a closure.
#[derive(Debug, Default)]
pub(crate) struct Attempt {
    failed: AtomicBool,
    retry: AtomicBool,
}

impl Attempt {
    pub(crate) fn should_retry(&self) -> bool {
        self.retry.load(Ordering::Relaxed)
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    pub(crate) fn note(&self, error: &Error) {
        // A value of the wrong type is noticed on this side; the engine's transaction is sound.
        if !matches!(error, Error::Type { .. }) {
            self.failed.store(true, Ordering::Relaxed);
        }
        if error.is_retryable() {
            self.retry.store(true, Ordering::Relaxed);
        }
    }
}

impl Tx {
    pub(crate) fn new(connection: Connection, database: Database, attempt: Arc<Attempt>) -> Self {
        Self { connection, database, attempt, touched: Touched::default() }
    }

    /// The database that this transaction is on.
    pub fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn touched(&mut self) -> &mut Touched {
        &mut self.touched
    }

    /// Commits, and returns `value` once the transaction is durable.
    ///
    /// # Errors
    /// When nothing was committed; only with [`Error::CommitUnknown`] is the outcome in doubt.
    pub async fn commit<T>(self, value: T) -> Result<Done<T>, Error> {
        let Self { connection, attempt, touched, .. } = self;
        let committed = if attempt.has_failed() {
            Err(Error::Aborted)
        } else {
            match connection.into_backend() {
                Backend::SqliteWrite(write) => write.commit(touched).await,
                Backend::PostgresWrite(write) => write.commit(touched).await,
                Backend::SqliteRead(_) | Backend::PostgresRead(_) => Err(Error::ReadOnly),
            }
        };
        match committed {
            Ok(()) => Ok(Done { value }),
            Err(error) => {
                attempt.note(&error);
                Err(error)
            }
        }
    }

    /// Rolls back and returns `value`: for a decision not to change anything.
    ///
    /// # Errors
    /// None at present: what cannot be rolled back is not committed either.
    pub async fn rollback<T>(self, value: T) -> Result<Done<T>, Error> {
        if let Backend::PostgresWrite(write) = self.connection.into_backend() {
            write.rollback().await;
        }
        Ok(Done { value })
    }

    /// All rows of a query of one table, each locked until this transaction ends: others may read them and
    /// wait to change them, and they are read as last committed even if that was after the query began. They
    /// are locked in the order of the query, so order it to keep two transactions from waiting for each other.
    /// PostgreSQL gets `FOR NO KEY UPDATE` appended; on SQLite the one writer already holds everything.
    ///
    /// # Errors
    /// As [`Connection::fetch_all`].
    pub async fn fetch_all_locked<T: FromRow + Send>(
        &mut self,
        sql: &str,
        params: &[Value],
    ) -> Result<Vec<T>, Error> {
        match self.connection.engine() {
            Engine::Sqlite => self.connection.fetch_all(sql, params).await,
            Engine::Postgres => {
                self.connection.fetch_all(&[sql, " FOR NO KEY UPDATE"].concat(), params).await
            }
        }
    }

    /// Holds back every other transaction that locks the same key until this one ends. On SQLite the one
    /// writer already does. Best with [`Isolation::ReadCommitted`]: a serialisable transaction sees the data as
    /// of before it waited, and then has to run again.
    ///
    /// # Errors
    /// As [`Connection::execute`].
    pub async fn lock_key(&mut self, key: &str) -> Result<(), Error> {
        match self.connection.engine() {
            Engine::Sqlite => Ok(()),
            Engine::Postgres => {
                let key = format!("{}:{key}", self.connection.schema());
                let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
                self.connection.execute(lock, &params![key]).await.map(|_| ())
            }
        }
    }
}

impl Deref for Tx {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}
