//! What providers tell, by the real route.

use axum::body::Body;
use contracts::payments::PaymentStatus;
use http::Method;
use serde_json::{Value, json};
use testkit::TestDatabase;
use web::Caller;

use crate::shop::{Shop, refused, request, signed};

fn event(payment: &contracts::payments::Payment, id: &str, status: &str) -> Value {
    json!({
        "id": id, "type": format!("payment.{status}"), "created": "2026-01-01T00:00:00Z",
        "payment": {
            "id": "sbx_1", "reference": payment.payment_id, "status": status,
            "amount": payment.amount, "captured": payment.amount, "card": null,
        }
    })
}

testkit::on_both_engines! {
    async fn a_replay_is_answered_and_changes_nothing(db: TestDatabase) {
        let shop = Shop::idle(&db).await;
        shop.start(&["payments.webhooks"]);
        let payment = shop.authorize("tok_visa").await;
        let body = event(&payment, "evt_1", "captured").to_string();
        for _ in 0..3 {
            let answer = shop.notify(&body).await;
            assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"received": true})));
        }
        shop.becomes(payment.payment_id, PaymentStatus::Captured).await;
        assert_eq!(shop.count("webhooks").await, 1);
        let told = ["payments.payment_changed.v1 authorized", "payments.payment_changed.v1 captured"];
        assert_eq!(shop.events(payment.payment_id).await, told);
        shop.assert_books(4_200).await;
    }

    /// They are kept for as long as providers may repeat them, and not for ever.
    async fn notifications_are_thrown_away_by_age(db: TestDatabase) {
        const DAY: u64 = 86_400;
        let shop = Shop::idle(&db).await;
        shop.start(&["payments.webhooks", "payments.upkeep"]);
        let payment = shop.authorize("tok_visa").await;
        shop.notify(&event(&payment, "evt_1", "authorized").to_string()).await;
        shop.later(60 * DAY);
        shop.notify(&event(&payment, "evt_2", "captured").to_string()).await;
        shop.becomes(payment.payment_id, PaymentStatus::Captured).await;
        assert_eq!(shop.count("webhooks").await, 2, "both are younger than 90 days");
        shop.later(31 * DAY);
        shop.until("the older one is gone", async || (shop.count("webhooks").await == 1).then_some(())).await;
    }

    /// A notification that contradicts what is known is written down, and moves nothing.
    async fn a_contradiction_is_kept_and_not_believed(db: TestDatabase) {
        let shop = Shop::idle(&db).await;
        shop.start(&["payments.webhooks"]);
        let payment = shop.captured("tok_visa").await;
        let mut too_much = event(&payment, "evt_2", "captured");
        too_much["payment"]["captured"]["amount"] = json!(9_900);
        for body in [event(&payment, "evt_1", "voided"), too_much] {
            assert_eq!(shop.notify(&body.to_string()).await.status, 200);
        }
        let told = shop
            .until("both were looked at", async || {
                let told = shop.outcomes(payment.payment_id).await;
                (told.len() == 2 && told.iter().all(|(_, outcome)| outcome.is_some())).then_some(told)
            })
            .await;
        assert!(told.iter().all(|(_, outcome)| outcome.as_deref() == Some("contradiction")), "{told:?}");
        assert_eq!(shop.client.get(payment.payment_id).await.unwrap(), payment);
        shop.assert_books(4_200).await;
    }
}

#[tokio::test]
async fn only_the_provider_is_believed() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::idle(&db).await;
    let payment = shop.authorize("tok_visa").await;
    let secret = shop.webhook_secret.clone();
    let now = shop.clock.now().as_seconds();
    let body = event(&payment, "evt_1", "captured").to_string();
    let bad = refused(400, "payments.webhook_signature_invalid");
    for signature in [
        None,
        Some(String::new()),
        Some(signed(b"another", now, &body)),
        Some(signed(&secret, now - 301, &body)),
        Some(signed(&secret, now + 301, &body)),
        Some(signed(&secret, now, "{}")),
    ] {
        assert_eq!(shop.deliver(signature.as_deref(), &body).await.refusal(), bad, "{signature:?}");
    }
    assert_eq!(shop.count("webhooks").await, 0);
    // A byte more, and it is not what was signed.
    let answer = shop.deliver(Some(&signed(&secret, now, &body)), &format!("{body} ")).await;
    assert_eq!(answer.refusal(), bad);
    let nonsense = "{\"id\":";
    let answer = shop.deliver(Some(&signed(&secret, now, nonsense)), nonsense).await;
    assert_eq!(answer.refusal(), refused(400, "payments.webhook_unreadable"));
    let elsewhere = request(Method::POST, &Caller::Anonymous, "/webhooks/acme", &[], Body::from("{}"));
    assert_eq!(shop.send(elsewhere).await.refusal(), refused(404, "payments.provider_unknown"));
    let large = "x".repeat(2 * 1024 * 1024);
    assert_eq!(shop.deliver(None, &large).await.refusal(), refused(413, "request.too_large"));
    assert_eq!(shop.count("webhooks").await, 0);
}

#[tokio::test]
async fn what_is_about_nothing_of_ours_is_written_down() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::open(&db).await;
    let mut stranger = shop.authorize("tok_visa").await;
    stranger.payment_id = kernel::PaymentId::new(shop.clock.now(), &shop.rng);
    let payout = json!({"id": "evt_1", "type": "payout.paid", "created": "2026-01-01T00:00:00Z"}).to_string();
    let unknown = event(&stranger, "evt_2", "captured").to_string();
    for body in [payout, unknown] {
        assert_eq!(shop.notify(&body).await.status, 200);
    }
    shop.until("both were looked at", async || {
        let ignored = shop.count("webhooks WHERE outcome = 'ignored' AND payment_id IS NULL").await;
        let unmatched = shop.count("webhooks WHERE outcome = 'unmatched'").await;
        (ignored == 1 && unmatched == 1).then_some(())
    })
    .await;
}
