use mail::mailbox;
use serde_json::json;

use crate::stack::{Call, Stack, customer};
use crate::{buy, checkout, text, work_until};

#[tokio::test]
async fn a_customer_is_written_to_once_for_each_thing_that_happened() {
    let stack = Stack::new().await;
    let service = stack.service().await;
    let bought = buy(&stack, &service, 1).await;
    let (id, number) = (text(&bought["order"]["id"]), text(&bought["order"]["number"]));
    let mails = async || mailbox::list(&stack.mails(), 10).await.unwrap();
    work_until(&service, async || mails().await.len() == 1).await;
    let mail = mails().await.remove(0);
    assert_eq!(mail.to, format!("{}@people.example", customer(1)));
    assert_eq!(mail.subject, format!("Your order {number}"));
    assert!(mail.message_id.starts_with(&format!("order_confirmation.{id}@")), "{}", mail.message_id);
    let link = format!("https://shop.example/orders/{id}");
    for part in [number, "2 × Lipstick, Shade 1: 20.00 EUR", "Total: 24.90 EUR", "Rua das Flores 1", &link] {
        assert!(mail.text.contains(part), "{part} is not in {}", mail.text);
    }
    for part in [number, "20.00 EUR", "Rua das Flores 1", id] {
        assert!(mail.html.contains(part), "{part} is not in {}", mail.html);
    }
    Call::post(format!("/v1/orders/{id}/cancel")).customer(1).json(json!({})).send(&service).await.ok(200);
    work_until(&service, async || mails().await.len() == 2).await;
    let mails = mails().await;
    let mail = mails.iter().find(|mail| mail.message_id.starts_with("order_cancelled.")).unwrap();
    assert_eq!(mail.subject, format!("Your order {number} is cancelled"));
    assert!(mail.text.contains("goes back the way it came"), "{}", mail.text);
}

#[tokio::test]
async fn a_guest_is_written_to_at_the_address_they_gave() {
    let stack = Stack::new().await;
    let service = stack.service().await;
    let variant = stack.catalog.stock(1, 1_000, 10);
    let put = Call::put(format!("/v1/carts/me/items/{variant}")).json(json!({"quantity": 1}));
    let cart = put.send(&service).await.ok(200);
    let mut body = checkout("tok_visa");
    body["cart_id"] = cart["id"].clone();
    body["email"] = json!("guest@people.example");
    body["shipping_address"]["name"] = json!("<b>Guest</b>");
    let bought = Call::post("/v1/checkouts").json(body).send(&service).await.ok(201);
    let mails = async || mailbox::list(&stack.mails(), 10).await.unwrap();
    work_until(&service, async || mails().await.len() == 1).await;
    let mail = mails().await.remove(0);
    assert_eq!(mail.to, "guest@people.example");
    // The link is all that a guest has to read the order with.
    let (id, token) = (text(&bought["order"]["id"]), text(&bought["guest_token"]));
    let link = format!("https://shop.example/orders/{id}#token={token}");
    assert!(mail.text.contains(&link), "{}", mail.text);
    assert!(mail.html.contains("&lt;b&gt;Guest") && !mail.html.contains("<b>Guest"), "{}", mail.html);
}
