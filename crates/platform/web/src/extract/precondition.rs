use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::header;
use http::request::Parts;
use kernel::{Fail, FailureKind};
use serde_json::{Map, Value};

use crate::{Problem, code};

/// The version that a write is for, from `If-Match: "7"` (RFC 9110 section 13.1.1).
///
/// Without it the write is refused with 428, also for `If-Match: *`, which names no version. An
/// `Option<IfMatch>` lets it be absent. A tag that this API never gives out, a weak one among
/// them, matches no version and is 412 at once. What follows a dot (`"7.c0ffee"`) tells apart
/// answers that one version can give, such as with another stock, and does not matter to a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IfMatch(pub i64);

impl IfMatch {
    /// Nothing when `current` is the version the write is for.
    ///
    /// # Errors
    /// [`StaleVersion`] with `current` when it is not.
    pub fn check(self, current: i64) -> Result<(), StaleVersion> {
        if self.0 == current { Ok(()) } else { Err(StaleVersion { current }) }
    }
}

/// A write was for a version that is not the present one: 412 `precondition.failed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("It has changed since you read it: it is at version {current} now. Read it again and decide anew.")]
pub struct StaleVersion {
    /// The present version.
    pub current: i64,
}

impl Fail for StaleVersion {
    fn kind(&self) -> FailureKind {
        FailureKind::StaleVersion
    }

    fn code(&self) -> &'static str {
        code::PRECONDITION_FAILED.code
    }

    fn extensions(&self) -> Map<String, Value> {
        Map::from_iter([("current_version".to_owned(), self.current.into())])
    }
}

fn read(parts: &Parts) -> Result<Option<IfMatch>, Problem> {
    let mut fields = parts.headers.get_all(header::IF_MATCH).iter();
    let Some(field) = fields.next() else { return Ok(None) };
    let text = field.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text
        .strip_prefix('"')
        .and_then(|tag| tag.strip_suffix('"'))
        .and_then(|tag| tag.split('.').next())
        .and_then(|tag| tag.strip_prefix('v').unwrap_or(tag).parse().ok())
        .filter(|_| fields.next().is_none());
    match version {
        Some(version) => Ok(Some(IfMatch(version))),
        None => Err(code::PRECONDITION_FAILED.problem(
            "`If-Match` holds no version of this resource. Send back the one `ETag` that you read.",
        )),
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(parts)?.ok_or_else(|| {
            code::PRECONDITION_REQUIRED
                .problem("Say which version the change is for: send the `ETag` that you read as `If-Match`.")
        })
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        read(parts)
    }
}
