use database::{Connection, Error, FromRow, Row, Tx, params};
use kernel::{Limit, PollId};

use crate::model::{Placement, Poll, Question, Status};

/// The most polls that a customer is asked at one place.
const MOST_ASKED: i64 = 20;

/// The highest id there can be: what the first page of a list comes before.
const LAST: PollId = PollId::from_uuid(kernel::Uuid::max());

impl FromRow for Poll {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let questions: serde_json::Value = row.get("questions")?;
        let questions: Vec<Question> = serde_json::from_value(questions)
            .map_err(|_| Error::Type { what: "column \"questions\"".to_owned(), wanted: "questions" })?;
        Ok(Self {
            id: row.get("id")?,
            placement: row.get("placement")?,
            title: row.get("title")?,
            questions,
            status: row.get("status")?,
            version: row.get("version")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// Adds a poll; false when its id is there already.
pub(crate) async fn insert(tx: &mut Tx, poll: &Poll) -> Result<bool, Error> {
    let questions = serde_json::to_value(&poll.questions).unwrap_or_default();
    let added = tx
        .execute(
            "INSERT INTO polls (id, placement, title, questions, status, version, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
            &params![
                poll.id,
                poll.placement,
                &poll.title,
                questions,
                poll.status,
                poll.version,
                poll.created_at
            ],
        )
        .await?;
    Ok(added > 0)
}

/// Writes what of a poll can change.
pub(crate) async fn update(tx: &mut Tx, poll: &Poll) -> Result<(), Error> {
    tx.execute(
        "UPDATE polls SET title = $2, status = $3, version = $4 WHERE id = $1",
        &params![poll.id, &poll.title, poll.status, poll.version],
    )
    .await?;
    Ok(())
}

/// The poll `id`.
pub(crate) async fn find(connection: &mut Connection, id: PollId) -> Result<Option<Poll>, Error> {
    connection
        .fetch_optional(
            "SELECT id, placement, title, questions, status, version, created_at FROM polls WHERE id = $1",
            &params![id],
        )
        .await
}

/// Polls from the newest on, one more than `limit`.
pub(crate) async fn page(
    connection: &mut Connection,
    before: Option<PollId>,
    limit: Limit,
) -> Result<Vec<Poll>, Error> {
    connection
        .fetch_all(
            "SELECT id, placement, title, questions, status, version, created_at FROM polls
             WHERE id < $1 ORDER BY id DESC LIMIT $2",
            &params![before.unwrap_or(LAST), limit.overfetch()],
        )
        .await
}

/// The polls that are asked at `placement`, the newest first.
pub(crate) async fn asked(connection: &mut Connection, placement: Placement) -> Result<Vec<Poll>, Error> {
    connection
        .fetch_all(
            "SELECT id, placement, title, questions, status, version, created_at FROM polls
             WHERE placement = $1 AND status = $2 ORDER BY id DESC LIMIT $3",
            &params![placement, Status::Active, MOST_ASKED],
        )
        .await
}

/// Whether the poll takes answers.
pub(crate) async fn is_active(tx: &mut Tx, id: PollId) -> Result<bool, Error> {
    let found: Option<(Status,)> =
        tx.fetch_optional("SELECT status FROM polls WHERE id = $1", &params![id]).await?;
    Ok(found == Some((Status::Active,)))
}
