use std::fmt::Write as _;

use crate::connection::Connection;
use crate::error::Error;
use crate::row::FromRow;
use crate::value::Value;

/// A statement put together at run time. Text comes from the program, values only through parameters.
///
/// ```
/// # use database::Sql;
/// let mut sql = Sql::new("SELECT id FROM orders WHERE customer_id = ");
/// sql.bind(7_i64).push(" AND status IN ").bind_list(["paid", "sent"]);
/// assert_eq!(sql.text(), "SELECT id FROM orders WHERE customer_id = $1 AND status IN ($2, $3)");
/// ```
#[derive(Clone, Debug)]
pub struct Sql {
    text: String,
    params: Vec<Value>,
}

impl Sql {
    /// Starts with `text`.
    pub fn new(text: &'static str) -> Self {
        Self { text: text.to_owned(), params: Vec::new() }
    }

    /// Appends text of the program. The lifetime keeps input of users out: it must be known when compiling.
    pub fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends a parameter that holds `value`.
    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.params.push(value.into());
        let _ = write!(self.text, "${}", self.params.len());
        self
    }

    /// Appends `($1, $2, …)`; for an empty list `(NULL)`, which no value is in.
    pub fn bind_list<V: Into<Value>>(&mut self, values: impl IntoIterator<Item = V>) -> &mut Self {
        let before = self.params.len();
        self.text.push('(');
        for value in values {
            if self.params.len() > before {
                self.text.push_str(", ");
            }
            self.bind(value);
        }
        if self.params.len() == before {
            self.text.push_str("NULL");
        }
        self.text.push(')');
        self
    }

    /// The statement.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its parameters.
    pub fn params(&self) -> &[Value] {
        &self.params
    }

    /// Runs it. Returns how many rows changed.
    ///
    /// # Errors
    /// As [`Connection::execute`].
    pub async fn execute(&self, connection: &mut Connection) -> Result<u64, Error> {
        connection.execute(&self.text, &self.params).await
    }

    /// All its rows.
    ///
    /// # Errors
    /// As [`Connection::fetch_all`].
    pub async fn fetch_all<T: FromRow + Send>(&self, connection: &mut Connection) -> Result<Vec<T>, Error> {
        connection.fetch_all(&self.text, &self.params).await
    }

    /// Its first row, if there is one.
    ///
    /// # Errors
    /// As [`Connection::fetch_optional`].
    pub async fn fetch_optional<T: FromRow + Send>(
        &self,
        connection: &mut Connection,
    ) -> Result<Option<T>, Error> {
        connection.fetch_optional(&self.text, &self.params).await
    }

    /// Its first row.
    ///
    /// # Errors
    /// As [`Connection::fetch_one`].
    pub async fn fetch_one<T: FromRow + Send>(&self, connection: &mut Connection) -> Result<T, Error> {
        connection.fetch_one(&self.text, &self.params).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_holds_nothing() {
        let mut sql = Sql::new("x IN ");
        sql.bind_list(Vec::<i64>::new()).push(" AND y = ").bind("z");
        assert_eq!(sql.text(), "x IN (NULL) AND y = $1");
        assert_eq!(sql.params(), [Value::Text("z".into())]);
    }
}
