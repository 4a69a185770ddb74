use std::collections::HashMap;

use database::{Connection, Error, FromRow, Row, Sql};
use kernel::{Limit, ProductId, Timestamp};
use uuid::Uuid;

use super::{INDEX, padded};
use crate::model::listing::SellerRef;
use crate::model::{After, Filter, Sort};

/// A product of a list: which, at which version, and its place in the order.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: ProductId,
    pub(crate) version: i64,
    pub(crate) place: After,
}

/// Id, version, and the three keys that lists are ordered by.
struct Keys(ProductId, i64, Timestamp, i64, String);

impl FromRow for Keys {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self(row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
    }
}

impl Keys {
    fn entry(self, sort: Sort) -> Entry {
        let Self(id, version, created_at, price_min, title_key) = self;
        let place = match sort {
            Sort::Newest => After::Newest(created_at, id),
            Sort::Price => After::Price(price_min, id),
            Sort::Title => After::Title(title_key, id),
            Sort::Relevance => After::Relevance(0, id),
        };
        Entry { id, version, place }
    }
}

/// The products of a page and one more if there are more. At most `matches` matches of a text search
/// are considered.
pub(crate) async fn page(
    connection: &mut Connection,
    filter: &Filter,
    (sort, after): (Sort, Option<&After>),
    limit: Limit,
    matches: u32,
) -> Result<Vec<Entry>, Error> {
    let mut sql =
        Sql::new("SELECT p.id, p.version, p.created_at, p.price_min, p.title_key FROM products p WHERE ");
    restrict(&mut sql, filter);
    let Some(query) = &filter.query else {
        order(&mut sql, sort, after, limit);
        let rows: Vec<Keys> = sql.fetch_all(connection).await?;
        return Ok(rows.into_iter().map(|row| row.entry(sort)).collect());
    };
    let ranked = INDEX.query(connection, query, matches).await?;
    if ranked.is_empty() {
        return Ok(Vec::new());
    }
    sql.push(" AND p.id IN ").bind_list(padded(ranked.iter().copied()));
    if sort != Sort::Relevance {
        order(&mut sql, sort, after, limit);
    }
    let rows: Vec<Keys> = sql.fetch_all(connection).await?;
    let entries = rows.into_iter().map(|row| row.entry(sort));
    Ok(if sort == Sort::Relevance { by_rank(entries, &ranked, after, limit) } else { entries.collect() })
}

/// Those matches that come behind `after`, best first. The place of the last product seen is found
/// anew, since others may have come or gone; when it is gone itself, its rank at the time counts.
fn by_rank(
    entries: impl Iterator<Item = Entry>,
    ranked: &[Uuid],
    after: Option<&After>,
    limit: Limit,
) -> Vec<Entry> {
    let mut found: HashMap<Uuid, Entry> = entries.map(|entry| (entry.id.uuid(), entry)).collect();
    let skip = match after {
        Some(After::Relevance(rank, id)) => {
            ranked.iter().position(|known| *known == id.uuid()).map_or(*rank, |rank| rank + 1)
        }
        _ => 0,
    };
    let behind = ranked.iter().enumerate().skip(skip);
    let entries = behind.filter_map(|(rank, id)| {
        let entry = found.remove(id)?;
        Some(Entry { place: After::Relevance(rank, entry.id), ..entry })
    });
    entries.take(limit.get() + 1).collect()
}

fn restrict(sql: &mut Sql, filter: &Filter) {
    match filter.status {
        Some(status) => sql.push("p.status = ").bind(status),
        None => sql.push("1 = 1"),
    };
    if let Some(category) = &filter.category {
        sql.push(" AND p.id IN (SELECT product_id FROM product_categories WHERE path = ")
            .bind(category)
            .push(")");
    }
    if let Some(brand) = &filter.brand {
        sql.push(" AND p.brand_key = ").bind(brand);
    }
    match &filter.seller {
        Some(SellerRef::Id(id)) => {
            sql.push(" AND p.seller_id = ").bind(*id);
        }
        Some(SellerRef::Handle(handle)) => {
            sql.push(" AND p.seller_id = (SELECT id FROM sellers WHERE handle = ").bind(handle).push(")");
        }
        None => {}
    }
    if filter.price_min.is_some() || filter.price_max.is_some() || filter.in_stock == Some(true) {
        restrict_variants(sql, filter);
    }
    if filter.in_stock == Some(false) {
        sql.push(" AND NOT EXISTS (SELECT 1 FROM variants v WHERE v.product_id = p.id AND v.retired = ")
            .bind(false);
        sql.push(" AND v.in_stock = ").bind(true).push(")");
    }
}

/// One variant must meet all conditions at once: one that is cheap and another that is in stock are
/// not one that is cheap and in stock.
fn restrict_variants(sql: &mut Sql, filter: &Filter) {
    sql.push(" AND EXISTS (SELECT 1 FROM variants v WHERE v.product_id = p.id AND v.retired = ").bind(false);
    if let Some(least) = filter.price_min {
        sql.push(" AND v.price_amount >= ").bind(least);
    }
    if let Some(most) = filter.price_max {
        sql.push(" AND v.price_amount <= ").bind(most);
    }
    if filter.in_stock == Some(true) {
        sql.push(" AND v.in_stock = ").bind(true);
    }
    sql.push(")");
}

fn order(sql: &mut Sql, sort: Sort, after: Option<&After>, limit: Limit) {
    match after {
        Some(After::Newest(at, id)) => {
            sql.push(" AND (p.created_at, p.id) < (").bind(*at).push(", ").bind(*id).push(")");
        }
        Some(After::Price(price, id)) => {
            sql.push(" AND (p.price_min, p.id) > (").bind(*price).push(", ").bind(*id).push(")");
        }
        Some(After::Title(title, id)) => {
            sql.push(" AND (p.title_key, p.id) > (").bind(title).push(", ").bind(*id).push(")");
        }
        Some(After::Relevance(..)) | None => {}
    }
    sql.push(match sort {
        Sort::Newest | Sort::Relevance => " ORDER BY p.created_at DESC, p.id DESC LIMIT ",
        Sort::Price => " ORDER BY p.price_min, p.id LIMIT ",
        Sort::Title => " ORDER BY p.title_key, p.id LIMIT ",
    });
    sql.bind(limit.overfetch());
}
