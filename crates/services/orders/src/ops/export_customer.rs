use kernel::{CustomerId, Limit};
use serde_json::{Value, json};

use crate::error::Error;
use crate::model::cart::Owner;
use crate::model::checkout::Details;
use crate::shop::{Shop, sealed};
use crate::store::history::Filter;
use crate::store::{carts, history, lines};

/// Everything that is held about a person: their cart, and every order with what was sealed for it.
///
/// # Errors
/// What the database and the vault say.
pub(crate) async fn export_customer(shop: &Shop, customer: CustomerId) -> Result<Value, Error> {
    let cart = carts::find(&mut *shop.database.read().await?, Owner::Customer(customer)).await?;
    let cart = cart.map(|cart| {
        let items: Vec<Value> = cart
            .lines
            .iter()
            .map(|line| json!({"variant_id": line.variant_id, "quantity": line.quantity}))
            .collect();
        json!({"id": cart.id, "items": items})
    });
    Ok(json!({"cart": cart, "orders": orders(shop, customer).await?}))
}

async fn orders(shop: &Shop, customer: CustomerId) -> Result<Vec<Value>, Error> {
    let limit = Limit::new(Limit::MAX).unwrap_or_default();
    let mut orders = Vec::new();
    let mut after = None;
    loop {
        let mut reader = shop.database.read().await?;
        let mut page = history::of_customer(&mut reader, customer, &Filter::default(), after, limit).await?;
        let more = page.len() > limit.get();
        page.truncate(limit.get());
        let ids: Vec<_> = page.iter().map(|order| order.id).collect();
        let mut lines = lines::of_orders(&mut reader, &ids).await?;
        drop(reader);
        after = page.last().map(|order| (order.placed_at, order.id));
        for order in page {
            let details: Option<Details> = match &order.details {
                Some(details) => shop.vault.open_json(customer.uuid(), sealed::DETAILS, details).await?,
                None => None,
            };
            let cancel_note: Option<String> = match &order.cancel_note {
                Some(note) => shop.vault.open_json(customer.uuid(), sealed::CANCEL_NOTE, note).await?,
                None => None,
            };
            orders.push(json!({
                "id": order.id,
                "number": order.number,
                "external_id": order.external_id,
                "placed_at": order.placed_at,
                "status": order.status,
                "payment_status": order.payment_status,
                "fulfilment_status": order.fulfilment_status,
                "totals": order.totals,
                "lines": lines.remove(&order.id).unwrap_or_default(),
                "details": details,
                "cancel_note": cancel_note,
            }));
        }
        if !more {
            return Ok(orders);
        }
    }
}
