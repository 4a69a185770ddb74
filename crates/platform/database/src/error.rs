use std::sync::Arc;
use std::time::Duration;

use kernel::{Fail, FailureKind};

/// What an engine said, kept so that a log can show it; `Display` of [`Error`] never does.
pub type Source = Arc<dyn std::error::Error + Send + Sync>;

/// What can go wrong between a service and its database.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached, or the connection was lost.
    #[error("the database is away; try again shortly")]
    Unavailable {
        /// What the engine or the network said.
        source: Source,
    },
    /// The connection was lost, or the disk failed, while committing: the transaction may or may not stand.
    #[error("the database went away while committing; whether it did is not known")]
    CommitUnknown {
        /// What the engine or the network said.
        source: Source,
    },
    /// The queue of writers is full, or no connection became free within the time-out.
    #[error("the database is overloaded; try again shortly")]
    Overloaded,
    /// Concurrent transactions kept getting in each other's way until the retries ran out.
    #[error("too many concurrent changes to the same data; try again")]
    Conflict,
    /// This attempt lost against a concurrent transaction. [`crate::Database::write`] runs it again.
    #[error("a concurrent transaction got in the way")]
    Retry {
        /// What the engine said.
        source: Source,
    },
    /// A statement took longer than the time-out allows and was interrupted.
    #[error("the statement took too long and was interrupted")]
    StatementTimeout,
    /// The transaction stayed open longer than the time-out allows and was rolled back.
    #[error("the transaction was open for too long and was rolled back")]
    TransactionTimeout,
    /// An earlier statement of this transaction failed, so nothing but a rollback is possible.
    #[error("an earlier statement failed, so the transaction cannot go on")]
    Aborted,
    /// A connection for reading was asked to write.
    #[error("a connection for reading does not write")]
    ReadOnly,
    /// [`crate::Connection::fetch_one`] found no row.
    #[error("no row where one was expected")]
    NotFound,
    /// A unique constraint or primary key would be violated.
    #[error("the row would not be unique")]
    UniqueViolation {
        /// The constraint, under PostgreSQL's default name: `table_column_key` or `table_pkey`.
        constraint: String,
        /// What the engine said.
        source: Source,
    },
    /// A foreign key, check or not-null constraint would be violated.
    #[error("the row would break a constraint")]
    ConstraintViolation {
        /// What the engine said.
        source: Source,
    },
    /// A parameter or a column does not have the type that was asked for.
    #[error("{what} is not {wanted}")]
    Type {
        /// Which column or parameter.
        what: String,
        /// The type that was asked for.
        wanted: &'static str,
    },
    /// The migrations of the program and those of the database contradict each other.
    #[error("migration {number} of {set:?} {problem}")]
    Migration {
        /// The set that it belongs to.
        set: String,
        /// Its number.
        number: u32,
        /// What is wrong.
        problem: &'static str,
    },
    /// The configuration is unusable.
    #[error("database.{field}: {problem}")]
    Config {
        /// The field of the section `database`.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// Anything else that the engine refuses, such as a mistake in the SQL.
    #[error("the database refused a statement")]
    Engine {
        /// What the engine said.
        source: Source,
    },
}

impl Error {
    /// The constraint that would be violated when a row is not unique, under PostgreSQL's default name
    /// (`table_column_key`, `table_pkey`) on both engines; `None` for every other failure.
    pub fn is_unique_violation(&self) -> Option<&str> {
        match self {
            Self::UniqueViolation { constraint, .. } => Some(constraint),
            _ => None,
        }
    }

    /// Whether running the transaction again may succeed.
    pub(crate) fn is_retryable(&self) -> bool {
        matches!(self, Self::Retry { .. })
    }

    pub(crate) fn json(error: serde_json::Error) -> Self {
        Self::Engine { source: Arc::new(error) }
    }
}

impl Fail for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Unavailable { .. }
            | Self::CommitUnknown { .. }
            | Self::Overloaded
            | Self::Conflict
            | Self::Retry { .. }
            | Self::StatementTimeout
            | Self::TransactionTimeout => FailureKind::Unavailable,
            _ => FailureKind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } | Self::CommitUnknown { .. } => "database.unavailable",
            Self::Overloaded | Self::StatementTimeout | Self::TransactionTimeout => "database.overloaded",
            Self::Conflict | Self::Retry { .. } => "database.conflict",
            _ => "internal",
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        (self.kind() == FailureKind::Unavailable).then_some(Duration::from_secs(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overload_and_absence_ask_to_come_back_and_mistakes_do_not() {
        let source: Source = Arc::new(std::io::Error::other("secret detail"));
        let away = Error::Unavailable { source: source.clone() };
        assert_eq!((away.code(), away.kind().status()), ("database.unavailable", 503));
        assert!(away.retry_after().is_some());
        assert_eq!(Error::Overloaded.code(), "database.overloaded");
        assert_eq!(Error::Conflict.code(), "database.conflict");
        let mistake = Error::Engine { source };
        assert_eq!((mistake.code(), mistake.kind().status()), ("internal", 500));
        assert!(mistake.retry_after().is_none());
        assert!(!mistake.to_string().contains("secret detail"));
    }
}
