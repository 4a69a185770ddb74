use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use kernel::PollId;
use serde::Deserialize;
use web::{Checks, Created, Handled, Idempotent, Role, Staff, ValidJson, Validate, Versioned, code};

use crate::model::{Choice, Kind, Placement, Poll, Question, Status, is_name};
use crate::service::Service;
use crate::store;

/// A poll to ask from now on.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct NewPoll {
    /// Where and when it is asked.
    placement: Placement,
    /// What it is called.
    #[schema(min_length = 1, max_length = 200, examples("Your purchase"))]
    title: String,
    /// What is asked. It cannot be changed later: close the poll and make another.
    #[schema(min_items = 1, max_items = 20)]
    questions: Vec<Question>,
}

impl Validate for NewPoll {
    fn validate(&self, checks: &mut Checks) {
        checks.text("title", &self.title, 1..=200);
        checks.count("questions", self.questions.len(), 1..=Question::MOST);
        checks.each("questions", &self.questions);
        // The pointer is that of the list, since a name that stands twice is nobody's own fault.
        let ids: BTreeSet<&str> = self.questions.iter().map(|question| question.id.as_str()).collect();
        checks.check("questions", ids.len() == self.questions.len(), "duplicate", "have an id twice");
    }
}

impl Validate for Question {
    fn validate(&self, checks: &mut Checks) {
        check_name(checks, &self.id);
        checks.text("label", &self.label, 1..=200);
        if self.kind.has_choices() {
            checks.count("choices", self.choices.len(), 2..=Self::MOST_CHOICES);
            checks.each("choices", &self.choices);
            let ids: BTreeSet<&str> = self.choices.iter().map(|choice| choice.id.as_str()).collect();
            checks.check("choices", ids.len() == self.choices.len(), "duplicate", "have an id twice");
        } else {
            let none = self.choices.is_empty();
            checks.check("choices", none, "not_allowed", "are for questions with choices only");
        }
        match self.max_length {
            Some(length) if self.kind == Kind::Text => {
                checks.range("max_length", length, 1..=Self::LONGEST_TEXT);
            }
            Some(_) => checks.refuse("max_length", "not_allowed", "is for questions of kind text only"),
            None => {}
        }
    }
}

impl Validate for Choice {
    fn validate(&self, checks: &mut Checks) {
        check_name(checks, &self.id);
        checks.text("label", &self.label, 1..=200);
    }
}

fn check_name(checks: &mut Checks, id: &str) {
    let detail = "must be 1 to 40 lower-case letters, digits and underscores";
    checks.check("id", is_name(id), "invalid_value", detail);
}

web::errors!(Errors: code::CALLER, code::BODY, code::IDEMPOTENCY);

/// Add a poll
///
/// For staff with the role `support`. It is active at once and asked for orders that were placed already,
/// too, as long as their time is not over.
#[utoipa::path(
    post,
    path = "/v1/admin/polls",
    operation_id = "create_poll",
    tag = "feedback",
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again, the poll is added once.")),
    request_body = NewPoll,
    responses(
        (status = 201, description = "It was added.", body = Poll, headers(
            ("Location" = String, description = "Where the poll is."),
            ("ETag" = String, description = "Send it back as `If-Match` to change the poll."),
        )),
        Errors,
    ),
    security(("bearer" = ["staff:support"])),
)]
pub(crate) async fn create_poll(
    State(service): State<Service>,
    staff: Staff,
    Idempotent(once, ValidJson(body)): Idempotent<ValidJson<NewPoll>>,
) -> Handled<Response> {
    staff.require(Role::Support)?;
    let NewPoll { placement, title, questions } = &body;
    once.run(&service.database, &staff.id.to_string(), |mut tx| async move {
        let now = tx.database().clock().now();
        let poll = Poll {
            id: PollId::new(now, tx.database().rng()),
            placement: *placement,
            title: title.clone(),
            questions: questions.clone(),
            status: Status::Active,
            version: 1,
            created_at: now,
        };
        store::polls::insert(&mut tx, &poll).await?;
        let (location, version) = (format!("/v1/admin/polls/{}", poll.id), poll.version);
        Ok((tx, Created { location, body: Versioned::new(poll, version) }))
    })
    .await
}
