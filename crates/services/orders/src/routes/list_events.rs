use axum::Json;
use axum::extract::State;
use kernel::{OrderId, Page, Timestamp};
use serde::Serialize;
use web::{Handled, Id, Role, code};

use super::order_access::OrderCaller;
use crate::error::{self, Error};
use crate::model::order::Entry;
use crate::shop::Shop;
use crate::store::{checkouts, events, orders};

/// Something that happened to an order.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = OrderEvent)]
pub(super) struct EventBody {
    /// Counts from one without gaps.
    sequence: i64,
    /// What happened: `order_placed`, `payment_captured`, `order_shipped`, …
    #[serde(rename = "type")]
    kind: String,
    /// When.
    at: Timestamp,
    /// Who made it happen: `customer:cus_…`, `guest`, `staff:stf_…`, `payments`, `system` or `import`.
    actor: String,
    /// What happened, in full.
    data: serde_json::Value,
    /// SHA-256 in hex of the hash before (32 zero bytes for the first) and this event as canonical JSON
    /// (RFC 8785) with `actor`, `at`, `data`, `order_id`, `sequence` and `type`.
    hash: String,
}

impl From<Entry> for EventBody {
    fn from(entry: Entry) -> Self {
        Self {
            sequence: entry.sequence,
            kind: entry.kind,
            at: entry.at,
            actor: entry.actor,
            data: entry.data,
            hash: hex::encode(entry.hash),
        }
    }
}

web::errors!(Errors: code::CALLER, code::BAD_ID, error::NOT_FOUND);

/// Show what happened to an order
///
/// All of it, oldest first. The hashes form a chain, so a change to any event shows in all that follow. An
/// order that is still pending has no events yet.
#[utoipa::path(
    get, path = "/v1/orders/{id}/events", tag = "orders", operation_id = "list_order_events",
    params(
        ("id" = OrderId, Path, description = "The order."),
        ("token" = Option<String>, Query, description = "The token of a guest's order."),
        ("souk-order-token" = Option<String>, Header, description = "The same."),
    ),
    security((), ("bearer" = ["customer"]), ("bearer" = ["staff:orders"]), ("bearer" = ["staff:support"])),
    responses((status = 200, description = "The log of the order.", body = Page<EventBody>), Errors),
)]
pub(super) async fn list_events(
    State(shop): State<Shop>,
    caller: OrderCaller,
    Id(id): Id<OrderId>,
) -> Handled<Json<Page<EventBody>>> {
    let (reader, _) = caller.right(&shop, id, Role::Support)?;
    let mut connection = shop.database.read().await?;
    let entries = if orders::find(&mut connection, id, reader).await?.is_some() {
        events::of_order(&mut connection, id).await?
    } else {
        let checkout = checkouts::of_order(&mut connection, id).await?;
        checkout.filter(|checkout| checkout.is_for(reader)).ok_or(Error::NotFound)?;
        Vec::new()
    };
    let data = entries.into_iter().map(EventBody::from).collect();
    Ok(Json(Page { data, next_cursor: None }))
}
