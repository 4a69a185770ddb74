//! `souk import`: other systems' files become records of ours.
//!
//! A file is read on a thread of its own, record by record, into batches of bounded size; a service
//! takes each batch and says what became of every record. Memory does not grow with the file.
//! Ids are made from what the file calls a thing, so importing a file twice changes nothing.

mod format;
mod id;
mod record;
mod report;
mod run;
pub(crate) mod takers;

pub(crate) use format::{
    Format, HashConfig, ImportPerson, ImportPurchase, Kind, Parsed, Reading, open, products,
};
pub(crate) use id::{customer_id, order_id};
use id::{product_id, seller_id, variant_id};
pub(crate) use record::{Record, Refusal};
use report::Report;
pub(crate) use report::Summary;
use run::Take;
pub(crate) use run::{Options, run};
