use axum::Json;
use axum::extract::State;
use contracts::catalog::Quote;
use kernel::VariantId;
use serde::Deserialize;
use web::{Checks, Handled, Internal, ValidJson, Validate};

use crate::ops::quote::quote as ask;
use crate::service::Service;

/// The variants to quote.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Variants(Vec<VariantId>);

impl Validate for Variants {
    fn validate(&self, checks: &mut Checks) {
        checks.count("", self.0.len(), 0..=500);
    }
}

/// What variants are and cost now.
pub(crate) async fn quote(
    State(service): State<Service>,
    _: Internal,
    ValidJson(Variants(variants)): ValidJson<Variants>,
) -> Handled<Json<Quote>> {
    Ok(Json(ask(&service.database, &variants, service.config.tax_basis_points).await?))
}
