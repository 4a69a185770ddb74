//! An order as it is answered.

use contracts::customers::Address;
use contracts::orders::Totals;
use contracts::payments::PaymentStatus;
use kernel::{CustomerId, Money, OrderId, PaymentId, ProductId, SellerId, Timestamp, VariantId};
use serde::Serialize;

use crate::error::Error;
use crate::model::checkout::{Checkout, Details};
use crate::model::order::{
    Cancelled, Entry, Fulfilment, Line, Reader, ShipmentId, Shipped, Status, Tracking,
};
use crate::shop::{Shop, sealed};
use crate::store::orders::OrderRow;
use crate::store::{checkouts, events, lines, orders};

/// An order as lists show it.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct OrderSummary {
    /// Which.
    pub(super) id: OrderId,
    /// The number people use.
    #[schema(examples("S-3VQJ-HP41"))]
    number: String,
    /// Where the order stands. `pending` until its payment is certain; then it is not in any list.
    status: Status,
    /// Where its payment stands.
    payment_status: PaymentStatus,
    /// How much of it was sent.
    fulfilment_status: Fulfilment,
    /// What, frozen when it was placed.
    lines: Vec<OrderLine>,
    /// How much, frozen when it was placed.
    totals: Totals,
    /// What was given back so far.
    refunded: Money,
    /// When; null while it is pending.
    placed_at: Option<Timestamp>,
    /// Raised by every change; the `ETag`.
    version: i64,
    /// Whose; null for guests.
    customer_id: Option<CustomerId>,
    /// What another system called it, for history that was taken over.
    external_id: Option<String>,
}

/// A line of an order.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct OrderLine {
    /// Which variant; null for history whose product is not in the catalogue.
    variant_id: Option<VariantId>,
    /// Its product.
    product_id: Option<ProductId>,
    /// Who sells it.
    seller_id: Option<SellerId>,
    /// The stock keeping unit.
    sku: String,
    /// What it is.
    title: String,
    /// How many.
    quantity: i64,
    /// How many of them were sent.
    fulfilled: i64,
    /// The price of one, tax included.
    unit_price: Money,
    /// What the line costs, tax included.
    total: Money,
    /// The tax that it contains.
    tax: Money,
}

/// An order in full.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Order)]
pub(super) struct OrderBody {
    #[serde(flatten)]
    pub(super) summary: OrderSummary,
    /// Its payment; null for history from elsewhere.
    payment_id: Option<PaymentId>,
    /// Where it is sent; null once the person was erased.
    shipping_address: Option<Address>,
    /// Where the bill goes, when that is somewhere else.
    billing_address: Option<Address>,
    /// The address for mails about it, when one was given.
    email: Option<String>,
    /// What the person wanted to say.
    note: Option<String>,
    /// What was sent, in order.
    shipments: Vec<Shipment>,
    /// Why and when it was cancelled, when it was.
    cancellation: Option<Cancellation>,
}

/// Something that was sent.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Shipment {
    /// Which.
    id: ShipmentId,
    /// When.
    shipped_at: Timestamp,
    /// What.
    lines: Vec<ShipmentLine>,
    /// How to follow it.
    tracking: Option<Tracking>,
}

/// So many of a variant were sent.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ShipmentLine {
    /// Which variant.
    variant_id: Option<VariantId>,
    /// How many.
    quantity: i64,
}

/// How an order came to be cancelled.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Cancellation {
    /// `requested_by_customer`, `requested_by_staff`, `payment_failed` or `stock_lost`.
    reason: String,
    /// The words of whoever cancelled it, when they gave any.
    note: Option<String>,
    /// When.
    cancelled_at: Timestamp,
}

impl From<Line> for OrderLine {
    fn from(line: Line) -> Self {
        Self {
            variant_id: line.variant_id,
            product_id: line.product_id,
            seller_id: line.seller_id,
            sku: line.sku,
            title: line.title,
            quantity: line.quantity,
            fulfilled: line.fulfilled,
            unit_price: line.unit_price,
            total: line.total,
            tax: line.tax,
        }
    }
}

impl OrderSummary {
    /// An order that was placed.
    pub(super) fn new(order: &OrderRow, lines: Vec<Line>) -> Self {
        Self {
            id: order.id,
            number: order.number.clone(),
            status: order.status,
            payment_status: order.payment_status,
            fulfilment_status: order.fulfilment_status,
            lines: lines.into_iter().map(OrderLine::from).collect(),
            totals: order.totals,
            refunded: order.refunded,
            placed_at: Some(order.placed_at),
            version: order.version,
            customer_id: order.customer_id,
            external_id: order.external_id.clone(),
        }
    }

    /// What a checkout would become, or would have become: an order that was never placed.
    fn not_placed(checkout: &Checkout) -> Self {
        let failed = checkout.saga.failure.is_some();
        let status = checkout.saga.payment_status;
        Self {
            id: checkout.order_id,
            number: checkout.number.clone(),
            status: if failed { Status::Cancelled } else { Status::Pending },
            payment_status: status.unwrap_or(if failed {
                PaymentStatus::Failed
            } else {
                PaymentStatus::Unknown
            }),
            fulfilment_status: Fulfilment::Unfulfilled,
            lines: checkout.lines.iter().cloned().map(OrderLine::from).collect(),
            totals: checkout.totals,
            refunded: Money::zero(checkout.totals.total.currency),
            placed_at: None,
            version: 0,
            customer_id: checkout.customer_id,
            external_id: None,
        }
    }

    /// Its version; none while nothing counts its changes.
    pub(super) fn version(&self) -> Option<i64> {
        (self.version > 0).then_some(self.version)
    }
}

impl OrderBody {
    /// The order `id` if `reader` may see it, be it that it is still pending or came to nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], and what the database and the vault say.
    pub(super) async fn load(shop: &Shop, id: OrderId, reader: Reader) -> Result<Self, Error> {
        let mut connection = shop.database.read().await?;
        let Some(order) = orders::find(&mut connection, id, reader).await? else {
            let checkout = checkouts::of_order(&mut connection, id).await?;
            drop(connection);
            let checkout = checkout.filter(|checkout| checkout.is_for(reader)).ok_or(Error::NotFound)?;
            let sealed = Some((checkout.person_id, checkout.details.as_slice()));
            return Self::with_details(shop, OrderSummary::not_placed(&checkout), sealed).await;
        };
        let lines = lines::of_orders(&mut connection, &[id]).await?.remove(&id).unwrap_or_default();
        let shipped = match order.fulfilment_status {
            Fulfilment::Unfulfilled => Vec::new(),
            _ => events::of_type(&mut connection, id, "order_shipped").await?,
        };
        let cancelled = match order.status {
            Status::Cancelled => events::of_type(&mut connection, id, "order_cancelled").await?,
            _ => Vec::new(),
        };
        drop(connection);
        let shipments = shipped.iter().filter_map(|entry| shipment(entry, &lines)).collect();
        let cancellation = match cancelled.first() {
            Some(entry) => Some(cancellation(shop, &order, entry).await?),
            None => None,
        };
        let sealed = order.person_id.zip(order.details.as_deref());
        let body = Self::with_details(shop, OrderSummary::new(&order, lines), sealed).await?;
        Ok(Self { payment_id: order.payment_id, shipments, cancellation, ..body })
    }

    async fn with_details(
        shop: &Shop,
        summary: OrderSummary,
        sealed: Option<(uuid::Uuid, &[u8])>,
    ) -> Result<Self, Error> {
        let details: Option<Details> = match sealed {
            Some((person, sealed)) => shop.vault.open_json(person, sealed::DETAILS, sealed).await?,
            None => None,
        };
        let (shipping_address, billing_address, email, note) = match details {
            Some(Details { email, shipping_address, billing_address, note }) => {
                (Some(shipping_address), billing_address, email, note)
            }
            None => (None, None, None, None),
        };
        Ok(Self {
            summary,
            payment_id: None,
            shipping_address,
            billing_address,
            email,
            note,
            shipments: Vec::new(),
            cancellation: None,
        })
    }
}

fn shipment(entry: &Entry, lines: &[Line]) -> Option<Shipment> {
    let shipped: Shipped = serde_json::from_value(entry.data.clone()).ok()?;
    let lines = shipped.lines.iter().map(|sent| ShipmentLine {
        variant_id: lines.get(sent.position).and_then(|line| line.variant_id),
        quantity: sent.quantity,
    });
    Some(Shipment {
        id: shipped.shipment_id,
        shipped_at: entry.at,
        lines: lines.collect(),
        tracking: shipped.tracking,
    })
}

async fn cancellation(shop: &Shop, order: &OrderRow, entry: &Entry) -> Result<Cancellation, Error> {
    let reason = serde_json::from_value(entry.data.clone())
        .map_or_else(|_| String::new(), |cancelled: Cancelled| cancelled.reason);
    let note = match (order.person_id, &order.cancel_note) {
        (Some(person), Some(sealed)) => shop.vault.open_json(person, sealed::CANCEL_NOTE, sealed).await?,
        _ => None,
    };
    Ok(Cancellation { reason, note, cancelled_at: entry.at })
}
