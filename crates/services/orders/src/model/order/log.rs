//! The chain of hashes that makes an order's log tamper-evident.
//!
//! Each entry's hash is the SHA-256 of the hash before it (32 zero bytes for the first) followed
//! by the entry as canonical JSON: an object with the members `actor`, `at`, `data`, `order_id`,
//! `sequence` and `type`, members sorted, no white space, as RFC 8785 has it. Numbers are whole.

use kernel::{OrderId, Timestamp};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Actor, OrderEvent};

/// One line of an order's log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// Whose log.
    pub(crate) order_id: OrderId,
    /// Counts from one without gaps.
    pub(crate) sequence: i64,
    /// What happened, as a word.
    pub(crate) kind: String,
    /// When.
    pub(crate) at: Timestamp,
    /// Who made it happen.
    pub(crate) actor: String,
    /// What happened, in full; an empty object when the word says all.
    pub(crate) data: Value,
    /// See the module.
    pub(crate) hash: [u8; 32],
}

/// The log was changed after it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log of the order is not as it was written, from entry {sequence} on")]
pub struct Broken {
    /// The first entry that does not fit.
    pub(crate) sequence: i64,
}

/// An event that cannot be written as JSON, which is a fault in its type.
#[derive(Debug, thiserror::Error)]
#[error("an order event cannot be written as JSON")]
pub struct Unwritable(#[from] serde_json::Error);

/// The entries for `events`, to follow the entry `last` (its sequence and hash) of the log.
///
/// # Errors
/// When an event cannot be written as JSON.
pub(crate) fn append(
    order_id: OrderId,
    last: Option<(i64, [u8; 32])>,
    events: &[OrderEvent],
    actor: Actor,
    at: Timestamp,
) -> Result<Vec<Entry>, Unwritable> {
    let (mut sequence, mut hash) = last.unwrap_or((0, [0; 32]));
    let mut entries = Vec::with_capacity(events.len());
    for event in events {
        sequence += 1;
        let data = match serde_json::to_value(event)? {
            Value::Object(mut members) => members.remove("data").unwrap_or_else(|| json!({})),
            _ => json!({}),
        };
        let mut entry = Entry {
            order_id,
            sequence,
            kind: event.kind().to_owned(),
            at,
            actor: actor.to_string(),
            data,
            hash: [0; 32],
        };
        entry.hash = entry.hash_after(&hash);
        hash = entry.hash;
        entries.push(entry);
    }
    Ok(entries)
}

/// Reads the events of a whole log, making sure that it is as it was written.
///
/// # Errors
/// At the first entry that is out of sequence, has another hash, or holds no event.
pub(crate) fn verify(entries: &[Entry]) -> Result<Vec<OrderEvent>, Broken> {
    let mut hash = [0; 32];
    let mut events = Vec::with_capacity(entries.len());
    for (expected, entry) in (1..).zip(entries) {
        let broken = Broken { sequence: expected };
        if entry.sequence != expected || entry.hash != entry.hash_after(&hash) {
            return Err(broken);
        }
        hash = entry.hash;
        events.push(entry.event().ok_or(broken)?);
    }
    Ok(events)
}

impl Entry {
    fn hash_after(&self, previous: &[u8; 32]) -> [u8; 32] {
        let content = json!({
            "order_id": self.order_id,
            "sequence": self.sequence,
            "type": self.kind,
            "at": self.at,
            "actor": self.actor,
            "data": self.data,
        });
        Sha256::new().chain_update(previous).chain_update(canonical(&content)).finalize().into()
    }

    fn event(&self) -> Option<OrderEvent> {
        let mut members = Map::new();
        members.insert("type".to_owned(), Value::String(self.kind.clone()));
        if self.data.as_object().is_none_or(|data| !data.is_empty()) {
            members.insert("data".to_owned(), self.data.clone());
        }
        serde_json::from_value(Value::Object(members)).ok()
    }
}

/// JSON with sorted members and no white space, whatever order a database gives them back in.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| *name);
            let members: Vec<String> = sorted
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::String(name.clone()), canonical(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        scalar => scalar.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::order::Cancelled;

    fn log() -> Vec<Entry> {
        let order_id: OrderId = "ord_01h2xcejqtf2nbrexx3vqjhp41".parse().unwrap();
        let cancelled = OrderEvent::OrderCancelled(Cancelled { reason: "stock_lost".into() });
        let first = append(
            order_id,
            None,
            &[OrderEvent::PaymentCaptured, cancelled],
            Actor::System,
            Timestamp::EPOCH,
        )
        .unwrap();
        let last = first.last().map(|entry| (entry.sequence, entry.hash));
        let second =
            append(order_id, last, &[OrderEvent::PaymentVoided], Actor::Payments, Timestamp::EPOCH).unwrap();
        first.into_iter().chain(second).collect()
    }

    #[test]
    fn a_log_reads_back_as_the_events_that_were_written() {
        let events = verify(&log()).unwrap();
        let kinds: Vec<&str> = events.iter().map(OrderEvent::kind).collect();
        assert_eq!(kinds, ["payment_captured", "order_cancelled", "payment_voided"]);
    }

    #[test]
    fn the_chain_is_what_its_description_says() {
        let content = concat!(
            r#"{"actor":"system","at":"1970-01-01T00:00:00.000000Z","data":{},"#,
            r#""order_id":"ord_01h2xcejqtf2nbrexx3vqjhp41","sequence":1,"type":"payment_captured"}"#,
        );
        let expected: [u8; 32] =
            Sha256::new().chain_update([0; 32]).chain_update(content.as_bytes()).finalize().into();
        assert_eq!(log()[0].hash, expected);
    }

    #[test]
    fn every_change_to_any_entry_shows() {
        let tampered: [fn(&mut Entry); 5] = [
            |entry| entry.kind = "payment_failed".into(),
            |entry| entry.at = Timestamp::from_seconds(1),
            |entry| entry.actor = "guest".into(),
            |entry| entry.data = json!({"reason": "other"}),
            |entry| entry.sequence += 1,
        ];
        for change in tampered {
            for index in 0..3 {
                let mut log = log();
                change(&mut log[index]);
                assert_eq!(verify(&log), Err(Broken { sequence: i64::try_from(index).unwrap() + 1 }));
            }
        }
        let mut shortened = log();
        shortened.remove(1);
        assert_eq!(verify(&shortened), Err(Broken { sequence: 2 }));
    }

    #[test]
    fn the_order_of_members_does_not_matter() {
        let one: Value = serde_json::from_str(r#"{"b":[1,{"d":"é\"","c":null}],"a":true}"#).unwrap();
        assert_eq!(canonical(&one), r#"{"a":true,"b":[1,{"c":null,"d":"é\""}]}"#);
    }
}
