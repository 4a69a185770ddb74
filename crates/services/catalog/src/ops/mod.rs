//! One verb per file.

pub(crate) mod adjust_stock;
pub(crate) mod announce_stock;
pub(crate) mod create_product;
pub(crate) mod create_seller;
pub(crate) mod expire_reservations;
pub(crate) mod import_products;
pub(crate) mod list_facets;
pub(crate) mod put_picture;
pub(crate) mod quote;
pub(crate) mod read_products;
pub(crate) mod reserve;
pub(crate) mod resolve_reservation;
pub(crate) mod save_product;
pub(crate) mod update_product;
