use std::collections::HashMap;

use contracts::catalog::StockChanged;
use database::{Connection, Tx};
use kernel::{ProductId, Timestamp, VariantId};

use crate::Error;
use crate::model::stock::{self, Level};
use crate::store;

/// How much there is of each variant at `now`; one that has no accounts is absent.
pub(crate) async fn levels(
    connection: &mut Connection,
    variants: &[VariantId],
    now: Timestamp,
) -> Result<HashMap<VariantId, Level>, Error> {
    let accounts = store::padded(variants.iter().copied().map(stock::shelf));
    let balances = ledger::balances(connection, &accounts, now).await?;
    Ok(balances.into_iter().map(|(id, balance)| (VariantId::from_uuid(id.uuid()), balance.into())).collect())
}

/// Tells everybody how many can be bought of variants whose stock this transaction has changed, one
/// event each, and notes which of them are sold out. Call it once, after the last change, with variants
/// that were locked before the first.
pub(crate) async fn announce(tx: &mut Tx, variants: &HashMap<VariantId, ProductId>) -> Result<(), Error> {
    // Read after the locks: who waited for them must not tell how it was before.
    let now = tx.database().clock().now();
    let ids: Vec<VariantId> = variants.keys().copied().collect();
    let levels = levels(tx, &ids, now).await?;
    // In the order of their ids, so that two transactions never wait for each other.
    let mut available: Vec<(VariantId, i64)> =
        levels.iter().map(|(id, level)| (*id, level.available)).collect();
    available.sort();
    for in_stock in [false, true] {
        let such = available.iter().filter(|(_, available)| (*available > 0) == in_stock);
        let such: Vec<VariantId> = such.map(|(variant, _)| *variant).collect();
        store::variants::set_in_stock(tx, &such, in_stock).await?;
    }
    for (variant_id, available) in available {
        if let Some(product_id) = variants.get(&variant_id).copied() {
            tx.emit(&StockChanged { variant_id, product_id, available }).await?;
        }
    }
    Ok(())
}
