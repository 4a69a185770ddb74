//! The API of orders: what is called where, and by whom.

mod address;
mod admin_get_order;
mod admin_list_orders;
mod cancel_order;
mod cart_body;
mod create_checkout;
mod create_shipment;
mod delete_item;
mod get_cart;
mod get_order;
mod internal_export;
mod list_events;
mod list_orders;
mod merge_cart;
mod order_access;
mod order_body;
mod order_filter;
mod put_item;
mod visitor;

use axum::Router;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::shop::Shop;

/// What the world may call.
pub(crate) fn public() -> OpenApiRouter<Shop> {
    OpenApiRouter::new()
        // Guests and customers.
        .routes(routes!(get_cart::get_cart))
        .routes(routes!(put_item::put_item, delete_item::delete_item))
        .routes(routes!(create_checkout::create_checkout))
        // Customers; the token of an order stands for its guest.
        .routes(routes!(merge_cart::merge_cart))
        .routes(routes!(list_orders::list_orders))
        .routes(routes!(get_order::get_order))
        .routes(routes!(list_events::list_events))
        .routes(routes!(cancel_order::cancel_order))
        // Staff.
        .routes(routes!(create_shipment::create_shipment))
        .routes(routes!(admin_list_orders::admin_list_orders))
        .routes(routes!(admin_get_order::admin_get_order))
}

/// What other services may call.
pub(crate) fn internal() -> Router<Shop> {
    Router::new()
        .route("/internal/orders/customers/{customer_id}/export", get(internal_export::internal_export))
}
