use std::sync::Arc;

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::error::Error;

/// Whether another process holds the lock that is needed.
pub(crate) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Puts SQLite's error into the crate's terms.
pub(crate) fn classify(error: rusqlite::Error) -> Error {
    let Some(cause) = error.sqlite_error().copied() else {
        return Error::Engine { source: Arc::new(error) };
    };
    let message = error.to_string();
    let source = Arc::new(error);
    match cause.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            let primary = cause.extended_code != ffi::SQLITE_CONSTRAINT_UNIQUE;
            return Error::UniqueViolation { constraint: constraint_name(&message, primary), source };
        }
        _ => {}
    }
    match cause.code {
        ErrorCode::ConstraintViolation => Error::ConstraintViolation { source },
        ErrorCode::OperationInterrupted => Error::StatementTimeout,
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::SystemIoFailure
        | ErrorCode::DiskFull
        | ErrorCode::CannotOpen
        | ErrorCode::ReadOnly
        | ErrorCode::OutOfMemory => Error::Unavailable { source },
        _ => Error::Engine { source },
    }
}

/// `UNIQUE constraint failed: orders.shop, orders.number` as PostgreSQL would call it by default:
/// `orders_shop_number_key`, or `orders_pkey` for the primary key.
fn constraint_name(message: &str, primary: bool) -> String {
    let columns = message.rsplit_once(": ").map_or(message, |(_, columns)| columns);
    if let Some(index) = columns.strip_prefix("index '") {
        return index.trim_end_matches('\'').to_owned();
    }
    let mut pairs = columns.split(", ").filter_map(|column| column.split_once('.')).peekable();
    let mut name = pairs.peek().map_or_else(String::new, |(table, _)| (*table).to_owned());
    if primary {
        return name + "_pkey";
    }
    for (_, column) in pairs {
        name.push('_');
        name.push_str(column);
    }
    name + "_key"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_have_the_names_that_postgresql_gives_them() {
        let name = |columns: &str, primary| {
            constraint_name(&format!("UNIQUE constraint failed: {columns}"), primary)
        };
        assert_eq!(name("orders.number", false), "orders_number_key");
        assert_eq!(name("orders.shop, orders.number", false), "orders_shop_number_key");
        assert_eq!(name("orders.id", true), "orders_pkey");
        assert_eq!(name("index 'orders_lower_mail_key'", false), "orders_lower_mail_key");
    }
}
