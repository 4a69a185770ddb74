use std::error::Error as _;
use std::sync::Arc;

use deadpool_postgres::{PoolError, TimeoutType};
use tokio_postgres::error::SqlState;

use super::encode::Mismatch;
use crate::error::Error;

/// Puts PostgreSQL's error into the crate's terms.
pub(super) fn classify(error: tokio_postgres::Error) -> Error {
    if error.source().is_some_and(|cause| cause.is::<Mismatch>()) {
        return Error::Type {
            what: "a parameter".to_owned(),
            wanted: "of the type that the statement wants",
        };
    }
    let Some(code) = error.code().cloned() else {
        // What is not an answer of the server is a failure of the way there, or of a statement's parameters.
        let away = error.is_closed() || error.source().is_some_and(is_network);
        let source = Arc::new(error);
        return if away { Error::Unavailable { source } } else { Error::Engine { source } };
    };
    let constraint = error.as_db_error().and_then(|error| error.constraint()).unwrap_or_default().to_owned();
    let replan = is_stale_plan(&error);
    let source = Arc::new(error);
    match code {
        SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => Error::Retry { source },
        _ if replan => Error::Retry { source },
        SqlState::UNIQUE_VIOLATION => Error::UniqueViolation { constraint, source },
        SqlState::QUERY_CANCELED => Error::StatementTimeout,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => Error::TransactionTimeout,
        SqlState::READ_ONLY_SQL_TRANSACTION => Error::Unavailable { source },
        code => match code.code().get(..2) {
            Some("23") => Error::ConstraintViolation { source },
            // Connections refused, resources exhausted, servers that stop or start.
            Some("08" | "53" | "57") => Error::Unavailable { source },
            _ => Error::Engine { source },
        },
    }
}

/// Whether a prepared statement no longer fits the tables, which a migration has changed.
pub(super) fn is_stale_plan(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED)
        && error.as_db_error().is_some_and(|error| error.message().contains("cached plan"))
}

fn is_network(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause.is::<std::io::Error>()
}

/// Puts the pool's error into the crate's terms.
pub(super) fn classify_pool(error: PoolError) -> Error {
    match error {
        PoolError::Timeout(TimeoutType::Wait) => Error::Overloaded,
        PoolError::Backend(error) => match classify(error) {
            // Whatever keeps us from connecting, there is no database.
            Error::Engine { source } => Error::Unavailable { source },
            error => error,
        },
        error => Error::Unavailable { source: Arc::new(error) },
    }
}
