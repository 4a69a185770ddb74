use contracts::payments::{PaymentStatus, RefundChanged};
use serde_json::{Value, json};
use testkit::TestDatabase;
use web::Role;

use crate::stack::{Call, Fault, Held, Shelf, Stack, staff};
use crate::{buy, checkout, put, text, work_until};

fn cancel(order: &Value, body: Value) -> Call {
    Call::post(format!("/v1/orders/{}/cancel", text(&order["id"]))).json(body)
}

testkit::on_both_engines! {
    async fn a_cancelled_order_gives_money_and_goods_back(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let bought = buy(&stack, &service, 1).await;
        let order = &bought["order"];
        let body = json!({"reason": "I changed my mind"});
        let stale = cancel(order, body.clone()).customer(1).header("if-match", "\"1\"").send(&service).await;
        assert_eq!(stale.refusal(), (412, "precondition.failed"));
        let once = || cancel(order, body.clone()).customer(1).header("idempotency-key", "c-1");
        let first = once().header("if-match", "\"2\"").send(&service).await;
        let tag = first.header("etag").to_owned();
        let cancelled = first.ok(200);
        assert_eq!(tag, format!("\"{}\"", cancelled["version"]));
        assert_eq!((&cancelled["status"], &cancelled["payment_status"]), (&json!("cancelled"), &json!("refunded")));
        assert_eq!(cancelled["refunded"], cancelled["totals"]["total"]);
        assert_eq!(cancelled["cancellation"]["reason"], "requested_by_customer");
        assert_eq!(cancelled["cancellation"]["note"], "I changed my mind");
        assert_eq!(stack.catalog.reservations(), [Shelf::Restocked]);
        assert_eq!(stack.catalog.available(stack.catalog.stock_of(1)), 100);
        let again = once().header("if-match", "\"2\"").send(&service).await;
        assert_eq!((again.header("idempotency-replayed"), &again.body), ("true", &cancelled));
        // Without the key it is simply cancelled already.
        let again = cancel(order, json!({})).customer(1).send(&service).await.ok(200);
        assert_eq!(again["version"], cancelled["version"]);
        let told: Vec<String> = stack.told().await.into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(told.iter().filter(|kind| *kind == "orders.order_cancelled.v1").count(), 1);
        // The news of the refund that made it so arrives late and changes nothing.
        let (_, refunds) = stack.payments.take_events();
        assert_eq!(refunds.len(), 1);
        stack.deliver(&service, &refunds[0]).await;
        let now = cancel(order, json!({})).customer(1).send(&service).await.ok(200);
        assert_eq!(now["version"], cancelled["version"]);
    }

    async fn a_cancellation_outlives_a_service_that_is_away(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let bought = buy(&stack, &service, 1).await;
        stack.faults.always("payments", Some(Fault::Unreachable));
        stack.faults.always("catalog", Some(Fault::AnswerLost));
        let cancelled = cancel(&bought["order"], json!({})).customer(1).send(&service).await.ok(200);
        assert_eq!((&cancelled["status"], &cancelled["payment_status"]), (&json!("cancelled"), &json!("captured")));
        stack.faults.always("payments", None);
        stack.faults.always("catalog", None);
        stack.advance(60);
        let id = text(&cancelled["id"]).parse().unwrap();
        work_until(&service, async || {
            stack.payments.of_order(id) == Held::GivenBack && stack.catalog.reservations() == [Shelf::Restocked]
        })
        .await;
    }
}

#[tokio::test]
async fn money_that_is_taken_after_a_cancellation_goes_back() {
    let stack = Stack::new().await;
    let service = stack.service().await;
    let variant = stack.catalog.stock(1, 1_000, 10);
    put(&service, 1, variant, 1).await;
    let pending =
        Call::post("/v1/checkouts").customer(1).json(checkout("tok_challenge")).send(&service).await.ok(201);
    let given_up = cancel(&pending["order"], json!({})).customer(1).send(&service).await.ok(200);
    assert_eq!(given_up["status"], "cancelled");
    assert_eq!(stack.catalog.available(variant), 10);
    let id = text(&pending["order"]["id"]).parse().unwrap();
    let event = stack.payments.turn(id, PaymentStatus::Captured);
    stack.deliver(&service, &event).await;
    work_until(&service, async || stack.payments.of_order(id) == Held::GivenBack).await;
    assert_eq!(Call::get("/v1/orders").customer(1).send(&service).await.ok(200)["data"], json!([]));
}

#[tokio::test]
async fn staff_cancel_and_others_may_not() {
    let stack = Stack::new().await;
    let service = stack.service().await;
    let bought = buy(&stack, &service, 1).await;
    let order = &bought["order"];
    let wrong = cancel(order, json!({})).by(staff(&[Role::Support])).send(&service).await;
    assert_eq!(wrong.refusal(), (403, "auth.forbidden"));
    assert_eq!(cancel(order, json!({})).send(&service).await.refusal(), (401, "auth.missing"));
    let refused = cancel(order, json!({"why": "x"})).customer(1).send(&service).await;
    assert_eq!(refused.body["errors"][0]["pointer"], "/why");
    let absent = Call::post("/v1/orders/ord_01h455vb4pex5vsknk084sn02q/cancel").customer(1).json(json!({}));
    assert_eq!(absent.send(&service).await.refusal(), (404, "orders.not_found"));
    let cancelled = cancel(order, json!({})).by(staff(&[Role::Orders])).send(&service).await.ok(200);
    assert_eq!(cancelled["cancellation"]["reason"], "requested_by_staff");
}

testkit::on_both_engines! {
    async fn refunds_are_counted_once_and_taken_back_when_they_fail(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let bought = buy(&stack, &service, 1).await;
        let payment = stack.payments.all().remove(0);
        let read = async || {
            let path = format!("/v1/orders/{}", text(&bought["order"]["id"]));
            let order = Call::get(path).customer(1).send(&service).await.ok(200);
            (text(&order["payment_status"]).to_owned(), order["refunded"]["amount"].as_i64().unwrap())
        };
        let refund = |number: u128, amount: i64, status: &str| RefundChanged {
            order_id: payment.order_id,
            payment_id: payment.payment_id,
            refund_id: kernel::RefundId::from_uuid(uuid::Uuid::from_u128(number)),
            amount: kernel::Money::new(amount, kernel::Currency::EUR),
            status: status.into(),
        };
        let total = payment.amount.amount;
        for (event, expected) in [
            (refund(1, 500, "pending"), ("captured", 0)),
            (refund(1, 500, "succeeded"), ("partially_refunded", 500)),
            (refund(1, 500, "succeeded"), ("partially_refunded", 500)),
            (refund(2, total - 500, "succeeded"), ("refunded", total)),
            (refund(2, total - 500, "failed"), ("partially_refunded", 500)),
            (refund(2, total - 500, "failed"), ("partially_refunded", 500)),
            (refund(1, 500, "failed"), ("captured", 0)),
        ] {
            stack.deliver(&service, &event).await;
            assert_eq!(read().await, (expected.0.to_owned(), expected.1), "{event:?}");
        }
        let other = RefundChanged {
            payment_id: kernel::PaymentId::from_uuid(uuid::Uuid::nil()),
            ..refund(3, 500, "succeeded")
        };
        stack.deliver(&service, &other).await;
        assert_eq!(read().await, ("captured".to_owned(), 0));
    }
}
