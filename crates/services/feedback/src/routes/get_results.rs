use axum::Json;
use axum::extract::State;
use kernel::PollId;
use web::{Handled, Id, Staff, code};

use super::require_reader;
use crate::error::{self, Error};
use crate::model::{Results, results};
use crate::service::Service;
use crate::store;

web::errors!(Errors: code::CALLER, code::BAD_ID, error::POLL_NOT_FOUND);

/// What came of a poll
///
/// For staff with the role `support` or `analyst`: how often each value was said, means and the net
/// promoter score in thousandths. They are counted as answers come, so a poll of any size is read at once.
#[utoipa::path(
    get,
    path = "/v1/admin/polls/{id}/results",
    operation_id = "get_poll_results",
    tag = "feedback",
    params(("id" = PollId, Path, description = "The poll.")),
    responses((status = 200, description = "The results.", body = Results), Errors),
    security(("bearer" = ["staff:analyst"]), ("bearer" = ["staff:support"])),
)]
pub(crate) async fn get_results(
    State(service): State<Service>,
    staff: Staff,
    Id(id): Id<PollId>,
) -> Handled<Json<Results>> {
    require_reader(&staff)?;
    let mut reader = service.database.read().await?;
    let poll = store::polls::find(&mut reader, id).await?.ok_or(Error::PollNotFound)?;
    let counts = store::tallies::of(&mut reader, id).await?;
    Ok(Json(results(&poll, &counts)))
}
