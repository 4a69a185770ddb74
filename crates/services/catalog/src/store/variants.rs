use std::collections::HashMap;

use database::{Connection, Error, FromRow, Row, Sql, Tx, params};
use kernel::{Currency, Money, ProductId, SellerId, VariantId};

use super::{json, padded, to_json};
use crate::model::{Product, Variant};

struct Stored(ProductId, Variant);

impl FromRow for Stored {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let variant = Variant {
            id: row.get("id")?,
            sku: row.get("sku")?,
            title: row.get("title")?,
            options: json(row.get("options")?, "options")?,
            price: price(row)?,
        };
        Ok(Self(row.get("product_id")?, variant))
    }
}

fn price(row: &Row) -> Result<Money, Error> {
    Ok(Money::new(row.get("price_amount")?, row.get::<Currency>("price_currency")?))
}

/// The variants that are sold of these products, in the shop's order.
pub(crate) async fn of_products(
    connection: &mut Connection,
    products: impl Iterator<Item = ProductId>,
) -> Result<HashMap<ProductId, Vec<Variant>>, Error> {
    let mut sql = Sql::new(
        "SELECT id, product_id, sku, title, options, price_amount, price_currency FROM variants \
         WHERE retired = ",
    );
    sql.bind(false)
        .push(" AND product_id IN ")
        .bind_list(padded(products))
        .push(" ORDER BY product_id, position");
    let mut found: HashMap<ProductId, Vec<Variant>> = HashMap::new();
    for Stored(product, variant) in sql.fetch_all(connection).await? {
        found.entry(product).or_default().push(variant);
    }
    Ok(found)
}

/// A variant by its names, retired or not.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) id: VariantId,
    pub(crate) product: ProductId,
    pub(crate) sku: String,
}

impl FromRow for Name {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self { id: row.get("id")?, product: row.get("product_id")?, sku: row.get("sku")? })
    }
}

/// Every variant that the product has or had, locked.
pub(crate) async fn lock_names_of(tx: &mut Tx, product: ProductId) -> Result<Vec<Name>, Error> {
    let sql = "SELECT id, product_id, sku FROM variants WHERE product_id = $1 ORDER BY id";
    tx.fetch_all_locked(sql, &params![product]).await
}

/// The variants, of whatever product, with one of these stock keeping units or ids, locked.
pub(crate) async fn lock_names(
    tx: &mut Tx,
    skus: impl Iterator<Item = &str>,
    ids: impl Iterator<Item = VariantId>,
) -> Result<Vec<Name>, Error> {
    let mut sql = Sql::new("SELECT id, product_id, sku FROM variants WHERE sku IN ");
    sql.bind_list(padded(skus)).push(" OR id IN ").bind_list(padded(ids)).push(" ORDER BY id");
    tx.fetch_all_locked(sql.text(), sql.params()).await
}

/// Locks these variants and tells their products. Whoever changes the stock of a variant does so first,
/// and always before the ledger locks accounts: so changes of one variant follow each other, and what is
/// announced last is how it is.
pub(crate) async fn lock(
    tx: &mut Tx,
    variants: impl Iterator<Item = VariantId>,
) -> Result<HashMap<VariantId, ProductId>, Error> {
    let mut sql = Sql::new("SELECT id, product_id FROM variants WHERE id IN ");
    sql.bind_list(padded(variants)).push(" ORDER BY id");
    let rows: Vec<(VariantId, ProductId)> = tx.fetch_all_locked(sql.text(), sql.params()).await?;
    Ok(rows.into_iter().collect())
}

/// As [`lock`], for those of the variants that are for sale.
pub(crate) async fn lock_for_sale(
    tx: &mut Tx,
    variants: impl Iterator<Item = VariantId>,
) -> Result<HashMap<VariantId, ProductId>, Error> {
    let mut sql = Sql::new("SELECT id, product_id FROM variants WHERE id IN ");
    sql.bind_list(padded(variants)).push(" AND retired = ").bind(false);
    sql.push(
        " AND EXISTS (SELECT 1 FROM products p WHERE p.id = variants.product_id AND p.status = 'active') \
         ORDER BY id",
    );
    let rows: Vec<(VariantId, ProductId)> = tx.fetch_all_locked(sql.text(), sql.params()).await?;
    Ok(rows.into_iter().collect())
}

/// What a checkout needs to know about a variant.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) variant: VariantId,
    pub(crate) product: ProductId,
    pub(crate) seller: SellerId,
    pub(crate) sku: String,
    pub(crate) product_title: String,
    pub(crate) variant_title: String,
    pub(crate) brand: String,
    pub(crate) category: Option<String>,
    pub(crate) price: Money,
}

impl FromRow for Offer {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let categories: Vec<String> = json(row.get("categories")?, "categories")?;
        Ok(Self {
            variant: row.get("id")?,
            product: row.get("product_id")?,
            seller: row.get("seller_id")?,
            sku: row.get("sku")?,
            product_title: row.get("product_title")?,
            variant_title: row.get("title")?,
            brand: row.get("brand")?,
            category: categories.into_iter().next(),
            price: price(row)?,
        })
    }
}

/// Those of the variants that are for sale, in no certain order.
pub(crate) async fn offers(
    connection: &mut Connection,
    variants: impl Iterator<Item = VariantId>,
) -> Result<Vec<Offer>, Error> {
    let mut sql = Sql::new(
        "SELECT v.id, v.product_id, p.seller_id, v.sku, p.title AS product_title, v.title, p.brand, \
         p.categories, v.price_amount, v.price_currency \
         FROM variants v JOIN products p ON p.id = v.product_id \
         WHERE p.status = 'active' AND v.retired = ",
    );
    sql.bind(false).push(" AND v.id IN ").bind_list(padded(variants));
    sql.fetch_all(connection).await
}

/// Writes the product's variants in their order and retires those that it does not list any more.
/// One that is `opened` has no stock yet.
pub(crate) async fn save(tx: &mut Tx, product: &Product, opened: &[VariantId]) -> Result<(), Error> {
    let (new, known): (Vec<_>, Vec<_>) =
        (0_i64..).zip(&product.variants).partition(|(_, variant)| opened.contains(&variant.id));
    // Retired first: their stock keeping units stay theirs, so this frees nothing and hides them at once.
    let mut retire = Sql::new("UPDATE variants SET retired = ");
    retire.bind(true).push(" WHERE product_id = ").bind(product.id).push(" AND retired = ").bind(false);
    retire.push(" AND id NOT IN ").bind_list(padded(product.variants.iter().map(|variant| variant.id)));
    retire.execute(tx).await?;
    for (position, variant) in known {
        let sql = "UPDATE variants SET sku = $3, title = $4, options = $5, price_amount = $6, \
                   price_currency = $7, position = $8, retired = $9 WHERE id = $1 AND product_id = $2";
        let params = params![
            variant.id,
            product.id,
            &variant.sku,
            &variant.title,
            to_json(&variant.options),
            variant.price.amount,
            variant.price.currency,
            position,
            false,
        ];
        tx.execute(sql, &params).await?;
    }
    if new.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new(
        "INSERT INTO variants (id, product_id, sku, title, options, price_amount, price_currency, position, \
         retired, in_stock) VALUES ",
    );
    for (index, (position, variant)) in new.into_iter().enumerate() {
        sql.push(if index == 0 { "(" } else { ", (" });
        sql.bind(variant.id).push(", ").bind(product.id).push(", ").bind(&variant.sku).push(", ");
        sql.bind(&variant.title).push(", ").bind(to_json(&variant.options)).push(", ");
        sql.bind(variant.price.amount).push(", ").bind(variant.price.currency).push(", ").bind(position);
        sql.push(", ").bind(false).push(", ").bind(false).push(")");
    }
    sql.execute(tx).await.map(|_| ())
}

/// Notes whether there is any of these variants. Rows that say so already are left alone, so most
/// reservations write none.
pub(crate) async fn set_in_stock(tx: &mut Tx, variants: &[VariantId], in_stock: bool) -> Result<(), Error> {
    if variants.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new("UPDATE variants SET in_stock = ");
    sql.bind(in_stock).push(" WHERE in_stock = ").bind(!in_stock);
    sql.push(" AND id IN ").bind_list(padded(variants.iter().copied()));
    sql.execute(tx).await.map(|_| ())
}
