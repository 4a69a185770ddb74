//! What staff read, and who may not.

use std::time::{Duration, Instant};

use host::Shutdown;
use serde_json::json;
use web::Role;

use crate::shop::{Shop, customer, on_both_engines};

const LISTS: [&str; 4] = ["/events/daily", "/revenue/daily", "/rejected", "/events"];

#[tokio::test]
async fn only_analysts_read() {
    let shop = Shop::sqlite().await;
    for list in LISTS {
        let path = format!("/v1/admin/analytics{list}");
        assert_eq!(shop.client.get(&path).await.expect(401).code(), "auth.missing");
        assert_eq!(
            shop.client.customer(customer(1), shop.now()).get(&path).await.expect(403).code(),
            "auth.forbidden"
        );
        assert_eq!(shop.client.staff(&[Role::Orders]).get(&path).await.expect(403).code(), "auth.forbidden");
        let analyst = shop.client.staff(&[Role::Analyst]);
        assert_eq!(analyst.get(&path).await.expect(200).body, json!({"data": [], "next_cursor": null}));
        let answer = analyst.get(&format!("{path}?colour=red")).await.expect(400);
        assert_eq!(answer.code(), "request.validation");
        let answer = analyst.get(&format!("{path}?cursor=nonsense")).await.expect(400);
        assert_eq!(answer.code(), "request.bad_cursor");
    }
}

#[tokio::test]
async fn counts_are_read_page_by_page_and_narrowed() {
    on_both_engines(async |shop: Shop| {
        let event = |event: &str, day: u32| {
            json!({"type": "track", "event": event, "userId": "u", "timestamp": format!("2025-12-0{day}T23:59:59Z")})
        };
        let events = json!([event("b", 1), event("a", 2), event("b", 2), event("b", 2), event("Viewed Product", 3)]);
        shop.batch(events).await;
        let analyst = shop.client.staff(&[Role::Analyst]);
        let mut path = "/v1/admin/analytics/events/daily?limit=1".to_owned();
        let mut seen = Vec::new();
        loop {
            let page = analyst.get(&path).await.expect(200);
            let row = &page.body["data"][0];
            seen.push(format!("{} {} {}", row["day"], row["event"], row["count"]).replace('"', ""));
            let Some(cursor) = page.body["next_cursor"].as_str() else { break };
            path = format!("/v1/admin/analytics/events/daily?limit=1&cursor={cursor}");
        }
        assert_eq!(seen, ["2025-12-03 Product Viewed 1", "2025-12-02 a 1", "2025-12-02 b 2", "2025-12-01 b 1"]);
        let days = shop.analyst("/events/daily?from=2025-12-02&to=2025-12-02&event=b&source=web").await;
        assert_eq!(days, [json!({"day": "2025-12-02", "source": "web", "event": "b", "count": 2})]);
        assert!(shop.analyst("/events/daily?source=app").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn raw_events_are_read_page_by_page_the_last_first() {
    on_both_engines(async |shop: Shop| {
        for number in 0..5 {
            shop.platform.clock.advance(Duration::from_millis(2));
            shop.batch(json!([{"type": "track", "event": format!("e{number}"), "userId": "u"}])).await;
        }
        let analyst = shop.client.staff(&[Role::Analyst]);
        let first = analyst.get("/v1/admin/analytics/events?limit=3").await.expect(200);
        let cursor = first.body["next_cursor"].as_str().unwrap();
        let second =
            analyst.get(&format!("/v1/admin/analytics/events?limit=3&cursor={cursor}")).await.expect(200);
        let rows = [&first, &second].into_iter().flat_map(|page| page.body["data"].as_array().unwrap());
        let events: Vec<_> = rows.map(|row| row["event"].as_str().unwrap()).collect();
        assert_eq!(events, ["e4", "e3", "e2", "e1", "e0"]);
        assert!(second.body["next_cursor"].is_null());
    })
    .await;
}

#[tokio::test]
async fn raw_events_expire_and_counts_stay() {
    on_both_engines(async |shop: Shop| {
        shop.batch(json!([{"type": "page", "userId": "u"}, {"type": "track", "userId": "u"}])).await;
        shop.platform.clock.advance(Duration::from_secs(89 * 86_400));
        shop.batch(json!([{"type": "screen", "userId": "u"}, {"type": "alias", "userId": "u"}])).await;
        shop.platform.clock.advance(Duration::from_secs(2 * 86_400));
        let shutdown = Shutdown::new();
        let running: Vec<_> =
            shop.service.workers().iter().map(|worker| tokio::spawn(worker.run(shutdown.clone()))).collect();
        let deadline = Instant::now() + Duration::from_secs(20);
        while shop.analyst("/events").await.len() > 1 || shop.analyst("/rejected").await.len() > 1 {
            assert!(Instant::now() < deadline, "what has expired is deleted");
            tokio::task::yield_now().await;
        }
        shutdown.set();
        for worker in running {
            worker.await.unwrap();
        }
        assert_eq!(shop.analyst("/events").await[0]["event"], "screen");
        assert_eq!(shop.analyst("/rejected").await.len(), 1);
        assert_eq!(shop.counted("web", "page").await, 1);
    })
    .await;
}
