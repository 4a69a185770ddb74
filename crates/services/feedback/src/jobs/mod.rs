//! Background work.

mod trim;

pub(crate) use trim::forget_expired;
