use axum::extract::State;
use kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;
use web::{Checks, Handled, ListQuery, PageQuery, Paged, Role, Staff, Validate, code};

use super::list_products::{page, seller};
use super::product::ProductBody;
use crate::model::{Filter, Sort, Status, handle};
use crate::service::Service;

/// Which products.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StaffProductQuery {
    /// Words that must all occur in the product; the best match comes first.
    #[param(max_length = 200)]
    query: Option<String>,
    /// Any status when not said.
    status: Option<Status>,
    /// A seller by id or handle.
    #[param(max_length = 120)]
    seller: Option<String>,
}

impl Validate for StaffProductQuery {
    fn validate(&self, checks: &mut Checks) {
        checks.optional_text("query", self.query.as_deref(), 1..=200);
        checks.optional_text("seller", self.seller.as_deref(), 1..=handle::MAX_LEN);
    }
}

web::errors!(Errors: code::CALLER, code::PAGE);

/// Products of any status
///
/// For staff with the role `catalog`: all products, the newest first, or the best match of a search.
#[utoipa::path(
    get,
    path = "/v1/admin/products",
    operation_id = "list_products_as_staff",
    tag = "catalog",
    params(StaffProductQuery, PageQuery),
    responses((status = 200, description = "A page of products.", body = Page<ProductBody>), Errors),
    security(("bearer" = ["staff:catalog"])),
)]
pub(crate) async fn list_products_as_staff(
    State(service): State<Service>,
    staff: Staff,
    query: ListQuery<StaffProductQuery>,
) -> Handled<Paged<ProductBody>> {
    staff.require(Role::Catalog)?;
    let StaffProductQuery { query: text, status, seller: name } = query.filter;
    let sort = if text.is_some() { Sort::Relevance } else { Sort::Newest };
    let filter = Filter { query: text, status, seller: name.map(seller), ..Filter::default() };
    page(&service, &query.page, filter, sort).await
}
