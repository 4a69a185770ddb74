use axum::Json;
use axum::extract::State;
use axum::response::Response;
use kernel::VariantId;
use serde::Deserialize;
use web::{Checks, Handled, Id, Idempotent, Role, Staff, ValidJson, Validate, code};

use super::stock::StockBody;
use crate::error::{INSUFFICIENT_STOCK, VARIANT_NOT_FOUND};
use crate::model::stock::MAX_ON_HAND;
use crate::ops::adjust_stock::{Change, adjust_stock as adjust};
use crate::service::Service;

/// What came in or went out.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct StockAdjustment {
    /// How many more there are; negative for fewer.
    #[schema(minimum = -1_000_000_000, maximum = 1_000_000_000)]
    delta: i64,
    /// Why, for those who look into the ledger later. No personal data.
    #[schema(max_length = 200, examples("delivery 4711", "damaged"))]
    reason: String,
}

impl Validate for StockAdjustment {
    fn validate(&self, checks: &mut Checks) {
        checks.range("delta", self.delta, -MAX_ON_HAND..=MAX_ON_HAND);
        checks.check("delta", self.delta != 0, "out_of_range", "must not be 0");
        checks.text("reason", &self.reason, 1..=200);
        checks.check("reason", self.reason.len() <= 200, "too_long", "must have at most 200 bytes");
    }
}

web::errors!(
    Errors: code::CALLER, code::BODY, code::IDEMPOTENCY, code::BAD_ID, VARIANT_NOT_FOUND, INSUFFICIENT_STOCK
);

/// Correct the stock
///
/// For staff with the role `catalog`. Adds to the stock of a variant or takes from it. What is held for
/// checkouts cannot be taken.
#[utoipa::path(
    post,
    path = "/v1/admin/variants/{id}/stock-adjustments",
    operation_id = "adjust_stock",
    tag = "catalog",
    params(
        ("id" = VariantId, Path, description = "The variant."),
        ("Idempotency-Key" = Option<String>, Header, description = "Sent again, the stock is corrected once."),
    ),
    request_body = StockAdjustment,
    responses((status = 200, description = "The stock as it is now.", body = StockBody), Errors),
    security(("bearer" = ["staff:catalog"])),
)]
pub(crate) async fn adjust_stock(
    State(service): State<Service>,
    staff: Staff,
    Id(variant): Id<VariantId>,
    Idempotent(once, ValidJson(adjustment)): Idempotent<ValidJson<StockAdjustment>>,
) -> Handled<Response> {
    staff.require(Role::Catalog)?;
    let (by, adjustment) = (staff.id, &adjustment);
    once.run(&service.database, &by.to_string(), |mut tx| async move {
        let level = adjust(&mut tx, variant, Change::By(adjustment.delta), (by, &adjustment.reason)).await?;
        Ok((tx, Json(StockBody::new(variant, level))))
    })
    .await
}
