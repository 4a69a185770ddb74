use axum::extract::State;
use web::{Handled, Id, Role, Staff, code};

use super::product::{ProductAnswer, ProductBody};
use crate::error::PRODUCT_NOT_FOUND;
use crate::ops::read_products::read_product;
use crate::service::Service;

web::errors!(Errors: code::CALLER, code::BAD_ID, PRODUCT_NOT_FOUND);

/// One product of any status
///
/// For staff with the role `catalog`: also drafts and archived products.
#[utoipa::path(
    get,
    path = "/v1/admin/products/{id}",
    operation_id = "get_product_as_staff",
    tag = "catalog",
    params(("id" = String, Path, description = "The product's id or handle.")),
    responses(
        (status = 200, description = "The product.", body = ProductBody, headers(("ETag" = String, description = "Send it back as `If-Match` to change the product."))),
        (status = 304, description = "It is still as `If-None-Match` says."),
        Errors,
    ),
    security(("bearer" = ["staff:catalog"])),
)]
pub(crate) async fn get_product_as_staff(
    State(service): State<Service>,
    staff: Staff,
    Id(name): Id<String>,
) -> Handled<ProductAnswer> {
    staff.require(Role::Catalog)?;
    let product = read_product(&service.database, &service.bodies, &name, true).await?;
    Ok(ProductAnswer::new(product))
}
