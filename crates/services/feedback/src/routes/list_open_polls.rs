use axum::Json;
use axum::extract::State;
use kernel::{OrderId, Page, PollId};
use serde::{Deserialize, Serialize};
use web::{Customer, Handled, ValidQuery, Validate, code};

use crate::model::{Placement, Poll, Question};
use crate::service::Service;
use crate::store;

/// Which polls.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OpenPollQuery {
    /// Where they are asked.
    placement: Placement,
    /// Only those that may be answered for this order.
    order_id: Option<OrderId>,
}

impl Validate for OpenPollQuery {}

/// A poll that the caller may answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct OpenPoll {
    /// Names the poll.
    id: PollId,
    /// Where and when it is asked.
    placement: Placement,
    /// What it is called.
    title: String,
    /// What is asked, in this order.
    questions: Vec<Question>,
    /// The orders that it may still be answered for, the newest first, at most 100.
    order_ids: Vec<OrderId>,
}

web::errors!(Errors: code::CALLER, code::QUERY);

/// Polls I may answer
///
/// The polls that the signed-in customer has not answered yet, each with the orders that it may be
/// answered for. An order counts from shortly after it was placed until its time is over. An order of
/// somebody else gives an empty list.
#[utoipa::path(
    get,
    path = "/v1/polls",
    operation_id = "list_open_polls",
    tag = "feedback",
    params(OpenPollQuery),
    responses((status = 200, description = "All of them: there is never a next page.", body = Page<OpenPoll>), Errors),
    security(("bearer" = ["customer"])),
)]
pub(crate) async fn list_open_polls(
    State(service): State<Service>,
    customer: Customer,
    ValidQuery(query): ValidQuery<OpenPollQuery>,
) -> Handled<Json<Page<OpenPoll>>> {
    let now = service.database.clock().now();
    let mut reader = service.database.read().await?;
    let orders = store::purchases::open(&mut reader, customer.id, query.order_id, now).await?;
    if orders.is_empty() {
        return Ok(Json(Page { data: Vec::new(), next_cursor: None }));
    }
    let polls = store::polls::asked(&mut reader, query.placement).await?;
    let answered = store::answers::answered(&mut reader, customer.id, &orders).await?;
    let open = |poll: Poll| {
        let is_open = |order: &OrderId| !answered.contains(&(poll.id, *order));
        let order_ids: Vec<OrderId> = orders.iter().copied().filter(is_open).collect();
        let Poll { id, placement, title, questions, .. } = poll;
        (!order_ids.is_empty()).then_some(OpenPoll { id, placement, title, questions, order_ids })
    };
    Ok(Json(Page { data: polls.into_iter().filter_map(open).collect(), next_cursor: None }))
}
