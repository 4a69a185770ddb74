use std::sync::LazyLock;

use axum::Json;
use axum::extract::{FromRequest, Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use web::{Handled, Id, Problem, ValidJson, Validate, code};

use super::Pages;
use crate::error::{CHALLENGE_ENDED, CHALLENGE_NOT_FOUND, Error};
use crate::sandbox::challenge::Outcome;
use crate::sandbox::payment::{SandboxPayment, Status, page};

const PAGE: &str = include_str!("challenge.html");
const STYLE: &str = include_str!("challenge.css");

/// How a challenge is to end.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChallengeOutcome {
    /// How it ends.
    outcome: Outcome,
}

impl Validate for ChallengeOutcome {}

/// How a challenge ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChallengeEnded {
    /// How it ended.
    outcome: Option<Outcome>,
    /// Where the person goes now.
    return_url: Option<String>,
}

web::errors!(ShowErrors: code::BAD_ID, CHALLENGE_NOT_FOUND);

/// Shows the sandbox's challenge.
///
/// The page that `next_action` of a payment with `tok_challenge` leads to: a person approves the
/// payment or refuses it. Whoever knows the address may do so.
#[utoipa::path(
    get,
    path = "/sandbox/challenges/{challenge}",
    tag = "payments",
    operation_id = "show_challenge",
    params(("challenge" = String, Path, description = "The end of the address in `next_action`.")),
    responses((status = 200, description = "The page.", body = String, content_type = "text/html"), ShowErrors),
    security(())
)]
pub(crate) async fn show_challenge(
    State(pages): State<Pages>,
    Id(challenge): Id<String>,
) -> Handled<Response> {
    let payment = pages.sandbox.challenge(&challenge).await?;
    let allowed = payment.return_url.as_deref().filter(|url| pages.origins.allow(url));
    Ok(html(render(&payment, allowed), allowed))
}

web::errors!(EndErrors: code::BODY, code::BAD_ID, CHALLENGE_NOT_FOUND, CHALLENGE_ENDED);

/// Ends the sandbox's challenge.
///
/// Sent as a form, as the page does, it leads the person back to the shop; sent as JSON, it answers
/// with where that is. Ended again in the same way, it answers in the same way.
#[utoipa::path(
    post,
    path = "/sandbox/challenges/{challenge}",
    tag = "payments",
    operation_id = "end_challenge",
    params(("challenge" = String, Path, description = "The end of the address in `next_action`.")),
    request_body(content(
        (ChallengeOutcome = "application/json"),
        (ChallengeOutcome = "application/x-www-form-urlencoded")
    )),
    responses(
        (status = 200, description = "It ended like this.", body = ChallengeEnded),
        (status = 303, description = "It ended like this; the person goes back to the shop.",
         headers(("Location" = String, description = "Where the person goes."))),
        EndErrors
    ),
    security(())
)]
pub(crate) async fn end_challenge(
    State(pages): State<Pages>,
    Id(challenge): Id<String>,
    answer: ChallengeAnswer,
) -> Handled<Response> {
    let ended = pages.sandbox.end_challenge(&challenge, answer.outcome).await;
    if !answer.by_form {
        let payment = ended?;
        let return_url = payment.return_url.clone().filter(|url| pages.origins.allow(url));
        return Ok(Json(ChallengeEnded { outcome: payment.outcome(), return_url }).into_response());
    }
    let next = match ended {
        Ok(payment) => payment.return_url.filter(|url| pages.origins.allow(url)),
        // Somebody who went back in the browser is shown how it ended.
        Err(Error::ChallengeEnded) => None,
        Err(error) => return Err(error.into()),
    };
    let location = next.unwrap_or_else(|| page(&challenge));
    let location = HeaderValue::try_from(location).map_err(Problem::internal)?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}

/// What a person or a program answers to a challenge.
pub(crate) struct ChallengeAnswer {
    outcome: Outcome,
    by_form: bool,
}

impl<S: Send + Sync> FromRequest<S> for ChallengeAnswer {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_form(request.headers()) {
            let ValidJson(ChallengeOutcome { outcome }) = ValidJson::from_request(request, state).await?;
            return Ok(Self { outcome, by_form: false });
        }
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|_| code::TOO_LARGE.problem("The form is larger than is allowed."))?;
        let form = serde_urlencoded::from_bytes(&body);
        let ChallengeOutcome { outcome } = form.map_err(|error| {
            code::VALIDATION.problem("Send `outcome` as `success` or `failure`.").caused_by(error)
        })?;
        Ok(Self { outcome, by_form: true })
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let media_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media_type
        .split(';')
        .next()
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// The page. Everything in it that is not ours is escaped.
fn render(payment: &SandboxPayment, return_url: Option<&str>) -> String {
    let back = || {
        return_url.map_or_else(String::new, |url| format!("<a href=\"{}\">Back to the shop</a>", escape(url)))
    };
    let (title, content) = match (payment.status, payment.outcome()) {
        (Status::RequiresAction, _) => {
            let action = escape(&page(payment.challenge.as_deref().unwrap_or_default()));
            let form = format!(
                "<form method=\"post\" action=\"{action}\">\n\
                 <button class=\"approve\" name=\"outcome\" value=\"success\">Approve</button>\n\
                 <button name=\"outcome\" value=\"failure\">Refuse</button>\n</form>"
            );
            ("Approve this payment?", form)
        }
        (_, Some(Outcome::Success)) => ("The payment was approved", back()),
        (_, Some(Outcome::Failure)) => ("The payment was refused", back()),
        (_, None) => ("The payment was cancelled", back()),
    };
    let amount = format!("{} {}", payment.amount.to_major(), payment.amount.currency);
    PAGE.replace("{{style}}", STYLE)
        .replace("{{title}}", title)
        .replace("{{amount}}", &escape(&amount))
        .replace("{{reference}}", &escape(&payment.reference.to_string()))
        .replace("{{content}}", &content)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The hash by which the page's own style, and nothing else, is let in.
static STYLE_HASH: LazyLock<String> = LazyLock::new(|| STANDARD.encode(Sha256::digest(STYLE)));

fn html(page: String, return_url: Option<&str>) -> Response {
    // Browsers hold a form's redirect to this list too.
    let elsewhere = return_url.and_then(origin).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; form-action 'self' {elsewhere}; base-uri 'none'; \
         frame-ancestors 'none'",
        *STYLE_HASH
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, policy.as_str()),
    ];
    (headers, page).into_response()
}

/// The scheme, host and port of an address.
fn origin(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_ours_is_escaped() {
        assert_eq!(escape("/x?a=1&b=\"><script>"), "/x?a=1&amp;b=&quot;&gt;&lt;script&gt;");
    }

    #[test]
    fn forms_are_told_by_their_media_type() {
        let form = |text: &str| {
            is_form(&HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_str(text).unwrap())]))
        };
        assert!(form("application/x-www-form-urlencoded; charset=utf-8"));
        assert!(!form("application/json"));
    }
}
