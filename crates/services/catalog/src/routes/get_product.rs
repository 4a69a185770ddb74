use axum::extract::State;
use web::{Handled, Id, code};

use super::product::{ProductAnswer, ProductBody};
use crate::error::PRODUCT_NOT_FOUND;
use crate::ops::read_products::read_product;
use crate::service::Service;

web::errors!(Errors: code::BAD_ID, PRODUCT_NOT_FOUND);

/// One product
///
/// A product that is for sale, with the stock of each variant at this moment. The `ETag` changes with the
/// product and with its stock.
#[utoipa::path(
    get,
    path = "/v1/products/{id}",
    operation_id = "get_product",
    tag = "catalog",
    params(("id" = String, Path, description = "The product's id or handle.", example = "daylight-skin-tint")),
    responses(
        (status = 200, description = "The product.", body = ProductBody, headers(("ETag" = String, description = "Its version and a mark of its stock."))),
        (status = 304, description = "It is still as `If-None-Match` says."),
        Errors,
    ),
    security(()),
)]
pub(crate) async fn get_product(
    State(service): State<Service>,
    Id(name): Id<String>,
) -> Handled<ProductAnswer> {
    let product = read_product(&service.database, &service.bodies, &name, false).await?;
    Ok(ProductAnswer::new(product))
}
