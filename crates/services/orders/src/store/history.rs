use contracts::payments::PaymentStatus;
use database::{Connection, Error, Sql};
use kernel::{CustomerId, Limit, OrderId, SellerId, Timestamp};

use super::orders::{COLUMNS, OrderRow};
use crate::model::order::{Fulfilment, Status};

/// Which orders a list shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) status: Option<Status>,
    pub(crate) payment_status: Option<PaymentStatus>,
    pub(crate) fulfilment_status: Option<Fulfilment>,
    pub(crate) placed_from: Option<Timestamp>,
    pub(crate) placed_to: Option<Timestamp>,
    /// The beginnings of words that must all occur; only within one customer's orders.
    pub(crate) words: Vec<String>,
    /// Whose; only beside a seller.
    pub(crate) customer_id: Option<CustomerId>,
    /// The number, exactly.
    pub(crate) number: Option<String>,
}

/// Where a page begins: after this order.
pub(crate) type After = (Timestamp, OrderId);

/// A page of one customer's orders, the last placed first, with one more than `limit`.
pub(crate) async fn of_customer(
    connection: &mut Connection,
    customer: CustomerId,
    filter: &Filter,
    after: Option<After>,
    limit: Limit,
) -> Result<Vec<OrderRow>, Error> {
    customer_page(customer, filter, after, limit).fetch_all(connection).await
}

fn customer_page(customer: CustomerId, filter: &Filter, after: Option<After>, limit: Limit) -> Sql {
    let mut sql = select();
    sql.push(" FROM orders WHERE customer_id = ").bind(customer);
    narrow(&mut sql, filter, false);
    page(&mut sql, after, limit);
    sql
}

/// A page of everybody's orders, for the shop.
pub(crate) async fn of_shop(
    connection: &mut Connection,
    filter: &Filter,
    after: Option<After>,
    limit: Limit,
) -> Result<Vec<OrderRow>, Error> {
    shop_page(filter, after, limit).fetch_all(connection).await
}

fn shop_page(filter: &Filter, after: Option<After>, limit: Limit) -> Sql {
    let mut sql = select();
    sql.push(" FROM orders WHERE TRUE");
    narrow(&mut sql, filter, true);
    page(&mut sql, after, limit);
    sql
}

/// A page of the orders in which a seller has lines, for the shop.
pub(crate) async fn of_seller(
    connection: &mut Connection,
    seller: SellerId,
    filter: &Filter,
    after: Option<After>,
    limit: Limit,
) -> Result<Vec<OrderRow>, Error> {
    seller_page(seller, filter, after, limit).fetch_all(connection).await
}

fn seller_page(seller: SellerId, filter: &Filter, after: Option<After>, limit: Limit) -> Sql {
    let mut sql = select();
    // A cross join keeps the tables in this order on SQLite; PostgreSQL finds it by itself.
    sql.push(" FROM order_sellers CROSS JOIN orders WHERE orders.id = order_id AND seller_id = ")
        .bind(seller);
    narrow(&mut sql, filter, false);
    // The same as the order's own, but from the table that is sorted by them.
    if let Some((placed_at, id)) = after {
        sql.push(" AND (order_sellers.placed_at, order_id) < (")
            .bind(placed_at)
            .push(", ")
            .bind(id)
            .push(")");
    }
    sql.push(" ORDER BY order_sellers.placed_at DESC, order_id DESC LIMIT ").bind(limit.overfetch());
    sql
}

fn select() -> Sql {
    let mut sql = Sql::new("SELECT ");
    sql.push(COLUMNS);
    sql
}

/// Adds the filter. Within one customer's or seller's orders the statuses must not lead (`by_status`): a
/// planner without statistics may take the index of everybody's orders with that status for as good.
fn narrow(sql: &mut Sql, filter: &Filter, by_status: bool) {
    let statuses = [
        (" AND status", filter.status.map(Status::as_str)),
        (" AND payment_status", filter.payment_status.map(PaymentStatus::as_str)),
        (" AND fulfilment_status", filter.fulfilment_status.map(Fulfilment::as_str)),
    ];
    for (column, value) in statuses {
        if let Some(value) = value {
            sql.push(column).push(if by_status { " = " } else { " || '' = " }).bind(value);
        }
    }
    if let Some(number) = &filter.number {
        sql.push(" AND number = ").bind(number);
    }
    if let Some(customer) = filter.customer_id {
        sql.push(" AND customer_id = ").bind(customer);
    }
    if let Some(from) = filter.placed_from {
        sql.push(" AND orders.placed_at >= ").bind(from);
    }
    if let Some(to) = filter.placed_to {
        sql.push(" AND orders.placed_at < ").bind(to);
    }
    for word in &filter.words {
        // Words are letters and digits, so they hold nothing that LIKE would take for a pattern.
        sql.push(" AND search_text LIKE ").bind(format!("% {word}%"));
    }
}

fn page(sql: &mut Sql, after: Option<After>, limit: Limit) {
    if let Some((placed_at, id)) = after {
        sql.push(" AND (orders.placed_at, orders.id) < (").bind(placed_at).push(", ").bind(id).push(")");
    }
    sql.push(" ORDER BY orders.placed_at DESC, orders.id DESC LIMIT ").bind(limit.overfetch());
}

#[cfg(test)]
mod tests {
    use testkit::TestDatabase;
    use testkit::database::Engine;
    use uuid::Uuid;

    use super::*;
    use crate::store::MIGRATIONS;

    /// What SQLite means to do for a query.
    async fn plan(db: &TestDatabase, sql: &Sql) -> String {
        let text = format!("EXPLAIN QUERY PLAN {}", sql.text());
        let mut reader = db.read().await.unwrap();
        let steps: Vec<(i64, i64, i64, String)> = reader.fetch_all(&text, sql.params()).await.unwrap();
        steps.into_iter().map(|(_, _, _, step)| step + "\n").collect()
    }

    /// A page walks an index from where it begins, so it costs the same however many orders there are: no
    /// table is scanned and nothing is sorted.
    #[tokio::test]
    async fn every_list_walks_an_index_in_its_order() {
        let db = TestDatabase::on(Engine::Sqlite).await;
        db.migrate("orders", MIGRATIONS).await.unwrap();
        let after = Some((Timestamp::EPOCH, OrderId::from_uuid(Uuid::nil())));
        let customer = CustomerId::from_uuid(Uuid::nil());
        let seller = SellerId::from_uuid(Uuid::nil());
        let filters = [
            Filter::default(),
            Filter { status: Some(Status::Placed), ..Filter::default() },
            Filter { payment_status: Some(PaymentStatus::Captured), ..Filter::default() },
            Filter { fulfilment_status: Some(Fulfilment::Unfulfilled), ..Filter::default() },
            Filter {
                placed_from: Some(Timestamp::EPOCH),
                placed_to: Some(Timestamp::EPOCH),
                ..Filter::default()
            },
        ];
        let limit = Limit::default();
        for filter in &filters {
            for after in [None, after] {
                let pages = [
                    (customer_page(customer, filter, after, limit), "INDEX orders_history "),
                    (shop_page(filter, after, limit), "INDEX orders_"),
                    (seller_page(seller, filter, after, limit), "order_sellers USING PRIMARY KEY"),
                ];
                for (sql, index) in pages {
                    let plan = plan(&db, &sql).await;
                    assert!(plan.contains(index), "{plan} for {}", sql.text());
                    assert!(!plan.contains("TEMP B-TREE"), "{plan} for {}", sql.text());
                }
            }
        }
    }
}
