use database::{Connection, Error, FromRow, Row, Sql, Tx};
use kernel::{CustomerId, EventId, Limit, Timestamp};
use serde::Serialize;

/// Rows of one statement.
const ROWS: usize = 100;

/// An event that was refused.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RejectedEvent {
    pub(crate) id: EventId,
    pub(crate) source: String,
    pub(crate) message_id: Option<String>,
    pub(crate) code: String,
    pub(crate) detail: String,
    pub(crate) customer: Option<CustomerId>,
    pub(crate) received_at: Timestamp,
    /// The beginning of what was sent.
    pub(crate) message: String,
}

impl FromRow for RejectedEvent {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            source: row.get("source")?,
            message_id: row.get("message_id")?,
            code: row.get("code")?,
            detail: row.get("detail")?,
            customer: row.get("customer_id")?,
            received_at: row.get("received_at")?,
            message: row.get("message")?,
        })
    }
}

/// Keeps refused events for staff to look at; one that comes again is there already.
pub(crate) async fn quarantine(tx: &mut Tx, events: &[RejectedEvent]) -> Result<(), Error> {
    for rows in events.chunks(ROWS) {
        let mut sql = Sql::new(
            "INSERT INTO rejected_events (id, source, message_id, code, detail, customer_id, received_at, message) \
             VALUES ",
        );
        for (index, row) in rows.iter().enumerate() {
            sql.push(if index == 0 { "(" } else { ", (" }).bind(row.id);
            sql.push(", ").bind(&row.source).push(", ").bind(row.message_id.as_deref());
            sql.push(", ").bind(&row.code).push(", ").bind(&row.detail);
            sql.push(", ").bind(row.customer).push(", ").bind(row.received_at);
            sql.push(", ").bind(&row.message).push(")");
        }
        sql.push(" ON CONFLICT (source, message_id, code) DO NOTHING");
        sql.execute(tx).await?;
    }
    Ok(())
}

/// Which refused events.
#[derive(Clone, Debug, Default)]
pub(crate) struct RejectedFilter {
    pub(crate) source: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) customer: Option<CustomerId>,
}

/// Refused events, the last first, with one more than the page shows.
pub(crate) async fn rejected(
    connection: &mut Connection,
    filter: &RejectedFilter,
    after: Option<EventId>,
    limit: Limit,
) -> Result<Vec<RejectedEvent>, Error> {
    let mut sql = Sql::new(
        "SELECT id, source, message_id, code, detail, customer_id, received_at, message FROM rejected_events \
         WHERE 1 = 1",
    );
    if let Some(source) = &filter.source {
        sql.push(" AND source = ").bind(source);
    }
    if let Some(code) = &filter.code {
        sql.push(" AND code = ").bind(code);
    }
    if let Some(customer) = filter.customer {
        sql.push(" AND customer_id = ").bind(customer);
    }
    if let Some(after) = after {
        sql.push(" AND id < ").bind(after);
    }
    sql.push(" ORDER BY id DESC LIMIT ").bind(limit.overfetch());
    sql.fetch_all(connection).await
}
