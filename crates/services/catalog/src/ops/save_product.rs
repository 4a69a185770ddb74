use std::collections::HashMap;

use contracts::catalog::ProductChanged;
use database::Tx;
use kernel::{Timestamp, VariantId};
use ledger::MAX_SLICE;

use super::announce_stock::announce;
use crate::Error;
use crate::model::{Product, stock};
use crate::store;

/// A variant that was never there before, and what is on hand of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) variant: VariantId,
    pub(crate) product: kernel::ProductId,
    pub(crate) stock: i64,
}

/// Writes the product and says that it changed. The accounts of new variants are [`open`]'s.
pub(crate) async fn save(tx: &mut Tx, product: &Product, opened: &[Opened]) -> Result<(), Error> {
    let opened: Vec<VariantId> = opened.iter().map(|opened| opened.variant).collect();
    store::products::save(tx, product, &opened).await?;
    tx.emit(&ProductChanged { product_id: product.id, version: product.version }).await?;
    Ok(())
}

/// Opens the accounts of new variants and puts their first stock on the shelf. Variants without stock
/// are not announced: nobody has ever heard of them.
pub(crate) async fn open(tx: &mut Tx, opened: &[Opened], now: Timestamp) -> Result<(), Error> {
    if opened.is_empty() {
        return Ok(());
    }
    let accounts: Vec<_> = opened.iter().flat_map(|opened| stock::accounts(opened.variant)).collect();
    ledger::open_accounts(tx, &accounts).await?;
    let deliveries: Vec<_> = opened
        .iter()
        .filter_map(|Opened { variant, stock, .. }| {
            stock::adjust(stock::first_delivery(*variant), *variant, *stock, "first delivery")
        })
        .collect();
    for slice in deliveries.chunks(MAX_SLICE) {
        ledger::transfer(tx, slice, now).await?;
    }
    let stocked = opened.iter().filter(|opened| opened.stock > 0);
    let stocked: HashMap<_, _> = stocked.map(|opened| (opened.variant, opened.product)).collect();
    if stocked.is_empty() {
        return Ok(());
    }
    announce(tx, &stocked).await
}
