//! What a person is told that is held about them.

use axum::body::Body;
use contracts::payments::{AuthorizePayment, RefundPayment};
use http::Method;
use kernel::{CustomerId, RefundId};
use serde_json::json;
use testkit::TestDatabase;
use tower::ServiceExt as _;
use web::{Caller, Role};

use crate::shop::{Shop, customer, eur, request, staff};

testkit::on_both_engines! {
    async fn an_export_holds_the_payments_and_refunds_of_one_person(db: TestDatabase) {
        let shop = Shop::idle(&db).await;
        let owner = CustomerId::new(shop.clock.now(), &shop.rng);
        let hers = async |token: &str| {
            let wanted = shop.wanted(token);
            let wanted = AuthorizePayment { customer_id: Some(owner), ..wanted };
            shop.later(1);
            shop.client.authorize(&wanted).await.unwrap().payment_id
        };
        let paid = hers("tok_visa").await;
        let declined = hers("tok_declined").await;
        shop.client.capture(paid).await.unwrap();
        for amount in [100, 200] {
            shop.later(1);
            let refund_id = RefundId::new(shop.clock.now(), &shop.rng);
            let refund = RefundPayment { refund_id, amount: eur(amount), reason: "too blue".into() };
            shop.client.refund(paid, &refund).await.unwrap();
        }
        shop.captured("tok_visa").await;

        let export = shop.client.export(owner).await.unwrap();
        let ids: Vec<_> = export["payments"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
        assert_eq!(ids, [&json!(declined), &json!(paid)]);
        assert_eq!(export["payments"][1]["method"]["last4"], "4242");
        let refunds: Vec<_> =
            export["refunds"].as_array().unwrap().iter().map(|it| (&it["amount"]["amount"], &it["reason"])).collect();
        assert_eq!(refunds, [(&json!(200), &json!("too blue")), (&json!(100), &json!("too blue"))]);
        let nobody = shop.client.export(CustomerId::new(shop.clock.now(), &shop.rng)).await.unwrap();
        assert_eq!(nobody, json!({"payments": [], "refunds": []}));
    }

    async fn an_export_of_more_than_a_page_is_whole(db: TestDatabase) {
        let shop = Shop::idle(&db).await;
        let owner = CustomerId::new(shop.clock.now(), &shop.rng);
        for _ in 0..101 {
            let wanted = shop.wanted("tok_declined");
            let wanted = AuthorizePayment { customer_id: Some(owner), ..wanted };
            shop.client.authorize(&wanted).await.unwrap();
        }
        let export = shop.client.export(owner).await.unwrap();
        assert_eq!(export["payments"].as_array().unwrap().len(), 101);
    }

    async fn an_export_is_not_for_the_world(db: TestDatabase) {
        let shop = Shop::idle(&db).await;
        let owner = CustomerId::new(shop.clock.now(), &shop.rng);
        let path = format!("/internal/payments/customers/{owner}/export");
        for caller in [Caller::Anonymous, customer(owner), staff(&[Role::Payments])] {
            let asked = request(Method::GET, &caller, &path, &[], Body::empty());
            assert_eq!(shop.service.internal().oneshot(asked).await.unwrap().status(), 401);
            assert_eq!(shop.get(&caller, &path).await.status, 404);
        }
    }
}
