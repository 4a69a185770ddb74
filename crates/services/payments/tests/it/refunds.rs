//! Refunds by the staff.

use contracts::payments::{PaymentStatus, RefundPayment};
use futures_util::future::join_all;
use kernel::{PaymentId, RefundId};
use serde_json::{Value, json};
use testkit::TestDatabase;
use web::Role;

use crate::shop::{Answer, Shop, code, eur, refused, staff};

fn part(amount: i64) -> Value {
    json!({"amount": {"amount": amount, "currency": "EUR"}, "reason": "The shade did not match."})
}

async fn give_back(shop: &Shop, payment: PaymentId, headers: &[(&str, &str)], body: &Value) -> Answer {
    let path = format!("/v1/payments/{payment}/refunds");
    shop.post(&staff(&[Role::Payments]), &path, headers, body).await
}

testkit::on_both_engines! {
    async fn parts_and_then_the_rest(db: TestDatabase) {
        let shop = Shop::idle(&db).await;
        let id = shop.captured("tok_visa").await.payment_id;
        let first = give_back(&shop, id, &[], &part(200)).await;
        assert_eq!(first.status, 201, "{first:?}");
        assert_eq!(first.header("location"), Some(&*format!("/v1/payments/{id}/refunds")));
        let refund = first.json();
        assert_eq!((&refund["status"], &refund["amount"]["amount"]), (&json!("succeeded"), &json!(200)));
        assert_eq!(refund["payment_id"], id.to_string());
        let rest = give_back(&shop, id, &[], &json!({"reason": "All of it after all."})).await;
        assert_eq!(rest.json()["amount"]["amount"], 4_000);
        assert_eq!(shop.client.get(id).await.unwrap().status, PaymentStatus::Refunded);
        let more = give_back(&shop, id, &[], &json!({"reason": "Once more."})).await;
        assert_eq!(more.refusal(), refused(409, "payments.refund_exceeds_captured"));
        assert_eq!(more.json()["available"], json!({"amount": 0, "currency": "EUR"}));
        shop.assert_books(0).await;

        let caller = staff(&[Role::Support]);
        let page = shop.get(&caller, &format!("/v1/payments/{id}/refunds?limit=1")).await.json();
        assert_eq!(page["data"].as_array().unwrap().len(), 1);
        let next = page["next_cursor"].as_str().unwrap();
        let page = shop.get(&caller, &format!("/v1/payments/{id}/refunds?limit=1&cursor={next}")).await.json();
        assert_eq!((page["data"].as_array().unwrap().len(), &page["next_cursor"]), (1, &Value::Null));
    }

    /// However many want their part at once, no more is given back than was taken.
    async fn fifty_at_once_never_exceed_what_was_taken(db: TestDatabase) {
        let shop = Shop::idle(&db).await;
        let id = shop.captured("tok_visa").await.payment_id;
        let body = part(100);
        let answers = join_all((0..50).map(|_| give_back(&shop, id, &[], &body))).await;
        let done = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(done, 42, "4,200 hold 42 parts of 100");
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            assert_eq!(answer.refusal(), refused(409, "payments.refund_exceeds_captured"));
        }
        let payment = shop.client.get(id).await.unwrap();
        assert_eq!((payment.status, payment.refunded), (PaymentStatus::Refunded, eur(4_200)));
        assert_eq!(shop.count("sandbox_refunds").await, 42);
        shop.assert_books(0).await;
    }

    async fn the_same_key_refunds_once(db: TestDatabase) {
        let shop = Shop::idle(&db).await;
        let id = shop.captured("tok_visa").await.payment_id;
        let caller = staff(&[Role::Payments]);
        let path = format!("/v1/payments/{id}/refunds");
        let key = [("idempotency-key", "once")];
        let first = shop.post(&caller, &path, &key, &part(200)).await;
        let again = shop.post(&caller, &path, &key, &part(200)).await;
        assert_eq!((again.status, again.json()), (first.status, first.json()));
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        let other = shop.post(&caller, &path, &key, &part(300)).await;
        assert_eq!(other.refusal(), refused(422, "idempotency.key_reused"));
        assert_eq!(shop.client.get(id).await.unwrap().refunded, eur(200));
        // Should the kept answer be lost, the refund itself still knows its request.
        shop.database
            .write(|mut tx| async move {
                tx.execute("DELETE FROM platform_idempotency WHERE caller <> 'sandbox'", &[]).await?;
                tx.commit(()).await
            })
            .await
            .unwrap();
        let late = shop.post(&caller, &path, &key, &part(200)).await;
        assert_eq!((late.status, &late.json()["id"]), (first.status, &first.json()["id"]));
        assert_eq!(shop.client.get(id).await.unwrap().refunded, eur(200));
        // Another person's key is another key.
        assert_eq!(give_back(&shop, id, &key, &part(200)).await.status, 201);
        assert_eq!(shop.client.get(id).await.unwrap().refunded, eur(400));
    }

    async fn a_refund_may_fail_after_it_succeeded(db: TestDatabase) {
        let shop = Shop::open(&db).await;
        let id = shop.captured("tok_refund_fails").await.payment_id;
        let refund = give_back(&shop, id, &[], &part(4_200)).await.json();
        assert_eq!(refund["status"], "succeeded");
        assert_eq!(shop.client.get(id).await.unwrap().status, PaymentStatus::Refunded);
        shop.later(60);
        let payment = shop.becomes(id, PaymentStatus::Captured).await;
        assert_eq!(payment.refunded, eur(0));
        shop.assert_books(4_200).await;
        let listed = shop.get(&staff(&[Role::Payments]), &format!("/v1/payments/{id}/refunds")).await.json();
        assert_eq!(listed["data"][0]["status"], "failed");
        assert_eq!(listed["data"][0]["failure"]["reason"], "refund_failed");
        let told = shop.events(id).await;
        assert_eq!(told[told.len() - 2..], [
            "payments.refund_changed.v1 failed".to_owned(),
            "payments.payment_changed.v1 captured".to_owned(),
        ]);
    }

    async fn a_lost_refund_is_found_out(db: TestDatabase) {
        let shop = Shop::hasty(&db).await;
        let id = shop.captured("tok_refund_timeout").await.payment_id;
        let refund = give_back(&shop, id, &[], &part(200)).await;
        assert_eq!((refund.status.as_u16(), &refund.json()["status"]), (201, &json!("unknown")));
        assert_eq!(shop.client.get(id).await.unwrap().refunded, eur(0), "not before it is known");
        shop.start(&["payments.resolve"]);
        shop.becomes(id, PaymentStatus::PartiallyRefunded).await;
        assert_eq!(shop.count("sandbox_refunds").await, 1);
        shop.assert_books(4_000).await;
    }

    async fn services_refund_under_ids_of_their_own(db: TestDatabase) {
        let shop = Shop::idle(&db).await;
        let id = shop.captured("tok_visa").await.payment_id;
        let refund_id = RefundId::new(shop.clock.now(), &shop.rng);
        let refund = RefundPayment { refund_id, amount: eur(4_200), reason: "cancelled".into() };
        let first = shop.client.refund(id, &refund).await.unwrap();
        assert_eq!(shop.client.refund(id, &refund).await.unwrap(), first);
        let other = RefundPayment { amount: eur(100), ..refund.clone() };
        assert_eq!(code(shop.client.refund(id, &other).await.unwrap_err()), "payments.conflict");
        let more = RefundPayment { refund_id: RefundId::new(shop.clock.now(), &shop.rng), ..refund };
        assert_eq!(code(shop.client.refund(id, &more).await.unwrap_err()), "payments.refund_exceeds_captured");
        shop.assert_books(0).await;
    }
}

#[tokio::test]
async fn what_cannot_be_given_back_is_refused() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::idle(&db).await;
    let held = shop.authorize("tok_visa").await.payment_id;
    let body = json!({"reason": "early"});
    assert_eq!(
        give_back(&shop, held, &[], &body).await.refusal(),
        refused(409, "payments.refund_exceeds_captured")
    );
    let failed = shop.authorize("tok_declined").await.payment_id;
    let answer = give_back(&shop, failed, &[], &part(1)).await;
    assert_eq!(answer.refusal(), refused(409, "payments.refund_exceeds_captured"));

    let paid = shop.captured("tok_visa").await.payment_id;
    for (body, expected) in [
        (json!({}), refused(400, "request.validation")),
        (json!({"reason": " "}), refused(400, "request.validation")),
        (json!({"reason": "x".repeat(501)}), refused(400, "request.validation")),
        (
            json!({"reason": "x", "amount": {"amount": 0, "currency": "EUR"}}),
            refused(400, "request.validation"),
        ),
        (
            json!({"reason": "x", "amount": {"amount": -1, "currency": "EUR"}}),
            refused(400, "request.validation"),
        ),
        (json!({"reason": "x", "why": 1}), refused(400, "request.validation")),
        (
            json!({"reason": "x", "amount": {"amount": 1, "currency": "USD"}}),
            refused(422, "payments.currency_mismatch"),
        ),
        (json!({"reason": "to 4242424242424242"}), refused(400, "request.card_number")),
        (part(4_201), refused(409, "payments.refund_exceeds_captured")),
    ] {
        assert_eq!(give_back(&shop, paid, &[], &body).await.refusal(), expected, "{body}");
    }
    let unknown = PaymentId::new(shop.clock.now(), &shop.rng);
    assert_eq!(give_back(&shop, unknown, &[], &body).await.refusal(), refused(404, "payments.not_found"));
    assert_eq!(shop.client.get(paid).await.unwrap().refunded, eur(0));
    assert_eq!(shop.count("refunds").await, 0);
}
