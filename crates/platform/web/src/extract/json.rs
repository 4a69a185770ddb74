use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use kernel::FieldError;
use serde::de::DeserializeOwned;

use super::checks::{Checks, Validate, invalid};
use super::pointer;
use super::scan::{self, Finding};
use crate::{Problem, code};

/// A JSON body that was read as a `T` and found valid.
///
/// Refused are: another media type, more bytes than the router's limit allows, what is not JSON,
/// more than 32 levels, a card number anywhere, unknown fields, wrong types, and what
/// [`Validate`] says. Each complaint names its field by JSON pointer.
///
/// Unknown fields are found here for plain structs and lists of them; an internally tagged or
/// flattened type declares `#[serde(deny_unknown_fields)]` where serde allows it, and such an enum
/// writes a variant without fields as `Variant {}`.
#[derive(Clone, Copy, Debug)]
pub struct ValidJson<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Validate> FromRequest<S> for ValidJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        media_type(request.headers())?;
        let body = read_body(request, state).await?;
        parse(&body).map(Self)
    }
}

/// The whole body, within the limit that the router sets.
pub(crate) async fn read_body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            code::TOO_LARGE.problem("The body is larger than is allowed. Send less at once.")
        } else {
            code::MALFORMED_JSON.problem("The body broke off before its end. Send it again.")
        }
    })
}

fn media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let essence = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|essence| essence.trim().to_ascii_lowercase());
    let is_json = essence.is_some_and(|essence| {
        essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
    });
    if is_json {
        Ok(())
    } else {
        Err(code::UNSUPPORTED_MEDIA_TYPE.problem("Send JSON with `Content-Type: application/json`."))
    }
}

fn parse<T: DeserializeOwned + Validate>(body: &[u8]) -> Result<T, Problem> {
    scan::scan(body).map_err(|refusal| match refusal {
        Ok(finding) => refused(finding),
        Err(error) => malformed(&error),
    })?;
    let mut checks = Checks::of_body();
    let value: T = read_strictly(body, &mut checks)?;
    value.validate(&mut checks);
    checks.finish()?;
    Ok(value)
}

fn read_strictly<T: DeserializeOwned>(body: &[u8], checks: &mut Checks) -> Result<T, Problem> {
    let mut track = serde_path_to_error::Track::new();
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    let mut unknown = |path: serde_ignored::Path<'_>| checks.unknown(pointer::of_ignored(&path));
    T::deserialize(serde_ignored::Deserializer::new(tracked, &mut unknown)).map_err(|error| {
        let (code, detail) = explain(&error);
        let mut at = pointer::of_tracked(&track.path());
        // serde tells the place of the object and the name of the member apart, except where it does not.
        if let Some(name) = named_field(code, &error)
            && at.rsplit('/').next() != Some(name.as_str())
        {
            pointer::push(&mut at, &name);
        }
        invalid(vec![FieldError::new(at, code, detail)])
    })
}

/// The field that serde's sentence is about, when it is missing, unknown or there twice.
pub(super) fn named_field(code: &str, error: &impl std::fmt::Display) -> Option<String> {
    let by_name = matches!(code, "required" | "unknown_field" | "duplicate_field");
    error.to_string().split('`').nth(1).filter(|_| by_name).map(str::to_owned)
}

/// The stable word and the sentence for what serde says. Which field it is about stands in the pointer and
/// not in the sentence.
pub(super) fn explain(error: &impl std::fmt::Display) -> (&'static str, String) {
    let text = error.to_string();
    // serde_json adds where in the text it stopped; the pointer says it better.
    let text = text.split(" at line ").next().unwrap_or_default();
    let known = [
        ("missing field", "required", "is missing"),
        ("unknown field", "unknown_field", UNKNOWN_FIELD),
        ("duplicate field", "duplicate_field", "stands twice"),
    ];
    if let Some((_, code, detail)) = known.iter().find(|(begins, ..)| text.starts_with(begins)) {
        return (code, (*detail).to_owned());
    }
    match text.strip_prefix("invalid type: ") {
        Some(found) => ("invalid_type", format!("is of another type: {found}")),
        None => ("invalid_value", format!("is not usable: {text}")),
    }
}

/// What is said of a field that the type does not have.
pub(super) const UNKNOWN_FIELD: &str = "is not a field of this request";

fn refused(finding: Finding) -> Problem {
    match finding {
        Finding::TooDeep { pointer } => {
            let detail = format!("lies more than {} levels deep", scan::MAX_DEPTH);
            invalid(vec![FieldError::new(pointer, "too_deep", detail)])
        }
        Finding::CardNumber { pointer } => code::CARD_NUMBER
            .problem(
                "The body holds a card number. Send the payment provider's token instead, never the number.",
            )
            .with_errors(vec![FieldError::new(pointer, "card_number", "holds a card number")]),
    }
}

fn malformed(error: &serde_json::Error) -> Problem {
    code::MALFORMED_JSON.problem(format!(
        "The body is not JSON: it fails at line {}, column {}.",
        error.line(),
        error.column()
    ))
}
