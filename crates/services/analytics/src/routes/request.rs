//! Reading a request of the tracking protocol, in whatever form libraries send it.

use std::borrow::Cow;
use std::io::Read as _;
use std::net::IpAddr;
use std::sync::Arc;

use axum::RequestExt as _;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::response::IntoResponse as _;
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use web::{ClientAddress, Handled, Problem, code};

use crate::error;
use crate::model::{Defaults, Kind};
use crate::service::State;
use crate::sources::authorization;

/// The most bytes of a body, as sent and unpacked.
pub(super) const MAX_BODY_BYTES: usize = 500 * 1024;

/// The most bytes that the events of a batch may come to once each has what the batch says for all.
const MAX_MERGED_BYTES: usize = 4 * MAX_BODY_BYTES;

/// A body as JSON text, unpacked; whatever its media type says, because libraries say many things.
pub(super) struct Body {
    headers: HeaderMap,
    json: Bytes,
    address: IpAddr,
}

impl FromRequest<State> for Body {
    type Rejection = Problem;

    async fn from_request(mut request: Request, state: &State) -> Result<Self, Problem> {
        let Ok(ClientAddress(address)) = request.extract_parts().await;
        let headers = request.headers().clone();
        let body = Bytes::from_request(request, state).await.map_err(unread)?;
        Ok(Self { json: unpack(&headers, body)?, headers, address })
    }
}

fn unread(rejection: BytesRejection) -> Problem {
    if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
        too_large()
    } else {
        error::MALFORMED.problem("The body broke off before its end. Send it again.")
    }
}

fn too_large() -> Problem {
    error::BATCH_TOO_LARGE
        .problem(format!("At most {MAX_BODY_BYTES} bytes are taken at once. Send smaller batches."))
}

fn malformed(detail: &str) -> Problem {
    error::MALFORMED.problem(detail)
}

/// Undoes `Content-Encoding`. What grows beyond the limit is not unpacked any further.
fn unpack(headers: &HeaderMap, body: Bytes) -> Handled<Bytes> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?").trim());
    match encoding {
        None | Some("") => return Ok(body),
        Some(identity) if identity.eq_ignore_ascii_case("identity") => return Ok(body),
        Some(gzip) if gzip.eq_ignore_ascii_case("gzip") => {}
        Some(_) => {
            return Err(code::UNSUPPORTED_MEDIA_TYPE.problem("`Content-Encoding` may be gzip, or nothing."));
        }
    }
    let mut unpacked = Vec::new();
    let limit = MAX_BODY_BYTES as u64 + 1;
    MultiGzDecoder::new(&*body)
        .take(limit)
        .read_to_end(&mut unpacked)
        .map_err(|error| malformed("The body is not gzip.").caused_by(error))?;
    if unpacked.len() > MAX_BODY_BYTES {
        return Err(too_large());
    }
    Ok(unpacked.into())
}

/// The members of a body that are not left to the events.
#[derive(Deserialize)]
struct Outer<'a> {
    #[serde(rename = "writeKey")]
    write_key: Option<Value>,
    #[serde(borrow)]
    batch: Option<&'a RawValue>,
    #[serde(borrow)]
    context: Option<&'a RawValue>,
    #[serde(borrow)]
    integrations: Option<&'a RawValue>,
    #[serde(rename = "sentAt")]
    sent_at: Option<Value>,
}

/// A request that was understood.
pub(super) struct Understood<'a> {
    pub(super) source: Arc<str>,
    pub(super) events: Vec<&'a RawValue>,
    pub(super) defaults: Defaults,
}

impl Body {
    /// Reads the body as one event of `kind`, or as a batch when that is `None`.
    pub(super) fn understand(&self, state: &State, kind: Option<Kind>) -> Handled<Understood<'_>> {
        let not_an_object =
            |error: serde_json::Error| malformed("The body is not a JSON object.").caused_by(error);
        let whole: &RawValue = serde_json::from_slice(&self.json).map_err(not_an_object)?;
        let outer: Outer<'_> = serde_json::from_str(whole.get()).map_err(not_an_object)?;
        let source = self.source(state, outer.write_key.as_ref())?;
        let mut defaults = Defaults {
            kind,
            context: None,
            integrations: None,
            sent_at: None,
            received_at: state.database.clock().now(),
            address: (!self.address.is_unspecified()).then(|| self.address.to_string()),
            collect_ip: state.config.collect_ip,
        };
        if kind.is_some() {
            return Ok(Understood { source, events: vec![whole], defaults });
        }
        let object =
            |raw: Option<&RawValue>| serde_json::from_str(raw.map_or("null", RawValue::get)).ok().flatten();
        defaults.context = object(outer.context);
        defaults.integrations = object(outer.integrations);
        defaults.sent_at = outer.sent_at.as_ref().and_then(Value::as_str).and_then(|text| text.parse().ok());
        let batch = outer.batch.map_or("null", RawValue::get);
        let events: Vec<&RawValue> = serde_json::from_str(batch)
            .map_err(|error| malformed("`batch` must be a list of events.").caused_by(error))?;
        let most = state.config.max_batch_events;
        if events.len() > most {
            let detail = format!("The batch has {} events; at most {most} are taken at once.", events.len());
            return Err(error::TOO_MANY_EVENTS.problem(detail));
        }
        let shared = outer.context.map_or(0, |raw| raw.get().len())
            + outer.integrations.map_or(0, |raw| raw.get().len());
        if shared.saturating_mul(events.len()) > MAX_MERGED_BYTES {
            return Err(error::BATCH_TOO_LARGE
                .problem("`context` and `integrations` are too large for so many events."));
        }
        Ok(Understood { source, events, defaults })
    }

    fn source(&self, state: &State, write_key: Option<&Value>) -> Handled<Arc<str>> {
        let in_body = write_key.and_then(Value::as_str).map(Cow::Borrowed);
        let key = in_body.or_else(|| authorization(&self.headers).map(Cow::Owned));
        key.and_then(|key| state.sources.find(&key)).ok_or_else(unknown_write_key)
    }
}

pub(super) fn unknown_write_key() -> Problem {
    error::UNKNOWN_WRITE_KEY.problem(
        "There is no source with this write key. Send it as `writeKey`, as the user of Basic, or as a Bearer token.",
    )
}
