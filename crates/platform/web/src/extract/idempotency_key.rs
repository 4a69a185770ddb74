use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use crate::{Problem, code};

/// The `Idempotency-Key` of a request: 1 to 255 visible ASCII characters that the caller chose.
/// An `Option<IdempotencyKey>` lets it be absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// The header field.
pub(crate) const FIELD: &str = "idempotency-key";

const MAX_LEN: usize = 255;

impl IdempotencyKey {
    /// The key as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn read(parts: &Parts) -> Result<Option<IdempotencyKey>, Problem> {
    let mut fields = parts.headers.get_all(FIELD).iter();
    let Some(field) = fields.next() else { return Ok(None) };
    let key = field.as_bytes();
    let sound = (1..=MAX_LEN).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
    if !sound || fields.next().is_some() {
        return Err(code::KEY_INVALID
            .problem("Send one `Idempotency-Key` of 1 to 255 visible ASCII characters, such as a UUID."));
    }
    Ok(Some(IdempotencyKey(String::from_utf8_lossy(key).into_owned())))
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(parts)?.ok_or_else(|| {
            code::KEY_REQUIRED.problem("Send an `Idempotency-Key`, so that asking again cannot do it twice.")
        })
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        read(parts)
    }
}
