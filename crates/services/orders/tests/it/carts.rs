use kernel::{CartId, VariantId};
use serde_json::json;
use testkit::TestDatabase;
use uuid::Uuid;

use crate::stack::{Call, Stack, staff};
use crate::{buy, checkout, put, text, work_until};

async fn guest_put(
    service: &crate::Service,
    cart: &str,
    variant: VariantId,
    quantity: i64,
) -> crate::stack::Answer {
    Call::put(format!("/v1/carts/me/items/{variant}"))
        .header("souk-cart", cart)
        .json(json!({"quantity": quantity}))
        .send(service)
        .await
}

testkit::on_both_engines! {
    async fn a_guest_has_a_cart_that_only_its_id_opens(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let variant = stack.catalog.stock(1, 1_250, 10);
        let empty = Call::get("/v1/carts/me").send(&service).await;
        assert_eq!(empty.header("cache-control"), "no-store");
        let empty = empty.ok(200);
        assert_eq!((&empty["items"], &empty["version"]), (&json!([]), &json!(0)));
        assert_eq!(empty["subtotal"], json!({"amount": 0, "currency": "EUR"}));
        assert_eq!(empty["shipping"], json!({"amount": 0, "currency": "EUR"}));

        let put = Call::put(format!("/v1/carts/me/items/{variant}")).json(json!({"quantity": 3})).send(&service).await;
        let cookie = put.header("set-cookie").to_owned();
        for part in ["souk_cart=crt_", "; HttpOnly", "; SameSite=Lax", "; Secure", "; Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert_eq!(put.header("etag"), "\"1\"");
        let cart = put.ok(200);
        let id = text(&cart["id"]);
        assert_eq!(
            cart["items"],
            json!([{
                "variant_id": variant, "product_id": stack.catalog.product_of(1), "quantity": 3, "title": "Lipstick, Shade 1", "sku": "SKU-1",
                "unit_price": {"amount": 1250, "currency": "EUR"},
                "line_total": {"amount": 3750, "currency": "EUR"},
                "available": 10,
            }])
        );
        assert_eq!(cart["subtotal"]["amount"], 3_750);
        assert_eq!(cart["shipping"]["amount"], 490);

        let with_cookie = cookie.split(';').next().unwrap();
        for call in [
            Call::get(format!("/v1/carts/me?cart_id={id}")),
            Call::get("/v1/carts/me").header("souk-cart", id),
            Call::get("/v1/carts/me").header("cookie", with_cookie),
        ] {
            assert_eq!(call.send(&service).await.ok(200), cart);
        }
        let other = Call::get("/v1/carts/me").send(&service).await.ok(200);
        assert_ne!(other["id"], cart["id"]);
        assert_eq!(other["items"], json!([]));
        // The id that an empty cart was shown with may be used from then on.
        let used = guest_put(&service, text(&other["id"]), variant, 1).await.ok(200);
        assert_eq!(used["id"], other["id"]);
    }

    async fn a_customers_cart_is_never_opened_by_its_id(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let variant = stack.catalog.stock(1, 1_000, 10);
        let cart = put(&service, 1, variant, 2).await;
        let id = text(&cart["id"]);
        let seen = Call::get(format!("/v1/carts/me?cart_id={id}")).send(&service).await.ok(200);
        assert_ne!(text(&seen["id"]), id);
        let written = guest_put(&service, id, variant, 9).await.ok(200);
        assert_ne!(text(&written["id"]), id);
        let merged = Call::post("/v1/carts/me/merge").customer(2).json(json!({"cart_id": id}));
        assert_eq!(merged.send(&service).await.refusal(), (404, "orders.cart_not_found"));
        let mut body = checkout("tok_visa");
        body["cart_id"] = json!(id);
        let bought = Call::post("/v1/checkouts").customer(2).json(body.clone()).send(&service).await;
        assert_eq!(bought.refusal(), (404, "orders.cart_not_found"));
        body["email"] = json!("guest@people.example");
        let bought = Call::post("/v1/checkouts").json(body).send(&service).await;
        assert_eq!(bought.refusal(), (404, "orders.cart_not_found"));
        let mine = Call::get("/v1/carts/me").customer(1).send(&service).await.ok(200);
        assert_eq!(mine, cart);
    }

    async fn a_guests_cart_merges_when_they_sign_in(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let (a, b) = (stack.catalog.stock(1, 1_000, 10), stack.catalog.stock(2, 500, 10));
        put(&service, 1, a, 990).await;
        let id = CartId::from_uuid(Uuid::from_u128(77)).to_string();
        guest_put(&service, &id, a, 20).await.ok(200);
        guest_put(&service, &id, b, 3).await.ok(200);
        let merged = Call::get("/v1/carts/me").customer(1).header("cookie", format!("souk_cart={id}"));
        let merged = merged.send(&service).await;
        assert!(merged.header("set-cookie").starts_with("souk_cart=; Path=/; Max-Age=0"));
        let merged = merged.ok(200);
        assert_eq!(merged["items"][0]["quantity"], 999);
        assert_eq!(merged["items"][1]["quantity"], 3);
        // It is gone, so bringing it again adds nothing.
        let again = Call::get(format!("/v1/carts/me?cart_id={id}")).customer(1).send(&service).await.ok(200);
        assert_eq!(again, merged);
        let gone = Call::get(format!("/v1/carts/me?cart_id={id}")).send(&service).await.ok(200);
        assert_eq!(gone["items"], json!([]));

        let explicit = CartId::from_uuid(Uuid::from_u128(78)).to_string();
        guest_put(&service, &explicit, b, 1).await.ok(200);
        let merge = || Call::post("/v1/carts/me/merge").customer(1).json(json!({"cart_id": explicit}));
        let once = merge().header("idempotency-key", "m-1").send(&service).await;
        assert!(once.header("set-cookie").starts_with("souk_cart=;"));
        assert_eq!(once.body["items"][1]["quantity"], 4);
        let again = merge().header("idempotency-key", "m-1").send(&service).await;
        assert_eq!((again.header("idempotency-replayed"), &again.body), ("true", &once.body));
        assert_eq!(merge().send(&service).await.refusal(), (404, "orders.cart_not_found"));
    }

    async fn changes_are_counted_and_may_be_bound_to_a_version(db: TestDatabase) {
        let stack = Stack::with(db).await;
        let service = stack.service().await;
        let variant = stack.catalog.stock(1, 1_000, 10);
        put(&service, 1, variant, 2).await;
        let path = format!("/v1/carts/me/items/{variant}");
        let change = |version: &str| {
            Call::put(&path).customer(1).header("if-match", version).json(json!({"quantity": 5}))
        };
        let stale = change("\"7\"").send(&service).await;
        assert_eq!(stale.refusal(), (412, "precondition.failed"));
        assert_eq!(stale.body["current_version"], 1);
        assert_eq!(change("\"1\"").send(&service).await.ok(200)["version"], 2);
        // The same again changes nothing.
        assert_eq!(put(&service, 1, variant, 5).await["version"], 2);
        let stale = Call::delete(&path).customer(1).header("if-match", "\"1\"").send(&service).await;
        assert_eq!(stale.refusal(), (412, "precondition.failed"));
        let emptied = Call::delete(&path).customer(1).send(&service).await.ok(200);
        assert_eq!((&emptied["items"], &emptied["version"]), (&json!([]), &json!(3)));
        let zero = put(&service, 1, variant, 0).await;
        assert_eq!(zero["version"], 3);
    }
}

#[tokio::test]
async fn limits_are_told() {
    let stack = Stack::new().await;
    let service = stack.service().await;
    let variant = stack.catalog.stock(1, 1_000, 10);
    let path = format!("/v1/carts/me/items/{variant}");
    for quantity in [json!(-1), json!(1_000), json!("2"), json!(null)] {
        let refused = Call::put(&path).customer(1).json(json!({"quantity": quantity})).send(&service).await;
        assert_eq!(refused.refusal(), (400, "request.validation"), "{quantity}");
        assert_eq!(refused.body["errors"][0]["pointer"], "/quantity");
    }
    let unknown = Call::put(&path).customer(1).json(json!({"quantity": 1, "price": 1})).send(&service).await;
    assert_eq!(unknown.body["errors"][0]["pointer"], "/price");
    let nothing = VariantId::from_uuid(Uuid::from_u128(5));
    let refused =
        Call::put(format!("/v1/carts/me/items/{nothing}")).json(json!({"quantity": 1})).send(&service).await;
    assert_eq!(refused.refusal(), (422, "orders.unknown_variant"));
    let refused = Call::put("/v1/carts/me/items/7").json(json!({"quantity": 1})).send(&service).await;
    assert_eq!(refused.refusal(), (404, "request.bad_id"));
    let refused = Call::get("/v1/carts/me?cart_id=7").send(&service).await;
    assert_eq!(refused.refusal(), (400, "request.validation"));
    let refused = Call::get("/v1/carts/me").by(staff(&[web::Role::Orders])).send(&service).await;
    assert_eq!(refused.refusal(), (403, "auth.forbidden"));
    let refused = Call::post("/v1/carts/me/merge").json(json!({"cart_id": "crt_01h455vb4pex5vsknk084sn02q"}));
    assert_eq!(refused.send(&service).await.refusal(), (401, "auth.missing"));

    for number in 100..200 {
        put(&service, 2, stack.catalog.stock(number, 100, 1), 1).await;
    }
    let path = format!("/v1/carts/me/items/{variant}");
    let full = Call::put(path).customer(2).json(json!({"quantity": 1})).send(&service).await;
    assert_eq!(full.refusal(), (409, "orders.cart_full"));
}

#[tokio::test]
async fn what_is_no_longer_for_sale_is_shown_without_a_price() {
    let stack = Stack::new().await;
    let service = stack.service().await;
    let (a, b) = (stack.catalog.stock(1, 1_000, 10), stack.catalog.stock(2, 500, 10));
    put(&service, 1, a, 1).await;
    put(&service, 1, b, 1).await;
    stack.catalog.withdraw(a);
    let cart = Call::get("/v1/carts/me").customer(1).send(&service).await.ok(200);
    assert_eq!(cart["items"][0]["unit_price"], json!(null));
    assert_eq!(cart["items"][0]["available"], 0);
    assert_eq!(cart["subtotal"]["amount"], 500);
    let refused = Call::post("/v1/checkouts").customer(1).json(checkout("tok_visa")).send(&service).await;
    assert_eq!(refused.refusal(), (409, "orders.out_of_stock"));
    assert_eq!(refused.body["lines"], json!([{"variant_id": a, "requested": 1, "available": 0}]));
}

#[tokio::test]
async fn a_guests_cart_that_is_used_again_is_not_taken_for_one_that_was_bought() {
    let stack = Stack::new().await;
    let service = stack.service().await;
    let variant = stack.catalog.stock(1, 1_000, 10);
    let id = CartId::from_uuid(Uuid::from_u128(79)).to_string();
    guest_put(&service, &id, variant, 1).await.ok(200);
    let buy = || {
        let mut body = checkout("tok_visa");
        body["cart_id"] = json!(id);
        body["email"] = json!("guest@people.example");
        Call::post("/v1/checkouts").json(body)
    };
    let first = buy().send(&service).await.ok(201);
    // Signing in takes the cart away; afterwards the browser comes back with the old cookie.
    Call::get(format!("/v1/carts/me?cart_id={id}")).customer(1).send(&service).await.ok(200);
    guest_put(&service, &id, variant, 1).await.ok(200);
    let second = buy().send(&service).await.ok(201);
    assert_ne!(first["order"]["id"], second["order"]["id"]);
}

#[tokio::test]
async fn idle_carts_of_guests_are_thrown_away_and_others_stay() {
    let stack = Stack::new().await;
    let service = stack.service().await;
    let variant = stack.catalog.stock(1, 1_000, 10);
    let (old, new) = (CartId::from_uuid(Uuid::from_u128(80)), CartId::from_uuid(Uuid::from_u128(81)));
    guest_put(&service, &old.to_string(), variant, 1).await.ok(200);
    put(&service, 1, variant, 1).await;
    stack.advance(31 * 86_400);
    guest_put(&service, &new.to_string(), variant, 1).await.ok(200);
    let path = |id: CartId| format!("/v1/carts/me?cart_id={id}");
    let is_gone = async || Call::get(path(old)).send(&service).await.ok(200)["items"] == json!([]);
    work_until(&service, is_gone).await;
    assert_eq!(Call::get(path(new)).send(&service).await.ok(200)["items"].as_array().unwrap().len(), 1);
    let mine = Call::get("/v1/carts/me").customer(1).send(&service).await.ok(200);
    assert_eq!(mine["items"].as_array().unwrap().len(), 1);
    buy(&stack, &service, 1).await;
}
