use std::collections::HashSet;

use database::{Connection, Error, FromRow, Row, Sql, Tx, params};
use kernel::{AnswerId, CustomerId, Limit, OrderId, PollId};

use crate::model::Answer;

/// An answer as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct StoredAnswer {
    /// The answer, but for its texts.
    pub(crate) answer: Answer,
    /// Who gave it; nobody once they were erased.
    pub(crate) customer_id: Option<CustomerId>,
    /// Its texts by question, sealed.
    pub(crate) texts: Option<Vec<u8>>,
}

/// The highest id there can be: what the first page of a list comes before.
const LAST: AnswerId = AnswerId::from_uuid(kernel::Uuid::max());

impl FromRow for StoredAnswer {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let items: serde_json::Value = row.get("answers")?;
        let answer = Answer {
            id: row.get("id")?,
            poll_id: row.get("poll_id")?,
            order_id: row.get("order_id")?,
            answers: serde_json::from_value(items)
                .map_err(|_| Error::Type { what: "column \"answers\"".to_owned(), wanted: "answers" })?,
            created_at: row.get("created_at")?,
        };
        Ok(Self { answer, customer_id: row.get("customer_id")?, texts: row.get("texts")? })
    }
}

/// Adds an answer; false when the poll was answered for the order before.
pub(crate) async fn insert(tx: &mut Tx, stored: &StoredAnswer) -> Result<bool, Error> {
    let StoredAnswer { answer, customer_id, texts } = stored;
    let items = serde_json::to_value(&answer.answers).unwrap_or_default();
    let added = tx
        .execute(
            "INSERT INTO answers (id, poll_id, order_id, customer_id, answers, texts, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (poll_id, order_id) DO NOTHING",
            &params![
                answer.id,
                answer.poll_id,
                answer.order_id,
                *customer_id,
                items,
                texts.clone(),
                answer.created_at
            ],
        )
        .await?;
    Ok(added > 0)
}

/// The answer `id` of `customer` to `poll`.
pub(crate) async fn find(
    connection: &mut Connection,
    customer: CustomerId,
    poll: PollId,
    id: AnswerId,
) -> Result<Option<StoredAnswer>, Error> {
    connection
        .fetch_optional(
            "SELECT id, poll_id, order_id, customer_id, answers, texts, created_at FROM answers
             WHERE id = $1 AND poll_id = $2 AND customer_id = $3",
            &params![id, poll, customer],
        )
        .await
}

/// The answers to `poll` from the newest on, one more than `limit`.
pub(crate) async fn page(
    connection: &mut Connection,
    poll: PollId,
    before: Option<AnswerId>,
    limit: Limit,
) -> Result<Vec<StoredAnswer>, Error> {
    connection
        .fetch_all(
            "SELECT id, poll_id, order_id, customer_id, answers, texts, created_at FROM answers
             WHERE poll_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
            &params![poll, before.unwrap_or(LAST), limit.overfetch()],
        )
        .await
}

/// All answers of `customer`, the oldest first.
pub(crate) async fn of(
    connection: &mut Connection,
    customer: CustomerId,
) -> Result<Vec<StoredAnswer>, Error> {
    connection
        .fetch_all(
            "SELECT id, poll_id, order_id, customer_id, answers, texts, created_at FROM answers
             WHERE customer_id = $1 ORDER BY id",
            &params![customer],
        )
        .await
}

/// Which polls were answered for which of `orders`.
pub(crate) async fn answered(
    connection: &mut Connection,
    customer: CustomerId,
    orders: &[OrderId],
) -> Result<HashSet<(PollId, OrderId)>, Error> {
    let mut sql = Sql::new("SELECT poll_id, order_id FROM answers WHERE customer_id = ");
    sql.bind(customer).push(" AND order_id IN ").bind_list(orders.iter().copied());
    Ok(sql.fetch_all(connection).await?.into_iter().collect())
}

/// Takes the name and the words of `customer` from their answers.
pub(crate) async fn forget(tx: &mut Tx, customer: CustomerId) -> Result<(), Error> {
    tx.execute(
        "UPDATE answers SET customer_id = NULL, texts = NULL WHERE customer_id = $1",
        &params![customer],
    )
    .await?;
    Ok(())
}
