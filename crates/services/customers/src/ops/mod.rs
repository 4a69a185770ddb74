//! What this service does, one verb per file.

pub(crate) mod add_address;
pub(crate) mod contact;
pub(crate) mod decide_consent;
pub(crate) mod delete_address;
pub(crate) mod erase;
pub(crate) mod export;
pub(crate) mod import_customers;
pub(crate) mod index_email;
pub(crate) mod read_addresses;
pub(crate) mod read_customer;
pub(crate) mod replace_address;
pub(crate) mod show_to_staff;
pub(crate) mod update_profile;
