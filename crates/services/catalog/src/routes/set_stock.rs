use axum::Json;
use axum::extract::State;
use kernel::VariantId;
use serde::Deserialize;
use web::{Checks, Handled, Id, Problem, Role, Staff, ValidJson, Validate, code};

use super::stock::StockBody;
use crate::error::{INSUFFICIENT_STOCK, VARIANT_NOT_FOUND};
use crate::model::stock::MAX_ON_HAND;
use crate::ops::adjust_stock::{Change, adjust_stock};
use crate::service::Service;

/// What was counted.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct StockCount {
    /// How many lie on the shelf, those included that are held for checkouts.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    on_hand: i64,
}

impl Validate for StockCount {
    fn validate(&self, checks: &mut Checks) {
        checks.range("on_hand", self.on_hand, 0..=MAX_ON_HAND);
    }
}

web::errors!(
    Errors: code::CALLER, code::BODY, code::BAD_ID, VARIANT_NOT_FOUND, INSUFFICIENT_STOCK
);

/// Count the stock
///
/// For staff with the role `catalog`. Sets what is on hand of a variant. Less than what is held for
/// checkouts is refused.
#[utoipa::path(
    put,
    path = "/v1/admin/variants/{id}/stock",
    operation_id = "set_stock",
    tag = "catalog",
    params(("id" = VariantId, Path, description = "The variant.")),
    request_body = StockCount,
    responses((status = 200, description = "The stock as it is now.", body = StockBody), Errors),
    security(("bearer" = ["staff:catalog"])),
)]
pub(crate) async fn set_stock(
    State(service): State<Service>,
    staff: Staff,
    Id(variant): Id<VariantId>,
    ValidJson(count): ValidJson<StockCount>,
) -> Handled<Json<StockBody>> {
    staff.require(Role::Catalog)?;
    let level = service
        .database
        .write(|mut tx| async move {
            let change = Change::To(count.on_hand);
            let level = adjust_stock(&mut tx, variant, change, (staff.id, "counted")).await?;
            Ok::<_, Problem>(tx.commit(level).await?)
        })
        .await?;
    Ok(Json(StockBody::new(variant, level)))
}
