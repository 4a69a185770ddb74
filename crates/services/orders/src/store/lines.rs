use std::collections::HashMap;

use database::{Connection, Error, FromRow, Row, Sql, Tx, params};
use kernel::{Currency, Money, OrderId, SellerId, Timestamp};

use crate::model::order::{Line, Order};

struct Stored {
    order_id: OrderId,
    line: Line,
}

impl FromRow for Stored {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let currency: Currency = row.get("currency")?;
        let money = |column| Ok::<_, Error>(Money::new(row.get(column)?, currency));
        Ok(Self {
            order_id: row.get("order_id")?,
            line: Line {
                variant_id: row.get("variant_id")?,
                product_id: row.get("product_id")?,
                seller_id: row.get("seller_id")?,
                sku: row.get("sku")?,
                title: row.get("title")?,
                brand: row.get("brand")?,
                category: row.get("category")?,
                quantity: row.get("quantity")?,
                fulfilled: row.get("fulfilled")?,
                unit_price: money("unit_price")?,
                total: money("total")?,
                tax: money("tax")?,
                tax_basis_points: row.get("tax_basis_points")?,
            },
        })
    }
}

/// The lines of each of `orders`, in their order.
pub(crate) async fn of_orders(
    connection: &mut Connection,
    orders: &[OrderId],
) -> Result<HashMap<OrderId, Vec<Line>>, Error> {
    let mut sql = Sql::new(
        "SELECT order_id, variant_id, product_id, seller_id, sku, title, brand, category, quantity, \
         fulfilled, unit_price, order_lines.total, order_lines.tax, tax_basis_points, currency \
         FROM order_lines JOIN orders ON orders.id = order_id WHERE order_id IN ",
    );
    sql.bind_list(orders.iter().copied()).push(" ORDER BY order_id, position");
    let mut lines: HashMap<OrderId, Vec<Line>> = HashMap::with_capacity(orders.len());
    for Stored { order_id, line } in sql.fetch_all(connection).await? {
        lines.entry(order_id).or_default().push(line);
    }
    Ok(lines)
}

/// How many lines one statement stores; both engines bound the number of its parameters.
const ROWS: usize = 1_000;

/// Stores the lines of new orders.
pub(crate) async fn insert<'a>(
    tx: &mut Tx,
    orders: impl IntoIterator<Item = (OrderId, &'a [Line])>,
) -> Result<(), Error> {
    let rows: Vec<(OrderId, i64, &Line)> = orders
        .into_iter()
        .flat_map(|(order, lines)| (0_i64..).zip(lines).map(move |(position, line)| (order, position, line)))
        .collect();
    for rows in rows.chunks(ROWS) {
        let mut sql = Sql::new(
            "INSERT INTO order_lines (order_id, position, variant_id, product_id, seller_id, sku, title, \
             brand, category, quantity, fulfilled, unit_price, total, tax, tax_basis_points) VALUES ",
        );
        for (index, (order, position, line)) in rows.iter().enumerate() {
            sql.push(if index == 0 { "(" } else { ", (" });
            sql.bind(*order).push(", ").bind(*position);
            sql.push(", ").bind(line.variant_id).push(", ").bind(line.product_id);
            sql.push(", ").bind(line.seller_id).push(", ").bind(&line.sku);
            sql.push(", ").bind(&line.title).push(", ").bind(&line.brand);
            sql.push(", ").bind(line.category.clone()).push(", ").bind(line.quantity);
            sql.push(", ").bind(line.fulfilled).push(", ").bind(line.unit_price.amount);
            sql.push(", ").bind(line.total.amount).push(", ").bind(line.tax.amount);
            sql.push(", ").bind(line.tax_basis_points).push(")");
        }
        sql.execute(tx).await?;
    }
    Ok(())
}

/// Stores how much of each line was sent.
pub(crate) async fn update_fulfilled(tx: &mut Tx, order: &Order) -> Result<(), Error> {
    for (position, line) in (0_i64..).zip(&order.lines) {
        tx.execute(
            "UPDATE order_lines SET fulfilled = $1 WHERE order_id = $2 AND position = $3 AND fulfilled <> $1",
            &params![line.fulfilled, order.id, position],
        )
        .await?;
    }
    Ok(())
}

/// Notes which sellers have lines in an order.
pub(crate) async fn insert_sellers(
    tx: &mut Tx,
    order: OrderId,
    placed_at: Timestamp,
    lines: &[Line],
) -> Result<(), Error> {
    let mut sellers: Vec<SellerId> = lines.iter().filter_map(|line| line.seller_id).collect();
    sellers.sort_unstable();
    sellers.dedup();
    for seller in sellers {
        tx.execute(
            "INSERT INTO order_sellers (seller_id, placed_at, order_id) VALUES ($1, $2, $3)",
            &params![seller, placed_at, order],
        )
        .await?;
    }
    Ok(())
}
