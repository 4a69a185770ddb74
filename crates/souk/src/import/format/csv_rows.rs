use std::collections::HashMap;
use std::io::BufRead;
use std::sync::Arc;

use anyhow::{Context as _, bail};

use super::Records;
use crate::import::{Record, Refusal};

/// Rows that belong to one record may be at most so many.
const MAX_ROWS: usize = 2_000;

/// One row, its cells found by the name of their column.
pub(super) struct Cells {
    columns: Arc<HashMap<String, usize>>,
    row: csv::StringRecord,
}

impl Cells {
    /// The cell without blanks around it; empty when the column or the cell is missing.
    pub(super) fn get(&self, column: &str) -> &str {
        self.columns.get(column).and_then(|index| self.row.get(*index)).unwrap_or_default().trim()
    }

    /// The cell unless it is empty.
    pub(super) fn optional(&self, column: &str) -> Option<&str> {
        Some(self.get(column)).filter(|cell| !cell.is_empty())
    }

    /// The cell, refused when it is empty.
    pub(super) fn required(&self, column: &str) -> Result<&str, Refusal> {
        self.optional(column).ok_or_else(|| Refusal::missing(column))
    }

    /// The parts of a cell with a list in it.
    pub(super) fn list(&self, column: &str, separator: char) -> Vec<String> {
        self.get(column)
            .split(separator)
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    }
}

/// Neighbouring rows with the same cell in the column `key`, each group as one record. A blank cell
/// goes on with the record above it.
pub(super) fn grouped<T: Send + 'static>(
    reader: impl BufRead + Send + 'static,
    key: &'static str,
    required: &[&str],
    convert: impl Fn(&[Cells]) -> Result<T, Refusal> + Send + 'static,
) -> anyhow::Result<Records<T>> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(reader);
    let headers = reader.headers().context("the file has no header row")?;
    let columns: HashMap<String, usize> =
        headers.iter().enumerate().map(|(index, name)| (name.trim().to_owned(), index)).collect();
    for column in required {
        if !columns.contains_key(*column) {
            bail!("the header row has no column {column:?}");
        }
    }
    let groups = Groups { rows: reader.into_records(), columns: Arc::new(columns), key, ahead: None };
    Ok(Box::new(groups.map(move |group| {
        let Group { line, name, rows } = group;
        let content = rows.and_then(|rows| convert(&rows));
        Record { place: format!("line {line}"), name, content }
    })))
}

struct Groups<R> {
    rows: csv::StringRecordsIntoIter<R>,
    columns: Arc<HashMap<String, usize>>,
    key: &'static str,
    ahead: Option<(u64, Cells)>,
}

struct Group {
    line: u64,
    name: String,
    rows: Result<Vec<Cells>, Refusal>,
}

impl<R: std::io::Read> Groups<R> {
    fn read(&mut self) -> Option<Result<(u64, Cells), (u64, Refusal)>> {
        let row = self.rows.next()?;
        Some(match row {
            Ok(row) => {
                let line = row.position().map_or(0, csv::Position::line);
                Ok((line, Cells { columns: self.columns.clone(), row }))
            }
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                Err((line, Refusal::new("import.unreadable", None, error.to_string())))
            }
        })
    }
}

impl<R: std::io::Read> Iterator for Groups<R> {
    type Item = Group;

    fn next(&mut self) -> Option<Group> {
        let (line, first) = match self.ahead.take() {
            Some(ahead) => ahead,
            None => match self.read()? {
                Ok(row) => row,
                Err((line, refusal)) => {
                    return Some(Group { line, name: String::new(), rows: Err(refusal) });
                }
            },
        };
        let name = first.get(self.key).to_owned();
        let mut rows = vec![first];
        let mut refused = None;
        while let Some(row) = self.read() {
            match row {
                Ok((_, cells)) if cells.get(self.key).is_empty() || cells.get(self.key) == name => {
                    if rows.len() < MAX_ROWS {
                        rows.push(cells);
                    } else {
                        let detail = format!("more than {MAX_ROWS} rows belong together");
                        refused = Some(Refusal::new("import.too_large", Some(self.key), detail));
                    }
                }
                Ok(next) => {
                    self.ahead = Some(next);
                    break;
                }
                Err((_, refusal)) => {
                    refused = Some(refusal);
                    break;
                }
            }
        }
        Some(Group { line, name, rows: refused.map_or(Ok(rows), Err) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &'static str) -> Vec<(String, String, Result<usize, String>)> {
        grouped(text.as_bytes(), "id", &["id"], |rows| Ok(rows.len()))
            .unwrap()
            .map(|record| (record.place, record.name, record.content.map_err(|refusal| refusal.code)))
            .collect()
    }

    #[test]
    fn neighbours_and_blanks_belong_together() {
        let records = read("id,x\na,1\n,2\na,3\nb,4\na,5\n");
        let told: Vec<_> = records.iter().map(|(_, name, rows)| (name.as_str(), rows.clone())).collect();
        assert_eq!(told, [("a", Ok(3)), ("b", Ok(1)), ("a", Ok(1))]);
        assert_eq!(records[1].0, "line 5");
    }

    #[test]
    fn a_column_that_must_be_there_is_named() {
        let error = grouped("x\n1\n".as_bytes(), "id", &["id"], |rows| Ok(rows.len())).err().unwrap();
        assert!(error.to_string().contains("\"id\""));
    }

    #[test]
    fn cells_with_line_breaks_are_one_cell() {
        assert_eq!(read("id,x\na,\"1\n2\"\nb,3\n").len(), 2);
    }
}
