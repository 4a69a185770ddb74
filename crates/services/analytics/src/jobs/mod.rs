//! Background work: deleting what has expired.

mod trim;

pub(crate) use trim::keep_short;
