//! What this service does about the events of others: it writes them to the log.

use std::sync::Arc;

use bus::{React, ReactError};
use contracts::catalog::StockChanged;
use contracts::customers::CustomerErased;
use contracts::identity::SessionEnded;
use contracts::orders::{OrderChanged, OrderPlaced};
use contracts::{Envelope, Event as _};
use database::Tx;
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::jobs::Hub;
use crate::model::Channel;
use crate::store;

/// Tells customers about their orders.
pub(crate) struct TellOrders;

/// Tells everybody about stock.
pub(crate) struct TellStock;

/// Ends the streams of sessions that ended, and forgets who was erased.
pub(crate) struct EndSessions(pub(crate) Arc<Hub>);

impl React for TellOrders {
    fn consumer(&self) -> &'static str {
        "sync.tell_orders"
    }

    fn types(&self) -> &'static [&'static str] {
        &[OrderPlaced::TYPE, OrderChanged::TYPE]
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, event: &'a Envelope) -> BoxFuture<'a, Result<(), ReactError>> {
        Box::pin(async move {
            if let Some(OrderPlaced {
                order_id, number, customer_id: Some(customer), imported: false, ..
            }) = event.read()?
            {
                let data = json!({ "order_id": order_id, "number": number, "at": event.time });
                store::append(tx, Channel::Orders(customer), "order.placed", data).await?;
            }
            if let Some(OrderChanged {
                customer_id: Some(customer),
                order_id,
                number,
                version,
                status,
                payment_status,
                fulfilment_status,
            }) = event.read()?
            {
                let data = json!({
                    "order_id": order_id, "number": number, "version": version, "status": status,
                    "payment_status": payment_status, "fulfilment_status": fulfilment_status, "at": event.time,
                });
                store::append(tx, Channel::Orders(customer), "order.changed", data).await?;
            }
            Ok(())
        })
    }
}

impl React for TellStock {
    fn consumer(&self) -> &'static str {
        "sync.tell_stock"
    }

    fn types(&self) -> &'static [&'static str] {
        &[StockChanged::TYPE]
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, event: &'a Envelope) -> BoxFuture<'a, Result<(), ReactError>> {
        Box::pin(async move {
            if let Some(StockChanged { variant_id, product_id, available }) = event.read()? {
                let data = json!({
                    "variant_id": variant_id, "product_id": product_id, "available": available, "at": event.time,
                });
                store::append(tx, Channel::Inventory, "stock.changed", data).await?;
            }
            Ok(())
        })
    }
}

impl React for EndSessions {
    fn consumer(&self) -> &'static str {
        "sync.end_sessions"
    }

    fn types(&self) -> &'static [&'static str] {
        &[SessionEnded::TYPE, CustomerErased::TYPE]
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, event: &'a Envelope) -> BoxFuture<'a, Result<(), ReactError>> {
        Box::pin(async move {
            if let Some(ended) = event.read::<SessionEnded>()? {
                // Harmless to repeat, and gone with the process, so it need not wait for the commit.
                self.0.end_session(ended.session_id);
            }
            if let Some(erased) = event.read::<CustomerErased>()? {
                store::forget(tx, Channel::Orders(erased.customer_id)).await?;
            }
            Ok(())
        })
    }
}
