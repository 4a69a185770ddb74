//! An order from the moment it is placed: its state, its events, and the two pure functions
//! between them. What comes before is a checkout (see [`crate::model::checkout`]).

mod decide;
mod event;
mod evolve;
mod log;
mod state;

pub(crate) use decide::{CancelBy, Command, Refusal, ShipLine, decide};
pub(crate) use event::{Actor, Cancelled, Imported, OrderEvent, Placed, Shipped, ShippedLine, Tracking};
pub(crate) use evolve::{evolve, replay};
pub(crate) use log::{Broken, Entry, Unwritable, append, verify};
pub(crate) use state::{Fulfilment, Line, Order, Reader, Status, payment_status};

kernel::typed_id!(/** Something that was sent off. */ ShipmentId, "shp");

database::id_values!(ShipmentId);
