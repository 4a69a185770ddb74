use std::collections::BTreeMap;

use database::Isolation;
use kernel::{CustomerId, EventId};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use telemetry::redact::contains_card_number;
use web::{Handled, code};

use super::seal_personal;
use crate::error::{self, Refusal};
use crate::model::{Defaults, MAX_EVENT_BYTES, Message, take_personal};
use crate::service::State;
use crate::store::{self, NewEvent, RejectedEvent};

/// The most bytes of a refused event that are kept.
const MAX_KEPT_BYTES: usize = 4 * 1024;

/// An event that was not taken.
#[derive(Clone, Debug)]
pub(crate) struct Rejection {
    /// Its place among the events of the request.
    pub(crate) index: usize,
    pub(crate) message_id: Option<String>,
    pub(crate) refusal: Refusal,
}

/// Takes what can be taken of `events`, keeps the rest for staff to look at, and answers with what was not
/// taken once all of it is durable.
pub(crate) async fn collect(
    state: &State,
    source: &str,
    events: &[&RawValue],
    defaults: &Defaults,
) -> Handled<Vec<Rejection>> {
    let (mut taken, mut refused, mut rejections) = (Vec::with_capacity(events.len()), Vec::new(), Vec::new());
    for (index, raw) in events.iter().enumerate() {
        let id = new_id(state, defaults);
        let parsed = serde_json::from_str::<Value>(raw.get());
        match read(raw, parsed.as_ref().ok(), defaults, id) {
            Ok(message) => taken.push((id, message)),
            Err(refusal) => {
                let (message_id, kept) = keep(source, id, parsed.ok(), &refusal, defaults);
                refused.push(kept);
                rejections.push(Rejection { index, message_id, refusal });
            }
        }
    }
    let mut taken = seal_personal(state, taken, defaults.received_at).await?;
    // Two requests with the same events wait for each other in one order.
    taken.sort_by(|a, b| a.message_id.cmp(&b.message_id));
    write(state, source, &taken, &refused).await?;
    metrics::counter!("analytics_events_total", "source" => source.to_owned()).increment(taken.len() as u64);
    metrics::counter!("analytics_events_rejected_total", "source" => source.to_owned())
        .increment(refused.len() as u64);
    Ok(rejections)
}

fn new_id(state: &State, defaults: &Defaults) -> EventId {
    EventId::from_uuid(state.database.rng().uuid_v7(defaults.received_at))
}

fn read(
    raw: &RawValue,
    parsed: Option<&Value>,
    defaults: &Defaults,
    id: EventId,
) -> Result<Message, Refusal> {
    let bytes = raw.get().len();
    if bytes > MAX_EVENT_BYTES {
        let detail = format!("The event has {bytes} bytes; at most {MAX_EVENT_BYTES} are taken.");
        return Err(Refusal::new(&error::EVENT_TOO_LARGE, detail));
    }
    match parsed {
        Some(Value::Object(body)) => {
            let message = Message::read(body.clone(), defaults, id.to_string())?;
            if holds_card_number(&message.body) {
                let detail = "The event holds a card number, which is never accepted here.";
                return Err(Refusal::new(&code::CARD_NUMBER, detail));
            }
            Ok(message)
        }
        _ => Err(Refusal::new(&error::INVALID_EVENT, "An event is a JSON object of at most 128 levels.")),
    }
}

/// Looks at the text as it would be stored, in which nothing hides behind escapes.
fn holds_card_number(body: &Map<String, Value>) -> bool {
    serde_json::to_string(body).is_ok_and(|json| contains_card_number(&json))
}

/// What is kept of a refused event: nothing about the person, nothing of one that holds a card number, whatever
/// else is wrong with it, and not much at all.
fn keep(
    source: &str,
    id: EventId,
    parsed: Option<Value>,
    refusal: &Refusal,
    defaults: &Defaults,
) -> (Option<String>, RejectedEvent) {
    let mut body = match parsed {
        Some(Value::Object(body)) if !holds_card_number(&body) => body,
        _ => Map::new(),
    };
    let short = |body: &Map<String, Value>, member| {
        let text = body.get(member).and_then(Value::as_str)?;
        Some(text.chars().filter(|character| !character.is_control()).take(100).collect::<String>())
    };
    let message_id = short(&body, "messageId");
    let customer: Option<CustomerId> = short(&body, "userId").and_then(|user| user.parse().ok());
    body.remove("writeKey");
    take_personal(&mut body);
    let mut message = Value::Object(body).to_string();
    message.truncate(message.floor_char_boundary(MAX_KEPT_BYTES));
    let kept = RejectedEvent {
        id,
        source: source.to_owned(),
        message_id: message_id.clone(),
        code: refusal.code.code.to_owned(),
        detail: refusal.detail.clone(),
        customer,
        received_at: defaults.received_at,
        message,
    };
    (message_id, kept)
}

/// Each statement is right by itself however many write at once, so they need not be kept apart further.
async fn write(
    state: &State,
    source: &str,
    taken: &[NewEvent],
    refused: &[RejectedEvent],
) -> Result<(), database::Error> {
    state
        .database
        .write_with(Isolation::ReadCommitted, |mut tx| async move {
            let new = store::insert(&mut tx, source, taken).await?;
            store::quarantine(&mut tx, refused).await?;
            let mut counts = BTreeMap::new();
            for (at, event) in new {
                *counts.entry((at.date(), event)).or_insert(0) += 1;
            }
            store::count(&mut tx, source, &counts).await?;
            tx.commit(()).await
        })
        .await
}
