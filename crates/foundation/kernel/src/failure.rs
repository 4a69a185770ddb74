use std::time::Duration;

/// What sort of failure it is; each boundary (HTTP, command line) maps it to its own terms once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The input cannot be read or breaks a stated limit (HTTP 400).
    Invalid,
    /// Nobody, or nobody who can be believed, is asking (401).
    Unauthenticated,
    /// The payment was refused (402).
    PaymentRequired,
    /// This caller may not (403).
    Forbidden,
    /// No such thing, or none that this caller may know of (404).
    NotFound,
    /// It clashes with the present state (409).
    Conflict,
    /// It was there and is gone for good (410).
    Gone,
    /// The version the caller wrote against is not the present one (412).
    StaleVersion,
    /// The body is larger than is allowed (413).
    TooLarge,
    /// The body's media type is not one that is read here (415).
    UnsupportedMedia,
    /// Readable, within limits, and still makes no sense (422).
    Unprocessable,
    /// A write to a versioned resource must say which version it is for (428).
    VersionRequired,
    /// Too many requests from this caller (429).
    RateLimited,
    /// The operation exists but this provider or engine has no such thing (501).
    Unsupported,
    /// Something we lean on answered nonsense (502).
    BadGateway,
    /// Overloaded or leaning on something that is away; try again later (503).
    Unavailable,
    /// It did not end in time (504).
    Timeout,
    /// Our fault (500).
    Internal,
}

impl FailureKind {
    /// The HTTP status that RFC 9110 (or 6585) gives this kind.
    pub const fn status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Unauthenticated => 401,
            Self::PaymentRequired => 402,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::Gone => 410,
            Self::StaleVersion => 412,
            Self::TooLarge => 413,
            Self::UnsupportedMedia => 415,
            Self::Unprocessable => 422,
            Self::VersionRequired => 428,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::Unsupported => 501,
            Self::BadGateway => 502,
            Self::Unavailable => 503,
            Self::Timeout => 504,
        }
    }
}

/// One thing wrong with one field of the input.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct FieldError {
    /// Where: a JSON pointer (RFC 6901) into the body, or `?name` for a query parameter.
    pub pointer: String,
    /// What, as a stable word: `required`, `too_long`, `unknown_field`, …
    pub code: String,
    /// What, as a sentence for a person.
    pub detail: String,
}

impl FieldError {
    /// A complaint about the field at `pointer`.
    pub fn new(pointer: impl Into<String>, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code: code.into(), detail: detail.into() }
    }
}

/// An error that a boundary can answer with. `Display` is the sentence for the person who asked:
/// what happened and what to do. It never prints its source.
pub trait Fail: std::error::Error + Send + Sync + 'static {
    /// The sort of failure.
    fn kind(&self) -> FailureKind;

    /// The stable code, `service.what_happened`; every code has a page under `docs/errors/`.
    fn code(&self) -> &'static str;

    /// What was wrong with which field, when the input was at fault.
    fn fields(&self) -> Vec<FieldError> {
        Vec::new()
    }

    /// When it is worth trying again.
    fn retry_after(&self) -> Option<Duration> {
        None
    }

    /// More members for the problem document, as RFC 9457 section 3.2 allows.
    fn extensions(&self) -> serde_json::Map<String, serde_json::Value> {
        serde_json::Map::new()
    }
}
