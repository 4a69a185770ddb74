//! What a customer is made of, and the rules for it. Nothing here touches a database.

pub(crate) mod address;
pub(crate) mod consent;
pub(crate) mod country;
pub(crate) mod customer;
pub(crate) mod locale;
pub(crate) mod phone;
pub(crate) mod profile;
pub(crate) mod word;
