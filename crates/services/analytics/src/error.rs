//! What can go wrong when events are collected.

use web::{Code, Problem};

macro_rules! codes {
    ($($name:ident = $code:literal, $status:literal, $title:literal;)+) => {
        $(pub(crate) const $name: Code = Code::new($code, $status, $title);)+
    };
}

codes! {
    UNKNOWN_WRITE_KEY = "analytics.unknown_write_key", 401, "There is no source with this write key.";
    MALFORMED = "analytics.malformed", 400, "The body is not a JSON object that holds an event or a batch, or not gzip.";
    BATCH_TOO_LARGE = "analytics.batch_too_large", 413, "The body has more than 500 KB, as sent or unpacked.";
    TOO_MANY_EVENTS = "analytics.too_many_events", 413, "The batch has more events than are taken at once.";

    EVENT_TOO_LARGE = "analytics.event_too_large", 413, "The event has more than 32 KB.";
    INVALID_EVENT = "analytics.invalid_event", 400, "The event is not an object, or one of its fields has the wrong type or length.";
    UNKNOWN_TYPE = "analytics.unknown_type", 400, "The event's type is none of the protocol's.";
    IDENTITY_REQUIRED = "analytics.identity_required", 400, "The event has neither userId nor anonymousId.";
    EVENT_REQUIRED = "analytics.event_required", 400, "A track call has no name of what happened.";
    GROUP_ID_REQUIRED = "analytics.group_id_required", 400, "A group call has no groupId.";
    PREVIOUS_ID_REQUIRED = "analytics.previous_id_required", 400, "An alias call has no previousId or no userId.";
}

/// What a request of events may be refused for as a whole.
pub(crate) const REQUEST: &[Code] = &[UNKNOWN_WRITE_KEY, MALFORMED, BATCH_TOO_LARGE];

/// What a single event may be refused for.
pub(crate) const EVENT: &[Code] = &[
    EVENT_TOO_LARGE,
    INVALID_EVENT,
    IDENTITY_REQUIRED,
    EVENT_REQUIRED,
    GROUP_ID_REQUIRED,
    PREVIOUS_ID_REQUIRED,
];

/// Why an event is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static Code,
    pub(crate) detail: String,
}

impl Refusal {
    pub(crate) fn new(code: &'static Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        refusal.code.problem(refusal.detail)
    }
}
