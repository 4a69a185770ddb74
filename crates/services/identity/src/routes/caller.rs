use std::borrow::Cow;
use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::header;
use http::request::Parts;
use kernel::{Secret, SessionId};
use mail::Address;
use serde::{Deserialize, Deserializer};
use web::{Caller, Checks, ClientAddress, Problem, RequestId, code};

use crate::context::Client;
use crate::model::account::Subject;

/// Somebody who is signed in, whatever they are to the shop; everybody else is refused.
pub(super) struct SignedIn {
    pub(super) subject: Subject,
    pub(super) session: SessionId,
}

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Caller::from_request_parts(parts, state).await? {
            Caller::Customer(caller) => {
                Ok(Self { subject: Subject::Customer(caller.id), session: caller.session })
            }
            Caller::Staff(caller) => Ok(Self { subject: Subject::Staff(caller.id), session: caller.session }),
            Caller::Seller(caller) => {
                Ok(Self { subject: Subject::Staff(caller.member), session: caller.session })
            }
            Caller::Anonymous => Err(code::AUTH_MISSING.problem("Sign in first, and send the access token.")),
            Caller::Service(_) => Err(code::FORBIDDEN.problem("This is for people, not for services.")),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(parts, state).await;
        let Ok(request_id) = RequestId::from_request_parts(parts, state).await;
        let user_agent = parts.headers.get(header::USER_AGENT).map(|value| value.as_bytes());
        let user_agent = String::from_utf8_lossy(user_agent.unwrap_or_default()).into_owned();
        Ok(Self { address, user_agent, request_id: request_id.to_string() })
    }
}

/// Reads an address as people type it, with spaces around it.
pub(super) fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    text.trim().parse().map_err(serde::de::Error::custom)
}

/// The same for a field that may be absent.
pub(super) fn optional_address<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Address>, D::Error> {
    let text = Option::<Cow<'de, str>>::deserialize(deserializer)?;
    text.map(|text| text.trim().parse().map_err(serde::de::Error::custom)).transpose()
}

/// More bytes than this are no password; what it has to be beyond that is the policy's business.
const MAX_PASSWORD_BYTES: usize = 4_096;

/// Bounds what is read as a password.
pub(super) fn check_password(checks: &mut Checks, field: &str, password: &Secret<String>) {
    let length = password.expose().len();
    checks.check(field, length > 0, "required", "must not be empty");
    checks.check(field, length <= MAX_PASSWORD_BYTES, "too_long", "must have at most 4096 bytes");
}

/// Bounds what is read as a token of a mail's link.
pub(super) fn check_link_token(checks: &mut Checks, token: &str) {
    checks.text("token", token, 1..=crate::model::token::LinkToken::MAX_CHARACTERS);
}

/// 202: it was taken down. Whether anything comes of it only the owner of the address learns.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct Accepted {
    /// Always `accepted`.
    #[schema(examples("accepted"))]
    status: &'static str,
}

impl Accepted {
    pub(super) const fn response() -> (http::StatusCode, axum::Json<Self>) {
        (http::StatusCode::ACCEPTED, axum::Json(Self { status: "accepted" }))
    }
}

/// Answers with tokens are not kept by anything on the way (RFC 6749 section 5.1).
pub(super) fn with_tokens(tokens: crate::tokens::Tokens) -> axum::response::Response {
    use axum::response::IntoResponse as _;
    ([(header::CACHE_CONTROL, "no-store")], axum::Json(tokens)).into_response()
}
