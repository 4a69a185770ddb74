use axum::extract::State;
use contracts::payments::PaymentStatus;
use database::Connection;
use kernel::Page;
use serde::Deserialize;
use web::{Checks, Customer, Handled, ListQuery, PageQuery, Paged, Validate, code};

use super::order_body::OrderSummary;
use super::order_filter::DayOrMoment;
use crate::error::Error;
use crate::model::number;
use crate::model::order::{Fulfilment, Status};
use crate::shop::Shop;
use crate::store::history::{self, Filter};
use crate::store::lines;
use crate::store::orders::OrderRow;

/// Which of one's orders.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OrderQuery {
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
    /// The beginnings of words that all occur in the number, the titles or the stock keeping units.
    #[param(max_length = 200)]
    query: Option<String>,
}

/// More words than this narrow nothing.
const MAX_WORDS: usize = 8;

impl Validate for OrderQuery {
    fn validate(&self, checks: &mut Checks) {
        checks.optional_text("query", self.query.as_deref(), 1..=200);
    }
}

impl OrderQuery {
    fn filter(&self) -> Filter {
        let query = self.query.as_deref().map(number::normalise).unwrap_or_default();
        let mut words = database::search::words(&query);
        words.truncate(MAX_WORDS);
        Filter {
            status: self.status,
            payment_status: self.payment_status,
            fulfilment_status: self.fulfilment_status,
            placed_from: self.placed_from.map(DayOrMoment::from),
            placed_to: self.placed_to.map(DayOrMoment::to),
            words,
            ..Filter::default()
        }
    }
}

web::errors!(Errors: code::CALLER, code::PAGE);

/// List one's orders
///
/// The purchase history, the last order first. Checkouts that came to nothing are not part of it. A page
/// costs the same however long the history is.
#[utoipa::path(
    get, path = "/v1/orders", tag = "orders", operation_id = "list_orders",
    params(PageQuery, OrderQuery),
    security(("bearer" = ["customer"])),
    responses((status = 200, description = "A page of the history.", body = Page<OrderSummary>), Errors),
)]
pub(super) async fn list_orders(
    State(shop): State<Shop>,
    customer: Customer,
    list: ListQuery<OrderQuery>,
) -> Handled<Paged<OrderSummary>> {
    let (after, limit) = (list.page.after()?, list.page.limit);
    let mut connection = shop.database.read().await?;
    let rows =
        history::of_customer(&mut connection, customer.id, &list.filter.filter(), after, limit).await?;
    let page = Page::from_overfetched(rows, limit, |order| (order.placed_at, order.id));
    Ok(list.page.page(summaries(&mut connection, page).await?))
}

/// The page with the lines of its orders, read at once.
pub(super) async fn summaries(
    connection: &mut Connection,
    page: Page<OrderRow>,
) -> Result<Page<OrderSummary>, Error> {
    let ids: Vec<_> = page.data.iter().map(|order| order.id).collect();
    let mut lines = lines::of_orders(connection, &ids).await?;
    Ok(page.map(|order| OrderSummary::new(&order, lines.remove(&order.id).unwrap_or_default())))
}
