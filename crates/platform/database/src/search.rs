//! Text search with one meaning on both engines: every word must occur, the last may be the beginning of one,
//! accents and case do not matter, and a word in the title counts more than one in the body.
//!
//! The text is cut into folded words here, so that FTS5 and PostgreSQL index exactly the same words. Only
//! public text may be indexed: erasing a person does not reach an index.

use std::fmt::Write as _;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use uuid::Uuid;

use crate::connection::{Connection, Engine};
use crate::database::Database;
use crate::error::Error;
use crate::params;
use crate::transaction::Tx;

/// The most words of a text that are indexed.
const MAX_WORDS: usize = 4_000;
/// The most characters of a word that count.
const MAX_WORD_LEN: usize = 40;
/// The most words of a query that count.
const MAX_QUERY_WORDS: usize = 12;

/// An index over titles and bodies, in tables of its own.
#[derive(Clone, Copy, Debug)]
pub struct Index {
    name: &'static str,
}

impl Index {
    /// The index `name`: lower-case letters and underscores.
    pub const fn new(name: &'static str) -> Self {
        Self { name }
    }

    /// Creates the index if it is not there yet.
    ///
    /// # Errors
    /// As [`Database::write`].
    pub async fn create(&self, database: &Database) -> Result<(), Error> {
        database
            .write(|mut tx| async move {
                tx.lock_key(self.name).await?;
                for statement in self.definition(tx.engine()) {
                    tx.execute(&statement, &[]).await?;
                }
                tx.commit(()).await
            })
            .await
    }

    fn definition(&self, engine: Engine) -> [String; 2] {
        let name = self.name;
        match engine {
            Engine::Sqlite => [
                format!(
                    "CREATE TABLE IF NOT EXISTS platform_search_{name}_ids \
                     (place INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE) STRICT"
                ),
                format!(
                    "CREATE VIRTUAL TABLE IF NOT EXISTS platform_search_{name} \
                     USING fts5(title, body, content='', contentless_delete=1, prefix='2 3')"
                ),
            ],
            Engine::Postgres => [
                format!(
                    "CREATE TABLE IF NOT EXISTS platform_search_{name} (id uuid PRIMARY KEY, words tsvector NOT NULL)"
                ),
                format!(
                    "CREATE INDEX IF NOT EXISTS platform_search_{name}_words ON platform_search_{name} USING gin (words)"
                ),
            ],
        }
    }

    /// Indexes the texts of `id`, in place of those it had.
    ///
    /// # Errors
    /// As [`Connection::execute`].
    pub async fn upsert(&self, tx: &mut Tx, id: Uuid, title: &str, body: &str) -> Result<(), Error> {
        let name = self.name;
        match tx.engine() {
            Engine::Sqlite => {
                let place = format!(
                    "INSERT INTO platform_search_{name}_ids (id) VALUES ($1) \
                     ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING place"
                );
                let (place,): (i64,) = tx.fetch_one(&place, &params![id]).await?;
                let text = format!(
                    "INSERT OR REPLACE INTO platform_search_{name} (rowid, title, body) VALUES ($1, $2, $3)"
                );
                tx.execute(&text, &params![place, words(title).join(" "), words(body).join(" ")]).await?;
            }
            Engine::Postgres => {
                let sql = format!(
                    "INSERT INTO platform_search_{name} (id, words) VALUES ($1, $2::text::tsvector) \
                     ON CONFLICT (id) DO UPDATE SET words = excluded.words"
                );
                tx.execute(&sql, &params![id, vector(&words(title), &words(body))]).await?;
            }
        }
        Ok(())
    }

    /// Takes `id` out of the index.
    ///
    /// # Errors
    /// As [`Connection::execute`].
    pub async fn remove(&self, tx: &mut Tx, id: Uuid) -> Result<(), Error> {
        let name = self.name;
        match tx.engine() {
            Engine::Sqlite => {
                let text = format!(
                    "DELETE FROM platform_search_{name} \
                     WHERE rowid = (SELECT place FROM platform_search_{name}_ids WHERE id = $1)"
                );
                tx.execute(&text, &params![id]).await?;
                let place = format!("DELETE FROM platform_search_{name}_ids WHERE id = $1");
                tx.execute(&place, &params![id]).await?;
            }
            Engine::Postgres => {
                let sql = format!("DELETE FROM platform_search_{name} WHERE id = $1");
                tx.execute(&sql, &params![id]).await?;
            }
        }
        Ok(())
    }

    /// The ids whose texts hold every word of `text`, best first, at most `limit`. A text without a word
    /// finds nothing.
    ///
    /// # Errors
    /// As [`Connection::fetch_all`].
    pub async fn query(
        &self,
        connection: &mut Connection,
        text: &str,
        limit: u32,
    ) -> Result<Vec<Uuid>, Error> {
        let name = self.name;
        let mut words = words(text);
        words.truncate(MAX_QUERY_WORDS);
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let (sql, query) = match connection.engine() {
            Engine::Sqlite => (
                format!(
                    "SELECT ids.id FROM platform_search_{name} AS texts \
                     JOIN platform_search_{name}_ids AS ids ON ids.place = texts.rowid \
                     WHERE texts.platform_search_{name} MATCH $1 \
                     ORDER BY bm25(platform_search_{name}, 10.0, 1.0), ids.id LIMIT $2"
                ),
                joined(&words, "\"", " AND ", "*"),
            ),
            Engine::Postgres => (
                format!(
                    "SELECT id FROM platform_search_{name} WHERE words @@ $1::text::tsquery \
                     ORDER BY ts_rank('{{0, 0, 0.1, 1}}', words, $1::text::tsquery, 1) DESC, id LIMIT $2"
                ),
                joined(&words, "'", " & ", ":*"),
            ),
        };
        let ids: Vec<(Uuid,)> = connection.fetch_all(&sql, &params![query, limit]).await?;
        Ok(ids.into_iter().map(|(id,)| id).collect())
    }
}

/// The words of a text as a `tsvector`: those of the title weigh most.
fn vector(title: &[String], body: &[String]) -> String {
    let mut vector = String::new();
    let weighted = title.iter().map(|word| (word, 'A')).chain(body.iter().map(|word| (word, 'B')));
    for (place, (word, weight)) in (1..).zip(weighted) {
        let _ = write!(vector, "'{word}':{place}{weight} ");
    }
    vector
}

/// The words of a query, each in quotes, the last one marked as a beginning.
fn joined(words: &[String], quote: &str, and: &str, beginning: &str) -> String {
    let mut query = String::new();
    for (index, word) in words.iter().enumerate() {
        let and = if index == 0 { "" } else { and };
        let _ = write!(query, "{and}{quote}{word}{quote}");
    }
    query + beginning
}

/// The words of a text as the index has them: letters and digits, lower case, without accents.
pub fn words(text: &str) -> Vec<String> {
    let folded: String = text.nfkd().filter(|letter| !is_combining_mark(*letter)).flat_map(fold).collect();
    folded
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(MAX_WORDS)
        .map(|word| word.chars().take(MAX_WORD_LEN).collect())
        .collect()
}

/// Letters that Unicode does not take apart but people leave out.
fn fold(letter: char) -> impl Iterator<Item = char> {
    let plain = match letter {
        'ß' | 'ẞ' => "ss",
        'æ' | 'Æ' => "ae",
        'œ' | 'Œ' => "oe",
        'ø' | 'Ø' => "o",
        'ł' | 'Ł' => "l",
        'đ' | 'Đ' => "d",
        'ı' => "i",
        _ => "",
    };
    let own = plain.is_empty().then(|| letter.to_lowercase()).into_iter().flatten();
    plain.chars().chain(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded() {
        assert_eq!(words("Crème Brûlée, 50ml"), ["creme", "brulee", "50ml"]);
        assert_eq!(words("Straße ŁÓDŹ Ærø"), ["strasse", "lodz", "aero"]);
        assert_eq!(words("İstanbul"), ["istanbul"]);
        assert_eq!(words(" -- \" ' "), Vec::<String>::new());
    }

    #[test]
    fn queries_hold_nothing_but_words() {
        let query = joined(&words("red\" OR lip"), "\"", " AND ", "*");
        assert_eq!(query, "\"red\" AND \"or\" AND \"lip\"*");
    }
}
