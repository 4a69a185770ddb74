//! The catalogue's API.
//!
//! | who | operation | does |
//! |---|---|---|
//! | anybody | `GET /v1/products` | active products, filtered and searched |
//! | anybody | `GET /v1/products/{id}` | one of them by id or handle, with its stock |
//! | anybody | `GET /v1/categories`, `/v1/brands`, `/v1/sellers` | what there is to choose from |
//! | anybody | `GET /media/{folder}/{file}` | a picture |
//! | staff | `GET /v1/admin/products`, `/v1/admin/products/{id}` | products of any status |
//! | staff | `POST /v1/admin/products`, `PATCH /v1/admin/products/{id}` | add, change, archive |
//! | staff | `POST /v1/admin/sellers` | add a seller |
//! | staff | `PUT /v1/admin/variants/{id}/stock`, `POST …/stock-adjustments` | count and correct stock |
//! | staff | `POST /v1/admin/media` | upload a picture |
//! | services | `POST /internal/catalog/quote`, `/reservations`, `/reservations/{checkout}/commit`, `/release`, `/restock` | what `contracts::catalog::Client` calls |

pub(crate) mod adjust_stock;
pub(crate) mod create_product;
pub(crate) mod create_seller;
pub(crate) mod get_picture;
pub(crate) mod get_product;
pub(crate) mod get_product_as_staff;
pub(crate) mod list_brands;
pub(crate) mod list_categories;
pub(crate) mod list_products;
pub(crate) mod list_products_as_staff;
pub(crate) mod list_sellers;
pub(crate) mod product;
pub(crate) mod put_picture;
pub(crate) mod quote;
pub(crate) mod reserve;
pub(crate) mod resolve_reservation;
pub(crate) mod set_stock;
pub(crate) mod stock;
pub(crate) mod update_product;

use axum::extract::DefaultBodyLimit;
use axum::routing::post;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::model::picture;
use crate::service::Service;

/// What everybody may reach through the gateway.
pub(crate) fn public() -> OpenApiRouter<Service> {
    let uploads = OpenApiRouter::new()
        .routes(routes!(put_picture::put_picture))
        .layer(DefaultBodyLimit::max(picture::MAX_BYTES));
    OpenApiRouter::new()
        .routes(routes!(list_products::list_products))
        .routes(routes!(get_product::get_product))
        .routes(routes!(list_categories::list_categories))
        .routes(routes!(list_brands::list_brands))
        .routes(routes!(list_sellers::list_sellers))
        .routes(routes!(get_picture::get_picture))
        .routes(routes!(list_products_as_staff::list_products_as_staff, create_product::create_product))
        .routes(routes!(get_product_as_staff::get_product_as_staff, update_product::update_product))
        .routes(routes!(create_seller::create_seller))
        .routes(routes!(set_stock::set_stock))
        .routes(routes!(adjust_stock::adjust_stock))
        .merge(uploads)
}

/// What only other services may reach.
pub(crate) fn internal() -> axum::Router<Service> {
    axum::Router::new()
        .route("/internal/catalog/quote", post(quote::quote))
        .route("/internal/catalog/reservations", post(reserve::reserve))
        .route("/internal/catalog/reservations/{checkout}/commit", post(resolve_reservation::commit))
        .route("/internal/catalog/reservations/{checkout}/release", post(resolve_reservation::release))
        .route("/internal/catalog/reservations/{checkout}/restock", post(resolve_reservation::restock))
}
