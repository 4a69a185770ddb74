use database::{Connection, Error, FromRow, Row, Sql, Tx, params};
use kernel::Timestamp;

use crate::model::{Change, Channel, Epoch};

/// The only row of its table.
const THE_EPOCH: i64 = 1;

struct Logged(Option<Change>);

impl FromRow for Logged {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let (topic, subject): (String, String) = (row.get("topic")?, row.get("subject")?);
        let data: serde_json::Value = row.get("data")?;
        let (position, kind) = (row.get("position")?, row.get("kind")?);
        let change = Channel::from_log(&topic, &subject).map(|channel| Change {
            position,
            channel,
            kind,
            data: data.to_string(),
        });
        Ok(Self(change))
    }
}

fn changes(rows: Vec<Logged>) -> Vec<Change> {
    rows.into_iter().filter_map(|Logged(change)| change).collect()
}

/// Writes a change. Writers take turns, so that offsets become visible in their order.
pub(crate) async fn append(
    tx: &mut Tx,
    channel: Channel,
    kind: &str,
    data: serde_json::Value,
) -> Result<(), Error> {
    tx.lock_key("sync.log").await?;
    let now = tx.database().clock().now();
    tx.execute(
        "INSERT INTO log (topic, subject, kind, data, at) VALUES ($1, $2, $3, $4, $5)",
        &params![channel.topic().as_str(), channel.subject(), kind, data, now],
    )
    .await?;
    Ok(())
}

/// The offset of the newest change, zero when there was none yet.
pub(crate) async fn newest(connection: &mut Connection) -> Result<i64, Error> {
    let (newest, oldest): (i64, i64) = connection
        .fetch_one(
            "SELECT (SELECT COALESCE(MAX(position), 0) FROM log), \
                    (SELECT COALESCE(MAX(oldest), 0) FROM epochs)",
            &[],
        )
        .await?;
    // When everything was trimmed, what was trimmed last is still the newest that there was.
    Ok(newest.max(oldest))
}

/// Changes up to and including this offset are gone.
pub(crate) async fn trimmed(connection: &mut Connection) -> Result<i64, Error> {
    let (trimmed,): (i64,) = connection.fetch_one("SELECT COALESCE(MAX(oldest), 0) FROM epochs", &[]).await?;
    Ok(trimmed)
}

/// All changes after `position`, for the follower.
pub(crate) async fn since(
    connection: &mut Connection,
    position: i64,
    limit: u32,
) -> Result<Vec<Change>, Error> {
    let rows = connection
        .fetch_all(
            "SELECT position, topic, subject, kind, data FROM log WHERE position > $1 \
             ORDER BY position LIMIT $2",
            &params![position, limit],
        )
        .await?;
    Ok(changes(rows))
}

/// The changes of `channels` after one position and up to another, in order.
pub(crate) async fn between(
    connection: &mut Connection,
    channels: &[Channel],
    after: i64,
    until: i64,
    limit: u32,
) -> Result<Vec<Change>, Error> {
    let mut sql = Sql::new("SELECT position, topic, subject, kind, data FROM log WHERE position > ");
    sql.bind(after).push(" AND position <= ").bind(until).push(" AND (");
    for (index, channel) in channels.iter().enumerate() {
        sql.push(if index == 0 { "(topic = " } else { " OR (topic = " });
        sql.bind(channel.topic().as_str()).push(" AND subject = ").bind(channel.subject()).push(")");
    }
    sql.push(") ORDER BY position LIMIT ").bind(limit);
    Ok(changes(sql.fetch_all(connection).await?))
}

/// The log's epoch, made with `name` when there is none.
pub(crate) async fn epoch(tx: &mut Tx, name: &str) -> Result<Epoch, Error> {
    tx.execute(
        "INSERT INTO epochs (id, epoch, oldest) VALUES ($1, $2, 0) ON CONFLICT (id) DO NOTHING",
        &params![THE_EPOCH, name],
    )
    .await?;
    let (name, trimmed): (String, i64) =
        tx.fetch_one("SELECT epoch, oldest FROM epochs WHERE id = $1", &params![THE_EPOCH]).await?;
    let newest = newest(tx).await?;
    Ok(Epoch { name, trimmed, newest })
}

/// Deletes up to `limit` changes from before `before`, and notes how far the log is gone. Answers
/// with how many went.
pub(crate) async fn trim(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<u64, Error> {
    let (last,): (Option<i64>,) = tx
        .fetch_one(
            "SELECT MAX(position) FROM (SELECT position FROM log WHERE at < $1 ORDER BY position LIMIT $2) AS old",
            &params![before, limit],
        )
        .await?;
    let Some(last) = last else { return Ok(0) };
    tx.execute("UPDATE epochs SET oldest = $1 WHERE id = $2", &params![last, THE_EPOCH]).await?;
    tx.execute("DELETE FROM log WHERE position <= $1", &params![last]).await
}

/// Deletes everything of a channel.
pub(crate) async fn forget(tx: &mut Tx, channel: Channel) -> Result<u64, Error> {
    tx.execute(
        "DELETE FROM log WHERE topic = $1 AND subject = $2",
        &params![channel.topic().as_str(), channel.subject()],
    )
    .await
}
