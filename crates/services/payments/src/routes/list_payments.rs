use axum::extract::State;
use contracts::payments::PaymentStatus;
use kernel::{CustomerId, OrderId, Page, Timestamp};
use serde::Deserialize;
use web::{Handled, ListQuery, PageQuery, Paged, Role, Staff, Validate, code};

use super::view::PaymentView;
use crate::ops::Payments;
use crate::store::payments::{Filter, Key, list};

/// Which payments to show.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Query {
    /// Only those with this status; `unknown` are those whose outcome is being found out.
    status: Option<PaymentStatus>,
    /// Only those of this order.
    order_id: Option<OrderId>,
    /// Only those of this customer.
    customer_id: Option<CustomerId>,
    /// Only those begun at this moment or later.
    created_from: Option<Timestamp>,
    /// Only those begun before this moment.
    created_to: Option<Timestamp>,
}

impl Validate for Query {}

web::errors!(Errors: code::CALLER, code::PAGE);

/// Lists payments.
///
/// The newest first. Needs the role `payments`, `orders` or `support`.
#[utoipa::path(
    get,
    path = "/v1/admin/payments",
    tag = "payments",
    operation_id = "list_payments",
    params(Query, PageQuery),
    responses((status = 200, description = "A page of payments.", body = Page<PaymentView>), Errors),
    security(("bearer" = ["staff:orders"]), ("bearer" = ["staff:payments"]), ("bearer" = ["staff:support"]))
)]
pub(crate) async fn list_payments(
    State(payments): State<Payments>,
    staff: Staff,
    ListQuery { page, filter }: ListQuery<Query>,
) -> Handled<Paged<PaymentView>> {
    if ![Role::Orders, Role::Support].into_iter().any(|role| staff.may(role)) {
        staff.require(Role::Payments)?;
    }
    let Query { status, order_id, customer_id, created_from, created_to } = filter;
    let filter = Filter { status, order_id, customer_id, created_from, created_to };
    let after = page.after::<Key>()?;
    let mut reader = payments.database.read().await?;
    let rows = list(&mut reader, &filter, after, page.limit.overfetch()).await?;
    let shown = Page::from_overfetched(rows, page.limit, |payment| (payment.created_at, payment.id));
    Ok(page.page(shown.map(PaymentView::from)))
}
