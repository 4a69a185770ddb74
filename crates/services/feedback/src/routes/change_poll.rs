use axum::extract::State;
use kernel::PollId;
use serde::Deserialize;
use web::{Checks, Handled, Id, IfMatch, Role, Staff, ValidJson, Validate, Versioned, code};

use crate::error::{self, Error};
use crate::model::{Poll, Status};
use crate::ops::change_poll::{Change, change_poll as change};
use crate::service::Service;

/// What shall change; what is not named stays (RFC 7396).
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct PollPatch {
    /// What it is called from now on.
    #[schema(min_length = 1, max_length = 200)]
    title: Option<String>,
    /// `closed` ends it; `active` takes answers again.
    status: Option<Status>,
}

impl Validate for PollPatch {
    fn validate(&self, checks: &mut Checks) {
        checks.optional_text("title", self.title.as_deref(), 1..=200);
    }
}

web::errors!(Errors: code::CALLER, code::BODY, code::VERSION, code::BAD_ID, error::POLL_NOT_FOUND);

/// Change a poll
///
/// For staff with the role `support`. `If-Match` names the version that was read; a change that changes
/// nothing keeps the version. Its questions cannot be changed: close it and make another.
#[utoipa::path(
    patch,
    path = "/v1/admin/polls/{id}",
    operation_id = "change_poll",
    tag = "feedback",
    params(
        ("id" = PollId, Path, description = "The poll."),
        ("If-Match" = String, Header, description = "The `ETag` that was read."),
    ),
    request_body = PollPatch,
    responses(
        (status = 200, description = "The poll as it is now.", body = Poll, headers(("ETag" = String, description = "Its version from now on."))),
        Errors,
    ),
    security(("bearer" = ["staff:support"])),
)]
pub(crate) async fn change_poll(
    State(service): State<Service>,
    staff: Staff,
    Id(id): Id<PollId>,
    expected: IfMatch,
    ValidJson(patch): ValidJson<PollPatch>,
) -> Handled<Versioned<Poll>> {
    staff.require(Role::Support)?;
    let wanted = &Change { title: patch.title, status: patch.status };
    let poll = service
        .database
        .write(|mut tx| async move {
            let poll = change(&mut tx, id, expected, wanted).await?;
            Ok::<_, Error>(tx.commit(poll).await?)
        })
        .await?;
    let version = poll.version;
    Ok(Versioned::new(poll, version))
}
