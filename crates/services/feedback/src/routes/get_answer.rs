use axum::Json;
use axum::extract::State;
use kernel::{AnswerId, PollId};
use web::{Customer, Handled, Id, code};

use crate::error::{self, Error};
use crate::model::Answer;
use crate::ops::open_answers::open_answers;
use crate::service::Service;
use crate::store::{self, answers::StoredAnswer};

web::errors!(Errors: code::CALLER, code::BAD_ID, error::ANSWER_NOT_FOUND);

/// One of my answers
///
/// What the signed-in customer answered to a poll. An answer of somebody else is as one that is not there.
#[utoipa::path(
    get,
    path = "/v1/polls/{id}/answers/{answer_id}",
    operation_id = "get_poll_answer",
    tag = "feedback",
    params(
        ("id" = PollId, Path, description = "The poll."),
        ("answer_id" = AnswerId, Path, description = "The answer."),
    ),
    responses((status = 200, description = "The answer.", body = Answer), Errors),
    security(("bearer" = ["customer"])),
)]
pub(crate) async fn get_answer(
    State(service): State<Service>,
    customer: Customer,
    Id((poll, id)): Id<(PollId, AnswerId)>,
) -> Handled<Json<Answer>> {
    let found = store::answers::find(&mut *service.database.read().await?, customer.id, poll, id).await?;
    let mut answer = [found.ok_or(Error::AnswerNotFound)?];
    open_answers(&service.vault, &mut answer).await?;
    let [StoredAnswer { answer, .. }] = answer;
    Ok(Json(answer))
}
