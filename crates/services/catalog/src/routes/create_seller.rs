use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use kernel::SellerId;
use serde::{Deserialize, Serialize};
use web::{Checks, Handled, Idempotent, Role, Staff, ValidJson, Validate, code};

use crate::error::HANDLE_TAKEN;
use crate::model::handle;
use crate::ops::create_seller::create_seller as create;
use crate::service::Service;

/// A seller to add.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct NewSeller {
    /// The name; its handle follows from it.
    #[schema(max_length = 100, examples("Kumo Atelier"))]
    name: String,
}

impl Validate for NewSeller {
    fn validate(&self, checks: &mut Checks) {
        checks.text("name", &self.name, 1..=100);
    }
}

/// Somebody who sells in the shop.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Seller)]
pub(crate) struct SellerBody {
    /// Names the seller.
    id: SellerId,
    /// The name in addresses.
    handle: String,
    /// What the seller is called.
    name: String,
}

web::errors!(Errors: code::CALLER, code::BODY, code::IDEMPOTENCY, HANDLE_TAKEN);

/// Add a seller
///
/// For staff with the role `catalog`. The public list shows a seller as soon as a product of theirs is
/// for sale.
#[utoipa::path(
    post,
    path = "/v1/admin/sellers",
    operation_id = "create_seller",
    tag = "catalog",
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again, the seller is added once.")),
    request_body = NewSeller,
    responses((status = 201, description = "They were added.", body = SellerBody), Errors),
    security(("bearer" = ["staff:catalog"])),
)]
pub(crate) async fn create_seller(
    State(service): State<Service>,
    staff: Staff,
    Idempotent(once, ValidJson(seller)): Idempotent<ValidJson<NewSeller>>,
) -> Handled<Response> {
    staff.require(Role::Catalog)?;
    let name = &seller.name;
    once.run(&service.database, &staff.id.to_string(), |mut tx| async move {
        let seller = create(&mut tx, name).await?;
        let body = SellerBody { id: seller.id, handle: handle::slug(&seller.name), name: seller.name };
        Ok((tx, (StatusCode::CREATED, Json(body))))
    })
    .await
}
