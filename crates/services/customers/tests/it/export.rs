use std::sync::atomic::Ordering;

use serde_json::json;
use web::Role;

use crate::shop::{Shop, id};

testkit::on_both_engines! {
    async fn an_export_is_whole_or_none(db: testkit::TestDatabase) {
        let shop = Shop::open(db).await;
        let ada = shop.customer();
        shop.deliver(&shop.verified(&ada, "ada@example.com", Some("Ada")).await).await;
        let address = json!({"name": "Ada", "line1": "1 Alder Street", "city": "Dublin", "country": "IE"});
        shop.post(&ada, "/v1/customers/me/addresses", address).await.ok();
        shop.get(&shop.staff(Role::Support), &format!("/v1/admin/customers/{}", id(&ada))).await.ok();

        let export = shop.post(&ada, "/v1/customers/me/export", json!(null)).await.ok();
        assert_eq!(export["customer"]["email"], "ada@example.com");
        assert_eq!(export["addresses"][0]["line1"], "1 Alder Street");
        assert_eq!(export["accesses"][0]["action"], "customer_read");
        for service in ["identity", "orders", "payments", "analytics", "feedback"] {
            assert_eq!(export[service], json!({"service": service, "customer": id(&ada)}));
        }

        shop.orders_away.store(true, Ordering::SeqCst);
        let away = shop.post(&ada, "/v1/customers/me/export", json!(null)).await;
        assert_eq!(away.code(), (503, "service.unavailable"));
        assert_eq!(away.header("retry-after"), "1");
        assert!(away.json.get("customer").is_none());
    }
}
