use kernel::{EventId, Timestamp};
use serde::Serialize;
use serde_json::Value;
use vault::{Sealed, Vault, VaultError};

use super::PERSONAL;
use crate::store::StoredEvent;

/// A raw event.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct RawEvent {
    /// Names the event.
    id: EventId,
    /// Where it came from.
    source: String,
    /// The name of the event.
    event: String,
    /// When it happened, by our clock.
    occurred_at: Timestamp,
    /// When it arrived.
    received_at: Timestamp,
    /// The message of the tracking protocol, without what is about the person.
    message: Value,
    /// The `traits`, and the `traits` and `ip` of `context`, of a customer who was not erased.
    personal: Option<Value>,
}

/// Opens what each event holds about its person, with one look-up of keys for all.
pub(crate) async fn open_events(
    vault: &Vault,
    events: Vec<StoredEvent>,
) -> Result<Vec<RawEvent>, VaultError> {
    let values: Vec<Sealed<'_>> = events.iter().filter_map(sealed).collect();
    let mut opened = vault.open_many(&values).await?.into_iter();
    let personal: Vec<Option<Value>> = events
        .iter()
        .map(|event| {
            sealed(event)?;
            opened.next().flatten().and_then(|json| serde_json::from_slice(&json).ok())
        })
        .collect();
    let shown = events.into_iter().zip(personal).map(|(event, personal)| RawEvent {
        id: event.id,
        source: event.source,
        event: event.event,
        occurred_at: event.occurred_at,
        received_at: event.received_at,
        message: serde_json::from_str(&event.message).unwrap_or_default(),
        personal,
    });
    Ok(shown.collect())
}

fn sealed(event: &StoredEvent) -> Option<Sealed<'_>> {
    let person = event.customer?.uuid();
    Some(Sealed { person, context: PERSONAL, sealed: event.personal.as_deref()? })
}
