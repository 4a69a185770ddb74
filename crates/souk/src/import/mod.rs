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

pub(crate) use format::{Format, Kind, Parsed, open};
pub(crate) use id::{customer_id, order_id, product_id, seller_id, variant_id};
pub(crate) use record::{Record, Refusal};
pub(crate) use report::{Report, Summary};
pub(crate) use run::{Options, Take, run};
