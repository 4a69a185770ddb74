use std::collections::BTreeMap;

use database::{Connection, Error, FromRow, Row, Sql, Tx, params};
use kernel::{Currency, Date, Limit};

use crate::model::Takings;

/// Rows of one statement.
const ROWS: usize = 100;

/// Adds to the counts of `source`, by day and event. In the order of the key two transactions never wait for
/// each other in a circle; call it last, so that others wait for as little as possible.
pub(crate) async fn count(
    tx: &mut Tx,
    source: &str,
    counts: &BTreeMap<(Date, String), i64>,
) -> Result<(), Error> {
    let counts: Vec<_> = counts.iter().collect();
    for rows in counts.chunks(ROWS) {
        let mut sql = Sql::new("INSERT INTO events_daily (day, event, source, count) VALUES ");
        for (index, ((day, event), number)) in rows.iter().enumerate() {
            sql.push(if index == 0 { "(" } else { ", (" }).bind(*day).push(", ").bind(event);
            sql.push(", ").bind(source).push(", ").bind(**number).push(")");
        }
        sql.push(
            " ON CONFLICT (day, event, source) DO UPDATE SET count = events_daily.count + excluded.count",
        );
        sql.execute(tx).await?;
    }
    Ok(())
}

/// Adds to the takings of a day.
pub(crate) async fn add_takings(tx: &mut Tx, takings: &Takings) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO revenue_daily (day, currency, orders, units, revenue, shipping, tax, discount, total, \
         cancelled_orders, cancelled, refund_count, refunded) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
         ON CONFLICT (day, currency) DO UPDATE SET \
         orders = revenue_daily.orders + excluded.orders, \
         units = revenue_daily.units + excluded.units, \
         revenue = revenue_daily.revenue + excluded.revenue, \
         shipping = revenue_daily.shipping + excluded.shipping, \
         tax = revenue_daily.tax + excluded.tax, \
         discount = revenue_daily.discount + excluded.discount, \
         total = revenue_daily.total + excluded.total, \
         cancelled_orders = revenue_daily.cancelled_orders + excluded.cancelled_orders, \
         cancelled = revenue_daily.cancelled + excluded.cancelled, \
         refund_count = revenue_daily.refund_count + excluded.refund_count, \
         refunded = revenue_daily.refunded + excluded.refunded",
        &params![
            takings.day,
            takings.currency,
            takings.orders,
            takings.units,
            takings.revenue,
            takings.shipping,
            takings.tax,
            takings.discount,
            takings.total,
            takings.cancelled_orders,
            takings.cancelled,
            takings.refund_count,
            takings.refunded,
        ],
    )
    .await?;
    Ok(())
}

/// How often one event came from one source on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DailyCount {
    pub(crate) day: Date,
    pub(crate) event: String,
    pub(crate) source: String,
    pub(crate) count: i64,
}

impl FromRow for DailyCount {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            day: row.get("day")?,
            event: row.get("event")?,
            source: row.get("source")?,
            count: row.get("count")?,
        })
    }
}

/// Which counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct CountFilter {
    pub(crate) from: Option<Date>,
    pub(crate) to: Option<Date>,
    pub(crate) event: Option<String>,
    pub(crate) source: Option<String>,
}

/// Counts, the newest day first, with one more than the page shows.
pub(crate) async fn counts(
    connection: &mut Connection,
    filter: &CountFilter,
    after: Option<(Date, String, String)>,
    limit: Limit,
) -> Result<Vec<DailyCount>, Error> {
    let mut sql = Sql::new("SELECT day, event, source, count FROM events_daily WHERE 1 = 1");
    days(&mut sql, filter.from, filter.to);
    if let Some(event) = &filter.event {
        sql.push(" AND event = ").bind(event);
    }
    if let Some(source) = &filter.source {
        sql.push(" AND source = ").bind(source);
    }
    if let Some((day, event, source)) = after {
        sql.push(" AND (day < ").bind(day).push(" OR (day = ").bind(day);
        sql.push(" AND (event, source) > (").bind(event).push(", ").bind(source).push(")))");
    }
    sql.push(" ORDER BY day DESC, event, source LIMIT ").bind(limit.overfetch());
    sql.fetch_all(connection).await
}

/// The takings of one day in one currency.
pub(crate) struct DailyTakings(pub(crate) Takings);

impl FromRow for DailyTakings {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self(Takings {
            day: row.get("day")?,
            currency: row.get("currency")?,
            orders: row.get("orders")?,
            units: row.get("units")?,
            revenue: row.get("revenue")?,
            shipping: row.get("shipping")?,
            tax: row.get("tax")?,
            discount: row.get("discount")?,
            total: row.get("total")?,
            cancelled_orders: row.get("cancelled_orders")?,
            cancelled: row.get("cancelled")?,
            refund_count: row.get("refund_count")?,
            refunded: row.get("refunded")?,
        }))
    }
}

/// Which takings.
#[derive(Clone, Debug, Default)]
pub(crate) struct TakingsFilter {
    pub(crate) from: Option<Date>,
    pub(crate) to: Option<Date>,
    pub(crate) currency: Option<Currency>,
}

/// Takings, the newest day first, with one more than the page shows.
pub(crate) async fn takings(
    connection: &mut Connection,
    filter: &TakingsFilter,
    after: Option<(Date, Currency)>,
    limit: Limit,
) -> Result<Vec<DailyTakings>, Error> {
    let mut sql = Sql::new(
        "SELECT day, currency, orders, units, revenue, shipping, tax, discount, total, cancelled_orders, cancelled, \
         refund_count, refunded FROM revenue_daily WHERE 1 = 1",
    );
    days(&mut sql, filter.from, filter.to);
    if let Some(currency) = filter.currency {
        sql.push(" AND currency = ").bind(currency);
    }
    if let Some((day, currency)) = after {
        sql.push(" AND (day < ").bind(day).push(" OR (day = ").bind(day);
        sql.push(" AND currency > ").bind(currency).push("))");
    }
    sql.push(" ORDER BY day DESC, currency LIMIT ").bind(limit.overfetch());
    sql.fetch_all(connection).await
}

fn days(sql: &mut Sql, from: Option<Date>, to: Option<Date>) {
    if let Some(from) = from {
        sql.push(" AND day >= ").bind(from);
    }
    if let Some(to) = to {
        sql.push(" AND day <= ").bind(to);
    }
}
