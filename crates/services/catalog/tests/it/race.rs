use std::sync::Arc;

use testkit::TestDatabase;

use crate::support::*;

const BUYERS: u128 = 200;

testkit::on_both_engines! {
    async fn of_two_hundred_buyers_of_the_last_one_exactly_one_wins(db: TestDatabase) {
        let shop = Arc::new(Shop::with(db, vec![product("tint", &[("T-1", 1, 1), ("T-2", 1, 1_000)])]).await);
        let buyers = (1..=BUYERS).map(|buyer| {
            let shop = shop.clone();
            tokio::spawn(async move {
                // Half of them name the plentiful one first, half last.
                let lines = [("T-2", 1), ("T-1", 1)];
                let lines = if buyer % 2 == 0 { lines } else { [lines[1], lines[0]] };
                shop.reserve(buyer, &lines).await
            })
        });
        let mut winners = 0;
        for buyer in buyers.collect::<Vec<_>>() {
            match buyer.await.unwrap() {
                Ok(()) => winners += 1,
                Err(error) => assert!(error.is("catalog.out_of_stock"), "{error:?}"),
            }
        }
        assert_eq!(winners, 1);
        assert_eq!(shop.available("tint", "T-1").await, 0);
        assert_eq!(shop.available("tint", "T-2").await, 999);
        shop.assert_sound().await;
    }

    async fn what_was_announced_last_is_how_it_is(db: TestDatabase) {
        let shop = Arc::new(Shop::with(db, vec![product("tint", &[("T-1", 1, 3), ("T-2", 1, 3)])]).await);
        let shutdown = host::Shutdown::new();
        let workers: Vec<_> =
            (0..2).map(|_| tokio::spawn(shop.service.workers()[0].run(shutdown.clone()))).collect();
        for round in 1..=15_u128 {
            let calls = (0..6).map(|call| {
                let shop = shop.clone();
                tokio::spawn(async move {
                    let lines = [("T-1", 1), ("T-2", 1)];
                    let number = round * 10 + call;
                    let taken = shop.reserve(number, &lines).await;
                    match call % 3 {
                        0 if taken.is_ok() => shop.client.release(checkout(number)).await.unwrap(),
                        // Time passes over those that stay.
                        1 => shop.db.clock().advance(std::time::Duration::from_secs(400)),
                        _ => {}
                    }
                })
            });
            for call in calls.collect::<Vec<_>>() {
                call.await.unwrap();
            }
        }
        shop.db.clock().advance(std::time::Duration::from_secs(600));
        let last = async || {
            let (events, _) = shop.events(0).await;
            let of = |sku: &str| {
                let id = serde_json::json!(variant_id(sku));
                let stock = events.iter().rev().find(|(_, data)| data["variant_id"] == id);
                stock.unwrap().1["available"].as_i64().unwrap()
            };
            [of("T-1"), of("T-2")]
        };
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
        while last().await != [3, 3] {
            assert!(tokio::time::Instant::now() < deadline, "{:?}", last().await);
            tokio::task::yield_now().await;
        }
        shutdown.set();
        for worker in workers {
            worker.await.unwrap();
        }
        assert_eq!(last().await, [3, 3]);
        assert_eq!((shop.available("tint", "T-1").await, shop.available("tint", "T-2").await), (3, 3));
        assert_eq!(shop.get("/v1/products?in_stock=true").await.handles(), ["tint"]);
        shop.assert_sound().await;
    }

    async fn a_checkout_that_is_pulled_both_ways_goes_one(db: TestDatabase) {
        let shop = Arc::new(Shop::with(db, vec![product("tint", &[("T-1", 1, 50)])]).await);
        for round in 1..=10_u128 {
            let calls = (0..12).map(|call| {
                let shop = shop.clone();
                tokio::spawn(async move {
                    match call % 3 {
                        0 => shop.reserve(round, &[("T-1", 1)]).await,
                        1 => shop.client.commit(checkout(round)).await,
                        _ => shop.client.release(checkout(round)).await,
                    }
                })
            });
            for call in calls.collect::<Vec<_>>() {
                if let Err(error) = call.await.unwrap() {
                    let expected = error.is("catalog.reservation_ended") || error.is("catalog.reservation_committed");
                    assert!(expected, "{error:?}");
                }
            }
        }
        // Each round took one or none, and commits and releases agree with what is left.
        let available = shop.available("tint", "T-1").await;
        let mut committed = 0;
        for round in 1..=10 {
            committed += i64::from(shop.client.restock(checkout(round)).await.is_ok());
            let _ = shop.client.release(checkout(round)).await;
        }
        assert_eq!(available, 50 - committed);
        assert_eq!(shop.available("tint", "T-1").await, 50);
        shop.assert_sound().await;
    }
}
