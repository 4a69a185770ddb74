use database::Tx;
use kernel::{FieldError, ProductId, VariantId};

use super::create_product::{check_names, unknown_seller};
use super::read_products::{Stocked, stocked};
use super::save_product::{Opened, open, save};
use crate::Error;
use crate::model::draft::Identity;
use crate::model::{Draft, Product};
use crate::store;

/// Makes of the product at version `expected` what `change` says. When that is what it is already,
/// nothing is written and the version stays.
///
/// # Errors
/// [`Error::ProductNotFound`], [`Error::Stale`], [`Error::Invalid`], [`Error::HandleTaken`],
/// [`Error::SkuTaken`].
pub(crate) async fn update_product(
    tx: &mut Tx,
    id: ProductId,
    expected: i64,
    change: impl Fn(&Product) -> Draft,
) -> Result<Stocked, Error> {
    let now = tx.database().clock().now();
    let rng = tx.database().rng().clone();
    let before = store::products::find(tx, &[id]).await?.pop().ok_or(Error::ProductNotFound)?;
    if before.version != expected {
        return Err(Error::Stale { current: before.version });
    }
    let mut draft = change(&before);
    let known: Vec<(String, VariantId)> =
        store::variants::lock_names_of(tx, id).await?.into_iter().map(|name| (name.sku, name.id)).collect();
    let mut complaints = draft.check();
    for (index, variant) in draft.variants.iter().enumerate() {
        if variant.id.is_some_and(|id| !known.iter().any(|(_, known)| *known == id)) {
            let detail = "is not a variant of this product";
            complaints.push(FieldError::new(format!("/variants/{index}/id"), "unknown", detail));
        }
    }
    if !complaints.is_empty() {
        return Err(Error::Invalid(complaints));
    }
    let seller = match draft.seller == before.seller.id {
        true => before.seller.clone(),
        false => store::sellers::find(tx, draft.seller).await?.ok_or_else(unknown_seller)?,
    };
    let identity = Identity { product: id, created_at: before.created_at, variants: &known, rng: &rng };
    let stocks: Vec<i64> = draft.variants.iter().map(|variant| variant.stock.unwrap_or(0)).collect();
    let after = draft.apply(Some(&before), &identity, seller, now);
    if is_same(&before, &after) {
        return stocked(tx, before.into(), now).await;
    }
    check_names(tx, &after).await?;
    let opened: Vec<Opened> = after
        .variants
        .iter()
        .zip(stocks)
        .filter(|(variant, _)| !known.iter().any(|(_, known)| *known == variant.id))
        .map(|(variant, stock)| Opened { variant: variant.id, product: id, stock })
        .collect();
    save(tx, &after, &opened).await?;
    open(tx, &opened, now).await?;
    stocked(tx, after.into(), now).await
}

/// Whether two versions differ in nothing but their number and time.
pub(crate) fn is_same(before: &Product, after: &Product) -> bool {
    let after = Product { version: before.version, updated_at: before.updated_at, ..after.clone() };
    *before == after
}
