//! Carts, prices, orders and checkouts as plain data and pure functions.

pub(crate) mod cart;
pub(crate) mod checkout;
pub(crate) mod import;
pub(crate) mod number;
pub(crate) mod order;
pub(crate) mod pricing;
