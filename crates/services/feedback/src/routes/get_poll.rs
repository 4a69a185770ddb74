use axum::extract::State;
use kernel::PollId;
use web::{Handled, Id, Staff, Versioned, code};

use super::require_reader;
use crate::error::{self, Error};
use crate::model::Poll;
use crate::service::Service;
use crate::store;

web::errors!(Errors: code::CALLER, code::BAD_ID, error::POLL_NOT_FOUND);

/// One poll
///
/// For staff with the role `support` or `analyst`.
#[utoipa::path(
    get,
    path = "/v1/admin/polls/{id}",
    operation_id = "get_poll",
    tag = "feedback",
    params(("id" = PollId, Path, description = "The poll.")),
    responses(
        (status = 200, description = "The poll.", body = Poll, headers(("ETag" = String, description = "Send it back as `If-Match` to change the poll."))),
        (status = 304, description = "It is still as `If-None-Match` says."),
        Errors,
    ),
    security(("bearer" = ["staff:analyst"]), ("bearer" = ["staff:support"])),
)]
pub(crate) async fn get_poll(
    State(service): State<Service>,
    staff: Staff,
    Id(id): Id<PollId>,
) -> Handled<Versioned<Poll>> {
    require_reader(&staff)?;
    let found = store::polls::find(&mut *service.database.read().await?, id).await?;
    let poll = found.ok_or(Error::PollNotFound)?;
    let version = poll.version;
    Ok(Versioned::new(poll, version))
}
