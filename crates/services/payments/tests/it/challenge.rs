//! The page of the sandbox's challenge.

use axum::body::Body;
use base64::Engine as _;
use contracts::payments::{NextAction, PaymentStatus};
use http::Method;
use kernel::PaymentId;
use payments::Config;
use serde_json::json;
use sha2::Digest as _;
use testkit::TestDatabase;
use testkit::database::Engine;
use web::Caller;

use crate::shop::{Answer, Shop, config, refused, request};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn shop() -> (TestDatabase, Shop) {
    let db = TestDatabase::on(Engine::Sqlite).await;
    let config = Config { return_origins: vec!["https://m.shop.example".into()], ..config() };
    let shop = Shop::with(database::Database::clone(&db), config).await;
    shop.start(&[]);
    (db, shop)
}

/// A payment that asks for a challenge, and the path of its page.
async fn challenged(shop: &Shop, return_url: &str) -> (PaymentId, String) {
    let mut wanted = shop.wanted("tok_challenge");
    wanted.return_url = return_url.to_owned();
    let payment = shop.client.authorize(&wanted).await.unwrap();
    let Some(NextAction::Redirect { url }) = payment.next_action else { panic!("{payment:?}") };
    (payment.payment_id, url.strip_prefix("https://shop.example").unwrap().to_owned())
}

async fn submit(shop: &Shop, path: &str, form: &str) -> Answer {
    shop.send(request(Method::POST, &Caller::Anonymous, path, &[FORM], Body::from(form.to_owned()))).await
}

#[tokio::test]
async fn the_page_asks_and_leads_back() {
    let (_db, shop) = shop().await;
    let (payment, path) = challenged(&shop, "https://m.shop.example/orders/1?a=1&b=2").await;
    let page = shop.get(&Caller::Anonymous, &path).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    for part in
        ["<html lang=\"en\">", "42.00 EUR", "Approve this payment?", &*payment.to_string(), "method=\"post\""]
    {
        assert!(page.text().contains(part), "{part}");
    }
    assert!(!page.text().contains("{{"), "nothing is left to fill in");
    assert!(!page.text().contains("<script"), "it works without scripts");
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("default-src 'none'")
            && policy.contains("form-action 'self' https://m.shop.example;")
    );
    assert_eq!(page.header("cache-control"), Some("no-store"));
    // The browser lets in exactly the style that the page has.
    let style = page.text().split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(style));
    assert!(policy.contains(&format!("style-src 'sha256-{hash}'")), "{policy}");

    let back = submit(&shop, &path, "outcome=success").await;
    assert_eq!(
        (back.status.as_u16(), back.header("location")),
        (303, Some("https://m.shop.example/orders/1?a=1&b=2"))
    );
    shop.becomes(payment, PaymentStatus::Authorized).await;
    // Sent twice, it leads back twice; going back in the browser shows how it ended.
    assert_eq!(submit(&shop, &path, "outcome=success").await.status, 303);
    let ended = shop.get(&Caller::Anonymous, &path).await;
    assert!(ended.text().contains("was approved") && !ended.text().contains("<form"));
    assert!(
        ended.text().contains("href=\"https://m.shop.example/orders/1?a=1&amp;b=2\""),
        "{}",
        ended.text()
    );
    let other = submit(&shop, &path, "outcome=failure").await;
    assert_eq!(
        (other.status.as_u16(), other.header("location")),
        (303, Some(&*path)),
        "it shows how it ended"
    );
}

#[tokio::test]
async fn a_program_ends_it_with_json() {
    let (_db, shop) = shop().await;
    let (payment, path) = challenged(&shop, "/orders/1").await;
    let failure = json!({"outcome": "failure"});
    let answer = shop.post(&Caller::Anonymous, &path, &[], &failure).await;
    assert_eq!(answer.json(), json!({"outcome": "failure", "return_url": "/orders/1"}));
    assert_eq!(shop.post(&Caller::Anonymous, &path, &[], &failure).await.json(), answer.json());
    let other = shop.post(&Caller::Anonymous, &path, &[], &json!({"outcome": "success"})).await;
    assert_eq!(other.refusal(), refused(409, "payments.challenge_ended"));
    let failed = shop.becomes(payment, PaymentStatus::Failed).await;
    assert_eq!(failed.decline.unwrap().provider_reason.as_deref(), Some("The payment was not approved."));
}

#[tokio::test]
async fn a_voided_payment_cannot_be_approved_any_more() {
    let (_db, shop) = shop().await;
    let (payment, path) = challenged(&shop, "/orders/1").await;
    shop.client.void(payment).await.unwrap();
    let answer = shop.post(&Caller::Anonymous, &path, &[], &json!({"outcome": "success"})).await;
    assert_eq!(answer.refusal(), refused(409, "payments.challenge_ended"));
    assert!(shop.get(&Caller::Anonymous, &path).await.text().contains("was cancelled"));
    assert_eq!(shop.client.get(payment).await.unwrap().status, PaymentStatus::Voided);
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused() {
    let (_db, shop) = shop().await;
    let (payment, path) = challenged(&shop, "/orders/1").await;
    for form in ["", "outcome=", "outcome=maybe", "outcome=success&return_url=https://evil.example"] {
        assert_eq!(submit(&shop, &path, form).await.refusal(), refused(400, "request.validation"), "{form}");
    }
    for body in [json!({}), json!({"outcome": "maybe"}), json!({"outcome": "success", "return_url": "/x"})] {
        let answer = shop.post(&Caller::Anonymous, &path, &[], &body).await;
        assert_eq!(answer.refusal(), refused(400, "request.validation"), "{body}");
    }
    let none = "/sandbox/challenges/00000000000000000000000000000000";
    assert_eq!(
        shop.get(&Caller::Anonymous, none).await.refusal(),
        refused(404, "payments.challenge_not_found")
    );
    assert_eq!(
        submit(&shop, none, "outcome=success").await.refusal(),
        refused(404, "payments.challenge_not_found")
    );
    assert_eq!(shop.client.get(payment).await.unwrap().status, PaymentStatus::RequiresAction);
}

/// The provider's own interface is for its merchant alone.
#[tokio::test]
async fn nobody_reaches_the_provider_from_outside() {
    let (_db, shop) = shop().await;
    let payment = shop.authorize("tok_visa").await;
    for (method, path) in [
        (Method::POST, "/sandbox/v1/payments".to_owned()),
        (Method::GET, format!("/sandbox/v1/payments/{}", payment.payment_id)),
        (Method::POST, format!("/sandbox/v1/payments/{}/capture", payment.payment_id)),
    ] {
        let answer = shop.send(request(method, &Caller::Anonymous, &path, &[], Body::from("{}"))).await;
        assert_eq!(answer.refusal(), refused(404, "request.not_found"), "{path}");
    }
}
