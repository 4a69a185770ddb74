use contracts::customers::CustomerErased;
use database::Row;
use serde_json::json;
use testkit::TestDatabase;

use crate::stack::{Call, Held, Stack, customer};
use crate::{buy, checkout, put, text, work_until};

testkit::on_both_engines! {
    async fn erasing_a_person_leaves_the_order_and_takes_the_rest(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let bought = buy(&stack, &service, 1).await;
        let path = format!("/v1/orders/{}", text(&bought["order"]["id"]));
        let variant = stack.catalog.stock_of(1);
        put(&service, 1, variant, 3).await;
        let waiting =
            Call::post("/v1/checkouts").customer(1).json(checkout("tok_challenge")).send(&service).await.ok(201);
        stack.vault.destroy(customer(1).uuid()).await.unwrap();
        stack.customers.erase(customer(1));
        for _ in 0..2 {
            stack.deliver(&service, &CustomerErased { customer_id: customer(1) }).await;
        }
        let order = Call::get(&path).customer(1).send(&service).await.ok(200);
        assert_eq!((&order["shipping_address"], &order["email"], &order["note"]), (&json!(null), &json!(null), &json!(null)));
        assert_eq!(order["totals"], bought["order"]["totals"]);
        assert_eq!(order["lines"], bought["order"]["lines"]);
        let cart = Call::get("/v1/carts/me").customer(1).send(&service).await.ok(200);
        assert_eq!(cart["items"], json!([]));
        let waiting = text(&waiting["order"]["id"]).parse().unwrap();
        work_until(&service, async || stack.payments.of_order(waiting) == Held::Nothing).await;
        assert_eq!(stack.catalog.available(variant), 98);
        // Nothing can be sealed for them any more.
        put(&service, 1, variant, 1).await;
        let refused = Call::post("/v1/checkouts").customer(1).json(checkout("tok_visa")).send(&service).await;
        assert_eq!(refused.refusal(), (410, "vault.erased"));
    }

    async fn who_they_are_lies_nowhere_in_the_clear(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let variant = stack.catalog.stock(1, 1_000, 100);
        put(&service, 1, variant, 2).await;
        let cart = Call::put(format!("/v1/carts/me/items/{variant}")).json(json!({"quantity": 1}));
        let cart = cart.send(&service).await.ok(200);
        let mut as_guest = checkout("tok_visa");
        as_guest["cart_id"] = cart["id"].clone();
        as_guest["email"] = json!("guest@people.example");
        let hers = || Call::post("/v1/checkouts").customer(1).json(checkout("tok_visa")).header("idempotency-key", "k");
        let his = || Call::post("/v1/checkouts").json(as_guest.clone()).header("idempotency-key", "k");
        let (first, guests) = (hers().send(&service).await.ok(201), his().send(&service).await.ok(201));
        assert_eq!(first["order"]["shipping_address"]["line1"], "Rua das Flores 1");
        let cancel = Call::post(format!("/v1/orders/{}/cancel", text(&guests["order"]["id"])));
        let cancel = cancel.header("souk-order-token", text(&guests["guest_token"])).header("idempotency-key", "c");
        cancel.json(json!({"reason": "too blue"})).send(&service).await.ok(200);
        // Answers that are kept for repetitions included.
        assert_eq!((hers().send(&service).await.ok(201), his().send(&service).await.ok(201)), (first, guests.clone()));
        assert_eq!(rows(&stack, "platform_idempotency").await.len(), 3);
        for secret in ["Rua das Flores", "guest@people.example", "too blue", text(&guests["guest_token"])] {
            assert_eq!(tables_with(&stack, secret).await, Vec::<String>::new(), "{secret}");
        }
        assert_ne!(tables_with(&stack, text(&guests["order"]["number"])).await, Vec::<String>::new(), "the search finds");
        stack.deliver(&service, &CustomerErased { customer_id: customer(1) }).await;
        assert_eq!(rows(&stack, "platform_idempotency").await.len(), 2);
    }

    async fn everything_that_is_held_about_a_person_is_told(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        for _ in 0..3 {
            buy(&stack, &service, 1).await;
        }
        buy(&stack, &service, 2).await;
        put(&service, 1, stack.catalog.stock_of(1), 4).await;
        let channel = web::channel::local("customers", "orders", service.internal());
        let export = contracts::orders::Client::new(channel).export(customer(1)).await.unwrap();
        assert_eq!(export["cart"]["items"][0]["quantity"], 4);
        let orders = export["orders"].as_array().unwrap();
        assert_eq!(orders.len(), 3);
        assert_eq!(orders[0]["details"]["shipping_address"]["line1"], "Rua das Flores 1");
        assert_eq!(orders[0]["lines"][0]["quantity"], 2);
    }
}

async fn rows(stack: &Stack, table: &str) -> Vec<Row> {
    let mut reader = stack.database.read_primary().await.unwrap();
    reader.fetch_all(&format!("SELECT * FROM {table}"), &[]).await.unwrap()
}

/// Every table that holds `text`, as text or as bytes.
async fn tables_with(stack: &Stack, text: &str) -> Vec<String> {
    let bytes = format!("{:?}", text.as_bytes());
    let bytes = bytes.trim_matches(['[', ']']);
    let columns = stack.database.schema_columns().await.unwrap();
    let mut tables: Vec<String> = columns.into_iter().map(|(table, _)| table).collect();
    tables.dedup();
    tables.extend(["outbox", "inbox", "due", "idempotency"].map(|name| format!("platform_{name}")));
    let mut found = Vec::new();
    for table in tables {
        let held = format!("{:?}", rows(stack, &table).await);
        if held.contains(text) || held.contains(bytes) {
            found.push(table);
        }
    }
    found
}

#[tokio::test]
async fn the_export_is_not_for_the_world() {
    let stack = Stack::new().await;
    let service = stack.service().await;
    let path = format!("/internal/orders/customers/{}/export", customer(1));
    let refused = Call::get(&path).customer(1).send_to(service.internal()).await;
    assert!(matches!(refused.status.as_u16(), 401 | 403), "{}", refused.body);
    assert_eq!(Call::get(&path).customer(1).send(&service).await.status, 404);
}
