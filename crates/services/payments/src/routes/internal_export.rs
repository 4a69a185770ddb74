use axum::Json;
use axum::extract::State;
use kernel::{CustomerId, Limit};
use serde::Serialize;
use web::{Handled, Id, Internal};

use super::view::{PaymentView, RefundView};
use crate::ops::Payments;
use crate::store;
use crate::store::payments::Filter;

/// Everything that is held about a customer.
#[derive(Debug, Serialize)]
pub(super) struct Export {
    /// The newest first.
    payments: Vec<PaymentView>,
    /// What was given back of them.
    refunds: Vec<RefundView>,
}

/// `GET /internal/payments/customers/{id}/export`
///
/// For the service that puts a person's export together. Read page by page, so that no statement is long.
pub(super) async fn internal_export(
    State(payments): State<Payments>,
    _: Internal,
    Id(customer): Id<CustomerId>,
) -> Handled<Json<Export>> {
    let filter = Filter { customer_id: Some(customer), ..Filter::default() };
    let limit = i64::try_from(Limit::MAX).unwrap_or(i64::MAX);
    let mut export = Export { payments: Vec::new(), refunds: Vec::new() };
    let mut after = None;
    loop {
        let mut reader = payments.database.read().await?;
        let page = store::payments::list(&mut reader, &filter, after, limit).await?;
        let Some(last) = page.last() else { return Ok(Json(export)) };
        after = Some((last.created_at, last.id));
        let ids: Vec<_> = page.iter().map(|payment| payment.id).collect();
        let refunds = store::refunds::of_payments(&mut reader, &ids).await?;
        export.refunds.extend(refunds.into_iter().map(RefundView::from));
        export.payments.extend(page.into_iter().map(PaymentView::from));
    }
}
