use http::Method;
use serde_json::{Value, json};
use testkit::TestDatabase;

use crate::support::*;

async fn adjust(shop: &Shop, sku: &str, key: Option<&str>, delta: i64, reason: &str) -> Answer {
    let path = format!("/v1/admin/variants/{}/stock-adjustments", variant_id(sku));
    let headers: Vec<_> = key.iter().map(|key| ("idempotency-key", *key)).collect();
    shop.staff((Method::POST, &path), &headers, &json!({"delta": delta, "reason": reason})).await
}

async fn count(shop: &Shop, sku: &str, on_hand: i64) -> Answer {
    let path = format!("/v1/admin/variants/{}/stock", variant_id(sku));
    shop.staff((Method::PUT, &path), &[], &json!({"on_hand": on_hand})).await
}

fn level(answer: &Answer) -> [Value; 3] {
    let json = answer.ok();
    ["on_hand", "reserved", "available"].map(|member| json[member].clone())
}

testkit::on_both_engines! {
    async fn deliveries_and_losses_are_counted_once(db: TestDatabase) {
        let shop = Shop::with(db, vec![product("tint", &[("T-1", 1, 0)])]).await;
        let (_, position) = shop.events(0).await;
        assert_eq!(level(&adjust(&shop, "T-1", Some("d-1"), 10, "delivery 1").await), [10, 0, 10]);
        let again = adjust(&shop, "T-1", Some("d-1"), 10, "delivery 1").await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(level(&again), [10, 0, 10]);
        assert_eq!(level(&adjust(&shop, "T-1", None, -3, "damaged").await), [7, 0, 7]);
        assert_eq!(shop.announced(position).await.0, [10, 7]);
        assert_eq!(shop.get("/v1/products?in_stock=true").await.handles(), ["tint"]);
        let references: Vec<(String,)> = shop
            .db
            .read_primary()
            .await
            .unwrap()
            .fetch_all("SELECT reference FROM ledger_transfers ORDER BY amount", &[])
            .await
            .unwrap();
        assert!(references[0].0.starts_with("stf_") && references[0].0.ends_with(": damaged"), "{references:?}");
        shop.assert_sound().await;
    }

    async fn a_count_sets_what_is_on_the_shelf(db: TestDatabase) {
        let shop = Shop::with(db, vec![product("tint", &[("T-1", 1, 10)])]).await;
        shop.reserve(1, &[("T-1", 4)]).await.unwrap();
        let (_, position) = shop.events(0).await;
        assert_eq!(level(&count(&shop, "T-1", 9).await), [9, 4, 5]);
        assert_eq!(level(&count(&shop, "T-1", 9).await), [9, 4, 5]);
        assert_eq!(shop.announced(position).await.0, [5], "counting the same is no news");
        let below = count(&shop, "T-1", 3).await;
        assert_eq!(below.refusal(), refusal(409, "catalog.insufficient_stock"));
        assert_eq!(below.json()["available"], 5);
        assert_eq!(level(&count(&shop, "T-1", 4).await), [4, 4, 0]);
        assert_eq!(adjust(&shop, "T-1", None, -1, "lost").await.refusal().1, "catalog.insufficient_stock");
        assert_eq!(shop.get("/v1/products?in_stock=true").await.handles(), Vec::<String>::new());
        shop.client.commit(checkout(1)).await.unwrap();
        assert_eq!(level(&count(&shop, "T-1", 0).await), [0, 0, 0]);
        shop.assert_sound().await;
    }

    async fn counting_and_selling_at_once_lose_nothing(db: TestDatabase) {
        let shop = std::sync::Arc::new(Shop::with(db, vec![product("tint", &[("T-1", 1, 100)])]).await);
        let buyers = (1..=40_u128).map(|buyer| {
            let shop = shop.clone();
            tokio::spawn(async move {
                shop.reserve(buyer, &[("T-1", 1)]).await.unwrap();
                shop.client.commit(checkout(buyer)).await.unwrap();
            })
        });
        let buyers: Vec<_> = buyers.collect();
        for _ in 0..10 {
            adjust(&shop, "T-1", None, 5, "delivery").await.ok();
        }
        for buyer in buyers {
            buyer.await.unwrap();
        }
        assert_eq!(shop.available("tint", "T-1").await, 100 + 10 * 5 - 40);
        shop.assert_sound().await;
    }
}

#[tokio::test]
async fn senseless_corrections_are_refused() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::with(db, vec![product("tint", &[("T-1", 1, 1)])]).await;
    assert_eq!(adjust(&shop, "T-1", None, 0, "x").await.errors(), ["/delta out_of_range"]);
    assert_eq!(adjust(&shop, "T-1", None, 2_000_000_000, "x").await.errors(), ["/delta out_of_range"]);
    assert_eq!(adjust(&shop, "T-1", None, 1_000_000_000, "x").await.errors(), ["/delta out_of_range"]);
    assert_eq!(adjust(&shop, "T-1", None, 1, " ").await.errors(), ["/reason required"]);
    assert_eq!(adjust(&shop, "T-1", None, 1, &"é".repeat(101)).await.errors(), ["/reason too_long"]);
    assert_eq!(count(&shop, "T-1", -1).await.errors(), ["/on_hand out_of_range"]);
    assert_eq!(level(&count(&shop, "T-1", 1).await), [1, 0, 1]);
}
