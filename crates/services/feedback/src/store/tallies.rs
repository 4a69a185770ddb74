use database::{Connection, Error, Sql, Tx, params};
use kernel::PollId;

use crate::model::Counts;

/// Adds one to each of `tallies`, which are sorted and all different.
pub(crate) async fn add(tx: &mut Tx, poll: PollId, tallies: &[(String, String)]) -> Result<(), Error> {
    let mut sql = Sql::new("INSERT INTO tallies (poll_id, question_id, value, times) VALUES ");
    for (index, (question, value)) in tallies.iter().enumerate() {
        sql.push(if index == 0 { "(" } else { ", (" });
        sql.bind(poll).push(", ").bind(question).push(", ").bind(value).push(", 1)");
    }
    sql.push(" ON CONFLICT (poll_id, question_id, value) DO UPDATE SET times = tallies.times + 1");
    sql.execute(tx).await?;
    Ok(())
}

/// How often what was said to `poll`.
pub(crate) async fn of(connection: &mut Connection, poll: PollId) -> Result<Counts, Error> {
    let rows: Vec<(String, String, i64)> = connection
        .fetch_all("SELECT question_id, value, times FROM tallies WHERE poll_id = $1", &params![poll])
        .await?;
    Ok(rows.into_iter().map(|(question, value, times)| ((question, value), times)).collect())
}
