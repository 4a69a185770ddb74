//! Journeys over HTTP on the service's own router, with its real database, vault and mail folder.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use orders::{Config, Service};

mod cancellations;
mod carts;
mod checkouts;
mod currencies;
mod history;
mod imports;
mod mails;
mod people;
mod shipments;
mod stack;

use serde_json::{Value, json};
use stack::{Call, Stack};

/// Puts `quantity` of a variant into a customer's cart.
async fn put(service: &Service, customer: u128, variant: kernel::VariantId, quantity: i64) -> Value {
    Call::put(format!("/v1/carts/me/items/{variant}"))
        .customer(customer)
        .json(json!({"quantity": quantity}))
        .send(service)
        .await
        .ok(200)
}

/// What is sent to check out.
fn checkout(token: &str) -> Value {
    json!({
        "shipping_address": {
            "name": "Maria Santos", "line1": "Rua das Flores 1", "city": "Porto", "postal_code": "4050-262",
            "country": "PT",
        },
        "payment": {"method": "card", "token": token},
    })
}

/// A customer buys two of a variant that costs ten; the answer to the checkout.
async fn buy(stack: &Stack, service: &Service, customer: u128) -> Value {
    let variant = stack.catalog.stock(1, 1_000, 100);
    put(service, customer, variant, 2).await;
    Call::post("/v1/checkouts").customer(customer).json(checkout("tok_visa")).send(service).await.ok(201)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

/// Lets the workers run until `done`, looking again every few milliseconds.
async fn work_until(service: &Service, mut done: impl AsyncFnMut() -> bool) {
    let shutdown = host::Shutdown::new();
    let mut working = tokio::task::JoinSet::new();
    for worker in service.workers() {
        working.spawn(worker.run(shutdown.clone()));
    }
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while !done().await {
        assert!(tokio::time::Instant::now() < deadline, "the work is not done");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    shutdown.set();
    working.join_all().await;
}
