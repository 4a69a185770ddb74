use database::{Connection, Error, Sql, Tx, params};
use kernel::{SellerId, Timestamp};

use super::padded;
use crate::model::{Seller, handle};

/// The seller with this id.
pub(crate) async fn find(connection: &mut Connection, id: SellerId) -> Result<Option<Seller>, Error> {
    let name: Option<(String,)> =
        connection.fetch_optional("SELECT name FROM sellers WHERE id = $1", &params![id]).await?;
    Ok(name.map(|(name,)| Seller { id, name }))
}

/// Adds a seller, whose handle follows from the name. `false` when id or handle are taken.
pub(crate) async fn insert(tx: &mut Tx, seller: &Seller, now: Timestamp) -> Result<bool, Error> {
    let sql =
        "INSERT INTO sellers (id, handle, name, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let handle = handle::slug(&seller.name);
    Ok(tx.execute(sql, &params![seller.id, handle, &seller.name, now]).await? == 1)
}

/// The sellers with one of these ids, or whose handle is that of one of these names.
pub(crate) async fn find_like(
    connection: &mut Connection,
    names: impl Iterator<Item = (SellerId, &str)> + Clone,
) -> Result<Vec<Seller>, Error> {
    let mut sql = Sql::new("SELECT id, name FROM sellers WHERE id IN ");
    sql.bind_list(padded(names.clone().map(|(id, _)| id)));
    sql.push(" OR handle IN ").bind_list(names.map(|(_, name)| handle::slug(name)));
    let rows: Vec<(SellerId, String)> = sql.fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(id, name)| Seller { id, name }).collect())
}
