use database::Tx;
use kernel::ProductId;

use super::read_products::{Stocked, stocked};
use super::save_product::{Opened, open, save};
use crate::Error;
use crate::model::draft::Identity;
use crate::model::{Draft, Product};
use crate::store;

/// Adds a product.
///
/// # Errors
/// [`Error::Invalid`], [`Error::HandleTaken`], [`Error::SkuTaken`].
pub(crate) async fn create_product(tx: &mut Tx, mut draft: Draft) -> Result<Stocked, Error> {
    let now = tx.database().clock().now();
    let rng = tx.database().rng().clone();
    let mut complaints = draft.check();
    for index in draft.variants.iter().enumerate().filter(|(_, it)| it.id.is_some()).map(|(index, _)| index) {
        let detail = "must be left out: a new product has no variants yet";
        complaints.push(kernel::FieldError::new(format!("/variants/{index}/id"), "unknown", detail));
    }
    if !complaints.is_empty() {
        return Err(Error::Invalid(complaints));
    }
    let seller = store::sellers::find(tx, draft.seller).await?.ok_or_else(unknown_seller)?;
    let identity = Identity { product: ProductId::new(now, &rng), created_at: now, variants: &[], rng: &rng };
    let stocks: Vec<i64> = draft.variants.iter().map(|variant| variant.stock.unwrap_or(0)).collect();
    let product = draft.apply(None, &identity, seller, now);
    check_names(tx, &product).await?;
    let opened: Vec<Opened> = product
        .variants
        .iter()
        .zip(stocks)
        .map(|(variant, stock)| Opened { variant: variant.id, product: product.id, stock })
        .collect();
    save(tx, &product, &opened).await?;
    open(tx, &opened, now).await?;
    stocked(tx, product.into(), now).await
}

pub(crate) fn unknown_seller() -> Error {
    Error::invalid("/seller_id", "unknown", "is not a seller of this shop")
}

/// Whether handle and stock keeping units are the product's own.
pub(crate) async fn check_names(tx: &mut Tx, product: &Product) -> Result<(), Error> {
    if store::products::is_handle_taken(tx, &product.handle, product.id).await? {
        return Err(Error::HandleTaken { handle: product.handle.clone() });
    }
    let skus = product.variants.iter().map(|variant| variant.sku.as_str());
    for holder in store::variants::lock_names(tx, skus, std::iter::empty()).await? {
        let owns = |variant: &crate::model::Variant| variant.sku == holder.sku && variant.id == holder.id;
        if !product.variants.iter().any(owns) {
            return Err(Error::SkuTaken { sku: holder.sku });
        }
    }
    Ok(())
}
