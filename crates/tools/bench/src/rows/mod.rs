//! The rows of the table, a file each.

pub(crate) mod checkout;
