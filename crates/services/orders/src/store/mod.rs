//! SQL and nothing else. Whoever reads somebody's data names whose it is in the query.

pub(crate) mod carts;
pub(crate) mod checkouts;
pub(crate) mod columns;
pub(crate) mod events;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod lines;
pub(crate) mod orders;

use database::{Error, Row};
use serde::de::DeserializeOwned;

/// The tables of this service.
pub(crate) const MIGRATIONS: &[database::Migration] = &database::migrations!["0001_init", "0002_wide_rows"];

/// A JSON column read as a `T`.
fn json<T: DeserializeOwned>(row: &Row, column: &'static str) -> Result<T, Error> {
    let value: serde_json::Value = row.get(column)?;
    serde_json::from_value(value)
        .map_err(|_| Error::Type { what: format!("column {column:?}"), wanted: std::any::type_name::<T>() })
}

/// The same for a column that may hold nothing.
fn optional_json<T: DeserializeOwned>(row: &Row, column: &'static str) -> Result<Option<T>, Error> {
    let value: Option<serde_json::Value> = row.get(column)?;
    value
        .map(serde_json::from_value)
        .transpose()
        .map_err(|_| Error::Type { what: format!("column {column:?}"), wanted: std::any::type_name::<T>() })
}

/// A value as a JSON column holds it. Ours are plain data, which can always be written.
fn to_json<T: serde::Serialize>(value: &T) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// A text column read as one of a few words.
fn word<T>(row: &Row, column: &'static str, read: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
    let text: String = row.get(column)?;
    read(&text).ok_or_else(|| Error::Type { what: format!("column {column:?}"), wanted: "a known word" })
}
