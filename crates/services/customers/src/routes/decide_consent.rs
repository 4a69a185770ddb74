use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use web::{Checks, Handled, Id, ValidJson, Validate, code};

use crate::context::Context;
use crate::error::Error;
use crate::error::code::{NOT_FOUND, UNKNOWN_PURPOSE};
use crate::model::consent::{Consent, Decision};
use crate::model::word::is_word;

/// A yes or no.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct ConsentBody {
    /// Yes or no.
    granted: bool,
    /// Which version of the text was read.
    #[schema(min_length = 1, max_length = 50, examples("2026-03"))]
    text_version: String,
    /// Where it was decided, a word.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,49}$", examples("profile_page"))]
    source: String,
}

impl Validate for ConsentBody {
    fn validate(&self, checks: &mut Checks) {
        checks.text("text_version", &self.text_version, 1..=50);
        let word = is_word(&self.source);
        checks.check("source", word, "invalid_characters", "must be a word such as profile_page");
    }
}

web::errors!(pub(super) Errors: code::BODY, code::CALLER, code::BAD_ID, NOT_FOUND, UNKNOWN_PURPOSE);

/// Consent or refuse
///
/// Adds a decision of the signed-in customer on one purpose to their history. Saying again what was
/// said last, to the same text, changes nothing.
#[utoipa::path(
    put,
    path = "/v1/customers/me/consents/{purpose}",
    tag = "customers",
    operation_id = "decide_consent",
    security(("bearer" = ["customer"])),
    params(("purpose" = String, Path, description = "One of those that `GET /v1/customers/me/consents` lists.")),
    request_body = ConsentBody,
    responses((status = 200, description = "Where the customer stands now.", body = Consent), Errors),
)]
pub(super) async fn decide_consent(
    State(context): State<Context>,
    customer: web::Customer,
    Id(purpose): Id<String>,
    ValidJson(body): ValidJson<ConsentBody>,
) -> Handled<Json<Consent>> {
    let purpose = context.config.purpose(&purpose).ok_or(Error::UnknownPurpose)?.to_owned();
    let ConsentBody { granted, text_version, source } = body;
    let decision = Decision { purpose, granted, text_version, source, decided_at: context.now() };
    Ok(Json(context.decide_consent(customer.id, &decision).await?))
}
