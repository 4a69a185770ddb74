use contracts::payments::PaymentStatus;
use kernel::OrderId;
use serde_json::{Value, json};
use testkit::TestDatabase;

use crate::stack::{Answer, Call, Fault, Held, Shelf, Stack};
use crate::{Service, checkout, put, text, work_until};

fn pay(customer: u128, token: &str) -> Call {
    Call::post("/v1/checkouts").customer(customer).json(checkout(token))
}

fn order_id(checkout: &Value) -> OrderId {
    text(&checkout["order"]["id"]).parse().unwrap()
}

async fn orders(service: &Service, customer: u128) -> Vec<Value> {
    let page = Call::get("/v1/orders").customer(customer).send(service).await.ok(200);
    page["data"].as_array().unwrap().clone()
}

async fn order(service: &Service, customer: u128, id: OrderId) -> Value {
    Call::get(format!("/v1/orders/{id}")).customer(customer).send(service).await.ok(200)
}

testkit::on_both_engines! {
    async fn a_customer_buys(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let (a, b) = (stack.catalog.stock(1, 1_200, 10), stack.catalog.stock(2, 2_500, 10));
        put(&service, 1, a, 2).await;
        put(&service, 1, b, 1).await;
        let answer = pay(1, "tok_visa").send(&service).await;
        let location = answer.header("location").to_owned();
        let body = answer.ok(201);
        let order = &body["order"];
        assert_eq!(location, format!("/v1/orders/{}", text(&order["id"])));
        assert_eq!(order["status"], "placed");
        assert_eq!(order["payment_status"], "captured");
        assert_eq!(order["fulfilment_status"], "unfulfilled");
        assert_eq!(body["payment"]["status"], "captured");
        assert_eq!(body["payment"]["amount"], order["totals"]["total"]);
        assert_eq!((&body["next_action"], &body["guest_token"]), (&json!(null), &json!(null)));
        let eur = |amount: i64| json!({"amount": amount, "currency": "EUR"});
        // 20 % of tax is contained in 49.00, from which on sending is for nothing.
        assert_eq!(
            order["totals"],
            json!({
                "subtotal": eur(4_900), "discount": eur(0), "shipping": eur(0), "tax": eur(817),
                "total": eur(4_900),
            })
        );
        assert_eq!(order["lines"][0]["title"], "Lipstick, Shade 1");
        assert_eq!(order["lines"][0]["total"], eur(2_400));
        assert_eq!(order["shipping_address"]["city"], "Porto");
        assert!(text(&order["number"]).starts_with("S-"));
        assert_eq!((stack.catalog.available(a), stack.catalog.available(b)), (8, 9));
        assert_eq!(stack.payments.of_order(order_id(&body)), Held::Taken);
        let cart = Call::get("/v1/carts/me").customer(1).send(&service).await.ok(200);
        assert_eq!(cart["items"], json!([]));
        let history = orders(&service, 1).await;
        assert_eq!((history.len(), &history[0]["id"]), (1, &order["id"]));
        let kinds: Vec<String> = stack.told().await.into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, ["orders.order_placed.v1", "orders.order_changed.v1"]);
        let again = pay(1, "tok_visa").send(&service).await;
        assert_eq!(again.refusal(), (409, "orders.cart_empty"));
    }

    async fn two_checkouts_of_one_cart_at_once_are_one_order(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let variant = stack.catalog.stock(1, 1_000, 10);
        put(&service, 1, variant, 2).await;
        let answers: [Answer; 3] = tokio::join!(
            pay(1, "tok_visa").send(&service),
            pay(1, "tok_visa").send(&service),
            pay(1, "tok_other").send(&service),
        )
        .into();
        let bought: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert!(!bought.is_empty(), "{answers:?}");
        assert!(bought.iter().all(|answer| answer.body["order"]["id"] == bought[0].body["order"]["id"]));
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            let refusal = answer.refusal();
            assert!(
                matches!(refusal, (409, "orders.checkout_in_progress" | "orders.cart_empty")),
                "{refusal:?}"
            );
        }
        assert_eq!(orders(&service, 1).await.len(), 1);
        assert_eq!(stack.catalog.available(variant), 8);
        assert_eq!(stack.payments.all().len(), 1);
    }

    async fn the_last_one_is_sold_once(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let variant = stack.catalog.stock(1, 1_000, 1);
        for customer in 1..=4 {
            put(&service, customer, variant, 1).await;
        }
        let answers: [Answer; 4] = tokio::join!(
            pay(1, "tok_visa").send(&service),
            pay(2, "tok_visa").send(&service),
            pay(3, "tok_visa").send(&service),
            pay(4, "tok_visa").send(&service),
        )
        .into();
        let bought = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(bought, 1, "{answers:?}");
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            assert_eq!(answer.refusal(), (409, "orders.out_of_stock"));
            assert_eq!(answer.body["lines"][0]["variant_id"], json!(variant));
        }
        assert_eq!(stack.payments.all().len(), 1);
    }

    async fn the_same_request_buys_once(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let variant = stack.catalog.stock(1, 1_000, 10);
        put(&service, 1, variant, 1).await;
        let once = || pay(1, "tok_visa").header("idempotency-key", "k-1");
        let first = once().send(&service).await.ok(201);
        let again = once().send(&service).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.ok(201), first);
        let other = pay(1, "tok_other").header("idempotency-key", "k-1").send(&service).await;
        assert_eq!(other.refusal(), (422, "idempotency.key_reused"));
        assert_eq!(orders(&service, 1).await.len(), 1);
        // Somebody else may use the same key.
        put(&service, 2, variant, 1).await;
        let theirs = pay(2, "tok_visa").header("idempotency-key", "k-1").send(&service).await.ok(201);
        assert_ne!(theirs["order"]["id"], first["order"]["id"]);
    }

    async fn a_challenge_is_waited_for(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let variant = stack.catalog.stock(1, 1_000, 10);
        put(&service, 1, variant, 2).await;
        let body = pay(1, "tok_challenge").send(&service).await.ok(201);
        assert_eq!(body["order"]["status"], "pending");
        assert_eq!(body["order"]["payment_status"], "requires_action");
        assert_eq!(body["next_action"]["type"], "redirect");
        assert_eq!(orders(&service, 1).await, [] as [Value; 0]);
        let id = order_id(&body);
        assert_eq!(order(&service, 1, id).await["status"], "pending");
        let other = Call::get(format!("/v1/orders/{id}")).customer(2).send(&service).await;
        assert_eq!(other.refusal(), (404, "orders.not_found"));
        // Asked again in the same way it is the same checkout.
        assert_eq!(pay(1, "tok_challenge").send(&service).await.ok(201)["order"]["id"], body["order"]["id"]);
        // What is put into the cart meanwhile is neither bought nor lost.
        put(&service, 1, variant, 5).await;
        let event = stack.payments.turn(id, PaymentStatus::Authorized);
        stack.deliver(&service, &event).await;
        work_until(&service, async || order(&service, 1, id).await["payment_status"] == "captured").await;
        let placed = order(&service, 1, id).await;
        assert_eq!((&placed["status"], &placed["lines"][0]["quantity"]), (&json!("placed"), &json!(2)));
        let cart = Call::get("/v1/carts/me").customer(1).send(&service).await.ok(200);
        assert_eq!(cart["items"][0]["quantity"], 3);
        assert_eq!(stack.catalog.available(variant), 8);
    }

    async fn a_challenge_that_is_left_alone_ends_without_an_order(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let variant = stack.catalog.stock(1, 1_000, 10);
        put(&service, 1, variant, 2).await;
        let body = pay(1, "tok_challenge").send(&service).await.ok(201);
        assert_eq!(stack.catalog.available(variant), 8);
        stack.advance(30 * 60);
        work_until(&service, async || stack.catalog.available(variant) == 10).await;
        assert_eq!(stack.payments.of_order(order_id(&body)), Held::Nothing);
        assert_eq!(orders(&service, 1).await, [] as [Value; 0]);
        let ended = order(&service, 1, order_id(&body)).await;
        assert_eq!(ended["status"], "cancelled");
        let events = Call::get(format!("/v1/orders/{}/events", order_id(&body))).customer(1);
        assert_eq!(events.send(&service).await.ok(200)["data"], json!([]));
        // The cart is as it was, and can be paid for.
        assert_eq!(pay(1, "tok_visa").send(&service).await.ok(201)["order"]["status"], "placed");
    }

    async fn another_way_to_pay_takes_the_place_of_one_that_waits(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let variant = stack.catalog.stock(1, 1_000, 3);
        put(&service, 1, variant, 1).await;
        let waiting = pay(1, "tok_challenge").send(&service).await.ok(201);
        let bought = pay(1, "tok_visa").send(&service).await.ok(201);
        assert_ne!(waiting["order"]["id"], bought["order"]["id"]);
        work_until(&service, async || stack.catalog.available(variant) == 2).await;
        assert_eq!(stack.payments.of_order(order_id(&waiting)), Held::Nothing);
        // Paying for the one that was given up comes too late, and what is set aside is let go.
        let event = stack.payments.turn(order_id(&waiting), PaymentStatus::Authorized);
        stack.deliver(&service, &event).await;
        work_until(&service, async || stack.payments.of_order(order_id(&waiting)) == Held::Nothing).await;
        assert_eq!(orders(&service, 1).await.len(), 1);
    }
}

#[tokio::test]
async fn a_guest_buys_with_an_email_and_reads_the_order_with_its_token() {
    let stack = Stack::new().await;
    let service = stack.service().await;
    let variant = stack.catalog.stock(1, 1_000, 10);
    let put = Call::put(format!("/v1/carts/me/items/{variant}")).json(json!({"quantity": 1}));
    let cart = put.send(&service).await.ok(200);
    let mut body = checkout("tok_visa");
    body["cart_id"] = cart["id"].clone();
    let refused = Call::post("/v1/checkouts").json(body.clone()).send(&service).await;
    assert_eq!(refused.refusal(), (400, "request.validation"));
    assert_eq!(refused.body["errors"][0]["pointer"], "/email");
    body["email"] = json!("guest@people.example");
    let bought = Call::post("/v1/checkouts").json(body).send(&service).await.ok(201);
    assert_eq!(bought["order"]["customer_id"], json!(null));
    let path = format!("/v1/orders/{}", text(&bought["order"]["id"]));
    let token = text(&bought["guest_token"]);
    let by_query = Call::get(format!("{path}?token={token}")).send(&service).await.ok(200);
    let by_header = Call::get(&path).header("souk-order-token", token).send(&service).await.ok(200);
    assert_eq!((&by_query["email"], &by_header), (&json!("guest@people.example"), &by_query));
    assert_eq!(Call::get(&path).send(&service).await.refusal(), (401, "auth.missing"));
    let wrong = Call::get(format!("{path}?token=0{token}")).send(&service).await;
    assert_eq!(wrong.refusal(), (404, "orders.not_found"));
    let signed_in = Call::get(format!("{path}?token={token}")).customer(1).send(&service).await;
    assert_eq!(signed_in.ok(200), by_query);
    let signed_in = Call::get(&path).customer(1).send(&service).await;
    assert_eq!(signed_in.refusal(), (404, "orders.not_found"));
    let cancelled =
        Call::post(format!("{path}/cancel?token={token}")).json(json!({})).send(&service).await.ok(200);
    assert_eq!(
        (&cancelled["status"], &cancelled["payment_status"]),
        (&json!("cancelled"), &json!("refunded"))
    );
}

#[tokio::test]
async fn a_refused_payment_gives_everything_back() {
    let stack = Stack::new().await;
    let service = stack.service().await;
    let variant = stack.catalog.stock(1, 1_000, 10);
    put(&service, 1, variant, 2).await;
    let declined = pay(1, "tok_insufficient_funds").send(&service).await;
    assert_eq!(declined.refusal(), (402, "payments.declined"));
    assert_eq!(declined.body["reason"], "insufficient_funds");
    assert_eq!(declined.body["provider_reason"], "05: do not honour");
    let mut body = checkout("tok_visa");
    body["payment"]["method"] = json!("cowries");
    let refused = Call::post("/v1/checkouts").customer(1).json(body).send(&service).await;
    assert_eq!(refused.refusal(), (422, "orders.payment_refused"));
    assert_eq!(stack.catalog.available(variant), 10);
    assert_eq!(stack.catalog.reservations(), [Shelf::Ended, Shelf::Ended]);
    assert_eq!(orders(&service, 1).await, [] as [Value; 0]);
    assert!(stack.told().await.is_empty());
    // The cart is still there for another card.
    pay(1, "tok_visa").send(&service).await.ok(201);
}

#[tokio::test]
async fn what_there_is_too_little_of_is_named() {
    let stack = Stack::new().await;
    let service = stack.service().await;
    let (a, b) = (stack.catalog.stock(1, 1_000, 10), stack.catalog.stock(2, 1_000, 1));
    put(&service, 1, a, 1).await;
    put(&service, 1, b, 3).await;
    let refused = pay(1, "tok_visa").send(&service).await;
    assert_eq!(refused.refusal(), (409, "orders.out_of_stock"));
    assert_eq!(refused.body["lines"], json!([{"variant_id": b, "requested": 3, "available": 1}]));
    put(&service, 1, b, 1).await;
    // The shelf empties after the look at it: the reservation says so.
    stack.catalog.oversell(a);
    let refused = pay(1, "tok_visa").send(&service).await;
    assert_eq!(refused.body["lines"], json!([{"variant_id": a, "requested": 1, "available": 0}]));
    assert!(stack.payments.all().is_empty());
}

#[tokio::test]
async fn a_service_that_is_away_costs_nothing() {
    let stack = Stack::new().await;
    let service = stack.service().await;
    let variant = stack.catalog.stock(1, 1_000, 10);
    put(&service, 1, variant, 1).await;
    let once = || pay(1, "tok_visa").header("idempotency-key", "k-2");
    for (away, fault, expected) in [
        ("catalog", Fault::Unreachable, (503, "service.unavailable")),
        ("catalog", Fault::AnswerLost, (504, "request.timeout")),
        ("payments", Fault::Unreachable, (503, "service.unavailable")),
    ] {
        stack.faults.always(away, Some(fault));
        let answer = once().send(&service).await;
        assert_eq!(answer.refusal(), expected, "{away} {fault:?}");
        assert_ne!(answer.header("retry-after"), "");
        stack.faults.always(away, None);
        stack.advance(3_600);
        work_until(&service, async || stack.catalog.available(variant) == 10).await;
    }
    // The same request may be sent again, and buys once.
    let bought = once().send(&service).await.ok(201);
    assert_eq!(once().send(&service).await.ok(201), bought);
    assert_eq!(orders(&service, 1).await.len(), 1);
}

#[tokio::test]
async fn a_payment_of_unknown_outcome_is_resolved_and_never_guessed() {
    let stack = Stack::new().await;
    let service = stack.service().await;
    let variant = stack.catalog.stock(1, 1_000, 10);
    put(&service, 1, variant, 1).await;
    stack.faults.always("payments", Some(Fault::AnswerLost));
    let pending = pay(1, "tok_visa").send(&service).await.ok(201);
    assert_eq!(
        (&pending["order"]["status"], &pending["payment"]["status"]),
        (&json!("pending"), &json!("unknown"))
    );
    stack.faults.always("payments", None);
    stack.advance(10);
    let id = order_id(&pending);
    work_until(&service, async || order(&service, 1, id).await["payment_status"] == "captured").await;
    assert_eq!(stack.payments.all().len(), 1);
}

#[tokio::test]
async fn what_is_asked_for_is_checked() {
    let stack = Stack::new().await;
    let service = stack.service().await;
    let cases: [(&str, Value); 9] = [
        ("/shipping_address", json!(null)),
        ("/shipping_address/name", json!("")),
        ("/shipping_address/country", json!("Portugal")),
        ("/payment/token", json!("")),
        ("/payment/token", json!("x".repeat(201))),
        ("/email", json!("nobody")),
        ("/note", json!("x".repeat(1_001))),
        ("/cart_id", json!("ord_01h455vb4pex5vsknk084sn02q")),
        ("/voucher", json!("FREE")),
    ];
    for (pointer, value) in cases {
        let mut body = checkout("tok_visa");
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value.clone();
        let refused = Call::post("/v1/checkouts").customer(1).json(body).send(&service).await;
        assert_eq!(refused.refusal(), (400, "request.validation"), "{pointer} {value}");
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{}", refused.body);
    }
    let empty = pay(1, "tok_visa").send(&service).await;
    assert_eq!(empty.refusal(), (409, "orders.cart_empty"));
    let mut number = checkout("4242424242424242");
    number["email"] = json!("a@people.example");
    let refused = Call::post("/v1/checkouts").json(number).send(&service).await;
    assert_eq!(refused.refusal(), (400, "request.card_number"));
}

#[tokio::test]
async fn a_repetition_after_a_crash_finds_its_order() {
    let stack = Stack::new().await;
    let variant = stack.catalog.stock(1, 1_000, 10);
    let service = stack.service().await;
    put(&service, 1, variant, 1).await;
    let once = || pay(1, "tok_visa").header("idempotency-key", "k-3");
    // The process dies over the capture, when the order is placed and the cart is empty.
    stack.faults.plan(3, Fault::CrashAfter);
    tokio::select! {
        answer = once().send(&service) => panic!("it lived: {answer:?}"),
        () = stack.faults.crashed() => {}
    }
    drop(service);
    let service = stack.another_process().await;
    assert_eq!(once().send(&service).await.refusal(), (409, "idempotency.in_flight"));
    stack.advance(61);
    let found = once().send(&service).await.ok(201);
    assert_eq!(found["order"]["payment_status"], "captured");
    assert_eq!(orders(&service, 1).await.len(), 1);

    assert_eq!(stack.catalog.reservations(), [Shelf::Committed]);
}

#[tokio::test]
async fn a_cart_that_is_being_checked_out_is_left_alone() {
    let stack = Stack::new().await;
    let variant = stack.catalog.stock(1, 1_000, 10);
    let service = stack.service().await;
    put(&service, 1, variant, 1).await;
    // The first request hangs over the reservation.
    stack.faults.plan(0, Fault::CrashBefore);
    let first = pay(1, "tok_visa").send(&service);
    tokio::pin!(first);
    tokio::select! {
        answer = &mut first => panic!("it did not hang: {answer:?}"),
        () = stack.faults.crashed() => {}
    }
    for token in ["tok_visa", "tok_other"] {
        let second = pay(1, token).send(&service).await;
        assert_eq!(second.refusal(), (409, "orders.checkout_in_progress"));
    }
    assert_eq!(stack.faults.calls(), ["POST catalog/reservations"]);
}

#[tokio::test]
async fn a_checkout_whose_payment_is_voided_ends_without_an_order() {
    let stack = Stack::new().await;
    let variant = stack.catalog.stock(1, 1_000, 10);
    let service = stack.service().await;
    put(&service, 1, variant, 1).await;
    let failed = pay(1, "tok_voided").send(&service).await;
    assert_eq!(failed.refusal(), (409, "orders.checkout_failed"));
    assert_eq!(stack.catalog.available(variant), 10);
}

#[tokio::test]
async fn a_checkout_that_came_to_nothing_is_forgotten_after_a_while() {
    let stack = Stack::new().await;
    let variant = stack.catalog.stock(1, 1_000, 10);
    let service = stack.service().await;
    put(&service, 1, variant, 1).await;
    let failed = pay(1, "tok_challenge").send(&service).await.ok(201);
    let path = format!("/v1/orders/{}", order_id(&failed));
    Call::post(format!("{path}/cancel")).customer(1).json(json!({})).send(&service).await.ok(200);
    let bought = pay(1, "tok_visa").send(&service).await.ok(201);
    stack.advance(91 * 86_400);
    let read = async || Call::get(&path).customer(1).send(&service).await;
    work_until(&service, async || read().await.refusal() == (404, "orders.not_found")).await;
    assert_eq!(order(&service, 1, order_id(&bought)).await["status"], "placed");
}
