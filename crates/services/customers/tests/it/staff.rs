use serde_json::json;
use web::{Caller, Role};

use crate::shop::{Shop, id};

testkit::on_both_engines! {
    async fn support_finds_and_reads_customers_and_it_is_on_record(db: testkit::TestDatabase) {
        let shop = Shop::open(db).await;
        let (ada, support) = (shop.customer(), shop.staff(Role::Support));
        shop.deliver(&shop.verified(&ada, "Ada@Example.com", Some("Ada")).await).await;
        let search = "/v1/admin/customers?email=ada@example.COM";
        shop.work_until(async || shop.get(&support, search).await.ok()["data"] != json!([])).await;
        let found = shop.get(&support, search).await.ok();
        assert_eq!((&found["data"][0]["name"], &found["next_cursor"]), (&json!("Ada"), &json!(null)));
        let nobody = shop.get(&support, "/v1/admin/customers?email=eve@example.com").await.ok();
        assert_eq!(nobody["data"], json!([]));

        // The log is in order to the millisecond.
        shop.advance(std::time::Duration::from_millis(1));
        let path = format!("/v1/admin/customers/{}", id(&ada));
        let file = shop.get(&support, &path).await.ok();
        assert_eq!((&file["email"], &file["addresses"]), (&json!("Ada@Example.com"), &json!([])));
        assert_eq!(file["consents"][0]["purpose"], "marketing_email");

        let export = shop.post(&ada, "/v1/customers/me/export", json!(null)).await.ok();
        let accesses = export["accesses"].as_array().unwrap();
        let actions: Vec<_> = accesses.iter().map(|access| access["action"].as_str().unwrap()).collect();
        assert_eq!(actions.last(), Some(&"customer_read"));
        assert!(actions[..actions.len() - 1].iter().all(|action| *action == "customer_found_by_email"));
        let Caller::Staff(staff) = &support else { unreachable!() };
        assert!(accesses.iter().all(|access| access["staff_id"] == staff.id.to_string()));
    }

    async fn others_do_not(db: testkit::TestDatabase) {
        let shop = Shop::open(db).await;
        let ada = shop.customer();
        let paths = [format!("/v1/admin/customers/{}", id(&ada)), "/v1/admin/customers?email=a@example.com".into()];
        for path in &paths {
            assert_eq!(shop.get(&Caller::Anonymous, path).await.code(), (401, "auth.missing"));
            assert_eq!(shop.get(&ada, path).await.code(), (403, "auth.forbidden"));
            let refused = shop.get(&shop.staff(Role::Catalog), path).await;
            assert_eq!((refused.code(), &refused.json["required_role"]), ((403, "auth.forbidden"), &json!("support")));
        }
        let support = shop.staff(Role::Support);
        assert_eq!(shop.get(&support, &paths[0]).await.code(), (404, "customers.not_found"));
        let refused = shop.get(&support, "/v1/admin/customers?email=nobody").await;
        assert_eq!((refused.code().0, refused.pointers()), (400, vec!["?email"]));
        let refused = shop.get(&support, "/v1/admin/customers").await;
        assert_eq!((refused.code().0, refused.pointers()), (400, vec!["?email"]));
        assert_eq!(shop.get(&support, "/v1/admin/customers/me").await.code(), (404, "request.bad_id"));
    }
}
