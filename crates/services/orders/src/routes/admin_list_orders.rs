use axum::extract::State;
use contracts::payments::PaymentStatus;
use kernel::{CustomerId, Page, SellerId};
use serde::Deserialize;
use web::{Checks, Handled, ListQuery, PageQuery, Paged, Role, Staff, Validate, code};

use super::list_orders::summaries;
use super::order_body::OrderSummary;
use super::order_filter::DayOrMoment;
use crate::model::number;
use crate::model::order::{Fulfilment, Status};
use crate::shop::Shop;
use crate::store::history::{self, Filter};

/// Which orders.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AdminOrderQuery {
    /// Whose.
    customer_id: Option<CustomerId>,
    /// With lines of this seller.
    seller_id: Option<SellerId>,
    /// The number, as people write it.
    #[param(max_length = 50)]
    number: Option<String>,
    /// Where the order stands.
    status: Option<Status>,
    /// Where its payment stands.
    payment_status: Option<PaymentStatus>,
    /// How much of it was sent.
    fulfilment_status: Option<Fulfilment>,
    /// Placed then or later: a day (`2026-11-21`) or a moment (RFC 3339).
    #[param(value_type = Option<String>)]
    placed_from: Option<DayOrMoment>,
    /// Placed before this moment, or on this day at the latest.
    #[param(value_type = Option<String>)]
    placed_to: Option<DayOrMoment>,
}

impl Validate for AdminOrderQuery {
    fn validate(&self, checks: &mut Checks) {
        checks.optional_text("number", self.number.as_deref(), 1..=50);
    }
}

impl AdminOrderQuery {
    fn filter(&self) -> Filter {
        Filter {
            status: self.status,
            payment_status: self.payment_status,
            fulfilment_status: self.fulfilment_status,
            placed_from: self.placed_from.map(DayOrMoment::from),
            placed_to: self.placed_to.map(DayOrMoment::to),
            customer_id: self.customer_id,
            number: self.number.as_deref().map(number::normalise),
            words: Vec::new(),
        }
    }
}

web::errors!(Errors: code::CALLER, code::PAGE);

/// List everybody's orders
///
/// For staff with the role `orders` or `support`, the last order first.
#[utoipa::path(
    get, path = "/v1/admin/orders", tag = "orders", operation_id = "admin_list_orders",
    params(PageQuery, AdminOrderQuery),
    security(("bearer" = ["staff:orders"]), ("bearer" = ["staff:support"])),
    responses((status = 200, description = "A page of orders.", body = Page<OrderSummary>), Errors),
)]
pub(super) async fn admin_list_orders(
    State(shop): State<Shop>,
    staff: Staff,
    list: ListQuery<AdminOrderQuery>,
) -> Handled<Paged<OrderSummary>> {
    if !staff.may(Role::Orders) {
        staff.require(Role::Support)?;
    }
    let (filter, after, limit) = (list.filter.filter(), list.page.after()?, list.page.limit);
    let mut connection = shop.database.read().await?;
    let rows = match (list.filter.seller_id, list.filter.customer_id) {
        (Some(seller), _) => history::of_seller(&mut connection, seller, &filter, after, limit).await?,
        (None, Some(customer)) => {
            history::of_customer(&mut connection, customer, &filter, after, limit).await?
        }
        (None, None) => history::of_shop(&mut connection, &filter, after, limit).await?,
    };
    let page = Page::from_overfetched(rows, limit, |order| (order.placed_at, order.id));
    Ok(list.page.page(summaries(&mut connection, page).await?))
}
