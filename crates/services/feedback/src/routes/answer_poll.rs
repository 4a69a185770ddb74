use axum::Json;
use axum::extract::State;
use axum::response::Response;
use kernel::{OrderId, PollId};
use serde::Deserialize;
use web::{Checks, Created, Customer, Handled, Id, Idempotent, ValidJson, Validate, code};

use crate::error::{self, Error};
use crate::model::{Answer, Checked, GivenItem, Question, check, fill};
use crate::ops::answer_poll::{Submission, answer_poll as answer};
use crate::ops::open_answers::TEXTS;
use crate::service::Service;
use crate::store;

/// What somebody says to a poll.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct NewAnswer {
    /// The order that it is about.
    order_id: OrderId,
    /// An answer to each question that is required, and to any other.
    #[schema(min_items = 1, max_items = 20)]
    answers: Vec<GivenItem>,
}

impl Validate for NewAnswer {
    fn validate(&self, checks: &mut Checks) {
        // What each answer may be is the poll's to say.
        checks.count("answers", self.answers.len(), 1..=Question::MOST);
    }
}

web::errors!(
    Errors: code::CALLER, code::BODY, code::IDEMPOTENCY, code::BAD_ID, error::POLL_NOT_FOUND,
    error::ORDER_NOT_FOUND, error::ALREADY_ANSWERED, error::POLL_CLOSED, error::ERASED
);

/// Answer a poll
///
/// Once for each order. `errors` of a refusal point at what does not fit its question
/// (`/answers/0/value`). What is said in free text is kept under the customer's own key.
#[utoipa::path(
    post,
    path = "/v1/polls/{id}/answers",
    operation_id = "answer_poll",
    tag = "feedback",
    params(
        ("id" = PollId, Path, description = "The poll."),
        ("Idempotency-Key" = Option<String>, Header, description = "Sent again, the poll is answered once."),
    ),
    request_body = NewAnswer,
    responses((status = 201, description = "Thank you.", body = Answer, headers(("Location" = String, description = "Where the answer is."))), Errors),
    security(("bearer" = ["customer"])),
)]
pub(crate) async fn answer_poll(
    State(service): State<Service>,
    customer: Customer,
    Id(poll): Id<PollId>,
    Idempotent(once, ValidJson(body)): Idempotent<ValidJson<NewAnswer>>,
) -> Handled<Response> {
    let found = store::polls::find(&mut *service.database.read().await?, poll).await?;
    let questions = found.ok_or(Error::PollNotFound)?.questions;
    let checked = check(&questions, &body.answers).map_err(Error::Invalid)?;
    let texts = seal(&service, &customer, &checked).await?;
    let submission = &Submission { poll, order: body.order_id, customer: customer.id, checked, texts };
    once.run(&service.database, &customer.id.to_string(), |mut tx| async move {
        let mut answer = answer(&mut tx, submission).await?;
        fill(&mut answer.answers, submission.checked.texts.clone());
        let location = format!("/v1/polls/{poll}/answers/{}", answer.id);
        Ok((tx, Created { location, body: Json(answer) }))
    })
    .await
}

async fn seal(service: &Service, customer: &Customer, checked: &Checked) -> Handled<Option<Vec<u8>>> {
    if checked.texts.is_empty() {
        return Ok(None);
    }
    Ok(Some(service.vault.seal_json(customer.id.uuid(), TEXTS, &checked.texts).await?))
}
