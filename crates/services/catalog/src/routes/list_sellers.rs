use axum::extract::State;
use axum::response::Response;
use kernel::SellerId;
use serde::Serialize;
use web::Handled;

use super::list_brands::kept;
use crate::ops::list_facets::{Facet, list_facet};
use crate::service::Service;
use crate::store;

/// All sellers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Sellers {
    /// The sellers.
    data: Vec<ListedSeller>,
}

/// Somebody who sells in the shop.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ListedSeller {
    /// Names the seller.
    id: SellerId,
    /// The name in addresses.
    #[schema(examples("kumo-atelier"))]
    handle: String,
    /// What the seller is called.
    #[schema(examples("Kumo Atelier"))]
    name: String,
    /// How many of their products are for sale.
    products: i64,
}

web::errors!(Errors);

/// Sellers
///
/// Those who have products for sale, by name. May be out of date by half a minute.
#[utoipa::path(
    get,
    path = "/v1/sellers",
    operation_id = "list_sellers",
    tag = "catalog",
    responses((status = 200, description = "The sellers.", body = Sellers), Errors),
    security(()),
)]
pub(crate) async fn list_sellers(State(service): State<Service>) -> Handled<Response> {
    let read = async {
        let mut reader = service.database.read().await?;
        let sellers = store::facets::sellers(&mut reader).await?;
        let data = sellers.into_iter().map(|(id, handle, name, products)| ListedSeller {
            id,
            handle,
            name,
            products,
        });
        Ok(Sellers { data: data.collect() })
    };
    let json = list_facet(&service.cache, Facet::Sellers, service.facets_ttl(), read).await?;
    Ok(kept(json, service.facets_ttl()))
}
