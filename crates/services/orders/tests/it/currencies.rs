use kernel::Currency;
use orders::Config;
use serde_json::json;

use crate::stack::{Call, Stack};
use crate::{checkout, put};

/// Catalog may have prices in several currencies, for instance while a shop moves to another.
#[tokio::test]
async fn what_has_its_price_in_another_currency_is_not_for_sale_and_spoils_no_cart() {
    let stack = Stack::new().await;
    let variant = stack.catalog.stock(1, 1_000, 10);
    put(&stack.service().await, 1, variant, 2).await;

    let dollars = stack.service_with(Config { currency: Currency::USD, ..Config::default() }).await;
    let cart = Call::get("/v1/carts/me").customer(1).send(&dollars).await.ok(200);
    assert_eq!(cart["subtotal"], json!({"amount": 0, "currency": "USD"}));
    assert_eq!(cart["items"][0]["available"], 0);
    let path = format!("/v1/carts/me/items/{variant}");
    let more = Call::put(&path).customer(1).json(json!({"quantity": 3})).send(&dollars).await;
    assert_eq!(more.refusal(), (422, "orders.unknown_variant"));
    let bought = Call::post("/v1/checkouts").customer(1).json(checkout("tok_visa")).send(&dollars).await;
    assert_eq!(bought.refusal(), (409, "orders.out_of_stock"));
    let without = Call::put(&path).customer(1).json(json!({"quantity": 0})).send(&dollars).await.ok(200);
    assert_eq!(without["items"], json!([]));
}
