use std::collections::HashMap;

use contracts::catalog::{Quote, QuotedVariant};
use database::Database;
use kernel::VariantId;

use super::announce_stock::levels;
use crate::Error;
use crate::model::product::line_title;
use crate::store;

/// What those of `variants` that are for sale are and cost now, in their order.
pub(crate) async fn quote(
    database: &Database,
    variants: &[VariantId],
    tax_basis_points: u32,
) -> Result<Quote, Error> {
    if variants.is_empty() {
        return Ok(Quote { variants: Vec::new() });
    }
    let now = database.clock().now();
    // Orders freeze these prices, so a replica that lags will not do.
    let mut reader = database.read_primary().await?;
    let offers = store::variants::offers(&mut reader, variants.iter().copied()).await?;
    let for_sale: Vec<VariantId> = offers.iter().map(|offer| offer.variant).collect();
    let levels = levels(&mut reader, &for_sale, now).await?;
    let mut offers: HashMap<VariantId, QuotedVariant> = offers
        .into_iter()
        .map(|offer| {
            let quoted = QuotedVariant {
                variant_id: offer.variant,
                product_id: offer.product,
                seller_id: offer.seller,
                sku: offer.sku,
                title: line_title(&offer.product_title, &offer.variant_title),
                brand: offer.brand,
                category: offer.category,
                unit_price: offer.price,
                tax_basis_points,
                available: levels.get(&offer.variant).map_or(0, |level| level.available.max(0)),
            };
            (offer.variant, quoted)
        })
        .collect();
    Ok(Quote { variants: variants.iter().filter_map(|variant| offers.remove(variant)).collect() })
}
