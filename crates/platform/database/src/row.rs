use std::ops::Range;

use crate::error::Error;
use crate::value::{Cell, FromValue};

/// One row of a result. The same `Row` is filled again for each row of a query, so reading a million rows
/// allocates nothing beyond what [`FromRow`] makes of them; clone it to keep it.
#[derive(Clone, Debug, Default)]
pub struct Row {
    names: String,
    name_ends: Vec<usize>,
    cells: Vec<Stored>,
    text: String,
    bytes: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Stored {
    Null,
    Int(i64),
    Text(Range<usize>),
    Bytes(Range<usize>),
}

/// Names a column: by its name in the result, or by its place from 0.
pub trait Column {
    /// The place of the column in `row`, if there is such a column.
    fn find(&self, row: &Row) -> Option<usize>;

    /// How an error names it.
    fn label(&self) -> String;
}

impl Column for &str {
    fn find(&self, row: &Row) -> Option<usize> {
        row.position(self)
    }

    fn label(&self) -> String {
        format!("column {self:?}")
    }
}

impl Column for usize {
    fn find(&self, row: &Row) -> Option<usize> {
        (*self < row.cells.len()).then_some(*self)
    }

    fn label(&self) -> String {
        format!("column {self}")
    }
}

impl Row {
    /// The value of `column`, by name or place.
    ///
    /// # Errors
    /// [`Error::Type`] when there is no such column or it holds something else.
    pub fn get<T: FromValue>(&self, column: impl Column) -> Result<T, Error> {
        column
            .find(self)
            .and_then(|index| T::from_cell(self.cell(index)))
            .ok_or_else(|| Error::Type { what: column.label(), wanted: T::NAME })
    }

    /// How many columns there are.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there are no columns.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The names of the columns, in order.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        (0..self.name_ends.len()).map(|index| self.name(index))
    }

    fn name(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.name_ends[index - 1] };
        &self.names[start..self.name_ends[index]]
    }

    fn position(&self, name: &str) -> Option<usize> {
        (0..self.name_ends.len()).find(|index| self.name(*index) == name)
    }

    fn cell(&self, index: usize) -> Cell<'_> {
        match &self.cells[index] {
            Stored::Null => Cell::Null,
            Stored::Int(value) => Cell::Int(*value),
            Stored::Text(range) => Cell::Text(&self.text[range.clone()]),
            Stored::Bytes(range) => Cell::Bytes(&self.bytes[range.clone()]),
        }
    }

    /// Takes the columns of the next result.
    pub(crate) fn set_columns<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        self.names.clear();
        self.name_ends.clear();
        for name in names {
            self.names.push_str(name);
            self.name_ends.push(self.names.len());
        }
        self.clear();
    }

    /// Makes room for the next row of the same result.
    pub(crate) fn clear(&mut self) {
        self.cells.clear();
        self.text.clear();
        self.bytes.clear();
    }

    pub(crate) fn push(&mut self, cell: Cell<'_>) {
        let stored = match cell {
            Cell::Null => Stored::Null,
            Cell::Int(value) => Stored::Int(value),
            Cell::Text(value) => {
                let start = self.text.len();
                self.text.push_str(value);
                Stored::Text(start..self.text.len())
            }
            Cell::Bytes(value) => {
                let start = self.bytes.len();
                self.bytes.extend_from_slice(value);
                Stored::Bytes(start..self.bytes.len())
            }
        };
        self.cells.push(stored);
    }
}

/// A type that can be read from a row.
pub trait FromRow: Sized {
    /// Reads the row.
    ///
    /// # Errors
    /// [`Error::Type`] when a column is absent or holds something else.
    fn from_row(row: &Row) -> Result<Self, Error>;
}

impl FromRow for Row {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(row.clone())
    }
}

macro_rules! tuple {
    ($($type:ident $index:tt),*) => {
        impl<$($type: FromValue),*> FromRow for ($($type,)*) {
            fn from_row(row: &Row) -> Result<Self, Error> {
                Ok(($(row.get::<$type>($index)?,)*))
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name_and_place_and_rows_replace_each_other() {
        let mut row = Row::default();
        row.set_columns(["id", "name", "note"].into_iter());
        row.push(Cell::Int(1));
        row.push(Cell::Text("first, and longer"));
        row.push(Cell::Null);
        let kept = row.clone();
        row.clear();
        row.push(Cell::Int(2));
        row.push(Cell::Text("second"));
        row.push(Cell::Bytes(b"x"));
        assert_eq!(row.get::<i64>("id").unwrap(), 2);
        assert_eq!(row.get::<String>(1).unwrap(), "second");
        assert_eq!(row.get::<Vec<u8>>("note").unwrap(), b"x");
        assert_eq!(kept.get::<String>("name").unwrap(), "first, and longer");
        assert_eq!(kept.get::<Option<String>>("note").unwrap(), None);
        assert_eq!(row.columns().collect::<Vec<_>>(), ["id", "name", "note"]);
        assert!(row.get::<i64>("nothing").unwrap_err().to_string().contains("\"nothing\""));
        assert!(row.get::<i64>(3).is_err());
    }
}
