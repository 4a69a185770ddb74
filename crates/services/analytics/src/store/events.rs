use database::{Connection, Error, FromRow, Row, Sql, Tx};
use kernel::{CustomerId, EventId, Limit, Timestamp};

/// Rows of one statement: well below what either engine takes as parameters.
const ROWS: usize = 100;

/// An event to keep.
#[derive(Clone, Debug)]
pub(crate) struct NewEvent {
    pub(crate) id: EventId,
    pub(crate) message_id: String,
    pub(crate) kind: &'static str,
    pub(crate) event: String,
    pub(crate) user_id: Option<String>,
    pub(crate) anonymous_id: Option<String>,
    pub(crate) customer: Option<CustomerId>,
    pub(crate) occurred_at: Timestamp,
    pub(crate) received_at: Timestamp,
    /// JSON.
    pub(crate) message: String,
    /// What is about the person, sealed.
    pub(crate) personal: Option<Vec<u8>>,
}

/// Keeps those of `events` that `source` has not sent before; answers with when they happened and what they
/// count as. Sorted by message id they never wait for each other in a circle.
pub(crate) async fn insert(
    tx: &mut Tx,
    source: &str,
    events: &[NewEvent],
) -> Result<Vec<(Timestamp, String)>, Error> {
    let mut new = Vec::with_capacity(events.len());
    for rows in events.chunks(ROWS) {
        let mut sql = Sql::new(
            "INSERT INTO events (id, source, message_id, type, event, user_id, anonymous_id, customer_id, \
             occurred_at, received_at, message, personal) VALUES ",
        );
        for (index, row) in rows.iter().enumerate() {
            sql.push(if index == 0 { "(" } else { ", (" }).bind(row.id);
            sql.push(", ").bind(source).push(", ").bind(&row.message_id);
            sql.push(", ").bind(row.kind).push(", ").bind(&row.event);
            sql.push(", ").bind(row.user_id.as_deref()).push(", ").bind(row.anonymous_id.as_deref());
            sql.push(", ").bind(row.customer).push(", ").bind(row.occurred_at);
            sql.push(", ").bind(row.received_at).push(", ").bind(&row.message);
            sql.push(", ").bind(row.personal.as_deref()).push(")");
        }
        sql.push(" ON CONFLICT (source, message_id) DO NOTHING RETURNING occurred_at, event");
        new.extend(sql.fetch_all(tx).await?);
    }
    Ok(new)
}

/// An event as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct StoredEvent {
    pub(crate) id: EventId,
    pub(crate) source: String,
    pub(crate) event: String,
    pub(crate) customer: Option<CustomerId>,
    pub(crate) occurred_at: Timestamp,
    pub(crate) received_at: Timestamp,
    pub(crate) message: String,
    pub(crate) personal: Option<Vec<u8>>,
}

impl StoredEvent {
    /// How much of it there is.
    pub(crate) fn bytes(&self) -> usize {
        self.message.len() + self.personal.as_ref().map_or(0, Vec::len)
    }
}

impl FromRow for StoredEvent {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            source: row.get("source")?,
            event: row.get("event")?,
            customer: row.get("customer_id")?,
            occurred_at: row.get("occurred_at")?,
            received_at: row.get("received_at")?,
            message: row.get("message")?,
            personal: row.get("personal")?,
        })
    }
}

/// Which events.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventFilter {
    pub(crate) source: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) customer: Option<CustomerId>,
}

/// Events, the one that was received last first, with one more than the page shows.
pub(crate) async fn recent(
    connection: &mut Connection,
    filter: &EventFilter,
    after: Option<EventId>,
    limit: Limit,
) -> Result<Vec<StoredEvent>, Error> {
    let mut sql = Sql::new(
        "SELECT id, source, event, customer_id, occurred_at, received_at, message, personal FROM events WHERE 1 = 1",
    );
    if let Some(source) = &filter.source {
        sql.push(" AND source = ").bind(source);
    }
    if let Some(event) = &filter.event {
        sql.push(" AND event = ").bind(event);
    }
    if let Some(user_id) = &filter.user_id {
        sql.push(" AND user_id = ").bind(user_id);
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
