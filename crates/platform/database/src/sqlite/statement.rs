use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection};

use super::classify;
use crate::error::Error;
use crate::row::Row;
use crate::value::{Cell, Value};

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Bool(value) => ValueRef::Integer((*value).into()),
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Bytes(value) => ValueRef::Blob(value),
            Self::Uuid(value) => ValueRef::Blob(value.as_bytes()),
            Self::Time(value) => ValueRef::Integer(value.as_micros()),
            Self::Json(value) => return Ok(ToSqlOutput::from(value.to_string())),
        }))
    }
}

/// Runs a statement and returns how many rows changed. Rows that it returns are dropped.
pub(crate) fn execute(connection: &Connection, sql: &str, params: &[Value]) -> Result<u64, Error> {
    let mut statement = prepare(connection, sql, params)?;
    if statement.column_count() == 0 {
        return statement.raw_execute().map(|rows| rows as u64).map_err(classify);
    }
    let mut rows = statement.raw_query();
    let mut returned = 0;
    while rows.next().map_err(classify)?.is_some() {
        returned += 1;
    }
    Ok(returned)
}

/// Runs a query and shows each row to `each` until it says `false`.
pub(crate) fn query(
    connection: &Connection,
    sql: &str,
    params: &[Value],
    row: &mut Row,
    each: &mut dyn FnMut(&Row) -> Result<bool, Error>,
) -> Result<(), Error> {
    let mut statement = prepare(connection, sql, params)?;
    let mut rows = statement.raw_query();
    let mut columns = None;
    while let Some(found) = rows.next().map_err(classify)? {
        // Only the first step plans a statement anew after a migration, so its columns are not known before.
        let columns = *columns.get_or_insert_with(|| {
            row.set_columns(found.as_ref().column_names());
            found.as_ref().column_count()
        });
        row.clear();
        for index in 0..columns {
            row.push(cell(found.get_ref(index).map_err(classify)?, index)?);
        }
        if !each(row)? {
            break;
        }
    }
    Ok(())
}

fn cell(value: ValueRef<'_>, index: usize) -> Result<Cell<'_>, Error> {
    match value {
        ValueRef::Null => Ok(Cell::Null),
        ValueRef::Integer(value) => Ok(Cell::Int(value)),
        ValueRef::Text(value) => std::str::from_utf8(value)
            .map(Cell::Text)
            .map_err(|_| Error::Type { what: format!("column {index}"), wanted: "UTF-8 text" }),
        ValueRef::Blob(value) => Ok(Cell::Bytes(value)),
        ValueRef::Real(_) => {
            Err(Error::Type { what: format!("column {index}"), wanted: "of a type that both engines share" })
        }
    }
}

fn prepare<'c>(
    connection: &'c Connection,
    sql: &str,
    params: &[Value],
) -> Result<CachedStatement<'c>, Error> {
    let mut statement = connection.prepare_cached(sql).map_err(classify)?;
    let mut used = 0;
    // SQLite numbers `$2, $1` by first appearance, so the number is taken from the name.
    for index in 1..=statement.parameter_count() {
        let place: usize = statement
            .parameter_name(index)
            .and_then(|name| name.strip_prefix('$'))
            .and_then(|number| number.parse().ok())
            .unwrap_or(0);
        let Some(value) = place.checked_sub(1).and_then(|place| params.get(place)) else {
            return Err(count_mismatch(params.len()));
        };
        used = used.max(place);
        statement.raw_bind_parameter(index, value).map_err(classify)?;
    }
    if used != params.len() {
        return Err(count_mismatch(params.len()));
    }
    Ok(statement)
}

fn count_mismatch(given: usize) -> Error {
    Error::Type {
        what: format!("the list of {given} parameters"),
        wanted: "what the statement's $1, $2, … ask for",
    }
}
