use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use web::Handled;

use crate::model::category::{Category, tree};
use crate::ops::list_facets::{Facet, list_facet};
use crate::service::Service;
use crate::store;

/// All categories.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Categories {
    /// The categories at the top.
    data: Vec<CategoryBody>,
}

/// A category of products.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Category)]
struct CategoryBody {
    /// For the filter `category`.
    #[schema(examples("face/foundation"))]
    path: String,
    /// For people.
    #[schema(examples("Foundation"))]
    name: String,
    /// How many products are for sale in it and below it.
    products: i64,
    /// What is below it.
    #[schema(no_recursion)]
    children: Vec<CategoryBody>,
}

impl From<Category> for CategoryBody {
    fn from(category: Category) -> Self {
        let name = category.name();
        let children = category.children.into_iter().map(Self::from).collect();
        Self { path: category.path, name, products: category.products, children }
    }
}

web::errors!(Errors);

/// Categories
///
/// The tree of categories that have products for sale. May be out of date by half a minute.
#[utoipa::path(
    get,
    path = "/v1/categories",
    operation_id = "list_categories",
    tag = "catalog",
    responses((status = 200, description = "The top of the tree.", body = Categories), Errors),
    security(()),
)]
pub(crate) async fn list_categories(State(service): State<Service>) -> Handled<Response> {
    let read = async {
        let mut reader = service.database.read().await?;
        let counts = store::facets::categories(&mut reader).await?;
        Ok(Categories { data: tree(counts).into_iter().map(CategoryBody::from).collect() })
    };
    let json = list_facet(&service.cache, Facet::Categories, service.facets_ttl(), read).await?;
    Ok(super::list_brands::kept(json, service.facets_ttl()))
}
