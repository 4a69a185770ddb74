use std::sync::Arc;

use crate::error::Error;
use crate::postgres;
use crate::row::{FromRow, Row};
use crate::sqlite;
use crate::transaction::Attempt;
use crate::value::Value;

/// Runs statements, on whichever engine there is. [`crate::Reader`] and [`crate::Tx`] both are one.
///
/// SQL is written once, in the subset that both engines share; see the README.
pub struct Connection {
    backend: Backend,
    row: Row,
    /// Present in a transaction.
    attempt: Option<Arc<Attempt>>,
}

pub(crate) enum Backend {
    SqliteRead(sqlite::ReadGuard),
    SqliteWrite(sqlite::WriteGuard),
    PostgresRead(postgres::ReadSession),
    PostgresWrite(postgres::WriteSession),
}

/// Which engine runs. Only this crate may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl Connection {
    pub(crate) fn reading(backend: Backend) -> Self {
        Self { backend, row: Row::default(), attempt: None }
    }

    pub(crate) fn writing(backend: Backend, attempt: Arc<Attempt>) -> Self {
        Self { backend, row: Row::default(), attempt: Some(attempt) }
    }

    pub(crate) fn engine(&self) -> Engine {
        match self.backend {
            Backend::SqliteRead(_) | Backend::SqliteWrite(_) => Engine::Sqlite,
            Backend::PostgresRead(_) | Backend::PostgresWrite(_) => Engine::Postgres,
        }
    }

    /// What makes a claiming query pass over rows that others are claiming.
    pub(crate) fn skip_locked(&self) -> &'static str {
        match self.engine() {
            Engine::Sqlite => "",
            Engine::Postgres => "FOR UPDATE SKIP LOCKED",
        }
    }

    /// The schema that a transaction works in, on an engine that has schemas.
    pub(crate) fn schema(&self) -> &'static str {
        match &self.backend {
            Backend::PostgresWrite(write) => write.schema(),
            _ => "",
        }
    }

    pub(crate) fn into_backend(self) -> Backend {
        self.backend
    }

    /// Asks the engine for nothing, to see that it answers.
    ///
    /// # Errors
    /// As [`Self::fetch_one`].
    pub async fn ping(&mut self) -> Result<(), Error> {
        self.fetch_one::<(i64,)>("SELECT 1", &[]).await.map(|_| ())
    }

    /// Runs a statement and returns how many rows it changed (or returned, with `RETURNING`).
    ///
    /// # Errors
    /// [`Error::ReadOnly`] on a [`crate::Reader`]; [`Error::UniqueViolation`], [`Error::ConstraintViolation`], time-outs, and whatever the engine refuses.
    /// After an error inside a transaction only a rollback is possible, on both engines.
    pub async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, Error> {
        self.check()?;
        let result = match &mut self.backend {
            Backend::SqliteWrite(write) => write.with(|connection| sqlite::execute(connection, sql, params)),
            Backend::PostgresWrite(write) => write.session().execute(sql, params).await,
            Backend::SqliteRead(_) | Backend::PostgresRead(_) => Err(Error::ReadOnly),
        };
        self.note(result)
    }

    /// All rows of a query. The query says how many that may be at most.
    ///
    /// # Errors
    /// As [`Self::execute`], and [`Error::Type`] when a row is not a `T`.
    pub async fn fetch_all<T: FromRow + Send>(
        &mut self,
        sql: &str,
        params: &[Value],
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        self.query(sql, params, &mut |row| {
            all.push(T::from_row(row)?);
            Ok(true)
        })
        .await?;
        Ok(all)
    }

    /// The first row of a query, if there is one.
    ///
    /// # Errors
    /// As [`Self::fetch_all`].
    pub async fn fetch_optional<T: FromRow + Send>(
        &mut self,
        sql: &str,
        params: &[Value],
    ) -> Result<Option<T>, Error> {
        let mut first = None;
        self.query(sql, params, &mut |row| {
            first = Some(T::from_row(row)?);
            Ok(false)
        })
        .await?;
        Ok(first)
    }

    /// The first row of a query.
    ///
    /// # Errors
    /// As [`Self::fetch_all`], and [`Error::NotFound`] when there is none.
    pub async fn fetch_one<T: FromRow + Send>(&mut self, sql: &str, params: &[Value]) -> Result<T, Error> {
        self.fetch_optional(sql, params).await?.ok_or(Error::NotFound)
    }

    /// Shows every row of a query to `each` without keeping any: constant memory, however many there are.
    ///
    /// # Errors
    /// As [`Self::fetch_all`], and whatever `each` returns, which ends the query.
    pub async fn fetch_each<T: FromRow>(
        &mut self,
        sql: &str,
        params: &[Value],
        mut each: impl FnMut(T) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        self.query(sql, params, &mut |row| T::from_row(row).and_then(&mut each).map(|()| true)).await
    }

    async fn query(
        &mut self,
        sql: &str,
        params: &[Value],
        each: &mut (dyn FnMut(&Row) -> Result<bool, Error> + Send),
    ) -> Result<(), Error> {
        self.check()?;
        let row = &mut self.row;
        let result = match &mut self.backend {
            Backend::SqliteRead(read) => {
                read.with(|connection| sqlite::query(connection, sql, params, row, each))
            }
            Backend::SqliteWrite(write) => {
                write.with(|connection| sqlite::query(connection, sql, params, row, each))
            }
            Backend::PostgresRead(read) => read.query(sql, params, row, each).await,
            Backend::PostgresWrite(write) => write.session().query(sql, params, row, each).await,
        };
        self.note(result)
    }

    /// A failed statement ends what a PostgreSQL transaction can do, so it does on SQLite too: code that
    /// passes its tests on one engine must not surprise on the other.
    fn check(&self) -> Result<(), Error> {
        match &self.attempt {
            Some(attempt) if attempt.has_failed() => Err(Error::Aborted),
            _ => Ok(()),
        }
    }

    fn note<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if let (Some(attempt), Err(error)) = (&self.attempt, &result) {
            attempt.note(error);
        }
        result
    }
}
