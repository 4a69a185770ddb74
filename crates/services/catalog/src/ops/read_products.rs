use std::collections::HashMap;
use std::sync::Arc;

use database::{Connection, Database};
use kernel::{Limit, Page, ProductId, Timestamp, VariantId};

use super::announce_stock::levels;
use crate::Error;
use crate::model::listing::{self, Filter, Sort};
use crate::model::{After, Product, Status};
use crate::store::{self, Bodies};

/// A product with what can be bought of each variant at this moment.
#[derive(Clone, Debug)]
pub(crate) struct Stocked {
    pub(crate) product: Arc<Product>,
    pub(crate) available: HashMap<VariantId, i64>,
}

/// Adds the stock to a product.
pub(crate) async fn stocked(
    connection: &mut Connection,
    product: Arc<Product>,
    now: Timestamp,
) -> Result<Stocked, Error> {
    let variants: Vec<VariantId> = product.variants.iter().map(|variant| variant.id).collect();
    let levels = levels(connection, &variants, now).await?;
    let available = levels.into_iter().map(|(variant, level)| (variant, level.available.max(0))).collect();
    Ok(Stocked { product, available })
}

/// The product with this id or handle. Drafts and archived ones are shown to staff only, who say so
/// with `any_status`.
///
/// # Errors
/// [`Error::ProductNotFound`].
pub(crate) async fn read_product(
    database: &Database,
    bodies: &Bodies,
    name: &str,
    any_status: bool,
) -> Result<Stocked, Error> {
    let now = database.clock().now();
    let mut reader = database.read().await?;
    let head = store::products::find_head(&mut reader, name)
        .await?
        .filter(|head| any_status || head.status == Status::Active)
        .ok_or(Error::ProductNotFound)?;
    let product = bodies.load(&mut reader, &[(head.id, head.version)]).await?.pop();
    stocked(&mut reader, product.ok_or(Error::ProductNotFound)?, now).await
}

/// A page of a list of products.
pub(crate) async fn list_products(
    database: &Database,
    bodies: &Bodies,
    filter: &Filter,
    (sort, after): (Sort, Option<After>),
    (limit, matches): (Limit, u32),
) -> Result<Page<Stocked>, Error> {
    let now = database.clock().now();
    let mut reader = database.read().await?;
    let mut entries =
        store::listing::page(&mut reader, filter, (sort, after.as_ref()), limit, matches).await?;
    let more = entries.len() > limit.get();
    entries.truncate(limit.get());
    let next_cursor = entries.last().filter(|_| more).map(|last| listing::cursor(filter, &last.place));

    let wanted: Vec<(ProductId, i64)> = entries.iter().map(|entry| (entry.id, entry.version)).collect();
    let products = bodies.load(&mut reader, &wanted).await?;
    let variants = products.iter().flat_map(|product| product.variants.iter().map(|variant| variant.id));
    let variants: Vec<VariantId> = variants.collect();
    let levels = levels(&mut reader, &variants, now).await?;
    let data = products.into_iter().map(|product| {
        let ids = product.variants.iter().map(|variant| variant.id);
        let available = ids.filter_map(|id| Some((id, levels.get(&id)?.available.max(0)))).collect();
        Stocked { product, available }
    });
    Ok(Page { data: data.collect(), next_cursor })
}
