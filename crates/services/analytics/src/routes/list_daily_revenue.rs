//! `GET /v1/admin/analytics/revenue/daily`

use axum::extract::State;
use kernel::{Currency, Date, Money, Page};
use serde::{Deserialize, Serialize};
use web::{Handled, ListQuery, PageQuery, Paged, Role, Staff, Validate, code};

use crate::model::Takings;
use crate::service;
use crate::store::{self, DailyTakings, TakingsFilter};

/// Which days.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Request {
    /// This day of UTC and later ones.
    from: Option<Date>,
    /// This day of UTC and earlier ones.
    to: Option<Date>,
    /// Only this currency.
    currency: Option<Currency>,
}

impl Validate for Request {}

/// What one day of UTC brought in one currency, by the day on which each thing happened.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct DailyRevenue {
    /// The day, in UTC.
    day: Date,
    /// Orders that were placed.
    orders: i64,
    /// Pieces in them.
    units: i64,
    /// What they bring without shipping and tax: `revenue` + `shipping` + `tax` = `total`.
    revenue: Money,
    /// What was charged for shipping.
    shipping: Money,
    /// What was charged in taxes.
    tax: Money,
    /// What was taken off.
    discount: Money,
    /// What the orders came to.
    total: Money,
    /// Orders that were cancelled on this day, whenever they were placed.
    cancelled_orders: i64,
    /// What these had come to.
    cancelled: Money,
    /// Refunds that succeeded on this day.
    refund_count: i64,
    /// What was given back.
    refunds: Money,
}

impl From<DailyTakings> for DailyRevenue {
    fn from(DailyTakings(takings): DailyTakings) -> Self {
        let Takings { day, currency, orders, units, cancelled_orders, refund_count, .. } = takings;
        let money = |amount| Money::new(amount, currency);
        Self {
            day,
            orders,
            units,
            revenue: money(takings.revenue),
            shipping: money(takings.shipping),
            tax: money(takings.tax),
            discount: money(takings.discount),
            total: money(takings.total),
            cancelled_orders,
            cancelled: money(takings.cancelled),
            refund_count,
            refunds: money(takings.refunded),
        }
    }
}

web::errors!(Errors: code::CALLER, code::PAGE);

/// Add up revenue by day
///
/// For staff with the role `analyst`, the newest day first, a line for each currency. It comes from the shop's
/// own orders and payments, imported history included; what browsers send does not enter it.
#[utoipa::path(
    get, path = "/v1/admin/analytics/revenue/daily", tag = "analytics", operation_id = "list_daily_revenue",
    params(PageQuery, Request),
    responses((status = 200, description = "A page of days.", body = Page<DailyRevenue>), Errors),
    security(("bearer" = ["staff:analyst"])),
)]
pub(super) async fn handler(
    State(state): State<service::State>,
    staff: Staff,
    list: ListQuery<Request>,
) -> Handled<Paged<DailyRevenue>> {
    staff.require(Role::Analyst)?;
    let Request { from, to, currency } = list.filter;
    let (after, limit) = (list.page.after()?, list.page.limit);
    let mut reader = state.database.read().await?;
    let rows = store::takings(&mut reader, &TakingsFilter { from, to, currency }, after, limit).await?;
    let page = Page::from_overfetched(rows, limit, |DailyTakings(row)| (row.day, row.currency));
    Ok(list.page.page(page.map(DailyRevenue::from)))
}
