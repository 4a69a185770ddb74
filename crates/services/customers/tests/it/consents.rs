use contracts::customers::ConsentChanged;
use serde_json::{Value, json};

use crate::shop::{Shop, id};

const CONSENTS: &str = "/v1/customers/me/consents";

fn decision(granted: bool, text_version: &str) -> Value {
    json!({"granted": granted, "text_version": text_version, "source": "profile_page"})
}

testkit::on_both_engines! {
    async fn every_decision_is_kept_and_changes_are_told(db: testkit::TestDatabase) {
        let shop = Shop::open(db).await;
        let ada = shop.customer();
        let never = shop.get(&ada, CONSENTS).await.ok();
        let purposes: Vec<_> = never["data"].as_array().unwrap().iter().map(|one| &one["purpose"]).collect();
        assert_eq!(purposes, ["marketing_email", "analytics", "personalisation"]);
        assert_eq!(
            never["data"][1],
            json!({"purpose": "analytics", "granted": false, "text_version": null, "source": null, "decided_at": null})
        );

        let path = format!("{CONSENTS}/analytics");
        let said = [(true, "1"), (true, "1"), (true, "2"), (false, "2"), (true, "2")];
        for (granted, text_version) in said {
            shop.advance(std::time::Duration::from_secs(1));
            let stands = shop.put(&ada, &path, "", decision(granted, text_version)).await.ok();
            assert_eq!((&stands["granted"], &stands["text_version"]), (&json!(granted), &json!(text_version)));
        }
        let stands = shop.get(&ada, CONSENTS).await.ok();
        assert_eq!(stands["data"][1]["decided_at"], shop.now().to_string());
        assert_eq!(stands["data"][0]["granted"], false, "one purpose is not another");

        let export = shop.post(&ada, "/v1/customers/me/export", json!(null)).await.ok();
        let history: Vec<_> = export["consents"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["granted"].as_bool().unwrap(), one["text_version"].as_str().unwrap()))
            .collect();
        assert_eq!(history, [(true, "1"), (true, "2"), (false, "2"), (true, "2")]);
        let changed = |granted| ConsentChanged { customer_id: id(&ada), purpose: "analytics".into(), granted };
        let told = shop.events::<ConsentChanged>().await;
        assert_eq!(told, [changed(true), changed(false), changed(true)]);
    }

    async fn only_what_the_shop_asks_can_be_answered(db: testkit::TestDatabase) {
        let shop = Shop::open(db).await;
        let ada = shop.customer();
        let unknown = shop.put(&ada, &format!("{CONSENTS}/world_peace"), "", decision(true, "1")).await;
        assert_eq!(unknown.code(), (404, "customers.unknown_purpose"));
        let wrong = json!({"granted": true, "text_version": "", "source": "My Page"});
        let refused = shop.put(&ada, &format!("{CONSENTS}/analytics"), "", wrong).await;
        assert_eq!((refused.code().0, refused.pointers()), (400, vec!["/text_version", "/source"]));
        assert!(shop.events::<ConsentChanged>().await.is_empty());
    }
}
