//! The service's API as one table; then one endpoint per file.

mod add_address;
mod address_body;
mod decide_consent;
mod delete_address;
mod erase_me;
mod export_me;
mod find_customers;
mod get_address;
mod get_customer;
mod get_me;
pub(crate) mod internal;
mod list_addresses;
mod list_consents;
mod replace_address;

mod update_me;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::context::Context;

/// Every public endpoint.
pub(crate) fn table() -> OpenApiRouter<Context> {
    OpenApiRouter::new()
        .routes(routes!(get_me::get_me, update_me::update_me, erase_me::erase_me))
        .routes(routes!(export_me::export_me))
        .routes(routes!(list_addresses::list_addresses, add_address::add_address))
        .routes(routes!(
            get_address::get_address,
            replace_address::replace_address,
            delete_address::delete_address
        ))
        .routes(routes!(list_consents::list_consents))
        .routes(routes!(decide_consent::decide_consent))
        .routes(routes!(find_customers::find_customers))
        .routes(routes!(get_customer::get_customer))
}

/// The document of the public endpoints; no running service is needed for it.
pub fn openapi() -> utoipa::openapi::OpenApi {
    table().into_openapi()
}
