//! What can be done, one verb per file.

pub(crate) mod advance_checkout;
pub(crate) mod cancel_order;
pub(crate) mod change_order;
pub(crate) mod erase_customer;
pub(crate) mod export_customer;
pub(crate) mod import_orders;
pub(crate) mod merge_carts;
pub(crate) mod place_order;
pub(crate) mod price_cart;
pub(crate) mod resolve_cart;
pub(crate) mod set_item;
pub(crate) mod ship_order;
pub(crate) mod start_checkout;
