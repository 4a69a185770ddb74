use kernel::{EventId, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Something that became true in one service and that others may act on.
pub trait Event: Serialize + DeserializeOwned + Send + Sync {
    /// `service.what_happened.vN`. The version is part of the name.
    const TYPE: &'static str;

    /// Events of one key are delivered in the order in which they were written.
    fn key(&self) -> String;
}

/// An event as it travels: a CloudEvents 1.0 envelope in structured JSON form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// Unique for ever; consumers remember it so that the effect happens once.
    pub id: EventId,
    /// The service that wrote it, as a URI reference: `/orders`.
    pub source: String,
    /// Always `1.0`.
    pub specversion: String,
    /// [`Event::TYPE`].
    #[serde(rename = "type")]
    pub kind: String,
    /// [`Event::key`].
    pub subject: String,
    /// When it became true.
    pub time: Timestamp,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// The event itself.
    pub data: serde_json::Value,
    /// The W3C trace context of the request that caused it, when there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// An envelope that could not be read as the event that its type names.
#[derive(Debug, thiserror::Error)]
#[error("the event {id} does not hold what its type {kind} promises")]
pub struct ReadEvent {
    /// The event.
    pub id: EventId,
    /// Its type.
    pub kind: String,
    #[source]
    source: serde_json::Error,
}

impl Envelope {
    /// Wraps `event`, which the service `source` wrote at `time`.
    ///
    /// # Errors
    /// When the event cannot be written as JSON, which is a fault in its type.
    pub fn new<E: Event>(
        id: EventId,
        source: &str,
        time: Timestamp,
        event: &E,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            id,
            source: format!("/{source}"),
            specversion: "1.0".to_owned(),
            kind: E::TYPE.to_owned(),
            subject: event.key(),
            time,
            datacontenttype: "application/json".to_owned(),
            data: serde_json::to_value(event)?,
            traceparent: None,
        })
    }

    /// The event inside when it is an `E`, `None` when it is of another type.
    ///
    /// # Errors
    /// When the type says `E` and the data is not one.
    pub fn read<E: Event>(&self) -> Result<Option<E>, ReadEvent> {
        if self.kind != E::TYPE {
            return Ok(None);
        }
        E::deserialize(&self.data).map(Some).map_err(|source| ReadEvent {
            id: self.id,
            kind: self.kind.clone(),
            source,
        })
    }
}

/// Implements [`Event`] for a struct: `event!(OrderPlaced, "orders.order_placed.v1", order_id);`
macro_rules! event {
    ($name:ident, $kind:literal, $key:ident) => {
        impl $crate::Event for $name {
            const TYPE: &'static str = $kind;

            fn key(&self) -> String {
                self.$key.to_string()
            }
        }
    };
}
pub(crate) use event;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::SessionEnded;

    #[test]
    fn an_envelope_is_a_cloudevent() {
        let customer_id = "cus_01h455vb4pex5vsknk084sn02q".parse().unwrap();
        let session_id = "ses_01h455vb4pex5vsknk084sn02q".parse().unwrap();
        let event = SessionEnded { customer_id, session_id, reason: "signed_out".into() };
        let id = "evt_01h455vb4pex5vsknk084sn02q".parse().unwrap();
        let envelope = Envelope::new(id, "identity", Timestamp::EPOCH, &event).unwrap();
        let json = serde_json::to_value(&envelope).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "id": "evt_01h455vb4pex5vsknk084sn02q",
                "source": "/identity",
                "specversion": "1.0",
                "type": "identity.session_ended.v1",
                "subject": "cus_01h455vb4pex5vsknk084sn02q",
                "time": "1970-01-01T00:00:00.000000Z",
                "datacontenttype": "application/json",
                "data": {
                    "customer_id": "cus_01h455vb4pex5vsknk084sn02q",
                    "session_id": "ses_01h455vb4pex5vsknk084sn02q",
                    "reason": "signed_out"
                }
            })
        );
        assert_eq!(envelope.read::<SessionEnded>().unwrap(), Some(event));
        assert!(envelope.read::<crate::identity::AccountVerified>().unwrap().is_none());
        let damaged = Envelope { data: serde_json::json!({}), ..envelope };
        assert!(damaged.read::<SessionEnded>().is_err());
    }
}
