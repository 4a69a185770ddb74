use axum::extract::State;
use kernel::Page;
use web::{Handled, PageQuery, Paged, Staff, code};

use super::require_reader;
use crate::model::Poll;
use crate::service::Service;
use crate::store;

web::errors!(Errors: code::CALLER, code::PAGE);

/// All polls
///
/// For staff with the role `support` or `analyst`: active and closed polls, the newest first.
#[utoipa::path(
    get,
    path = "/v1/admin/polls",
    operation_id = "list_polls",
    tag = "feedback",
    params(PageQuery),
    responses((status = 200, description = "A page of polls.", body = Page<Poll>), Errors),
    security(("bearer" = ["staff:analyst"]), ("bearer" = ["staff:support"])),
)]
pub(crate) async fn list_polls(
    State(service): State<Service>,
    staff: Staff,
    query: PageQuery,
) -> Handled<Paged<Poll>> {
    require_reader(&staff)?;
    let before = query.after()?;
    let polls = store::polls::page(&mut *service.database.read().await?, before, query.limit).await?;
    Ok(query.page(Page::from_overfetched(polls, query.limit, |poll| poll.id)))
}
