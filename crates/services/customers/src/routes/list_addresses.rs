use axum::extract::State;
use kernel::Page;
use web::{Handled, PageQuery, Paged, code};

use crate::context::Context;
use crate::model::address::SavedAddress;
use crate::store::addresses;

web::errors!(pub(super) Errors: code::CALLER, code::PAGE);

/// List my addresses
///
/// The address book of the signed-in customer, the newest address first.
#[utoipa::path(
    get,
    path = "/v1/customers/me/addresses",
    tag = "customers",
    operation_id = "list_addresses",
    security(("bearer" = ["customer"])),
    params(PageQuery),
    responses((status = 200, description = "A page of addresses.", body = Page<SavedAddress>), Errors),
)]
pub(super) async fn list_addresses(
    State(context): State<Context>,
    customer: web::Customer,
    query: PageQuery,
) -> Handled<Paged<SavedAddress>> {
    let before = query.after()?;
    let stored = {
        let mut reader = context.database.read().await?;
        addresses::list(&mut reader, customer.id, before, query.limit.overfetch()).await?
    };
    let Page { data, next_cursor } = Page::from_overfetched(stored, query.limit, |address| address.id);
    let data = context.open_addresses(customer.id, data).await?;
    Ok(query.page(Page { data, next_cursor }))
}
