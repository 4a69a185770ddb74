use axum::extract::State;
use axum::response::Response;
use kernel::{OrderId, VariantId};
use serde::Deserialize;
use web::{
    Checks, Created, Handled, Id, Idempotent, IfMatch, Once, Problem, Role, Staff, ValidJson, Validate,
    Versioned, code,
};

use super::order_body::OrderBody;
use crate::error;
use crate::model::order::{Reader, ShipLine, Tracking};
use crate::ops::ship_order::{ShipOrder, ship_order};
use crate::shop::Shop;

/// What is sent.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct CreateShipment {
    /// Which variants and how many of each; everything that is left when not said.
    #[schema(min_items = 1, max_items = 1000)]
    lines: Option<Vec<ShipmentRequestLine>>,
    /// How to follow it.
    tracking: Option<Tracking>,
}

/// So many of a variant.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct ShipmentRequestLine {
    /// Which variant.
    variant_id: VariantId,
    /// How many.
    #[schema(minimum = 1)]
    quantity: i64,
}

impl Validate for ShipmentRequestLine {
    fn validate(&self, checks: &mut Checks) {
        checks.range("quantity", self.quantity, 1..=1_000_000);
    }
}

impl Validate for Tracking {
    fn validate(&self, checks: &mut Checks) {
        checks.text("carrier", &self.carrier, 1..=100);
        checks.text("number", &self.number, 1..=100);
        checks.optional_text("url", self.url.as_deref(), 1..=500);
        let https = self.url.as_deref().is_none_or(|url| url.starts_with("https://"));
        checks.check("url", https, "invalid_value", "must begin with https://");
    }
}

impl Validate for CreateShipment {
    fn validate(&self, checks: &mut Checks) {
        if let Some(lines) = &self.lines {
            checks.count("lines", lines.len(), 1..=1_000);
            checks.each("lines", lines);
        }
        if let Some(tracking) = &self.tracking {
            checks.within("tracking", tracking);
        }
    }
}

web::errors!(
    Errors: code::CALLER, code::BODY, code::BAD_ID, code::PRECONDITION_FAILED, code::IDEMPOTENCY,
    error::NOT_FOUND, error::NOT_SHIPPABLE, error::SHIPS_TOO_MUCH
);

/// Note that an order was sent
///
/// All of it or a part, for staff with the role `orders`. Only what is paid for is sent; an order that is
/// sent whole is `completed`.
#[utoipa::path(
    post, path = "/v1/orders/{id}/shipments", tag = "orders", operation_id = "create_shipment",
    params(
        ("id" = OrderId, Path, description = "The order."),
        ("If-Match" = Option<String>, Header, description = "The order's `ETag`, to send only that version."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key sends once."),
    ),
    request_body = CreateShipment,
    security(("bearer" = ["staff:orders"])),
    responses((status = 201, description = "The order as it is now.", body = OrderBody), Errors),
)]
pub(super) async fn create_shipment(
    State(shop): State<Shop>,
    staff: Staff,
    Id(id): Id<OrderId>,
    if_match: Option<IfMatch>,
    Idempotent(once, ValidJson(body)): Idempotent<ValidJson<CreateShipment>>,
) -> Handled<Response> {
    staff.require(Role::Orders)?;
    let lines = body.lines.map(|lines| {
        lines
            .into_iter()
            .map(|ShipmentRequestLine { variant_id, quantity }| ShipLine { variant_id, quantity })
            .collect()
    });
    let command = ShipOrder { order_id: id, staff: staff.id, if_match, lines, tracking: body.tracking };
    let key = staff.id.to_string();
    if let Some(before) = begin(&shop, &once, &key, &command).await? {
        return Ok(before);
    }
    match OrderBody::load(&shop, id, Reader::Shop).await {
        Ok(order) => {
            let version = order.summary.version().unwrap_or_default();
            let location = format!("/v1/orders/{id}");
            let created = Created { location, body: Versioned::new(order, version) };
            once.finish(&shop.database, &key, created).await
        }
        Err(error) => {
            once.abandon(&shop.database, &key).await;
            Err(error.into())
        }
    }
}

/// Sends it; the answer that was given before, if it was sent before.
async fn begin(shop: &Shop, once: &Once, key: &str, command: &ShipOrder) -> Handled<Option<Response>> {
    shop.database
        .write(|mut tx| async move {
            if let Some(before) = once.begin(&mut tx, key).await? {
                return Ok::<_, Problem>(tx.rollback(Some(before)).await?);
            }
            ship_order(&mut tx, command).await?;
            Ok(tx.commit(None).await?)
        })
        .await
}
