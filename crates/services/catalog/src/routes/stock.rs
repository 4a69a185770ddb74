//! The stock of a variant as it is answered.

use kernel::VariantId;
use serde::Serialize;

use crate::model::stock::Level;

/// How much there is of a variant.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Stock)]
pub(crate) struct StockBody {
    /// The variant.
    variant_id: VariantId,
    /// What lies on the shelf.
    on_hand: i64,
    /// What of it is held for checkouts that are going on.
    reserved: i64,
    /// What can be bought.
    available: i64,
}

impl StockBody {
    pub(crate) fn new(variant_id: VariantId, level: Level) -> Self {
        let Level { on_hand, reserved, available } = level;
        Self { variant_id, on_hand, reserved, available: available.max(0) }
    }
}
