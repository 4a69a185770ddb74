//! What libraries send, in all its forms.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::shop::{APP, Shop, WEB, on_both_engines};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn every_call_is_taken_under_both_its_paths() {
    let shop = Shop::sqlite().await;
    let calls = [
        ("track", "t", json!({"event": "Product Viewed"})),
        ("identify", "i", json!({"traits": {"plan": "gold"}})),
        ("page", "p", json!({"name": "Home"})),
        ("screen", "s", json!({"name": "Home"})),
        ("group", "g", json!({"groupId": "g-1"})),
        ("alias", "a", json!({"previousId": "anon-1"})),
    ];
    for (path, short, mut event) in calls {
        event["userId"] = "u-1".into();
        event["writeKey"] = WEB.into();
        for path in [path, short] {
            let answer = shop.client.post(&format!("/v1/{path}"), event.clone()).await.expect(200);
            assert_eq!(answer.body, json!({"success": true, "rejected": []}));
        }
        let counted = if path == "track" { "Product Viewed" } else { path };
        assert_eq!(shop.counted("web", counted).await, 2, "{path}");
    }
    let batch = json!({"writeKey": WEB, "batch": [{"type": "page", "userId": "u-1"}]});
    shop.client.post("/v1/b", batch).await.expect(200);
    assert_eq!(shop.counted("web", "page").await, 3);
}

#[tokio::test]
async fn every_form_of_body_and_key_is_read() {
    let shop = Shop::sqlite().await;
    let event = |key: Option<&str>| {
        let mut event = json!({"event": "x", "anonymousId": "anon-1"});
        if let Some(key) = key {
            event["writeKey"] = key.into();
        }
        event.to_string()
    };
    let mut sent = 0;
    for media_type in ["application/json", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded"] {
        shop.send("/v1/t", &[("content-type", media_type)], event(Some(WEB))).await.expect(200);
        let packed = gzip(event(Some(WEB)).as_bytes());
        let headers = [("content-type", media_type), ("content-encoding", "gzip")];
        shop.send("/v1/t", &headers, packed).await.expect(200);
        sent += 2;
    }
    shop.send("/v1/t", &[], event(Some(WEB))).await.expect(200);
    let basic = |text: String| format!("Basic {}", STANDARD.encode(text));
    for authorization in [basic(format!("{WEB}:")), basic(WEB.to_owned()), format!("Bearer {WEB}")] {
        shop.send("/v1/t", &[("authorization", &authorization)], event(None)).await.expect(200);
    }
    // The key in the body goes before the one in the header, which may belong to a proxy.
    shop.send("/v1/t", &[("authorization", "Bearer elsewhere")], event(Some(WEB))).await.expect(200);
    assert_eq!(shop.counted("web", "x").await, sent + 5);
}

#[tokio::test]
async fn a_batch_keeps_what_is_sound_and_names_what_is_not() {
    on_both_engines(async |shop: Shop| {
        let events = json!([
            {"type": "track", "event": "Product Viewed", "messageId": "m-1", "anonymousId": "anon-1"},
            {"type": "track", "messageId": "m-2", "anonymousId": "anon-1", "traits": {"email": "ada@example.com"}},
            "nonsense",
            {"type": "page", "messageId": "m-3", "anonymousId": "anon-1", "x\u{0}y": "z\u{0}"},
            {"type": "track", "event": "Big", "messageId": "m-4", "userId": "u", "properties": {"x": "y".repeat(33_000)}},
        ]);
        let rejected = json!([
            {"index": 1, "message_id": "m-2", "code": "analytics.event_required"},
            {"index": 2, "message_id": null, "code": "analytics.invalid_event"},
            {"index": 4, "message_id": "m-4", "code": "analytics.event_too_large"},
        ]);
        assert_eq!(shop.batch(events.clone()).await, rejected);
        assert_eq!(shop.batch(events).await, rejected, "the answer is the same the second time");
        assert_eq!(shop.counted("web", "Product Viewed").await, 1, "and nothing counts twice");
        assert_eq!(shop.counted("web", "page").await, 1);
        assert_eq!(shop.counted("web", "Big").await, 0);

        let kept = shop.analyst("/rejected?code=analytics.event_required").await;
        assert_eq!(kept.len(), 1, "what is refused again is kept once");
        assert_eq!((&kept[0]["source"], &kept[0]["message_id"]), (&json!("web"), &json!("m-2")));
        assert!(kept[0]["detail"].as_str().unwrap().contains("event"));
        assert!(!kept[0].to_string().contains("ada@example.com"));
        let large = shop.analyst("/rejected?code=analytics.event_too_large").await;
        assert!(large[0]["message"].as_str().unwrap().len() <= 4_096);
    })
    .await;
}

#[tokio::test]
async fn a_message_counts_once_for_each_source() {
    on_both_engines(async |shop: Shop| {
        let event = |key: &str| json!({"writeKey": key, "event": "x", "messageId": "m-1", "userId": "u-1"});
        for key in [WEB, APP, WEB, APP, APP] {
            shop.client.post("/v1/track", event(key)).await.expect(200);
        }
        assert_eq!((shop.counted("web", "x").await, shop.counted("app", "x").await), (1, 1));
        let twice = json!([{"type": "page", "messageId": "m-2", "userId": "u"}, {"type": "page", "messageId": "m-2", "userId": "u"}]);
        shop.batch(twice).await;
        assert_eq!(shop.counted("web", "page").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_full_batch_of_many_days_is_counted_by_day() {
    on_both_engines(async |shop: Shop| {
        let events: Vec<Value> = (0..2_500)
            .map(|number| {
                let timestamp = format!("2025-12-{:02}T10:00:00Z", number % 25 + 1);
                json!({"type": "track", "event": "x", "userId": "u", "messageId": format!("m-{number}"), "timestamp": timestamp})
            })
            .collect();
        assert_eq!(shop.batch(events.into()).await, json!([]));
        let days = shop.analyst("/events/daily?limit=100&event=x").await;
        assert_eq!(days.len(), 25);
        assert_eq!(days[0], json!({"day": "2025-12-25", "source": "web", "event": "x", "count": 100}));
    })
    .await;
}

#[tokio::test]
async fn two_that_send_the_same_at_once_count_once() {
    on_both_engines(async |shop: Shop| {
        let event = |number: u32| json!({"type": "track", "event": "x", "userId": "u", "messageId": format!("m-{number}")});
        let forwards: Vec<Value> = (0..200).map(event).collect();
        let backwards: Vec<Value> = (0..200).rev().map(event).collect();
        let sends = [shop.batch(forwards.into()), shop.batch(backwards.into())];
        futures_util::future::join_all(sends).await;
        assert_eq!(shop.counted("web", "x").await, 200);
    })
    .await;
}

#[tokio::test]
async fn the_browser_library_is_told_where_to_send() {
    let shop = Shop::sqlite().await;
    let answer = shop.client.get(&format!("/v1/projects/{WEB}/settings")).await.expect(200);
    let segment = &answer.body["integrations"]["Segment.io"];
    assert_eq!((&segment["apiHost"], &segment["protocol"]), (&json!("shop.example/v1"), &json!("http")));
    let unknown = shop.client.get("/v1/projects/unknown-key/settings").await.expect(401);
    assert_eq!(unknown.code(), "analytics.unknown_write_key");
}
