//! What this service does about the events of others: it records them, and forgets who was erased.

use std::collections::BTreeMap;

use bus::{React, ReactError};
use contracts::customers::CustomerErased;
use contracts::identity::{AccountVerified, SignedIn};
use contracts::orders::{OrderCancelled, OrderPlaced};
use contracts::payments::RefundChanged;
use contracts::{Envelope, Event as _};
use database::Tx;
use futures_util::future::BoxFuture;
use kernel::EventId;

use crate::model::{self, Message, SERVER, Takings};
use crate::store::{self, NewEvent};

/// Records what happens in the shop. One consumer for all of it, so that counters are not fought over.
pub(crate) struct Record;

/// Forgets who was erased.
pub(crate) struct Forget;

impl React for Record {
    fn consumer(&self) -> &'static str {
        "analytics.record"
    }

    fn types(&self) -> &'static [&'static str] {
        &[OrderPlaced::TYPE, OrderCancelled::TYPE, RefundChanged::TYPE, SignedIn::TYPE, AccountVerified::TYPE]
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, event: &'a Envelope) -> BoxFuture<'a, Result<(), ReactError>> {
        Box::pin(async move {
            match translate(event)? {
                Some((message, takings)) => record(tx, event.id, message, takings).await,
                None => Ok(()),
            }
        })
    }
}

fn translate(event: &Envelope) -> Result<Option<(Message, Option<Takings>)>, ReactError> {
    if let Some(order) = event.read::<OrderPlaced>()? {
        // Of history it is known at once. What comes to nothing here is told later, by other events.
        if order.came_to_nothing {
            return Ok(None);
        }
        let (message, takings) = model::order_completed(event, &order)?;
        return Ok(Some((message, Some(takings))));
    }
    if let Some(order) = event.read::<OrderCancelled>()? {
        let (message, takings) = model::order_cancelled(event, &order);
        return Ok(Some((message, Some(takings))));
    }
    if let Some(refund) = event.read::<RefundChanged>()? {
        if refund.status != "succeeded" {
            return Ok(None);
        }
        let (message, takings) = model::order_refunded(event, &refund);
        return Ok(Some((message, Some(takings))));
    }
    if let Some(session) = event.read::<SignedIn>()? {
        return Ok(Some((model::signed_in(event, &session), None)));
    }
    if let Some(account) = event.read::<AccountVerified>()? {
        return Ok(Some((model::signed_up(event, &account), None)));
    }
    Ok(None)
}

/// Three statements at most, because an import brings many.
async fn record(
    tx: &mut Tx,
    id: EventId,
    message: Message,
    takings: Option<Takings>,
) -> Result<(), ReactError> {
    let event = NewEvent {
        id,
        customer: message.customer(),
        message_id: message.message_id,
        kind: message.kind.as_str(),
        event: message.event,
        user_id: message.user_id,
        anonymous_id: message.anonymous_id,
        occurred_at: message.occurred_at,
        received_at: tx.database().clock().now(),
        message: serde_json::to_string(&message.body)?,
        personal: None,
    };
    let new = store::insert(tx, SERVER, &[event]).await?;
    let counts: BTreeMap<_, _> = new.into_iter().map(|(at, event)| ((at.date(), event), 1)).collect();
    if counts.is_empty() {
        return Ok(());
    }
    store::count(tx, SERVER, &counts).await?;
    if let Some(takings) = takings {
        store::add_takings(tx, &takings).await?;
    }
    Ok(())
}

impl React for Forget {
    fn consumer(&self) -> &'static str {
        "analytics.forget"
    }

    fn types(&self) -> &'static [&'static str] {
        &[CustomerErased::TYPE]
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, event: &'a Envelope) -> BoxFuture<'a, Result<(), ReactError>> {
        Box::pin(async move {
            if let Some(erased) = event.read::<CustomerErased>()? {
                store::forget(tx, erased.customer_id).await?;
            }
            Ok(())
        })
    }
}
