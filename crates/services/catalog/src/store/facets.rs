use database::{Connection, Error};
use kernel::SellerId;

/// How many active products are in or below each category, by path.
pub(crate) async fn categories(connection: &mut Connection) -> Result<Vec<(String, i64)>, Error> {
    let sql = "SELECT c.path, COUNT(*) FROM product_categories c JOIN products p ON p.id = c.product_id \
               WHERE p.status = 'active' GROUP BY c.path ORDER BY c.path LIMIT 10000";
    connection.fetch_all(sql, &[]).await
}

/// How many active products each brand has: its key, one of its spellings, the number.
pub(crate) async fn brands(connection: &mut Connection) -> Result<Vec<(String, String, i64)>, Error> {
    let sql = "SELECT brand_key, MIN(brand), COUNT(*) FROM products \
               WHERE status = 'active' AND brand_key <> '' GROUP BY brand_key ORDER BY brand_key LIMIT 10000";
    connection.fetch_all(sql, &[]).await
}

/// The sellers with active products: id, handle, name, the number of products.
pub(crate) async fn sellers(
    connection: &mut Connection,
) -> Result<Vec<(SellerId, String, String, i64)>, Error> {
    let sql = "SELECT s.id, s.handle, s.name, COUNT(*) FROM sellers s JOIN products p ON p.seller_id = s.id \
               WHERE p.status = 'active' GROUP BY s.id, s.handle, s.name ORDER BY s.handle LIMIT 10000";
    connection.fetch_all(sql, &[]).await
}
