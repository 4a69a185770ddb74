use axum::extract::State;
use kernel::{CustomerId, Page, PollId};
use serde::Serialize;
use web::{Handled, Id, PageQuery, Paged, Staff, code};

use super::require_reader;
use crate::error::{self, Error};
use crate::model::Answer;
use crate::ops::open_answers::open_answers;
use crate::service::Service;
use crate::store::{self, answers::StoredAnswer};

/// An answer as staff see it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = StaffPollAnswer)]
pub(crate) struct StaffAnswerBody {
    #[serde(flatten)]
    answer: Answer,
    /// Who gave it; null once they were erased.
    customer_id: Option<CustomerId>,
}

web::errors!(Errors: code::CALLER, code::PAGE, code::BAD_ID, error::POLL_NOT_FOUND);

/// The answers to a poll
///
/// For staff with the role `support` or `analyst`, the newest first. Of somebody who was erased, numbers
/// and choices stay; the customer and the texts are null.
#[utoipa::path(
    get,
    path = "/v1/admin/polls/{id}/answers",
    operation_id = "list_poll_answers",
    tag = "feedback",
    params(("id" = PollId, Path, description = "The poll."), PageQuery),
    responses((status = 200, description = "A page of answers.", body = Page<StaffAnswerBody>), Errors),
    security(("bearer" = ["staff:analyst"]), ("bearer" = ["staff:support"])),
)]
pub(crate) async fn list_answers(
    State(service): State<Service>,
    staff: Staff,
    Id(poll): Id<PollId>,
    query: PageQuery,
) -> Handled<Paged<StaffAnswerBody>> {
    require_reader(&staff)?;
    let before = query.after()?;
    let answers = {
        let mut reader = service.database.read().await?;
        store::polls::find(&mut reader, poll).await?.ok_or(Error::PollNotFound)?;
        store::answers::page(&mut reader, poll, before, query.limit).await?
    };
    let mut page = Page::from_overfetched(answers, query.limit, |stored| stored.answer.id);
    open_answers(&service.vault, &mut page.data).await?;
    Ok(query
        .page(page.map(|StoredAnswer { answer, customer_id, .. }| StaffAnswerBody { answer, customer_id })))
}
