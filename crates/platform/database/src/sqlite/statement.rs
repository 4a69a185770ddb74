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
    let places = places(sql);
    let sound = places.len() == statement.parameter_count()
        && places.iter().copied().max().unwrap_or(0) == params.len();
    if !sound {
        return Err(count_mismatch(params.len()));
    }
    for (index, place) in places.into_iter().enumerate() {
        let value = place.checked_sub(1).and_then(|place| params.get(place));
        let value = value.ok_or_else(|| count_mismatch(params.len()))?;
        statement.raw_bind_parameter(index + 1, value).map_err(classify)?;
    }
    Ok(statement)
}

/// The numbers of the parameters `$1`, `$2`, … in the order in which they first appear, which is how
/// SQLite numbers them. It could be asked for the name of each, but looks through all of them every
/// time, which for a row of thousands is most of the work.
fn places(sql: &str) -> Vec<usize> {
    let mut places = Vec::new();
    let mut seen = Vec::new();
    let mut rest = sql.as_bytes();
    while let Some(start) = rest.iter().position(|byte| matches!(byte, b'$' | b'\'' | b'"' | b'-' | b'/')) {
        let (mark, after) = (rest[start], &rest[start + 1..]);
        rest = match (mark, after.first()) {
            (b'$', _) => {
                let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let number = after[..digits].iter().fold(0_usize, |number, digit| {
                    number.saturating_mul(10).saturating_add(usize::from(digit - b'0'))
                });
                if seen.len() <= number && number <= sql.len() {
                    seen.resize(number + 1, false);
                }
                if let Some(seen @ false) = seen.get_mut(number) {
                    *seen = true;
                    places.push(number);
                }
                &after[digits..]
            }
            (b'\'' | b'"', _) => past(after, &[mark]),
            (b'-', Some(b'-')) => past(after, b"\n"),
            (b'/', Some(b'*')) => past(after, b"*/"),
            _ => after,
        };
    }
    places
}

/// What comes after the first `end` in `text`.
fn past<'t>(text: &'t [u8], end: &[u8]) -> &'t [u8] {
    let found = text.windows(end.len()).position(|window| window == end);
    found.map_or(&[], |start| &text[start + end.len()..])
}

fn count_mismatch(given: usize) -> Error {
    Error::Type {
        what: format!("the list of {given} parameters"),
        wanted: "what the statement's $1, $2, … ask for",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_as_sqlite_numbers_them() {
        for sql in [
            "SELECT $1",
            "SELECT $2, $1, $2",
            "SELECT '$9', \"$8\", $1 -- $7\n, $3 /* $6 */, $2",
            "SELECT 'it''s $5', $1 - $2 / $1",
            "SELECT 1",
            "INSERT INTO t VALUES ($1, $2), ($3, $4), ($10, $2)",
        ] {
            let connection = Connection::open_in_memory().unwrap();
            connection.execute_batch("CREATE TABLE t (a, b)").unwrap();
            // A quoted name that is no column is a text to SQLite, which is as good here.
            let statement = connection.prepare(sql).unwrap();
            let names: Vec<usize> = (1..=statement.parameter_count())
                .map(|index| statement.parameter_name(index).unwrap()[1..].parse().unwrap())
                .collect();
            assert_eq!(places(sql), names, "{sql}");
        }
    }
}
