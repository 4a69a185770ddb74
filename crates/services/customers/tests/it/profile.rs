use http::Method;
use serde_json::json;
use web::{Caller, Role};

use crate::shop::{Shop, id, request};

const ME: &str = "/v1/customers/me";

testkit::on_both_engines! {
    async fn somebody_new_reads_and_changes_their_profile(db: testkit::TestDatabase) {
        let shop = Shop::open(db).await;
        let ada = shop.customer();
        shop.deliver(&shop.verified(&ada, "Ada@example.com", Some("Ada")).await).await;

        let answer = shop.get(&ada, ME).await;
        let tag = answer.header("etag").to_owned();
        let me = answer.ok();
        assert_eq!(me["id"], id(&ada).to_string());
        assert_eq!((&me["email"], &me["name"]), (&json!("Ada@example.com"), &json!("Ada")));
        assert_eq!((&me["locale"], &me["phone"], &me["preferences"]), (&json!("en"), &json!(null), &json!({})));
        assert_eq!(tag, format!("\"{}\"", me["version"]));

        let change = json!({
            "phone": "+353 1 234 5678", "locale": "de-CH", "birthday": "1990-02-28",
            "preferences": {"newsletter": true, "shoe_size": 38, "shade": "rosewood"}
        });
        let answer = shop.patch(&ada, &tag, change).await;
        let tag = answer.header("etag").to_owned();
        let me = answer.ok();
        assert_eq!((&me["name"], &me["locale"]), (&json!("Ada"), &json!("de-CH")), "what is absent stays");
        assert_eq!(me["preferences"], json!({"newsletter": true, "shade": "rosewood", "shoe_size": 38}));

        let change = json!({"name": null, "locale": null, "preferences": {"shade": null}});
        let me = shop.patch(&ada, &tag, change).await.ok();
        assert_eq!((&me["name"], &me["locale"]), (&json!(null), &json!("en")), "null removes");
        assert_eq!(me["preferences"], json!({"newsletter": true, "shoe_size": 38}));
        assert_eq!(shop.get(&ada, ME).await.ok(), me, "what was answered is what is stored");

        let stale = shop.patch(&ada, &tag, json!({"name": "Eve"})).await;
        assert_eq!(stale.code(), (412, "precondition.failed"));
        assert_eq!(stale.json["current_version"], me["version"]);
        assert_eq!(shop.patch(&ada, "", json!({})).await.code(), (428, "precondition.required"));
    }

    async fn the_first_request_may_come_before_the_event(db: testkit::TestDatabase) {
        let shop = Shop::open(db).await;
        let ada = shop.customer();
        let early = shop.get(&ada, ME).await;
        let tag = early.header("etag").to_owned();
        assert_eq!(early.ok()["email"], json!(null));
        assert!(shop.client().contact(id(&ada)).await.unwrap_err().is("customers.not_found"));

        let event = shop.verified(&ada, "ada@example.com", Some("Ada")).await;
        shop.deliver(&event).await;
        let version = shop.get(&ada, ME).await.ok()["version"].clone();
        shop.deliver(&event).await;
        let me = shop.get(&ada, ME).await;
        assert_ne!(me.header("etag"), tag);
        assert_eq!(me.ok()["version"], version, "delivered twice, it has one effect");

        // The tag from before the event is good: a patch cannot undo what the event brought.
        let me = shop.patch(&ada, &tag, json!({"phone": "1234"})).await.ok();
        assert_eq!((&me["email"], &me["name"]), (&json!("ada@example.com"), &json!("Ada")));
        assert_eq!(shop.patch(&ada, &tag, json!({"phone": null})).await.code(), (412, "precondition.failed"));

        let contact = shop.client().contact(id(&ada)).await.unwrap();
        assert_eq!((contact.email.as_str(), contact.locale.as_str()), ("ada@example.com", "en"));
        assert_eq!(contact.name.as_deref(), Some("Ada"));
    }

    async fn an_event_after_the_first_patch_keeps_what_was_patched(db: testkit::TestDatabase) {
        let shop = Shop::open(db).await;
        let ada = shop.customer();
        shop.get(&ada, ME).await.ok();
        let answer = shop.patch(&ada, "\"1\"", json!({"name": "Countess"})).await;
        let tag = answer.header("etag").to_owned();
        shop.deliver(&shop.verified(&ada, "ada@example.com", Some("Ada")).await).await;
        let me = shop.patch(&ada, &tag, json!({"locale": "fr"})).await.ok();
        assert_eq!((&me["name"], &me["email"]), (&json!("Countess"), &json!("ada@example.com")));
    }
}

testkit::on_both_engines! {
    async fn what_is_wrong_is_refused_by_pointer(db: testkit::TestDatabase) {
        let shop = Shop::open(db).await;
        let ada = shop.customer();
        shop.get(&ada, ME).await.ok();
        let tomorrow = shop.now().date().next().to_string();
        let wrong = json!({"name": "", "phone": "none", "locale": "x", "birthday": tomorrow});
        let refused = shop.patch(&ada, "\"1\"", wrong).await;
        assert_eq!(refused.code(), (400, "request.validation"));
        assert_eq!(refused.pointers(), ["/name", "/phone", "/locale", "/birthday"]);
        let unknown = shop.patch(&ada, "\"1\"", json!({"email": "eve@example.com"})).await;
        assert_eq!((unknown.code(), unknown.pointers()), ((400, "request.validation"), vec!["/email"]));

        let many = |from: usize| {
            let preferences: serde_json::Map<_, _> = (from..from + 30).map(|n| (format!("p{n}"), json!(n))).collect();
            json!({"preferences": preferences})
        };
        shop.patch(&ada, "\"1\"", many(0)).await.ok();
        let full = shop.patch(&ada, "\"2\"", many(30)).await;
        assert_eq!(full.code(), (409, "customers.too_many_preferences"));
    }

    async fn nobody_else_gets_in(db: testkit::TestDatabase) {
        let shop = Shop::open(db).await;
        let staff = shop.staff(Role::Administrator);
        let paths = [
            (Method::GET, ME),
            (Method::PATCH, ME),
            (Method::DELETE, ME),
            (Method::POST, "/v1/customers/me/export"),
            (Method::GET, "/v1/customers/me/addresses"),
            (Method::POST, "/v1/customers/me/addresses"),
            (Method::GET, "/v1/customers/me/addresses/adr_01h455vb4pex5vsknk084sn02q"),
            (Method::PUT, "/v1/customers/me/addresses/adr_01h455vb4pex5vsknk084sn02q"),
            (Method::DELETE, "/v1/customers/me/addresses/adr_01h455vb4pex5vsknk084sn02q"),
            (Method::GET, "/v1/customers/me/consents"),
            (Method::PUT, "/v1/customers/me/consents/analytics"),
        ];
        for (method, path) in paths {
            let anonymous = shop.send(&Caller::Anonymous, request(method.clone(), path, &[], None)).await;
            assert_eq!(anonymous.code(), (401, "auth.missing"), "{method} {path}");
            let staff = shop.send(&staff, request(method.clone(), path, &[], None)).await;
            assert_eq!(staff.code(), (403, "auth.forbidden"), "{method} {path}");
        }
    }

    async fn no_table_holds_a_person_in_clear(db: testkit::TestDatabase) {
        let shop = Shop::open(db).await;
        let ada = shop.customer();
        shop.deliver(&shop.verified(&ada, "ada@example.com", Some("Ada Winter")).await).await;
        shop.patch(&ada, "\"1\"", json!({"phone": "+353 1 234 5678"})).await.ok();
        let address =
            json!({"name": "Ada Winter", "line1": "1 Alder Street", "city": "Dublin", "country": "IE"});
        shop.post(&ada, "/v1/customers/me/addresses", address).await.ok();
        let mut reader = shop.db.read_primary().await.unwrap();
        let rows: Vec<(Vec<u8>, Vec<u8>)> = reader
            .fetch_all("SELECT email, profile FROM customers", &[])
            .await
            .unwrap();
        let books: Vec<(Vec<u8>,)> = reader.fetch_all("SELECT address FROM addresses", &[]).await.unwrap();
        let stored = [rows[0].0.clone(), rows[0].1.clone(), books[0].0.clone()].concat();
        let text = String::from_utf8_lossy(&stored);
        assert!(stored.len() > 150);
        for word in ["ada", "Winter", "Alder", "234"] {
            assert!(!text.contains(word), "{word}");
        }
    }
}
