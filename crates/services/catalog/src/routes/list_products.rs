use axum::extract::State;
use kernel::{Page, SellerId};
use serde::Deserialize;
use utoipa::IntoParams;
use web::{Checks, Handled, ListQuery, PageQuery, Paged, Validate, code};

use super::product::ProductBody;
use crate::model::listing::{SellerRef, read_cursor};
use crate::model::{Filter, Sort, Status, category, handle};
use crate::ops::read_products::list_products as list;
use crate::service::Service;

/// Which products, and in which order.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProductQuery {
    /// Words that must all occur in the product; the last may be the beginning of one. Accents and case
    /// do not matter.
    #[param(max_length = 200, example = "soiree lip")]
    query: Option<String>,
    /// A category; finds what is in it and below it.
    #[param(max_length = 120, example = "face/foundation")]
    category: Option<String>,
    /// A brand by its name or key.
    #[param(max_length = 100, example = "maren-vale")]
    brand: Option<String>,
    /// A seller by id or handle.
    #[param(max_length = 120)]
    seller: Option<String>,
    /// Has a variant that costs at least so many minor units.
    #[param(minimum = 0)]
    price_min: Option<i64>,
    /// Has a variant that costs at most so many minor units.
    #[param(minimum = 0)]
    price_max: Option<i64>,
    /// Whether that variant is in stock; `false` finds what is sold out.
    in_stock: Option<bool>,
    /// `relevance` when there is a `query`, otherwise `newest`.
    #[param(inline)]
    sort: Option<Sort>,
}

impl Validate for ProductQuery {
    fn validate(&self, checks: &mut Checks) {
        checks.optional_text("query", self.query.as_deref(), 1..=200);
        checks.optional_text("category", self.category.as_deref(), 1..=category::MAX_LEN);
        checks.optional_text("brand", self.brand.as_deref(), 1..=100);
        checks.optional_text("seller", self.seller.as_deref(), 1..=handle::MAX_LEN);
        if let Some(path) = &self.category {
            let detail = "must be a path like face/foundation";
            checks.check("category", category::normalise(path).is_some(), "invalid_value", detail);
        }
        for (name, price) in [("price_min", self.price_min), ("price_max", self.price_max)] {
            checks.check(name, price.is_none_or(|price| price >= 0), "out_of_range", "must be 0 or more");
        }
        let searches = self.query.is_some() || self.sort != Some(Sort::Relevance);
        checks.check("sort", searches, "invalid_value", "can be relevance only with a query");
    }
}

impl ProductQuery {
    fn sort(&self) -> Sort {
        self.sort.unwrap_or(if self.query.is_some() { Sort::Relevance } else { Sort::Newest })
    }

    fn filter(self) -> Filter {
        Filter {
            query: self.query,
            category: self.category.as_deref().and_then(category::normalise),
            brand: self.brand.as_deref().map(handle::slug),
            seller: self.seller.map(seller),
            price_min: self.price_min,
            price_max: self.price_max,
            in_stock: self.in_stock,
            status: Some(Status::Active),
        }
    }
}

/// A seller by whichever name was given.
pub(crate) fn seller(name: String) -> SellerRef {
    name.parse::<SellerId>().map_or(SellerRef::Handle(name), SellerRef::Id)
}

web::errors!(Errors: code::PAGE);

/// Products
///
/// The products that are for sale, page by page. A cursor belongs to the filters and the order it was
/// given out for.
#[utoipa::path(
    get,
    path = "/v1/products",
    operation_id = "list_products",
    tag = "catalog",
    params(ProductQuery, PageQuery),
    responses((status = 200, description = "A page of products.", body = Page<ProductBody>), Errors),
    security(()),
)]
pub(crate) async fn list_products(
    State(service): State<Service>,
    query: ListQuery<ProductQuery>,
) -> Handled<Paged<ProductBody>> {
    let sort = query.filter.sort();
    page(&service, &query.page, query.filter.filter(), sort).await
}

/// One page of any list of products.
pub(crate) async fn page(
    service: &Service,
    page: &PageQuery,
    filter: Filter,
    sort: Sort,
) -> Handled<Paged<ProductBody>> {
    let after = match page.cursor.as_deref() {
        None => None,
        Some(cursor) => Some(read_cursor(cursor, &filter, sort).ok_or_else(|| {
            code::BAD_CURSOR.problem(
                "The cursor was not given out for these filters and this order. Begin with the first page.",
            )
        })?),
    };
    let limits = (page.limit, service.config.search_matches);
    let products = list(&service.database, &service.bodies, &filter, (sort, after), limits).await?;
    Ok(page.page(products.map(ProductBody::from)))
}
