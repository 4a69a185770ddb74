use std::collections::{HashMap, HashSet};

use contracts::catalog::QuotedVariant;
use contracts::import::{Mode, Verdict};
use contracts::orders::ImportOrder;
use database::Tx;
use kernel::{OrderId, VariantId};
use serde_json::Value;

use super::place_order::order_placed;
use super::price_cart::quote;
use crate::error::Error;
use crate::model::import::{INVALID, check};
use crate::model::number;
use crate::model::order::{self, Actor, Command, Imported, Order, OrderEvent};
use crate::shop::Shop;
use crate::store::{events, import, lines};

/// How many orders one transaction takes over: few enough that others who write wait for a moment only.
const BATCH: usize = 100;
/// How many variants catalog is asked about at once.
const VARIANTS: usize = 100;

/// Takes over history from elsewhere. Each order is known by what the old system called it, so importing
/// it again changes nothing. A verdict for each, in their order.
///
/// # Errors
/// What the database says, or catalog cannot be asked. Whole batches are taken or not; importing again
/// takes up where it ended.
pub(crate) async fn import_orders(
    shop: &Shop,
    orders: &[ImportOrder],
    mode: Mode,
) -> Result<Vec<Verdict>, Error> {
    let mut verdicts = Vec::with_capacity(orders.len());
    for batch in orders.chunks(BATCH) {
        let variants = &variants(shop, batch).await?;
        let done = shop.database.write(|mut tx| async move {
            let done = import_batch(&mut tx, batch, variants).await?;
            match mode {
                Mode::Apply => Ok(tx.commit(done).await?),
                Mode::DryRun => Ok(tx.rollback(done).await?),
            }
        });
        let done: Result<Vec<Verdict>, Error> = done.await;
        verdicts.extend(done?);
    }
    Ok(verdicts)
}

/// What catalog knows of the variants in a batch: the old system does not say who made and sells them.
async fn variants(shop: &Shop, batch: &[ImportOrder]) -> Result<HashMap<VariantId, QuotedVariant>, Error> {
    let wanted: HashSet<VariantId> =
        batch.iter().flat_map(|order| order.lines.iter().filter_map(|line| line.variant_id)).collect();
    let wanted: Vec<VariantId> = wanted.into_iter().collect();
    let mut known = HashMap::with_capacity(wanted.len());
    for some in wanted.chunks(VARIANTS) {
        known.extend(quote(shop, some.iter().copied()).await?);
    }
    Ok(known)
}

async fn import_batch(
    tx: &mut Tx,
    batch: &[ImportOrder],
    variants: &HashMap<VariantId, QuotedVariant>,
) -> Result<Vec<Verdict>, Error> {
    let external_ids: Vec<&str> = batch.iter().map(|order| order.external_id.as_str()).collect();
    let known = import::known(tx, &external_ids).await?;
    let candidates: Vec<String> = batch.iter().flat_map(|order| number::candidates(order.order_id)).collect();
    let ids: Vec<OrderId> = batch.iter().map(|order| order.order_id).collect();
    let (numbers, ids) = import::taken(tx, &candidates, &ids).await?;
    let mut taking = Taking { known, numbers, ids, new: Vec::new() };
    let mut verdicts: Vec<Verdict> = Vec::with_capacity(batch.len());
    for order in batch {
        verdicts.push(taking.take(order, variants));
    }
    store(tx, taking.new).await?;
    Ok(verdicts)
}

/// A batch on its way in.
struct Taking {
    /// What is here under each external id, as its first event has it.
    known: HashMap<String, Value>,
    numbers: HashSet<String>,
    ids: HashSet<OrderId>,
    new: Vec<Imported>,
}

impl Taking {
    fn take(&mut self, order: &ImportOrder, variants: &HashMap<VariantId, QuotedVariant>) -> Verdict {
        let [short, long] = number::candidates(order.order_id);
        let number = if self.numbers.contains(&short) { long } else { short };
        let mut imported = match check(order, number) {
            Ok(imported) => imported,
            Err(refused) => return refused,
        };
        if let Some(known) = self.known.get(&order.external_id) {
            return if same(known, &imported) {
                Verdict::Unchanged
            } else {
                let detail = "it was imported before with other content; history is not rewritten";
                Verdict::refused("orders.import_differs", Some("external_id"), detail)
            };
        }
        if !self.ids.insert(order.order_id) {
            return Verdict::refused(INVALID, Some("order_id"), "another order has this id");
        }
        complete(&mut imported, variants);
        self.numbers.insert(imported.number.clone());
        self.known.insert(order.external_id.clone(), serde_json::to_value(&imported).unwrap_or_default());
        self.new.push(imported);
        Verdict::Created
    }
}

/// Adds what catalog knows and the old system did not.
fn complete(imported: &mut Imported, variants: &HashMap<VariantId, QuotedVariant>) {
    for line in &mut imported.lines {
        if let Some(variant) = line.variant_id.and_then(|id| variants.get(&id)) {
            line.product_id = Some(variant.product_id);
            line.seller_id = Some(variant.seller_id);
            line.brand.clone_from(&variant.brand);
            line.category.clone_from(&variant.category);
        }
    }
}

/// Whether what was imported before is what is to be imported now, leaving aside what was not in the
/// import itself.
fn same(known: &Value, imported: &Imported) -> bool {
    let Ok(mut known) = serde_json::from_value::<Imported>(known.clone()) else { return false };
    known.number.clone_from(&imported.number);
    for line in &mut known.lines {
        line.product_id = None;
        line.seller_id = None;
        line.brand.clear();
        line.category = None;
    }
    known == *imported
}

async fn store(tx: &mut Tx, new: Vec<Imported>) -> Result<(), Error> {
    let now = tx.database().clock().now();
    let mut log = Vec::with_capacity(new.len());
    let mut orders: Vec<(String, Order)> = Vec::with_capacity(new.len());
    for imported in new {
        let external_id = imported.external_id.clone();
        let happened: Vec<OrderEvent> = order::decide(None, Command::Import(Box::new(imported)))?;
        let order = order::replay(&happened).ok_or(Error::NotFound)?;
        log.extend(order::append(order.id, None, &happened, Actor::Import, now)?);
        orders.push((external_id, order));
    }
    import::insert(tx, &orders).await?;
    lines::insert(tx, orders.iter().map(|(_, order)| (order.id, order.lines.as_slice()))).await?;
    events::append(tx, &log).await?;
    for (_, order) in &orders {
        lines::insert_sellers(tx, order.id, order.placed_at, &order.lines).await?;
        tx.emit(&order_placed(order, true)).await?;
    }
    Ok(())
}
