use serde_json::{Value, json};
use testkit::TestDatabase;
use web::Role;

use crate::stack::{Call, Stack, staff};
use crate::{buy, checkout, put, text};

fn ship(order: &Value, body: Value) -> Call {
    Call::post(format!("/v1/orders/{}/shipments", text(&order["id"]))).by(staff(&[Role::Orders])).json(body)
}

testkit::on_both_engines! {
    async fn an_order_is_sent_in_parts_and_then_completed(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let (a, b) = (stack.catalog.stock(1, 1_000, 10), stack.catalog.stock(2, 500, 10));
        put(&service, 1, a, 2).await;
        put(&service, 1, b, 1).await;
        let bought =
            Call::post("/v1/checkouts").customer(1).json(checkout("tok_visa")).send(&service).await.ok(201);
        let order = &bought["order"];
        let tracking = json!({"carrier": "DHL", "number": "JD01460", "url": "https://dhl.example/JD01460"});
        let part = json!({"lines": [{"variant_id": a, "quantity": 1}], "tracking": tracking});
        let once = || ship(order, part.clone()).header("idempotency-key", "s-1");
        let sent = once().send(&service).await.ok(201);
        assert_eq!((&sent["status"], &sent["fulfilment_status"]), (&json!("placed"), &json!("partially_fulfilled")));
        assert_eq!(sent["lines"][0]["fulfilled"], 1);
        assert_eq!(once().send(&service).await.header("idempotency-replayed"), "true");
        let too_much = json!({"lines": [{"variant_id": a, "quantity": 2}]});
        let refused = ship(order, too_much).send(&service).await;
        assert_eq!(refused.refusal(), (409, "orders.ships_too_much"));
        let stale = ship(order, json!({})).header("if-match", "\"1\"").send(&service).await;
        assert_eq!(stale.refusal(), (412, "precondition.failed"));
        let late = Call::post(format!("/v1/orders/{}/cancel", text(&order["id"]))).customer(1).json(json!({}));
        assert_eq!(late.send(&service).await.refusal(), (409, "orders.not_cancellable"));
        let sent = ship(order, json!({})).send(&service).await.ok(201);
        assert_eq!((&sent["status"], &sent["fulfilment_status"]), (&json!("completed"), &json!("fulfilled")));
        assert_eq!(ship(order, json!({})).send(&service).await.refusal(), (409, "orders.not_shippable"));
        let read = Call::get(format!("/v1/orders/{}", text(&order["id"]))).customer(1).send(&service).await.ok(200);
        let shipments = read["shipments"].as_array().unwrap();
        assert_eq!(shipments.len(), 2);
        assert_eq!(shipments[0]["tracking"], tracking);
        assert_eq!(
            shipments[1]["lines"],
            json!([{"variant_id": a, "quantity": 1}, {"variant_id": b, "quantity": 1}])
        );
        let told = stack.told().await;
        let (_, last) = told.iter().rfind(|(kind, _)| kind == "orders.order_changed.v1").unwrap();
        assert_eq!((&last["status"], &last["version"]), (&json!("completed"), &read["version"]));
    }
}

#[tokio::test]
async fn only_those_who_send_may_say_so() {
    let stack = Stack::new().await;
    let service = stack.service().await;
    let bought = buy(&stack, &service, 1).await;
    let order = &bought["order"];
    let path = format!("/v1/orders/{}/shipments", text(&order["id"]));
    let call = || Call::post(&path).json(json!({}));
    assert_eq!(call().send(&service).await.refusal(), (401, "auth.missing"));
    assert_eq!(call().customer(1).send(&service).await.refusal(), (403, "auth.forbidden"));
    let support = call().by(staff(&[Role::Support])).send(&service).await;
    assert_eq!(support.refusal(), (403, "auth.forbidden"));
    for (body, pointer) in [
        (json!({"lines": []}), "/lines"),
        (json!({"lines": [{"variant_id": stack.catalog.stock_of(1), "quantity": 0}]}), "/lines/0/quantity"),
        (json!({"tracking": {"carrier": "", "number": "1"}}), "/tracking/carrier"),
        (json!({"tracking": {"carrier": "DHL", "number": "1", "url": "http://x"}}), "/tracking/url"),
        (json!({"weight": 1}), "/weight"),
    ] {
        let refused = ship(order, body).send(&service).await;
        assert_eq!(refused.refusal(), (400, "request.validation"));
        assert_eq!(refused.body["errors"][0]["pointer"], pointer);
    }
    let absent = Call::post("/v1/orders/ord_01h455vb4pex5vsknk084sn02q/shipments").by(staff(&[Role::Orders]));
    assert_eq!(absent.json(json!({})).send(&service).await.refusal(), (404, "orders.not_found"));
}
