use std::time::Duration;

use contracts::catalog::Shortage;
use testkit::TestDatabase;

use crate::support::*;

const HOLD: Duration = Duration::from_secs(600);

fn shortages(error: &contracts::CallError) -> Vec<Shortage> {
    assert!(error.is("catalog.out_of_stock"), "{error:?}");
    serde_json::from_value(error.rejection().unwrap().members["lines"].clone()).unwrap()
}

testkit::on_both_engines! {
    async fn a_quote_says_what_variants_are_and_cost(db: TestDatabase) {
        let mut draft = product("draft", &[("D", 1, 1)]);
        draft.status = "draft".to_owned();
        let shop = Shop::with(db, vec![product("tint", &[("T-1", 3_400, 5), ("T-2", 3_500, 0)]), draft]).await;
        let asked = [variant_id("T-2"), variant_id("nothing"), variant_id("D"), variant_id("T-1"), variant_id("T-1")];
        let quote = shop.client.quote(&asked).await.unwrap();
        let found: Vec<_> = quote.variants.iter().map(|it| (it.sku.as_str(), it.available)).collect();
        assert_eq!(found, [("T-2", 0), ("T-1", 5)]);
        let first = &quote.variants[1];
        assert_eq!(first.title, "tint, Shade T-1");
        assert_eq!(first.category.as_deref(), Some("face/foundation"));
        assert_eq!(first.unit_price.to_string(), "34.00 EUR");
        assert_eq!(first.tax_basis_points, 2_000);
        assert_eq!((first.product_id, first.seller_id), (product_id("tint"), seller_id("Maren Vale")));
        assert_eq!(shop.client.quote(&[]).await.unwrap().variants, []);
    }

    async fn stock_is_held_committed_and_brought_back(db: TestDatabase) {
        let shop = Shop::with(db, vec![product("tint", &[("T-1", 1, 10)])]).await;
        let (_, position) = shop.events(0).await;
        shop.reserve(1, &[("T-1", 2), ("T-1", 1)]).await.unwrap();
        assert_eq!(shop.available("tint", "T-1").await, 7);
        shop.client.commit(checkout(1)).await.unwrap();
        assert_eq!(shop.available("tint", "T-1").await, 7);
        shop.client.restock(checkout(1)).await.unwrap();
        assert_eq!(shop.available("tint", "T-1").await, 10);
        let (announced, _) = shop.announced(position).await;
        assert_eq!(announced, [7, 10], "a commit changes nothing for buyers");
        shop.assert_sound().await;
    }

    async fn every_call_may_be_repeated(db: TestDatabase) {
        let shop = Shop::with(db, vec![product("tint", &[("T-1", 1, 10)])]).await;
        let (_, position) = shop.events(0).await;
        for _ in 0..3 {
            shop.reserve(1, &[("T-1", 3)]).await.unwrap();
        }
        for _ in 0..3 {
            shop.client.commit(checkout(1)).await.unwrap();
        }
        shop.reserve(1, &[("T-1", 3)]).await.unwrap();
        for _ in 0..3 {
            shop.client.restock(checkout(1)).await.unwrap();
        }
        // An answer was lost, and the commit is repeated before its undo is.
        shop.client.commit(checkout(1)).await.unwrap();
        shop.reserve(2, &[("T-1", 4)]).await.unwrap();
        for _ in 0..3 {
            shop.client.release(checkout(2)).await.unwrap();
        }
        assert_eq!(shop.announced(position).await.0, [7, 10, 6, 10]);
        assert_eq!(shop.available("tint", "T-1").await, 10);
        shop.assert_sound().await;
    }

    async fn all_lines_or_none(db: TestDatabase) {
        let shop = Shop::with(db, vec![product("tint", &[("T-1", 1, 5), ("T-2", 1, 1), ("T-3", 1, 0)])]).await;
        let error = shop.reserve(1, &[("T-1", 2), ("T-3", 1), ("T-2", 1), ("T-2", 1)]).await.unwrap_err();
        let mut short = shortages(&error);
        short.sort_by_key(|it| it.available);
        let short: Vec<_> = short.into_iter().map(|it| (it.variant_id, it.requested, it.available)).collect();
        assert_eq!(short, [(variant_id("T-3"), 1, 0), (variant_id("T-2"), 2, 1)]);
        assert_eq!(shop.available("tint", "T-1").await, 5);
        assert_eq!(shop.announced(0).await.0, [5, 1], "only the first delivery was announced");
        // The checkout may ask again for what there is.
        shop.reserve(1, &[("T-1", 5), ("T-2", 1)]).await.unwrap();
        shop.assert_sound().await;
    }

    async fn what_is_not_for_sale_cannot_be_reserved(db: TestDatabase) {
        let mut draft = product("draft", &[("D", 1, 5)]);
        draft.status = "draft".to_owned();
        let shop = Shop::with(db, vec![product("tint", &[("T-1", 1, 5)]), draft]).await;
        let error = shop.reserve(1, &[("T-1", 1), ("D", 1), ("nothing", 1)]).await.unwrap_err();
        assert!(error.is("catalog.variant_not_for_sale"), "{error:?}");
        assert_eq!(error.rejection().unwrap().members["variants"].as_array().unwrap().len(), 2);
        assert_eq!(shop.available("tint", "T-1").await, 5);
    }

    async fn what_ended_cannot_be_taken_up_again(db: TestDatabase) {
        let shop = Shop::with(db, vec![product("tint", &[("T-1", 1, 5)])]).await;
        shop.reserve(1, &[("T-1", 1)]).await.unwrap();
        shop.client.release(checkout(1)).await.unwrap();
        assert!(shop.reserve(1, &[("T-1", 1)]).await.unwrap_err().is("catalog.reservation_ended"));
        assert!(shop.client.commit(checkout(1)).await.unwrap_err().is("catalog.reservation_ended"));
        assert!(shop.client.commit(checkout(9)).await.unwrap_err().is("catalog.reservation_ended"));
        assert!(shop.client.restock(checkout(1)).await.unwrap_err().is("catalog.reservation_not_committed"));

        shop.reserve(2, &[("T-1", 1)]).await.unwrap();
        assert!(shop.reserve(2, &[("T-1", 2)]).await.unwrap_err().is("catalog.reservation_differs"));
        assert!(shop.client.restock(checkout(2)).await.unwrap_err().is("catalog.reservation_not_committed"));
        shop.client.commit(checkout(2)).await.unwrap();
        assert!(shop.client.release(checkout(2)).await.unwrap_err().is("catalog.reservation_committed"));
        assert_eq!(shop.available("tint", "T-1").await, 4);
        shop.assert_sound().await;
    }

    async fn a_late_request_does_not_revive_a_released_checkout(db: TestDatabase) {
        let shop = Shop::with(db, vec![product("tint", &[("T-1", 1, 5)])]).await;
        shop.client.release(checkout(1)).await.unwrap();
        shop.client.release(checkout(1)).await.unwrap();
        assert!(shop.reserve(1, &[("T-1", 1)]).await.unwrap_err().is("catalog.reservation_ended"));
        assert_eq!(shop.available("tint", "T-1").await, 5);
    }

    async fn time_gives_stock_back(db: TestDatabase) {
        let shop = Shop::with(db, vec![product("tint", &[("T-1", 1, 5), ("T-2", 1, 5)])]).await;
        shop.reserve(1, &[("T-1", 5), ("T-2", 1)]).await.unwrap();
        shop.reserve(2, &[("T-2", 2)]).await.unwrap();
        shop.client.commit(checkout(2)).await.unwrap();
        let (_, position) = shop.events(0).await;
        shop.db.clock().advance(HOLD - Duration::from_micros(1));
        assert!(!shortages(&shop.reserve(3, &[("T-1", 1)]).await.unwrap_err()).is_empty());
        shop.db.clock().advance(Duration::from_micros(1));
        // Free from that microsecond on, whether or not anybody has tidied up.
        assert_eq!(shop.available("tint", "T-1").await, 5);
        assert!(shop.client.commit(checkout(1)).await.unwrap_err().is("catalog.reservation_ended"));
        shop.reserve(3, &[("T-1", 4)]).await.unwrap();

        let shutdown = host::Shutdown::new();
        let worker = tokio::spawn(shop.service.workers()[0].run(shutdown.clone()));
        let announced = async || shop.announced(position).await.0;
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        while announced().await.len() < 3 {
            assert!(tokio::time::Instant::now() < deadline, "{:?}", announced().await);
            tokio::task::yield_now().await;
        }
        shutdown.set();
        worker.await.unwrap();
        let mut announced = announced().await;
        announced.sort_unstable();
        assert_eq!(announced, [1, 1, 3], "T-1 by the next buyer and by the worker, T-2 by the worker");
        assert_eq!(shop.get("/v1/products?in_stock=true").await.handles(), ["tint"]);
        assert!(shop.reserve(1, &[("T-1", 1)]).await.unwrap_err().is("catalog.reservation_ended"));
        shop.client.release(checkout(1)).await.unwrap();
        shop.assert_sound().await;
    }
}

#[tokio::test]
async fn only_services_may_call_and_only_sensibly() {
    let shop = Shop::open(TestDatabase::on(testkit::database::Engine::Sqlite).await).await;
    let routes = shop.service.internal();
    for path in [
        "quote".to_owned(),
        "reservations".to_owned(),
        format!("reservations/{}/commit", checkout(1)),
        format!("reservations/{}/release", checkout(1)),
        format!("reservations/{}/restock", checkout(1)),
    ] {
        for caller in [web::Caller::Anonymous, customer(), staff(&[web::Role::Administrator])] {
            let request = http::Request::post(format!("/internal/catalog/{path}"))
                .header("content-type", "application/json")
                .extension(caller)
                .body(axum::body::Body::from("[]"))
                .unwrap();
            let response = tower::ServiceExt::oneshot(routes.clone(), request).await.unwrap();
            assert_eq!(response.status(), 401, "{path}");
        }
    }
    let refused = async |change: fn(&mut contracts::catalog::ReserveStock)| {
        let mut request = request(1, &[("T-1", 1)]);
        change(&mut request);
        shop.client.reserve(&request).await.unwrap_err().rejection().unwrap().code.clone()
    };
    assert_eq!(refused(|it| it.hold_seconds = 0).await, "request.validation");
    assert_eq!(refused(|it| it.lines.clear()).await, "request.validation");
    assert_eq!(refused(|it| it.lines[0].quantity = 0).await, "request.validation");
    assert_eq!(refused(|it| it.lines[0].quantity = -1).await, "request.validation");
    let mut request = request(1, &[("T-1", 1)]);
    request.lines[0].quantity = 0;
    let refused = shop.client.reserve(&request).await.unwrap_err();
    assert_eq!(refused.rejection().unwrap().members["errors"][0]["pointer"], "/lines/0/quantity");
}
