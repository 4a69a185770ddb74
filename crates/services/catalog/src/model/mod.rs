//! Products, lists of them, stock and reservations as plain data and pure functions.

pub(crate) mod category;
pub(crate) mod draft;
pub(crate) mod handle;
pub(crate) mod known;
pub(crate) mod listing;
pub(crate) mod picture;
pub(crate) mod product;
pub(crate) mod reservation;
pub(crate) mod stock;

pub(crate) use draft::{Draft, DraftVariant};
pub(crate) use listing::{After, Filter, Sort};
pub(crate) use product::{Image, Product, Seller, Status, Variant, VariantOption};
pub(crate) use reservation::{Command, Reservation};
