//! The service's API.
//!
//! | who | operation | does |
//! |---|---|---|
//! | customers | `GET /v1/polls` | polls that they may answer, and for which orders |
//! | customers | `POST /v1/polls/{id}/answers`, `GET /v1/polls/{id}/answers/{answer_id}` | answer, read it again |
//! | staff | `GET, POST /v1/admin/polls`, `GET, PATCH /v1/admin/polls/{id}` | polls |
//! | staff | `GET /v1/admin/polls/{id}/results`, `/answers` | what came of them |
//! | services | `GET /internal/feedback/customers/{id}/export` | what `contracts::feedback::Client` calls |

mod answer_poll;
mod change_poll;
mod create_poll;
mod get_answer;
mod get_poll;
mod get_results;
mod internal_export;
mod list_answers;
mod list_open_polls;
mod list_polls;

use axum::routing::get;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::{Handled, Role, Staff};

use crate::service::Service;

/// Every public route.
pub(crate) fn table() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(list_open_polls::list_open_polls))
        .routes(routes!(answer_poll::answer_poll))
        .routes(routes!(get_answer::get_answer))
        .routes(routes!(list_polls::list_polls, create_poll::create_poll))
        .routes(routes!(get_poll::get_poll, change_poll::change_poll))
        .routes(routes!(get_results::get_results))
        .routes(routes!(list_answers::list_answers))
}

/// What only other services may reach.
pub(crate) fn internal() -> axum::Router<Service> {
    axum::Router::new()
        .route("/internal/feedback/customers/{id}/export", get(internal_export::internal_export))
}

/// The public routes as a document.
pub fn openapi() -> OpenApi {
    table().into_openapi()
}

/// Nothing when `staff` may read polls and answers: analysts may, who change nothing.
fn require_reader(staff: &Staff) -> Handled<()> {
    if staff.may(Role::Analyst) { Ok(()) } else { staff.require(Role::Support) }
}
