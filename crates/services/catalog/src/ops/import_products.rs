use contracts::catalog::{ImportProduct, ImportVariant};
use contracts::import::{Mode, Verdict};
use database::{Database, Tx};
use kernel::Timestamp;

use super::save_product::{Opened, open, save};
use super::update_product::is_same;
use crate::Error;
use crate::model::draft::Identity;
use crate::model::known::{Known, taken};
use crate::model::{Draft, DraftVariant, Image, Product, Seller, Status, VariantOption};
use crate::store;

/// The most products of one transaction.
const BATCH: usize = 100;

/// Takes products over and says of each what became of it, in their order. Importing the same twice
/// changes nothing, whatever was sold in between: a variant's stock is taken when it is new and never
/// again. A product that staff has archived stays so.
///
/// # Errors
/// What the database says; the batches before stand.
pub(crate) async fn import_products(
    database: &Database,
    records: &[ImportProduct],
    mode: Mode,
) -> Result<Vec<Verdict>, Error> {
    let mut verdicts = Vec::with_capacity(records.len());
    for batch in records.chunks(BATCH) {
        let of_batch = database
            .write(|mut tx| async move {
                let verdicts = import_batch(&mut tx, batch).await?;
                match mode {
                    Mode::Apply => Ok::<_, Error>(tx.commit(verdicts).await?),
                    Mode::DryRun => Ok(tx.rollback(verdicts).await?),
                }
            })
            .await?;
        verdicts.extend(of_batch);
    }
    Ok(verdicts)
}

async fn import_batch(tx: &mut Tx, batch: &[ImportProduct]) -> Result<Vec<Verdict>, Error> {
    let now = tx.database().clock().now();
    let mut known = load(tx, batch).await?;
    let mut verdicts = Vec::with_capacity(batch.len());
    let mut opened = Vec::new();
    for record in batch {
        verdicts.push(match decide(tx, &known, record, now) {
            Err(refusal) => refusal,
            Ok(Decision::Unchanged) => Verdict::Unchanged,
            Ok(Decision::Write { product, new_variants, new_seller }) => {
                if new_seller {
                    store::sellers::insert(tx, &product.seller, now).await?;
                }
                save(tx, &product, &new_variants).await?;
                opened.extend(new_variants);
                let verdict = if product.version == 1 { Verdict::Created } else { Verdict::Updated };
                known.learn(*product);
                verdict
            }
        });
    }
    open(tx, &opened, now).await?;
    Ok(verdicts)
}

async fn load(tx: &mut Tx, batch: &[ImportProduct]) -> Result<Known, Error> {
    let ids = batch.iter().map(|record| record.product_id);
    let handles = batch.iter().map(|record| record.handle.as_str());
    let products = store::products::find_named(tx, ids, handles).await?;
    let variants = || batch.iter().flat_map(|record| &record.variants);
    let skus = variants().map(|variant| variant.sku.as_str());
    let names = store::variants::lock_names(tx, skus, variants().map(|variant| variant.variant_id)).await?;
    let names = names.into_iter().map(|name| (name.sku, name.id, name.product));
    let sellers = batch.iter().map(|record| &record.seller);
    let sellers =
        store::sellers::find_like(tx, sellers.map(|seller| (seller.seller_id, seller.name.as_str()))).await?;
    Ok(Known::new(products, names, sellers))
}

enum Decision {
    Unchanged,
    Write { product: Box<Product>, new_variants: Vec<Opened>, new_seller: bool },
}

/// What becomes of a record, or the verdict that refuses it.
fn decide(tx: &Tx, known: &Known, record: &ImportProduct, now: Timestamp) -> Result<Decision, Verdict> {
    let before = known.product(record.product_id, &record.handle)?;
    let id = before.map_or(record.product_id, |before| before.id);
    let (seller, new_seller) = known.seller(record.seller.seller_id, &record.seller.name)?;
    let mut variants = Vec::with_capacity(record.variants.len());
    let mut new = Vec::new();
    for (index, variant) in record.variants.iter().enumerate() {
        let (variant_id, is_new) = known.variant(id, variant.variant_id, &variant.sku).ok_or_else(|| {
            taken(&format!("variants/{index}/sku"), "belongs to a variant of another product")
        })?;
        if is_new {
            new.push(Opened { variant: variant_id, product: id, stock: variant.stock.unwrap_or(0) });
        }
        variants.push(draft_variant(variant, variant_id));
    }
    let mut draft = draft(record, before, &seller, variants)?;
    if let Some(error) = draft.check().into_iter().next() {
        let field = error.pointer.trim_start_matches('/');
        return Err(Verdict::refused("import.invalid", Some(field), format!("{field} {}", error.detail)));
    }
    let rng = tx.database().rng();
    let identity = Identity { product: id, created_at: record.created_at, variants: &[], rng };
    let after = draft.apply(before, &identity, seller, now);
    if before.is_some_and(|before| is_same(before, &after)) {
        return Ok(Decision::Unchanged);
    }
    Ok(Decision::Write { product: Box::new(after), new_variants: new, new_seller })
}

fn draft(
    record: &ImportProduct,
    before: Option<&Product>,
    seller: &Seller,
    variants: Vec<DraftVariant>,
) -> Result<Draft, Verdict> {
    let status = match before.map(|before| before.status) {
        Some(Status::Archived) => Status::Archived,
        _ => record.status.parse().map_err(|_| {
            Verdict::refused("import.invalid", Some("status"), "status must be active or draft")
        })?,
    };
    // A file does not say what a picture shows. It shows the product, until somebody has found better words.
    let alt = |url: &str| {
        let known = before.and_then(|before| before.images.iter().find(|image| image.url == url));
        known.map_or_else(|| record.title.clone(), |image| image.alt.clone())
    };
    Ok(Draft {
        handle: record.handle.clone(),
        title: record.title.clone(),
        description: record.description.clone(),
        brand: record.brand.clone(),
        categories: record.categories.clone(),
        seller: seller.id,
        ingredients: record.ingredients.clone(),
        images: record.images.iter().map(|url| Image { url: url.clone(), alt: alt(url) }).collect(),
        status,
        variants,
    })
}

fn draft_variant(variant: &ImportVariant, id: kernel::VariantId) -> DraftVariant {
    let options = variant.options.iter();
    DraftVariant {
        id: Some(id),
        sku: variant.sku.clone(),
        title: variant.title.clone(),
        options: options
            .map(|(name, value)| VariantOption { name: name.clone(), value: value.clone() })
            .collect(),
        price: variant.price,
        stock: variant.stock,
    }
}
