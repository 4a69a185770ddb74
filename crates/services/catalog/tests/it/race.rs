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
