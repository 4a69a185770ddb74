//! The codes that this crate answers with, and the groups in which endpoints list them.

/// A stable error code as the API document knows it: `web::errors!` lists them per endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// `service.what_happened`; every code has a page `docs/errors/<code>.md`.
    pub code: &'static str,
    /// The HTTP status it is answered with.
    pub status: u16,
    /// What happened in one sentence, for the API document.
    pub title: &'static str,
}

impl Code {
    /// A code with its HTTP status and what it means.
    pub const fn new(code: &'static str, status: u16, title: &'static str) -> Self {
        Self { code, status, title }
    }

    /// A problem of this code. `detail` is the sentence for the person who asked: what happened
    /// and what to do.
    pub fn problem(&self, detail: impl Into<String>) -> crate::Problem {
        crate::Problem::new(self, detail)
    }
}

/// One code or a list of them, so that `web::errors!` takes both.
pub trait Codes {
    /// The codes.
    fn codes(&self) -> &[Code];
}

impl Codes for Code {
    fn codes(&self) -> &[Code] {
        std::slice::from_ref(self)
    }
}

impl Codes for [Code] {
    fn codes(&self) -> &[Code] {
        self
    }
}

impl Codes for &[Code] {
    fn codes(&self) -> &[Code] {
        self
    }
}

impl<const N: usize> Codes for [Code; N] {
    fn codes(&self) -> &[Code] {
        self
    }
}

macro_rules! codes {
    ($(#[$doc:meta])* $list:ident: $($name:ident = $code:literal, $status:literal, $title:literal;)+) => {
        $(
            #[doc = concat!("`", $code, "` (", stringify!($status), "): ", $title)]
            pub const $name: Code = Code::new($code, $status, $title);
        )+

        $(#[$doc])*
        pub const $list: &[Code] = &[$($name),+];
    };
}

codes! {
    /// Every code of this crate.
    ALL:

    MALFORMED_JSON = "request.malformed_json", 400, "The body is not JSON.";
    VALIDATION = "request.validation", 400, "Fields are missing, unknown, of the wrong type or out of bounds; `errors` names each.";
    CARD_NUMBER = "request.card_number", 400, "A field holds a card number, which is never accepted here.";
    BAD_CURSOR = "request.bad_cursor", 400, "The cursor is not one that this list gave out.";
    BAD_ID = "request.bad_id", 404, "The path holds something that is not an id of the kind that stands there.";
    NOT_FOUND = "request.not_found", 404, "There is no such address.";
    METHOD_NOT_ALLOWED = "request.method_not_allowed", 405, "The address exists but does not answer to this method.";
    TOO_LARGE = "request.too_large", 413, "The body is larger than is allowed.";
    UNSUPPORTED_MEDIA_TYPE = "request.unsupported_media_type", 415, "The body's media type is not one that is read here.";
    OVERLOADED = "request.overloaded", 503, "Too much is going on at once; nothing was done.";
    TIMEOUT = "request.timeout", 504, "It did not end in time; what happened is not known.";

    AUTH_MISSING = "auth.missing", 401, "Nobody is signed in.";
    TOKEN_INVALID = "auth.token_invalid", 401, "The access token is not one that is believed here.";
    TOKEN_EXPIRED = "auth.token_expired", 401, "The access token has expired.";
    SESSION_ENDED = "auth.session_ended", 401, "The session that the access token belongs to has ended.";
    FORBIDDEN = "auth.forbidden", 403, "This caller may not do this.";

    KEY_REQUIRED = "idempotency.key_required", 400, "The operation needs an `Idempotency-Key`.";
    KEY_INVALID = "idempotency.key_invalid", 400, "The `Idempotency-Key` is not 1 to 255 visible ASCII characters.";
    KEY_IN_FLIGHT = "idempotency.in_flight", 409, "The first request with this `Idempotency-Key` has not ended yet.";
    KEY_REUSED = "idempotency.key_reused", 422, "The `Idempotency-Key` was used for another request.";

    PRECONDITION_FAILED = "precondition.failed", 412, "The resource has changed since the version in `If-Match`; `current_version` names the present one.";
    PRECONDITION_REQUIRED = "precondition.required", 428, "The write must name the version it is for in `If-Match`.";

    RATE_LIMITED = "rate_limited", 429, "Too many requests from this caller.";

    INTERNAL = "internal", 500, "Something went wrong on our side.";
    SERVICE_UNAVAILABLE = "service.unavailable", 503, "A part of the shop that this needs cannot be reached.";
}

codes! {
    /// What the database may say whatever the endpoint; its own crate explains them.
    DATABASE:

    DATABASE_UNAVAILABLE = "database.unavailable", 503, "The database cannot be reached.";
    DATABASE_OVERLOADED = "database.overloaded", 503, "The database has more to do than it can; nothing was done.";
    DATABASE_CONFLICT = "database.conflict", 503, "Others kept changing the same data; nothing was done.";
}

/// What any endpoint may answer; `web::errors!` adds it by itself.
pub const ANY: &[Code] = &[
    RATE_LIMITED,
    INTERNAL,
    SERVICE_UNAVAILABLE,
    DATABASE_UNAVAILABLE,
    DATABASE_OVERLOADED,
    DATABASE_CONFLICT,
    OVERLOADED,
    TIMEOUT,
];

/// What an endpoint that reads a JSON body with [`ValidJson`](crate::ValidJson) may answer.
pub const BODY: &[Code] = &[MALFORMED_JSON, VALIDATION, CARD_NUMBER, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE];

/// What an endpoint that reads [`ValidQuery`](crate::ValidQuery) may answer.
pub const QUERY: &[Code] = &[VALIDATION];

/// What a list with [`PageQuery`](crate::PageQuery) or [`ListQuery`](crate::ListQuery) may answer.
pub const PAGE: &[Code] = &[VALIDATION, BAD_CURSOR];

/// What an endpoint that must know its caller may answer.
pub const CALLER: &[Code] = &[AUTH_MISSING, TOKEN_INVALID, TOKEN_EXPIRED, SESSION_ENDED, FORBIDDEN];

/// What an endpoint that takes a caller but does not need one may answer.
pub const OPTIONAL_CALLER: &[Code] = &[TOKEN_INVALID, TOKEN_EXPIRED, SESSION_ENDED];

/// What an endpoint that takes an [`IfMatch`](crate::IfMatch) may answer.
pub const VERSION: &[Code] = &[PRECONDITION_FAILED, PRECONDITION_REQUIRED];

/// What an endpoint that takes an optional [`IdempotencyKey`](crate::IdempotencyKey) may answer.
pub const IDEMPOTENCY: &[Code] = &[KEY_INVALID, KEY_IN_FLIGHT, KEY_REUSED];
