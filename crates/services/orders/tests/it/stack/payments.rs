use std::collections::HashMap;
use std::collections::hash_map::Entry::Vacant;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use contracts::Channel;
use contracts::payments::{
    AuthorizePayment, Decline, NextAction, Payment, PaymentChanged, PaymentStatus, RefundChanged,
    RefundPayment,
};
use http::{Request, StatusCode};
use kernel::{Money, OrderId, PaymentId, RefundId};
use parking_lot::Mutex;
use serde_json::json;

use super::catalog::{call, problem};
use super::faults::Faults;

/// A payment service with the tokens of the sandbox.
#[derive(Clone)]
pub(crate) struct Payments {
    books: Arc<Mutex<Books>>,
    faults: Arc<Faults>,
}

#[derive(Default)]
struct Books {
    payments: HashMap<PaymentId, Entry>,
    /// Voided before they were ever asked for.
    barred: Vec<PaymentId>,
    changes: Vec<PaymentChanged>,
    refunds: Vec<RefundChanged>,
}

struct Entry {
    payment: Payment,
    token: String,
    refunds: HashMap<RefundId, Money>,
}

/// What a payment holds of somebody's money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Nothing,
    SetAside,
    Taken,
    GivenBack,
}

impl Payments {
    pub(super) fn new(faults: Arc<Faults>) -> Self {
        Self { books: Arc::default(), faults }
    }

    /// What the payment for `order` holds.
    pub(crate) fn of_order(&self, order: OrderId) -> Held {
        let books = self.books.lock();
        let payment = books.payments.values().find(|entry| entry.payment.order_id == order);
        match payment.map(|entry| (entry.payment.status, entry.token.as_str())) {
            Some((PaymentStatus::Authorized | PaymentStatus::RequiresAction, _)) => Held::SetAside,
            Some((PaymentStatus::Unknown, "tok_unknown")) => Held::SetAside,
            Some((PaymentStatus::Captured | PaymentStatus::PartiallyRefunded, _)) => Held::Taken,
            Some((PaymentStatus::Refunded, _)) => Held::GivenBack,
            _ => Held::Nothing,
        }
    }

    /// Every payment there is, as it is.
    pub(crate) fn all(&self) -> Vec<Payment> {
        self.books.lock().payments.values().map(|entry| entry.payment.clone()).collect()
    }

    /// Moves the payment for `order` to `status`, as a person or a provider would, and returns the event.
    pub(crate) fn turn(&self, order: OrderId, status: PaymentStatus) -> PaymentChanged {
        let mut books = self.books.lock();
        let id =
            books.payments.values().find(|entry| entry.payment.order_id == order).unwrap().payment.payment_id;
        books.turn(id, status)
    }

    /// The events so far that were not taken yet.
    pub(crate) fn take_events(&self) -> (Vec<PaymentChanged>, Vec<RefundChanged>) {
        let mut books = self.books.lock();
        (std::mem::take(&mut books.changes), std::mem::take(&mut books.refunds))
    }

    pub(crate) fn channel(&self) -> Channel {
        let router = Router::new()
            .route("/internal/payments", post(authorize))
            .route("/internal/payments/{id}", get(show))
            .route("/internal/payments/{id}/capture", post(capture))
            .route("/internal/payments/{id}/void", post(void))
            .route("/internal/payments/{id}/refunds", post(refund))
            .with_state(self.clone());
        let (inner, faults) = (web::channel::local("orders", "payments", router), self.faults.clone());
        Channel::new(tower::service_fn(move |request: Request<Bytes>| {
            let (inner, faults) = (inner.clone(), faults.clone());
            async move { call("payments", &inner, &faults, request).await }
        }))
    }
}

impl Books {
    fn turn(&mut self, id: PaymentId, status: PaymentStatus) -> PaymentChanged {
        let entry = self.payments.get_mut(&id).unwrap();
        let payment = &mut entry.payment;
        payment.status = status;
        payment.next_action = None;
        if status == PaymentStatus::Captured {
            payment.captured = payment.amount;
        }
        if status == PaymentStatus::Failed {
            payment.decline = Some(Decline { reason: "challenge_failed".into(), provider_reason: None });
        }
        let changed = PaymentChanged { order_id: payment.order_id, payment: payment.clone() };
        self.changes.push(changed.clone());
        changed
    }

    fn answer(&self, id: PaymentId) -> Response {
        match self.payments.get(&id) {
            Some(entry) => Json(entry.payment.clone()).into_response(),
            None => (StatusCode::NOT_FOUND, Json(json!({"code": "payments.not_found", "detail": "None."})))
                .into_response(),
        }
    }
}

async fn authorize(State(payments): State<Payments>, Json(request): Json<AuthorizePayment>) -> Response {
    let mut books = payments.books.lock();
    let id = request.payment_id;
    if books.barred.contains(&id) {
        return problem("payments.voided", json!({}));
    }
    if books.payments.contains_key(&id) {
        return books.answer(id);
    }
    if request.method.method != "card" {
        return problem("payments.unsupported_method", json!({}));
    }
    let token = request.method.token;
    let (status, next_action, decline) = match token.as_str() {
        "tok_challenge" => {
            let url = format!("https://pay.example/challenges/{id}");
            (PaymentStatus::RequiresAction, Some(NextAction::Redirect { url }), None)
        }
        "tok_declined" | "tok_insufficient_funds" => {
            let reason = token.trim_start_matches("tok_").to_owned();
            let provider_reason = Some("05: do not honour".to_owned());
            (PaymentStatus::Failed, None, Some(Decline { reason, provider_reason }))
        }
        "tok_voided" => (PaymentStatus::Voided, None, None),
        "tok_unknown" | "tok_unknown_nothing" => (PaymentStatus::Unknown, None, None),
        _ => (PaymentStatus::Authorized, None, None),
    };
    let nothing = Money::zero(request.amount.currency);
    let payment = Payment {
        payment_id: id,
        order_id: request.order_id,
        status,
        amount: request.amount,
        captured: nothing,
        refunded: nothing,
        next_action,
        decline,
    };
    books.changes.push(PaymentChanged { order_id: payment.order_id, payment: payment.clone() });
    books.payments.insert(id, Entry { payment, token, refunds: HashMap::new() });
    books.answer(id)
}

async fn show(State(payments): State<Payments>, Path(id): Path<PaymentId>) -> Response {
    payments.books.lock().answer(id)
}

async fn capture(State(payments): State<Payments>, Path(id): Path<PaymentId>) -> Response {
    let mut books = payments.books.lock();
    match books.payments.get(&id).map(|entry| (entry.payment.status, entry.token.clone())) {
        Some((PaymentStatus::Authorized, token)) if token == "tok_capture_fails" => {
            books.turn(id, PaymentStatus::Failed);
        }
        Some((PaymentStatus::Authorized, _)) => drop(books.turn(id, PaymentStatus::Captured)),
        _ => {}
    }
    books.answer(id)
}

async fn void(State(payments): State<Payments>, Path(id): Path<PaymentId>) -> Response {
    let mut books = payments.books.lock();
    match books.payments.get(&id).map(|entry| entry.payment.status) {
        None => books.barred.push(id),
        Some(PaymentStatus::Authorized | PaymentStatus::RequiresAction) => {
            books.turn(id, PaymentStatus::Voided);
        }
        Some(_) => {}
    }
    books.answer(id)
}

async fn refund(
    State(payments): State<Payments>,
    Path(id): Path<PaymentId>,
    Json(request): Json<RefundPayment>,
) -> Response {
    let mut books = payments.books.lock();
    let Some(entry) = books.payments.get_mut(&id) else { return books.answer(id) };
    let payment = &mut entry.payment;
    let left = payment.captured.amount - payment.refunded.amount;
    if let Vacant(refund) = entry.refunds.entry(request.refund_id) {
        if request.amount.amount > left {
            return problem("payments.refund_exceeds_captured", json!({}));
        }
        refund.insert(request.amount);
        payment.refunded.amount += request.amount.amount;
        payment.status = if payment.refunded == payment.captured {
            PaymentStatus::Refunded
        } else {
            PaymentStatus::PartiallyRefunded
        };
        let payment = payment.clone();
        books.refunds.push(RefundChanged {
            order_id: payment.order_id,
            payment_id: id,
            refund_id: request.refund_id,
            amount: request.amount,
            status: "succeeded".into(),
        });
        books.changes.push(PaymentChanged { order_id: payment.order_id, payment });
    }
    books.answer(id)
}
