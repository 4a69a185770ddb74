use database::{Connection, Error, FromRow, Row, Sql, Tx, params};
use kernel::{ProductId, VariantId};

use super::{INDEX, json, padded, to_json, variants};
use crate::model::{Product, Seller, Status, category, handle};

/// What tells whether a product is known already and may be shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) id: ProductId,
    pub(crate) version: i64,
    pub(crate) status: Status,
}

impl FromRow for Head {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self { id: row.get(0)?, version: row.get(1)?, status: row.get(2)? })
    }
}

/// The product that an address names, by its id or its handle.
pub(crate) async fn find_head(connection: &mut Connection, name: &str) -> Result<Option<Head>, Error> {
    match name.parse::<ProductId>() {
        Ok(id) => {
            let sql = "SELECT id, version, status FROM products WHERE id = $1";
            connection.fetch_optional(sql, &params![id]).await
        }
        Err(_) => {
            let sql = "SELECT id, version, status FROM products WHERE handle = $1";
            connection.fetch_optional(sql, &params![name]).await
        }
    }
}

struct Stored(Product);

impl FromRow for Stored {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self(Product {
            id: row.get("id")?,
            handle: row.get("handle")?,
            title: row.get("title")?,
            description: row.get("description")?,
            brand: row.get("brand")?,
            categories: json(row.get("categories")?, "categories")?,
            seller: Seller { id: row.get("seller_id")?, name: row.get("seller_name")? },
            ingredients: row.get("ingredients")?,
            images: json(row.get("images")?, "images")?,
            status: row.get("status")?,
            variants: Vec::new(),
            version: row.get("version")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
        }))
    }
}

const SELECT: &str = "SELECT p.id, p.handle, p.title, p.description, p.brand, p.categories, p.seller_id, \
                      s.name AS seller_name, p.ingredients, p.images, p.status, p.version, p.created_at, \
                      p.updated_at FROM products p JOIN sellers s ON s.id = p.seller_id WHERE ";

/// The products with these ids, in no certain order.
pub(crate) async fn find(connection: &mut Connection, ids: &[ProductId]) -> Result<Vec<Product>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("p.id IN ").bind_list(padded(ids.iter().copied()));
    fetch(connection, &sql).await
}

/// The products with one of these ids or one of these handles, in no certain order.
pub(crate) async fn find_named(
    connection: &mut Connection,
    ids: impl Iterator<Item = ProductId>,
    handles: impl Iterator<Item = &str>,
) -> Result<Vec<Product>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("p.id IN ").bind_list(padded(ids)).push(" OR p.handle IN ").bind_list(padded(handles));
    fetch(connection, &sql).await
}

async fn fetch(connection: &mut Connection, sql: &Sql) -> Result<Vec<Product>, Error> {
    let rows: Vec<Stored> = sql.fetch_all(connection).await?;
    let mut products: Vec<Product> = rows.into_iter().map(|Stored(product)| product).collect();
    let ids = products.iter().map(|product| product.id);
    let mut variants = variants::of_products(connection, ids).await?;
    for product in &mut products {
        product.variants = variants.remove(&product.id).unwrap_or_default();
    }
    Ok(products)
}

/// Writes the product with its variants, its place in categories and its words. Variants that it had
/// and that `product` does not list are retired; `opened` are those that it never had.
pub(crate) async fn save(tx: &mut Tx, product: &Product, opened: &[VariantId]) -> Result<(), Error> {
    let sql = "INSERT INTO products (id, handle, seller_id, title, description, brand, categories, ingredients, \
               images, status, version, created_at, updated_at, title_key, brand_key, price_min) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
               ON CONFLICT (id) DO UPDATE SET handle = excluded.handle, seller_id = excluded.seller_id, \
               title = excluded.title, description = excluded.description, brand = excluded.brand, \
               categories = excluded.categories, ingredients = excluded.ingredients, images = excluded.images, \
               status = excluded.status, version = excluded.version, updated_at = excluded.updated_at, \
               title_key = excluded.title_key, brand_key = excluded.brand_key, price_min = excluded.price_min";
    let params = params![
        product.id,
        &product.handle,
        product.seller.id,
        &product.title,
        &product.description,
        &product.brand,
        to_json(&product.categories),
        product.ingredients.clone(),
        to_json(&product.images),
        product.status,
        product.version,
        product.created_at,
        product.updated_at,
        handle::title_key(&product.title),
        handle::slug(&product.brand),
        product.price_min(),
    ];
    tx.execute(sql, &params).await?;
    variants::save(tx, product, opened).await?;
    save_categories(tx, product).await?;
    INDEX.upsert(tx, product.id.uuid(), &product.title, &product.searchable()).await
}

async fn save_categories(tx: &mut Tx, product: &Product) -> Result<(), Error> {
    tx.execute("DELETE FROM product_categories WHERE product_id = $1", &params![product.id]).await?;
    let paths: std::collections::BTreeSet<&str> =
        product.categories.iter().flat_map(|path| category::with_ancestors(path)).collect();
    if paths.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new("INSERT INTO product_categories (path, product_id) VALUES ");
    for (index, path) in paths.into_iter().enumerate() {
        sql.push(if index == 0 { "(" } else { ", (" }).bind(path).push(", ").bind(product.id).push(")");
    }
    sql.execute(tx).await.map(|_| ())
}

/// Whether another product has the handle.
pub(crate) async fn is_handle_taken(
    connection: &mut Connection,
    handle: &str,
    by_other_than: ProductId,
) -> Result<bool, Error> {
    let sql = "SELECT id FROM products WHERE handle = $1 AND id <> $2";
    Ok(connection.fetch_optional::<(ProductId,)>(sql, &params![handle, by_other_than]).await?.is_some())
}
