//! The calls of the tracking protocol: `POST /v1/track` and its kin, each under its name and under its first
//! letter, which is what the browser library sends. They differ in nothing but the type of the event.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use web::{Handled, code};

use super::request::{Body, Understood};
use crate::error;
use crate::model::Kind;
use crate::ops;
use crate::service;

/// An event of the tracking protocol. Members that are not named here are kept as they are.
#[derive(utoipa::ToSchema)]
#[schema(as = AnalyticsEvent)]
#[allow(dead_code)] // It describes what is read member by member.
struct EventBody {
    /// `track`, `identify`, `page`, `screen`, `group` or `alias`; only in a batch.
    r#type: Option<String>,
    /// What happened; `track` needs it.
    #[schema(rename = "event", max_length = 255, examples("Product Viewed"))]
    event: Option<String>,
    /// Who it is; a customer's id when they are signed in. This or `anonymousId` is needed.
    #[schema(rename = "userId", max_length = 255)]
    user_id: Option<String>,
    /// Which browser or device it is.
    #[schema(rename = "anonymousId", max_length = 255)]
    anonymous_id: Option<String>,
    /// Unique within the source, so that sending twice counts once. Assigned when absent.
    #[schema(rename = "messageId", max_length = 100)]
    message_id: Option<String>,
    /// When it happened, by the sender's clock.
    timestamp: Option<kernel::Timestamp>,
    /// When it was sent, by the sender's clock, which puts a wrong clock right.
    #[schema(rename = "sentAt")]
    sent_at: Option<kernel::Timestamp>,
    /// What is known of the circumstances.
    context: Option<serde_json::Value>,
    /// About what happened.
    properties: Option<serde_json::Value>,
    /// About the person; kept sealed, and only for customers.
    traits: Option<serde_json::Value>,
    /// The key of the source, unless `Authorization` has it.
    #[schema(rename = "writeKey")]
    write_key: Option<String>,
}

/// Events that are sent together.
#[derive(utoipa::ToSchema)]
#[schema(as = AnalyticsBatch)]
#[allow(dead_code)] // As above.
struct BatchBody {
    /// The events, each with its `type`.
    batch: Vec<EventBody>,
    /// What holds for all events that do not say otherwise.
    context: Option<serde_json::Value>,
    /// When the batch was sent, by the sender's clock.
    #[schema(rename = "sentAt")]
    sent_at: Option<kernel::Timestamp>,
    /// The key of the source, unless `Authorization` has it.
    #[schema(rename = "writeKey")]
    write_key: Option<String>,
}

/// The events are on disk.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AnalyticsCollected)]
pub(crate) struct Collected {
    /// Always true.
    success: bool,
    /// The events of a batch that were not taken; staff can read them.
    rejected: Vec<RejectedBody>,
}

/// An event that was not taken.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AnalyticsRejection)]
pub(crate) struct RejectedBody {
    /// Its place in the batch, from 0.
    index: usize,
    /// Its own id, when it had one.
    message_id: Option<String>,
    /// Why: `analytics.unknown_type`, or what the call that has the event's name would answer.
    #[schema(examples("analytics.event_required"))]
    code: &'static str,
}

/// One event of `kind`, which is taken or refused as a whole; a batch when that is `None`.
async fn collect(state: &service::State, body: &Body, kind: Option<Kind>) -> Handled<Json<Collected>> {
    let Understood { source, events, defaults } = body.understand(state, kind)?;
    let mut rejections = ops::collect(state, &source, &events, &defaults).await?;
    if kind.is_some()
        && let Some(rejection) = rejections.pop()
    {
        return Err(rejection.refusal.into());
    }
    let rejected = rejections
        .into_iter()
        .map(|rejection| RejectedBody {
            index: rejection.index,
            message_id: rejection.message_id,
            code: rejection.refusal.code.code,
        })
        .collect();
    Ok(Json(Collected { success: true, rejected }))
}

web::errors!(OneErrors: error::REQUEST, error::EVENT, code::CARD_NUMBER, code::UNSUPPORTED_MEDIA_TYPE);
web::errors!(ManyErrors: error::REQUEST, error::TOO_MANY_EVENTS, code::UNSUPPORTED_MEDIA_TYPE);

macro_rules! calls {
    ($($name:ident, $path:literal, $short:literal, $short_id:literal, $body:ty, $errors:ty, $kind:expr, $doc:literal;)+) => {
        $(pub(super) mod $name {
            use super::*;

            #[doc = $doc]
            ///
            /// The body is JSON whatever its media type says, and may be packed with gzip. The write key stands in
            /// the body, or in `Authorization` as the user of Basic or as Bearer. 200 means that it is on disk.
            #[utoipa::path(
                post, path = $path, tag = "analytics", operation_id = stringify!($name),
                request_body(content(
                    ($body = "application/json"), ($body = "text/plain"), ($body = "application/x-www-form-urlencoded")
                )),
                responses((status = 200, description = "On disk.", body = Collected), $errors),
                security(()),
            )]
            pub(crate) async fn call(State(state): State<service::State>, body: Body) -> Handled<Json<Collected>> {
                collect(&state, &body, $kind).await
            }

            #[doc = $doc]
            ///
            /// The same under the path that the browser library uses.
            #[utoipa::path(
                post, path = $short, tag = "analytics", operation_id = $short_id,
                request_body(content(
                    ($body = "application/json"), ($body = "text/plain"), ($body = "application/x-www-form-urlencoded")
                )),
                responses((status = 200, description = "On disk.", body = Collected), $errors),
                security(()),
            )]
            pub(crate) async fn short(State(state): State<service::State>, body: Body) -> Handled<Json<Collected>> {
                collect(&state, &body, $kind).await
            }
        })+
    };
}

calls! {
    track, "/v1/track", "/v1/t", "track_short", EventBody, OneErrors, Some(Kind::Track),
        "Record what somebody did";
    identify, "/v1/identify", "/v1/i", "identify_short", EventBody, OneErrors, Some(Kind::Identify),
        "Say who somebody is";
    page, "/v1/page", "/v1/p", "page_short", EventBody, OneErrors, Some(Kind::Page),
        "Record that a page was seen";
    screen, "/v1/screen", "/v1/s", "screen_short", EventBody, OneErrors, Some(Kind::Screen),
        "Record that a screen of an app was seen";
    group, "/v1/group", "/v1/g", "group_short", EventBody, OneErrors, Some(Kind::Group),
        "Say which group somebody belongs to";
    alias, "/v1/alias", "/v1/a", "alias_short", EventBody, OneErrors, Some(Kind::Alias),
        "Say that two ids are one person";
    batch, "/v1/batch", "/v1/b", "batch_short", BatchBody, ManyErrors, None,
        "Send many events at once";
}
