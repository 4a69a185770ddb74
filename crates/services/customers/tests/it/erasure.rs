use std::time::Duration;

use contracts::customers::{CustomerErased, ImportCustomer};
use contracts::import::{Mode, Verdict};
use http::Method;
use serde_json::json;
use web::{Caller, Role};

use crate::shop::{Shop, id, request};

const ME: &str = "/v1/customers/me";

testkit::on_both_engines! {
    async fn the_erased_are_gone_and_stay_gone(db: testkit::TestDatabase) {
        let shop = Shop::open(db).await;
        let ada = shop.customer();
        let event = shop.verified(&ada, "ada@example.com", Some("Ada")).await;
        shop.deliver(&event).await;
        let address = json!({"name": "Ada", "line1": "1 Alder Street", "city": "Dublin", "country": "IE"});
        let keyed = [("idempotency-key", "k1")];
        let add = request(Method::POST, "/v1/customers/me/addresses", &keyed, Some(address.clone()));
        shop.send(&ada, add).await.ok();
        let yes = json!({"granted": true, "text_version": "1", "source": "checkout"});
        shop.put(&ada, "/v1/customers/me/consents/analytics", "", yes).await.ok();
        let person = id(&ada).uuid();
        let elsewhere = shop.vault.seal(person, "orders.details", b"shipped to 1 Alder Street").await.unwrap();

        assert_eq!(shop.delete(&ada, ME).await.status.as_u16(), 202);
        assert_eq!(shop.events::<CustomerErased>().await, [CustomerErased { customer_id: id(&ada) }]);
        let opened = async || shop.vault.open_sealed(person, "orders.details", &elsewhere).await.unwrap();
        assert!(opened().await.is_some(), "the event is durable before the key goes");
        shop.work_until(async || opened().await.is_none()).await;

        let staff = shop.staff(Role::Support);
        assert_eq!(shop.get(&ada, ME).await.code(), (404, "customers.not_found"));
        assert_eq!(shop.delete(&ada, ME).await.code(), (404, "customers.not_found"));
        let again = shop.post(&ada, "/v1/customers/me/addresses", address).await;
        assert_eq!(again.code(), (404, "customers.not_found"));
        let file = shop.get(&staff, &format!("/v1/admin/customers/{}", id(&ada))).await;
        assert_eq!(file.code(), (404, "customers.not_found"));
        assert!(shop.client().contact(id(&ada)).await.unwrap_err().is("customers.not_found"));

        // Neither a late event nor an import brings them back.
        let late = contracts::Envelope {
            id: "evt_01h455vb4pex5vsknk084sn02q".parse().unwrap(),
            ..event
        };
        shop.deliver(&late).await;
        let record = ImportCustomer {
            customer_id: id(&ada),
            external_id: "1".into(),
            email: "ada@example.com".into(),
            name: None,
            phone: None,
            locale: None,
            addresses: Vec::new(),
            consents: Vec::new(),
            created_at: shop.now(),
        };
        let verdicts = shop.service.import_customers(vec![record], Mode::Apply).await.unwrap();
        assert!(matches!(&verdicts[0], Verdict::Refused { code, .. } if code == "customers.not_found"));
        let mut reader = shop.db.read_primary().await.unwrap();
        let left = "SELECT COUNT(email) + COUNT(profile) + COUNT(email_index) + COUNT(signup_name) FROM customers";
        assert_eq!(reader.fetch_one::<(i64,)>(left, &[]).await.unwrap(), (0,));
        for table in ["addresses", "consents", "platform_idempotency"] {
            let count = format!("SELECT COUNT(*) FROM {table}");
            assert_eq!(reader.fetch_one::<(i64,)>(&count, &[]).await.unwrap(), (0,), "{table}");
        }
    }

    async fn it_takes_somebody_who_has_just_signed_in(db: testkit::TestDatabase) {
        let shop = Shop::open(db).await;
        let ada = shop.customer();
        shop.advance(Duration::from_secs(901));
        let refused = shop.delete(&ada, ME).await;
        assert_eq!(refused.code(), (403, "customers.recent_authentication_required"));
        assert_eq!(refused.json["within_s"], 900);
        assert!(shop.events::<CustomerErased>().await.is_empty());
        let Caller::Customer(customer) = ada else { unreachable!() };
        let again = Caller::Customer(web::Customer { authenticated_at: shop.now(), ..customer });
        assert_eq!(shop.delete(&again, ME).await.status.as_u16(), 202, "even one this service never met");
    }
}
