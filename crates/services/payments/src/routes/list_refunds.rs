use axum::extract::State;
use kernel::{Page, PaymentId};
use web::{Caller, Handled, Id, PageQuery, Paged, code};

use super::get_payment::readable;
use super::view::RefundView;
use crate::error::NOT_FOUND;
use crate::ops::Payments;
use crate::store;

web::errors!(Errors: code::CALLER, code::BAD_ID, code::PAGE, NOT_FOUND);

/// Lists the refunds of a payment.
///
/// The newest first. Customers see those of their own payments; the staff see all, for which they
/// need the role `payments`, `orders` or `support`.
#[utoipa::path(
    get,
    path = "/v1/payments/{id}/refunds",
    tag = "payments",
    operation_id = "list_refunds",
    params(("id" = PaymentId, Path, description = "The payment."), PageQuery),
    responses((status = 200, description = "A page of refunds.", body = Page<RefundView>), Errors),
    security(("bearer" = ["customer"]), ("bearer" = ["staff:orders"]), ("bearer" = ["staff:payments"]), ("bearer" = ["staff:support"]))
)]
pub(crate) async fn list_refunds(
    State(payments): State<Payments>,
    caller: Caller,
    Id(id): Id<PaymentId>,
    query: PageQuery,
) -> Handled<Paged<RefundView>> {
    let payment = readable(&payments, &caller, id).await?;
    let after = query.after::<store::refunds::Key>()?;
    let mut reader = payments.database.read().await?;
    let rows = store::refunds::list(&mut reader, payment.id, after, query.limit.overfetch()).await?;
    let page = Page::from_overfetched(rows, query.limit, |refund| (refund.created_at, refund.id));
    Ok(query.page(page.map(RefundView::from)))
}
