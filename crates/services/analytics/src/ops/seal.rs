use kernel::{CustomerId, EventId, Timestamp};
use vault::{Plain, VaultError};
use web::Handled;

use crate::model::{Message, take_personal};
use crate::service::State;
use crate::store::NewEvent;

/// The vault context of what raw events hold about a person.
pub(crate) const PERSONAL: &str = "analytics.personal";

/// Takes what is about a person out of each message: a customer's is sealed, everybody else's is dropped unless
/// it is to be kept. Somebody who was erased is nobody: their event counts and says nothing.
pub(crate) async fn seal_personal(
    state: &State,
    messages: Vec<(EventId, Message)>,
    received_at: Timestamp,
) -> Handled<Vec<NewEvent>> {
    let mut events = Vec::with_capacity(messages.len());
    let mut plain: Vec<(usize, CustomerId, Vec<u8>)> = Vec::new();
    for (id, mut message) in messages {
        let customer = message.customer();
        if customer.is_some() || !state.config.keep_unidentified {
            let personal = take_personal(&mut message.body);
            if let (Some(customer), Some(personal)) = (customer, personal) {
                plain.push((events.len(), customer, personal.to_string().into_bytes()));
            }
        }
        events.push(NewEvent {
            id,
            customer,
            message_id: message.message_id,
            kind: message.kind.as_str(),
            event: message.event,
            user_id: message.user_id,
            anonymous_id: message.anonymous_id,
            occurred_at: message.occurred_at,
            received_at,
            message: serde_json::Value::Object(message.body).to_string(),
            personal: None,
        });
    }
    let values: Vec<Plain<'_>> = plain
        .iter()
        .map(|(_, customer, plaintext)| Plain { person: customer.uuid(), context: PERSONAL, plaintext })
        .collect();
    match state.vault.seal_many(&values).await {
        Ok(sealed) => {
            for ((index, _, _), sealed) in plain.iter().zip(sealed) {
                events[*index].personal = Some(sealed);
            }
        }
        // Seldom, so one by one: all but the erased are sealed.
        Err(VaultError::Erased) => {
            for ((index, _, _), value) in plain.iter().zip(values) {
                match state.vault.seal(value.person, PERSONAL, value.plaintext).await {
                    Ok(sealed) => events[*index].personal = Some(sealed),
                    Err(VaultError::Erased) => make_nobody(&mut events[*index]),
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Err(error) => return Err(error.into()),
    }
    Ok(events)
}

fn make_nobody(event: &mut NewEvent) {
    event.customer = None;
    event.user_id = None;
    event.anonymous_id = None;
    event.message = "{}".to_owned();
}
