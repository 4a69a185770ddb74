use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use contracts::catalog::{Quote, QuotedVariant, ReserveStock, Shortage};
use contracts::{Channel, ChannelError};
use http::{Request, StatusCode};
use kernel::{CheckoutId, Clock, Currency, Money, ProductId, SellerId, Timestamp, VariantId};
use parking_lot::Mutex;
use serde_json::{Value, json};
use uuid::Uuid;

use super::faults::{Fault, Faults};

/// A catalogue with a handful of variants, and reservations as the contract has them.
#[derive(Clone)]
pub(crate) struct Catalog {
    shelves: Arc<Mutex<Shelves>>,
    clock: Clock,
    faults: Arc<Faults>,
}

#[derive(Default)]
struct Shelves {
    variants: HashMap<VariantId, QuotedVariant>,
    reservations: HashMap<CheckoutId, Reservation>,
    gone: Vec<VariantId>,
}

struct Reservation {
    lines: Vec<(VariantId, i64)>,
    state: Shelf,
    until: Timestamp,
}

/// What a checkout has done to the shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shelf {
    Held,
    Ended,
    Committed,
    Restocked,
}

impl Catalog {
    pub(super) fn new(clock: Clock, faults: Arc<Faults>) -> Self {
        Self { shelves: Arc::default(), clock, faults }
    }

    /// Puts a variant on the shelf, by number.
    pub(crate) fn stock(&self, number: u128, price: i64, available: i64) -> VariantId {
        let variant_id = VariantId::from_uuid(Uuid::from_u128(0xF000 + number));
        let variant = QuotedVariant {
            variant_id,
            product_id: self.product_of(number),
            seller_id: SellerId::from_uuid(Uuid::from_u128(0xD000 + number % 2)),
            sku: format!("SKU-{number}"),
            title: format!("Lipstick, Shade {number}"),
            brand: "Aurelle".into(),
            category: Some("lips/lipstick".into()),
            unit_price: Money::new(price, Currency::EUR),
            tax_basis_points: 2_000,
            available,
        };
        self.shelves.lock().variants.insert(variant_id, variant);
        variant_id
    }

    /// The variant with this number.
    pub(crate) fn stock_of(&self, number: u128) -> VariantId {
        VariantId::from_uuid(Uuid::from_u128(0xF000 + number))
    }

    /// The product of the variant with that number.
    pub(crate) fn product_of(&self, number: u128) -> ProductId {
        ProductId::from_uuid(Uuid::from_u128(0xE000 + number))
    }

    /// Lets the shelf run empty although quotes still promise.
    pub(crate) fn oversell(&self, variant: VariantId) {
        self.shelves.lock().gone.push(variant);
    }

    /// Takes a variant out of the catalogue.
    pub(crate) fn withdraw(&self, variant: VariantId) {
        self.shelves.lock().variants.remove(&variant);
    }

    /// How many can be had.
    pub(crate) fn available(&self, variant: VariantId) -> i64 {
        self.shelves.lock().variants[&variant].available
    }

    /// What a checkout has done; none when it never got here.
    pub(crate) fn reservation(&self, checkout: CheckoutId) -> Option<Shelf> {
        let mut shelves = self.shelves.lock();
        shelves.expire(checkout, self.clock.now());
        shelves.reservations.get(&checkout).map(|reservation| reservation.state)
    }

    /// What each checkout that got here has done.
    pub(crate) fn reservations(&self) -> Vec<Shelf> {
        self.shelves.lock().reservations.values().map(|reservation| reservation.state).collect()
    }

    pub(crate) fn channel(&self) -> Channel {
        let router = Router::new()
            .route("/internal/catalog/quote", post(quote))
            .route("/internal/catalog/reservations", post(reserve))
            .route("/internal/catalog/reservations/{id}/{command}", post(resolve))
            .with_state(self.clone());
        let (inner, faults) = (web::channel::local("orders", "catalog", router), self.faults.clone());
        Channel::new(tower::service_fn(move |request: Request<Bytes>| {
            let (inner, faults) = (inner.clone(), faults.clone());
            async move { call("catalog", &inner, &faults, request).await }
        }))
    }
}

/// Sends a request on its way, unless something is to go wrong with it. Quotes change nothing and are
/// not counted.
pub(super) async fn call(
    service: &'static str,
    inner: &Channel,
    faults: &Faults,
    request: Request<Bytes>,
) -> Result<http::Response<Bytes>, ChannelError> {
    let path = request.uri().path().to_owned();
    let what: Vec<&str> =
        path.split('/').filter(|part| !part.is_empty() && !part.contains('_')).skip(1).collect();
    let what = format!("{} {}", request.method(), what.join("/"));
    let fault = if path.ends_with("/quote") { None } else { faults.of_call(service, what) };
    let lost = || ChannelError::TimedOut { service: service.to_owned() };
    match fault {
        None => inner.send(request).await,
        Some(Fault::Unreachable) => Err(ChannelError::Unreachable { service: service.to_owned() }),
        Some(Fault::LostOnTheWay) => Err(lost()),
        Some(Fault::AnswerLost) => inner.send(request).await.and_then(|_| Err(lost())),
        Some(Fault::CrashBefore) => Err(faults.crash().await),
        Some(Fault::CrashAfter) => {
            inner.send(request).await?;
            Err(faults.crash().await)
        }
    }
}

pub(super) fn problem(code: &str, members: Value) -> Response {
    let mut problem = json!({"code": code, "detail": code});
    for (name, value) in members.as_object().into_iter().flatten() {
        problem[name] = value.clone();
    }
    (StatusCode::CONFLICT, Json(problem)).into_response()
}

async fn quote(State(catalog): State<Catalog>, Json(wanted): Json<Vec<VariantId>>) -> Json<Quote> {
    let shelves = catalog.shelves.lock();
    let variants = wanted.iter().filter_map(|id| shelves.variants.get(id).cloned()).collect();
    Json(Quote { variants })
}

async fn reserve(State(catalog): State<Catalog>, Json(request): Json<ReserveStock>) -> Response {
    let now = catalog.clock.now();
    let mut shelves = catalog.shelves.lock();
    shelves.expire(request.checkout_id, now);
    if let Some(reservation) = shelves.reservations.get(&request.checkout_id) {
        return match reservation.state {
            Shelf::Held | Shelf::Committed => StatusCode::NO_CONTENT.into_response(),
            Shelf::Ended | Shelf::Restocked => problem("catalog.reservation_ended", json!({})),
        };
    }
    let short: Vec<Shortage> = request
        .lines
        .iter()
        .filter_map(|line| {
            let gone = shelves.gone.contains(&line.variant_id);
            let variant = shelves.variants.get(&line.variant_id).filter(|_| !gone);
            let available = variant.map_or(0, |variant| variant.available);
            let requested = line.quantity;
            (available < requested).then_some(Shortage { variant_id: line.variant_id, requested, available })
        })
        .collect();
    if !short.is_empty() {
        return problem("catalog.out_of_stock", json!({"lines": short}));
    }
    let lines: Vec<_> = request.lines.iter().map(|line| (line.variant_id, line.quantity)).collect();
    shelves.put(&lines, -1);
    let until = now.plus(Duration::from_secs(request.hold_seconds));
    shelves.reservations.insert(request.checkout_id, Reservation { lines, state: Shelf::Held, until });
    StatusCode::NO_CONTENT.into_response()
}

async fn resolve(
    State(catalog): State<Catalog>,
    Path((id, command)): Path<(CheckoutId, String)>,
) -> Response {
    let mut shelves = catalog.shelves.lock();
    shelves.expire(id, catalog.clock.now());
    let state = shelves.reservations.get(&id).map(|reservation| reservation.state);
    let next = match (command.as_str(), state) {
        ("commit", Some(Shelf::Held)) => Shelf::Committed,
        ("commit", Some(Shelf::Committed | Shelf::Restocked)) => {
            return StatusCode::NO_CONTENT.into_response();
        }
        ("commit", _) => return problem("catalog.reservation_ended", json!({})),
        ("release", Some(Shelf::Held)) => Shelf::Ended,
        ("release", Some(Shelf::Committed)) => return problem("catalog.reservation_committed", json!({})),
        ("release", _) => return StatusCode::NO_CONTENT.into_response(),
        ("restock", Some(Shelf::Committed)) => Shelf::Restocked,
        ("restock", Some(Shelf::Restocked)) => return StatusCode::NO_CONTENT.into_response(),
        _ => return problem("catalog.reservation_not_committed", json!({})),
    };
    shelves.move_to(id, next);
    StatusCode::NO_CONTENT.into_response()
}

impl Shelves {
    fn put(&mut self, lines: &[(VariantId, i64)], sign: i64) {
        for (variant, quantity) in lines {
            if let Some(variant) = self.variants.get_mut(variant) {
                variant.available += sign * quantity;
                assert!(variant.available >= 0, "sold more than there is");
            }
        }
    }

    fn move_to(&mut self, id: CheckoutId, state: Shelf) {
        let reservation = self.reservations.get_mut(&id).unwrap();
        reservation.state = state;
        let lines = reservation.lines.clone();
        if matches!(state, Shelf::Ended | Shelf::Restocked) {
            self.put(&lines, 1);
        }
    }

    fn expire(&mut self, id: CheckoutId, now: Timestamp) {
        let over = self
            .reservations
            .get(&id)
            .is_some_and(|reservation| reservation.state == Shelf::Held && reservation.until <= now);
        if over {
            self.move_to(id, Shelf::Ended);
        }
    }
}
