use axum::extract::State;
use axum::response::Response;
use kernel::{CustomerId, OrderId};
use serde::Deserialize;
use web::{Checks, Handled, Id, Idempotent, IfMatch, Once, Problem, Role, ValidJson, Validate, code};

use super::get_order::answer;
use super::order_access::OrderCaller;
use super::order_body::OrderBody;
use crate::error::{self, Error};
use crate::jobs::checkout::drive;
use crate::model::checkout::Checkout;
use crate::model::order::Reader;
use crate::ops::cancel_order::{CancelOrder, cancel_order as cancel};
use crate::shop::{Shop, sealed};
use crate::store::{checkouts, orders};

/// Why, if one likes to say.
#[derive(Default, Deserialize, utoipa::ToSchema)]
pub(super) struct CancelBody {
    /// In one's own words, up to 500 characters.
    #[serde(default)]
    #[schema(max_length = 500)]
    reason: Option<String>,
}

impl Validate for CancelBody {
    fn validate(&self, checks: &mut Checks) {
        checks.optional_text("reason", self.reason.as_deref(), 0..=500);
    }
}

web::errors!(
    Errors: code::CALLER, code::BODY, code::BAD_ID, code::PRECONDITION_FAILED, code::IDEMPOTENCY,
    error::NOT_FOUND, error::NOT_CANCELLABLE, error::CHECKOUT_IN_PROGRESS, error::ERASED
);

/// Cancel an order
///
/// As long as nothing of it was sent: what was set aside is let go, what was paid goes back, and the goods
/// go back on the shelf. A pending order is given up. Cancelling a cancelled order changes nothing.
#[utoipa::path(
    post, path = "/v1/orders/{id}/cancel", tag = "orders", operation_id = "cancel_order",
    params(
        ("id" = OrderId, Path, description = "The order."),
        ("token" = Option<String>, Query, description = "The token of a guest's order."),
        ("souk-order-token" = Option<String>, Header, description = "The same."),
        ("If-Match" = Option<String>, Header, description = "The order's `ETag`, to cancel only that version."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key answers the same."),
    ),
    request_body = CancelBody,
    security((), ("bearer" = ["customer"]), ("bearer" = ["staff:orders"])),
    responses((status = 200, description = "The order as it is now.", body = OrderBody), Errors),
)]
pub(super) async fn cancel_order(
    State(shop): State<Shop>,
    caller: OrderCaller,
    Id(id): Id<OrderId>,
    if_match: Option<IfMatch>,
    Idempotent(once, ValidJson(body)): Idempotent<ValidJson<CancelBody>>,
) -> Handled<Response> {
    let (reader, actor) = caller.right(&shop, id, Role::Orders)?;
    let note = match body.reason.filter(|reason| !reason.trim().is_empty()) {
        Some(reason) => Some(seal(&shop, id, reader, &reason).await?),
        None => None,
    };
    let command = CancelOrder { order_id: id, reader, actor, if_match, note };
    let key = caller.key(id);
    match begin(&shop, &once, &key, &command).await? {
        Begun::Before(answer) => return Ok(answer),
        Begun::Cancelled(None) => {}
        // The order is cancelled whatever becomes of this; the worker finishes what cannot be done now.
        Begun::Cancelled(Some(checkout)) => {
            if let Err(error) = drive(&shop, *checkout).await {
                tracing::warn!(order = %id, error = &error as &dyn std::error::Error,
                    "a cancelled order is undone later");
            }
        }
    }
    match OrderBody::load(&shop, id, reader).await {
        Ok(order) => once.finish(&shop.database, &key, answer(order)).await,
        Err(error) => {
            once.abandon(&shop.database, &key).await;
            Err(error.into())
        }
    }
}

enum Begun {
    Before(Response),
    Cancelled(Option<Box<Checkout>>),
}

async fn begin(shop: &Shop, once: &Once, key: &str, command: &CancelOrder) -> Handled<Begun> {
    shop.database
        .write(|mut tx| async move {
            if let Some(before) = once.begin(&mut tx, key).await? {
                return Ok::<_, Problem>(tx.rollback(Begun::Before(before)).await?);
            }
            let checkout = cancel(&mut tx, command).await?;
            Ok(tx.commit(Begun::Cancelled(checkout.map(Box::new))).await?)
        })
        .await
}

/// Seals somebody's words under the key of the person whose order it is.
async fn seal(shop: &Shop, id: OrderId, reader: Reader, words: &str) -> Result<Vec<u8>, Error> {
    let mut connection = shop.database.read_primary().await?;
    let person = match orders::find(&mut connection, id, reader).await? {
        Some(order) => order.person_id.or(order.customer_id.map(CustomerId::uuid)),
        None => checkouts::of_order(&mut connection, id).await?.map(|checkout| checkout.person_id),
    };
    drop(connection);
    let person = person.ok_or(Error::NotFound)?;
    Ok(shop.vault.seal_json(person, sealed::CANCEL_NOTE, &words).await?)
}
