//! What is kept about people, and how it goes.

use contracts::customers::CustomerErased;
use http::Request;
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr};
use testkit::database::Engine;
use web::ClientAddress;

use crate::shop::{Shop, WEB, customer, on_both_engines};

const SECRETS: [&str; 2] = ["ada@example.com", "192.0.2.1"];

/// All that the tables hold as text, to look for what should not be there.
async fn stored(shop: &Shop) -> String {
    let mut reader = shop.database().read_primary().await.unwrap();
    let rows: Vec<(String,)> = reader.fetch_all("SELECT message FROM events", &[]).await.unwrap();
    rows.into_iter().map(|(message,)| message).collect()
}

#[tokio::test]
async fn a_customers_traits_are_sealed_and_nobody_elses_are_kept() {
    on_both_engines(async |shop: Shop| {
        let ada = customer(1).to_string();
        let identify = |user: &str| {
            json!({
                "type": "identify", "userId": user, "traits": {"email": SECRETS[0]},
                "context": {"ip": SECRETS[1], "locale": "de"},
            })
        };
        assert_eq!(shop.batch(json!([identify(&ada), identify("u-1")])).await, json!([]));
        let stored = stored(&shop).await;
        assert!(SECRETS.iter().all(|secret| !stored.contains(secret)), "{stored}");
        assert!(stored.contains(r#""locale":"de""#));
        let hers = shop.analyst(&format!("/events?user_id={ada}")).await;
        assert_eq!(
            hers[0]["personal"],
            json!({"traits": {"email": SECRETS[0]}, "context": {"ip": SECRETS[1]}})
        );
        assert_eq!(shop.analyst("/events?user_id=u-1").await[0]["personal"], json!(null));
    })
    .await;
}

#[tokio::test]
async fn an_erased_customers_events_go_and_the_counts_stay() {
    on_both_engines(async |shop: Shop| {
        let (ada, bob) = (customer(1), customer(2));
        shop.batch(json!([
            {"type": "page", "anonymousId": "browser-of-ada"},
            {"type": "identify", "anonymousId": "browser-of-ada", "userId": ada, "traits": {"email": SECRETS[0]}},
            {"type": "track", "userId": ada},
            {"type": "identify", "anonymousId": "browser-of-bob", "userId": bob, "traits": {"name": "Bob"}},
            {"type": "page", "anonymousId": "browser-of-bob"},
        ]))
        .await;
        assert_eq!(shop.analyst("/events").await.len(), 4);
        shop.platform.vault.destroy(ada.uuid()).await.unwrap();
        for _ in 0..2 {
            shop.react(1, &CustomerErased { customer_id: ada }).await;
        }
        let left = shop.analyst("/events").await;
        assert_eq!(left.len(), 2);
        assert!(left.iter().all(|event| event["message"]["anonymousId"] == "browser-of-bob"));
        assert!(left.iter().any(|event| event["personal"]["traits"]["name"] == "Bob"));
        assert!(shop.analyst("/rejected").await.is_empty());
        assert_eq!(shop.counted("web", "identify").await, 2);

        // A telephone that was offline sends what it held: it counts, and says nothing of her.
        let late = json!([
            {"type": "identify", "userId": ada, "traits": {"email": SECRETS[0]}},
            {"type": "identify", "userId": bob, "traits": {"name": "Bobby"}},
        ]);
        assert_eq!(shop.batch(late).await, json!([]));
        assert_eq!(shop.counted("web", "identify").await, 4);
        assert!(shop.analyst(&format!("/events?user_id={ada}")).await.is_empty());
        assert_eq!(shop.analyst(&format!("/events?user_id={bob}")).await.len(), 2);
        assert!(!stored(&shop).await.contains(&ada.to_string()));
    })
    .await;
}

#[tokio::test]
async fn an_export_holds_what_is_known_of_one_customer() {
    on_both_engines(async |shop: Shop| {
        let (ada, bob) = (customer(1), customer(2));
        let mut hers = vec![json!({"type": "page", "userId": ada}); 150];
        hers.push(json!({"type": "identify", "userId": ada, "traits": {"email": SECRETS[0]}}));
        hers.push(json!({"type": "track", "userId": ada}));
        shop.batch(json!(hers)).await;
        shop.batch(json!([{"type": "identify", "userId": bob, "traits": {"name": "Bob"}}, {"type": "page", "anonymousId": "b"}]))
            .await;
        let client = contracts::analytics::Client::new(web::channel::local("customers", "analytics", shop.service.internal()));
        let export = client.export(ada).await.unwrap();
        let events = export["events"].as_array().unwrap();
        assert_eq!((events.len(), &export["complete"]), (151, &json!(true)));
        assert!(events.iter().all(|event| event["message"]["userId"] == ada.to_string()));
        let told: Vec<_> = events.iter().map(|event| &event["personal"]).filter(|told| !told.is_null()).collect();
        assert_eq!(told, [&json!({"traits": {"email": SECRETS[0]}})]);
        assert_eq!(export["refused"][0]["code"], "analytics.event_required");
        let nobody = client.export(customer(3)).await.unwrap();
        assert_eq!(nobody, json!({"events": [], "refused": [], "complete": true}));
    })
    .await;
}

#[tokio::test]
async fn an_export_is_bounded_and_says_so() {
    let shop = Shop::sqlite().await;
    let page = json!({"type": "page", "userId": customer(1), "properties": {"x": "y".repeat(30_000)}});
    for _ in 0..24 {
        shop.batch(json!(vec![page.clone(); 16])).await;
    }
    let client = contracts::analytics::Client::new(web::channel::local(
        "customers",
        "analytics",
        shop.service.internal(),
    ));
    let export = client.export(customer(1)).await.unwrap();
    assert_eq!((export["events"].as_array().unwrap().len(), &export["complete"]), (300, &json!(false)));
}

#[tokio::test]
async fn an_export_is_not_for_the_world() {
    let shop = Shop::sqlite().await;
    let path = format!("/internal/analytics/customers/{}/export", customer(1));
    let internal = testkit::Client::new(shop.service.internal());
    for outsider in
        [&internal, &internal.customer(customer(1), shop.now()), &internal.staff(&[web::Role::Analyst])]
    {
        assert_eq!(outsider.get(&path).await.expect(401).code(), "auth.missing");
    }
    shop.client.service("customers").get(&path).await.expect(404);
}

#[tokio::test]
async fn a_card_number_is_refused_and_kept_nowhere() {
    const CARD: &str = "4242 4242 4242 4242";
    on_both_engines(async |shop: Shop| {
        let holding = json!([
            {"type": "page", "userId": "u", "properties": {"card": CARD}},
            {"type": "page", "userId": "u", "messageId": CARD},
            {"type": "page", "userId": "u", "properties": {"n": 4_242_424_242_424_242_u64}},
            {"type": "identify", "userId": customer(1), "traits": {"card": CARD}},
            {"type": "track", "userId": "u", "properties": {"card": CARD}},
            {"type": "page", "userId": "u", "properties": {"card": CARD, "x": "y".repeat(33_000)}},
            {"type": "page", "userId": "u", "properties": {"total": 4_242}},
        ]);
        let refused = shop.batch(holding).await;
        let codes: Vec<_> =
            refused.as_array().unwrap().iter().map(|event| event["code"].as_str().unwrap()).collect();
        let card = "request.card_number";
        assert_eq!(codes, [card, card, card, card, "analytics.event_required", "analytics.event_too_large"]);

        // For the whole batch, and behind escapes.
        let batch = json!({
            "writeKey": WEB, "context": {"card": CARD}, "batch": [{"type": "page", "userId": "u"}],
        });
        let answer = shop.client.post("/v1/batch", batch).await.expect(200);
        assert_eq!(answer.body["rejected"][0]["code"], card);
        let escaped = format!(
            r#"{{"writeKey": "{WEB}", "userId": "u", "properties": {{"x": "\u0034242424242424242"}}}}"#
        );
        assert_eq!(shop.send("/v1/page", &[], escaped).await.expect(400).code(), card);

        // Staff see that it happened.
        let kept = shop.analyst("/rejected").await;
        assert_eq!(kept.len(), 8);
        assert!(!json!(kept).to_string().contains("4242"), "{kept:?}");
        assert_eq!(shop.analyst("/events").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_configuration_may_keep_what_visitors_say() {
    let shop = Shop::open(Engine::Sqlite, |config| {
        config.keep_unidentified = true;
        config.collect_ip = true;
    })
    .await;
    let body = json!({"writeKey": WEB, "anonymousId": "anon-1", "traits": {"name": "Eve"}}).to_string();
    let mut request = Request::post("/v1/identify").body(body.into()).unwrap();
    request.extensions_mut().insert(ClientAddress(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))));
    shop.client.request(request).await.expect(200);
    let events = shop.analyst("/events").await;
    assert_eq!(events[0]["message"]["traits"], json!({"name": "Eve"}));
    assert_eq!(events[0]["message"]["context"]["ip"], "192.0.2.1");
}
