use contracts::catalog::{ReserveStock, Shortage};
use kernel::VariantId;

use crate::model::checkout::{Checkout, Outcome};
use crate::shop::Shop;

/// Holds the stock. The hold outlives the time for paying by a margin.
pub(super) async fn reserve(shop: &Shop, checkout: &Checkout) -> Outcome {
    let minutes = u64::from(shop.config.payment_minutes) + u64::from(shop.config.hold_margin_minutes);
    let request = ReserveStock {
        checkout_id: checkout.id,
        lines: checkout.line_requests(),
        hold_seconds: minutes * 60,
    };
    match shop.catalog.reserve(&request).await {
        Ok(()) => Outcome::Reserved,
        Err(error) if error.is("catalog.reservation_ended") => Outcome::ReservationEnded,
        Err(error) if error.is("catalog.out_of_stock") => {
            let lines = error.rejection().and_then(|rejection| rejection.members.get("lines"));
            let lines: Option<Vec<Shortage>> =
                lines.and_then(|lines| serde_json::from_value(lines.clone()).ok());
            Outcome::OutOfStock(lines.unwrap_or_default())
        }
        Err(error) if error.is("catalog.variant_not_for_sale") => {
            let variants = error.rejection().and_then(|rejection| rejection.members.get("variants"));
            let variants: Option<Vec<VariantId>> =
                variants.and_then(|variants| serde_json::from_value(variants.clone()).ok());
            Outcome::OutOfStock(none_left(&request, &variants.unwrap_or_default()))
        }
        Err(error) => Outcome::failed_call(&error, "catalog"),
    }
}

/// The lines of variants that cannot be bought at all any more.
fn none_left(request: &ReserveStock, variants: &[VariantId]) -> Vec<Shortage> {
    request
        .lines
        .iter()
        .filter(|line| variants.contains(&line.variant_id))
        .map(|line| Shortage { variant_id: line.variant_id, requested: line.quantity, available: 0 })
        .collect()
}

/// Undo of [`reserve`].
pub(super) async fn release(shop: &Shop, checkout: &Checkout) -> Outcome {
    match shop.catalog.release(checkout.id).await {
        Ok(()) => Outcome::StockReturned,
        Err(error) => Outcome::failed_call(&error, "catalog"),
    }
}
