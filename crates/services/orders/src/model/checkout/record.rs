use contracts::catalog::LineRequest;
use contracts::customers::Address;
use contracts::orders::Totals;
use kernel::{CartId, CheckoutId, CustomerId, OrderId, PaymentId, RefundId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Saga;
use crate::model::cart::CartLine;
use crate::model::order::{Line, Placed, Reader};

/// A checkout as it is stored. Every id that another service is told was chosen before the first call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checkout {
    /// Which; also the id of the reservation.
    pub(crate) id: CheckoutId,
    /// The order it leads to.
    pub(crate) order_id: OrderId,
    /// Its payment.
    pub(crate) payment_id: PaymentId,
    /// The refund that undoing it asks for, should it come to that.
    pub(crate) refund_id: RefundId,
    /// The order's number.
    pub(crate) number: String,
    /// The cart.
    pub(crate) cart_id: CartId,
    /// The state of the cart that was frozen.
    pub(crate) cart_version: i64,
    /// Whose; none for guests.
    pub(crate) customer_id: Option<CustomerId>,
    /// Under whose key personal data is sealed.
    pub(crate) person_id: Uuid,
    /// Tells a repetition of the request, when it had an `Idempotency-Key`.
    pub(crate) request_key: Option<[u8; 32]>,
    /// Tells another request for the same cart.
    pub(crate) request_hash: [u8; 32],
    /// How far it has come.
    pub(crate) saga: Saga,
    /// What is bought, at the price that was frozen.
    pub(crate) lines: Vec<Line>,
    /// What it comes to.
    pub(crate) totals: Totals,
    /// [`Details`], sealed.
    pub(crate) details: Vec<u8>,
    /// What is paid with, sealed; none once it has ended.
    pub(crate) method: Option<Vec<u8>>,
    /// Until when one driver has it to itself.
    pub(crate) leased_until: Option<Timestamp>,
    /// Counts the changes.
    pub(crate) version: i64,
    /// When it began.
    pub(crate) created_at: Timestamp,
}

/// What is personal about an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Details {
    /// Where to write to; for customers only when they gave another address than their own.
    pub(crate) email: Option<String>,
    /// Where it is sent.
    pub(crate) shipping_address: Address,
    /// Where the bill goes, when that is somewhere else.
    pub(crate) billing_address: Option<Address>,
    /// What the person wanted to say.
    pub(crate) note: Option<String>,
}

impl Checkout {
    /// What is to be reserved.
    pub(crate) fn line_requests(&self) -> Vec<LineRequest> {
        self.bought()
            .into_iter()
            .map(|CartLine { variant_id, quantity }| LineRequest { variant_id, quantity })
            .collect()
    }

    /// What leaves the cart when the order is placed.
    pub(crate) fn bought(&self) -> Vec<CartLine> {
        self.lines
            .iter()
            .filter_map(|line| Some(CartLine { variant_id: line.variant_id?, quantity: line.quantity }))
            .collect()
    }

    /// The order it becomes at `placed_at`.
    pub(crate) fn placed(&self, placed_at: Timestamp) -> Placed {
        Placed {
            order_id: self.order_id,
            number: self.number.clone(),
            customer_id: self.customer_id,
            checkout_id: self.id,
            payment_id: self.payment_id,
            lines: self.lines.clone(),
            totals: self.totals,
            placed_at,
        }
    }

    /// Whether `reader` may see the order it leads to.
    pub(crate) fn is_for(&self, reader: Reader) -> bool {
        match reader {
            Reader::Customer(customer) => self.customer_id == Some(customer),
            Reader::Guest => self.customer_id.is_none(),
            Reader::Shop => true,
        }
    }

    /// Whether somebody is at it at `now`.
    pub(crate) fn is_driven(&self, now: Timestamp) -> bool {
        self.leased_until.is_some_and(|until| until > now)
    }
}
