use axum::extract::State;
use contracts::catalog::ReserveStock;
use serde::Deserialize;
use web::{Checks, Handled, Internal, NoContent, ValidJson, Validate};

use crate::model::stock::MAX_ON_HAND;
use crate::ops::reserve::reserve as take;
use crate::service::Service;

/// No checkout takes longer than a week.
const MAX_HOLD_SECONDS: u64 = 7 * 24 * 60 * 60;

/// What to reserve.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Request(ReserveStock);

impl Validate for Request {
    fn validate(&self, checks: &mut Checks) {
        checks.range("hold_seconds", self.0.hold_seconds, 1..=MAX_HOLD_SECONDS);
        checks.count("lines", self.0.lines.len(), 1..=200);
        checks.inside("lines", |checks| {
            for (index, line) in self.0.lines.iter().enumerate() {
                checks.inside(&index.to_string(), |checks| {
                    checks.range("quantity", line.quantity, 1..=MAX_ON_HAND);
                });
            }
        });
    }
}

/// Takes stock off the shelf for a checkout, all lines or none.
pub(crate) async fn reserve(
    State(service): State<Service>,
    _: Internal,
    ValidJson(Request(request)): ValidJson<Request>,
) -> Handled<NoContent> {
    take(&service.database, &request).await?;
    Ok(NoContent)
}
