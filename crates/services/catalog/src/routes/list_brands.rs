use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header;
use serde::Serialize;
use web::Handled;

use crate::ops::list_facets::{Facet, list_facet};
use crate::service::Service;
use crate::store;

/// All brands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Brands {
    /// The brands.
    data: Vec<Brand>,
}

/// A brand.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Brand {
    /// For the filter `brand`.
    #[schema(examples("maren-vale"))]
    key: String,
    /// The name, as the first of its products writes it.
    #[schema(examples("Maren Vale"))]
    name: String,
    /// How many of its products are for sale.
    products: i64,
}

web::errors!(Errors);

/// Brands
///
/// The brands that have products for sale, by name. May be out of date by half a minute.
#[utoipa::path(
    get,
    path = "/v1/brands",
    operation_id = "list_brands",
    tag = "catalog",
    responses((status = 200, description = "The brands.", body = Brands), Errors),
    security(()),
)]
pub(crate) async fn list_brands(State(service): State<Service>) -> Handled<Response> {
    let read = async {
        let mut reader = service.database.read().await?;
        let brands = store::facets::brands(&mut reader).await?;
        Ok(Brands {
            data: brands.into_iter().map(|(key, name, products)| Brand { key, name, products }).collect(),
        })
    };
    let json = list_facet(&service.cache, Facet::Brands, service.facets_ttl(), read).await?;
    Ok(kept(json, service.facets_ttl()))
}

/// A list that browsers may keep for as long as we do.
pub(crate) fn kept(json: Bytes, ttl: Duration) -> Response {
    let cache_control = format!("public, max-age={}", ttl.as_secs());
    let json_type = "application/json".to_owned();
    ([(header::CONTENT_TYPE, json_type), (header::CACHE_CONTROL, cache_control)], json).into_response()
}
