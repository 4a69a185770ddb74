use std::borrow::Cow;
use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use kernel::{Fail, FieldError};
use serde_json::{Map, Value};

use crate::{Code, RequestContext};

/// What a handler returns: its answer or a problem.
pub type Handled<T> = Result<T, Problem>;

/// An answer that says no: RFC 9457 `application/problem+json`.
///
/// Any [`Fail`] becomes one with `?`. A fault of ours (5xx) is logged with all its sources when it
/// is answered, once, and its own words stay in the log.
#[derive(Debug)]
pub struct Problem(Box<Content>);

#[derive(Debug)]
struct Content {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: String,
    errors: Vec<FieldError>,
    retry_after: Option<Duration>,
    extensions: Map<String, Value>,
    headers: Vec<(header::HeaderName, HeaderValue)>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

const INTERNAL_DETAIL: &str =
    "Something went wrong on our side. Try again; if it keeps happening, tell us the request_id.";

/// Members that RFC 9457 and this API define, which an extension cannot replace.
const OWN_MEMBERS: [&str; 7] = ["type", "title", "status", "detail", "code", "request_id", "errors"];

impl Problem {
    /// A problem of `code` with the sentence for the person who asked.
    pub fn new(code: &Code, detail: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::from_parts(status, Cow::Borrowed(code.code), detail.into())
    }

    /// A fault of ours: the caller learns nothing but that it happened, the log has `cause`.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let mut problem = Self::new(&crate::code::INTERNAL, INTERNAL_DETAIL);
        problem.0.cause = Some(cause.into());
        problem
    }

    fn from_parts(status: StatusCode, code: Cow<'static, str>, detail: String) -> Self {
        Self(Box::new(Content {
            status,
            code,
            detail,
            errors: Vec::new(),
            retry_after: None,
            extensions: Map::new(),
            headers: Vec::new(),
            cause: None,
        }))
    }

    /// The same problem with what was wrong with each field.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.0.errors = errors;
        self
    }

    /// The same problem with when it is worth trying again, which goes into `Retry-After`.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// The same problem with one more member (RFC 9457 section 3.2).
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.0.extensions.insert(member.to_owned(), value.into());
        self
    }

    /// The same problem with one more header field in the answer.
    #[must_use]
    pub fn with_header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// The same problem with what lies behind it, for the log only.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// What was wrong with which field.
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// The document as JSON, as it is answered within the current request.
    pub fn to_json(&self) -> Value {
        let content = &self.0;
        let mut members = Map::new();
        members.insert("type".into(), format!("/docs/errors/{}", content.code).into());
        members.insert("title".into(), title(&content.code).into());
        members.insert("status".into(), content.status.as_u16().into());
        members.insert("detail".into(), content.detail.as_str().into());
        members.insert("code".into(), content.code.as_ref().into());
        if let Some(context) = RequestContext::current() {
            members.insert("request_id".into(), context.request_id.as_str().into());
        }
        if !content.errors.is_empty() {
            members.insert("errors".into(), serde_json::to_value(&content.errors).unwrap_or_default());
        }
        for (member, value) in &content.extensions {
            if !OWN_MEMBERS.contains(&member.as_str()) {
                members.insert(member.clone(), value.clone());
            }
        }
        Value::Object(members)
    }

    fn log(&self) {
        let content = &self.0;
        let (status, code) = (content.status.as_u16(), content.code.as_ref());
        let causes = content.cause.as_deref().map(|cause| chain(cause)).unwrap_or_default();
        if content.status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(status, causes, "the request failed");
        } else {
            tracing::warn!(status, code, causes, "the request could not be served");
        }
    }
}

/// The title of a code: its last part in words, so that it never differs between two problems of one code.
fn title(code: &str) -> String {
    let words = code.rsplit('.').next().unwrap_or(code).replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// An error and everything that caused it, outermost first.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}

impl<E: Fail> From<E> for Problem {
    fn from(error: E) -> Self {
        let status = StatusCode::from_u16(error.kind().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // Whatever broke, to the caller it is one thing: its own code would be one that no document knows.
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            return Self::internal(error);
        }
        let mut problem = Self::from_parts(status, Cow::Borrowed(error.code()), error.to_string());
        problem.0.errors = error.fields();
        problem.0.retry_after = error.retry_after();
        problem.0.extensions = error.extensions();
        problem.0.cause = Some(Box::new(error));
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        if self.0.status.is_server_error() {
            self.log();
        }
        let body = serde_json::to_vec(&self.to_json()).unwrap_or_default();
        let mut response = (self.0.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(after) = self.0.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds_up(after)));
        }
        if self.0.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, challenge(&self.0.code));
        }
        for (name, value) in self.0.headers {
            headers.insert(name, value);
        }
        response
    }
}

/// Whole seconds, rounded up and at least one: who waits that long does not come too early.
pub(crate) fn seconds_up(duration: Duration) -> u64 {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    seconds.max(1)
}

/// The challenge of RFC 6750 section 3; a request without a token gets no error in it.
fn challenge(code: &str) -> HeaderValue {
    if code.starts_with("auth.") && code != crate::code::AUTH_MISSING.code {
        HeaderValue::from_static("Bearer error=\"invalid_token\"")
    } else {
        HeaderValue::from_static("Bearer")
    }
}

#[cfg(test)]
mod tests {
    use kernel::FailureKind;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the table `secrets` is missing")]
    struct Broken(#[source] std::fmt::Error);

    impl Fail for Broken {
        fn kind(&self) -> FailureKind {
            FailureKind::Internal
        }
        fn code(&self) -> &'static str {
            "disk.broken"
        }
        fn extensions(&self) -> Map<String, Value> {
            Map::from_iter([("table".to_owned(), "secrets".into())])
        }
    }

    #[test]
    fn a_fault_of_ours_keeps_its_words_to_itself() {
        let problem = Problem::from(Broken(std::fmt::Error));
        assert_eq!((problem.status(), problem.code()), (StatusCode::INTERNAL_SERVER_ERROR, "internal"));
        assert!(!problem.to_json().to_string().contains("secrets"));
        let cause = problem.0.cause.as_deref().unwrap();
        assert_eq!(chain(cause), format!("the table `secrets` is missing: {}", std::fmt::Error));
    }

    #[test]
    fn a_title_is_made_of_the_code_alone() {
        assert_eq!(title("orders.out_of_stock"), "Out of stock");
        assert_eq!(title("internal"), "Internal");
    }

    #[test]
    fn extensions_cannot_pretend_to_be_our_own_members() {
        let json = crate::code::FORBIDDEN.problem("no").with("status", 200).with("role", "catalog").to_json();
        assert_eq!(json["status"], 403);
        assert_eq!(json["role"], "catalog");
        assert_eq!(json["type"], "/docs/errors/auth.forbidden");
    }

    #[test]
    fn waits_are_rounded_up() {
        assert_eq!(seconds_up(Duration::ZERO), 1);
        assert_eq!(seconds_up(Duration::from_millis(1_001)), 2);
        assert_eq!(seconds_up(Duration::from_secs(3)), 3);
    }
}
