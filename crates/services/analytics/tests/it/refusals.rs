//! What is refused as a whole, and how that is said.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use testkit::database::Engine;

use crate::shop::{Shop, WEB};

#[tokio::test]
async fn nobody_sends_without_a_key() {
    let shop = Shop::sqlite().await;
    let event = json!({"event": "x", "userId": "u"});
    assert_eq!(shop.client.post("/v1/track", event).await.expect(401).code(), "analytics.unknown_write_key");
    let wrong = json!({"event": "x", "userId": "u", "writeKey": "write-key-of-nobody"});
    assert_eq!(shop.client.post("/v1/track", wrong).await.expect(401).code(), "analytics.unknown_write_key");
    assert!(shop.analyst("/rejected").await.is_empty(), "strangers leave nothing behind");
}

#[tokio::test]
async fn each_single_event_is_told_what_it_lacks_and_is_kept() {
    let shop = Shop::sqlite().await;
    let long = "x".repeat(101);
    let cases = [
        ("track", json!({"userId": "u"}), 400, "analytics.event_required"),
        ("page", json!({"name": "Home"}), 400, "analytics.identity_required"),
        ("group", json!({"userId": "u"}), 400, "analytics.group_id_required"),
        ("alias", json!({"userId": "u"}), 400, "analytics.previous_id_required"),
        ("page", json!({"userId": "u", "messageId": long}), 400, "analytics.invalid_event"),
        ("page", json!({"userId": "u", "properties": "y".repeat(33_000)}), 413, "analytics.event_too_large"),
    ];
    let count = cases.len();
    for (path, mut event, status, code) in cases {
        event["writeKey"] = WEB.into();
        let answer = shop.client.post(&format!("/v1/{path}"), event).await.expect(status);
        assert_eq!(answer.code(), code);
    }
    let unknown = shop.batch(json!([{"type": "tracked", "userId": "u"}])).await;
    assert_eq!(unknown[0]["code"], "analytics.unknown_type");
    assert_eq!(shop.analyst("/rejected").await.len(), count + 1);
    assert!(shop.analyst("/events").await.is_empty());
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let shop = Shop::sqlite().await;
    for body in ["", "not json", "[]", "\"text\"", "{\"writeKey\": 1, \"writeKey\": 2}"] {
        assert_eq!(
            shop.send("/v1/track", &[], body).await.expect(400).code(),
            "analytics.malformed",
            "{body}"
        );
    }
    for batch in [json!({"writeKey": WEB}), json!({"writeKey": WEB, "batch": {}})] {
        assert_eq!(shop.client.post("/v1/batch", batch).await.expect(400).code(), "analytics.malformed");
    }
    let gzip = [("content-encoding", "gzip")];
    assert_eq!(shop.send("/v1/batch", &gzip, "{}").await.expect(400).code(), "analytics.malformed");
    let brotli = [("content-encoding", "br")];
    let answer = shop.send("/v1/batch", &brotli, "{}").await.expect(415);
    assert_eq!(answer.code(), "request.unsupported_media_type");
}

#[tokio::test]
async fn limits_are_said_and_a_bomb_is_not_unpacked() {
    let shop = Shop::open(Engine::Sqlite, |config| config.max_batch_events = 3).await;
    let page = json!({"type": "page", "userId": "u"});
    let four = json!({"writeKey": WEB, "batch": vec![page; 4]});
    assert_eq!(shop.client.post("/v1/batch", four).await.expect(413).code(), "analytics.too_many_events");

    let large = json!({"writeKey": WEB, "batch": [], "x": "y".repeat(512_000)}).to_string();
    assert_eq!(shop.send("/v1/batch", &[], large).await.expect(413).code(), "analytics.batch_too_large");

    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..64 {
        bomb.write_all(&[b' '; 1 << 20]).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 500 * 1024, "it passes as sent");
    let answer = shop.send("/v1/batch", &[("content-encoding", "gzip")], bomb).await.expect(413);
    assert_eq!(answer.code(), "analytics.batch_too_large");
}

#[tokio::test]
async fn what_a_batch_says_for_all_cannot_be_blown_up() {
    let shop = Shop::sqlite().await;
    let events: Vec<Value> = (0..100).map(|_| json!({"type": "page", "userId": "u"})).collect();
    let batch = json!({"writeKey": WEB, "batch": events, "context": {"x": "y".repeat(100_000)}});
    assert_eq!(shop.client.post("/v1/batch", batch).await.expect(413).code(), "analytics.batch_too_large");
}
