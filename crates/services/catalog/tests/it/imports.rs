use contracts::import::{Mode, Verdict};
use testkit::TestDatabase;

use crate::support::*;

fn refused(verdict: &Verdict) -> (&str, &str) {
    match verdict {
        Verdict::Refused { code, field, .. } => (code, field.as_deref().unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

testkit::on_both_engines! {
    async fn the_same_file_twice_changes_nothing_even_after_sales(db: TestDatabase) {
        let file = || vec![product("a", &[("A-1", 100, 5), ("A-2", 200, 0)]), product("b", &[("B-1", 300, 7)])];
        let shop = Shop::with(db, file()).await;
        shop.reserve(1, &[("A-1", 2)]).await.unwrap();
        shop.client.commit(checkout(1)).await.unwrap();
        let (_, position) = shop.events(0).await;
        shop.db.clock().advance(std::time::Duration::from_secs(1));
        assert_eq!(shop.import(file()).await, [Verdict::Unchanged, Verdict::Unchanged]);
        assert_eq!(shop.events(position).await.0, []);
        assert_eq!(shop.available("a", "A-1").await, 3);
        assert_eq!(shop.get("/v1/products/a").await.ok()["version"], 1);
        shop.assert_sound().await;
    }

    async fn what_differs_is_brought_up_to_date(db: TestDatabase) {
        let shop = Shop::with(db, vec![product("a", &[("A-1", 100, 5), ("A-2", 200, 1)])]).await;
        let mut changed = product("a", &[("A-3", 400, 9), ("A-1", 150, 50)]);
        changed.title = "Another Name".to_owned();
        changed.categories = vec!["sets".to_owned()];
        assert_eq!(shop.import(vec![changed.clone()]).await, [Verdict::Updated]);
        assert_eq!(shop.import(vec![changed]).await, [Verdict::Unchanged]);
        let json = shop.get("/v1/products/a").await.ok();
        let variants = json["variants"].as_array().unwrap();
        let shown: Vec<_> = variants.iter().map(|it| (it["sku"].clone(), it["available"].clone())).collect();
        assert_eq!(serde_json::json!(shown), serde_json::json!([["A-3", 9], ["A-1", 5]]), "stock is taken once");
        assert_eq!((json["version"].as_i64(), &json["title"]), (Some(2), &"Another Name".into()));
        assert_eq!(shop.get("/v1/products?query=another").await.handles(), ["a"]);
        assert_eq!(shop.get("/v1/products?category=face").await.handles(), Vec::<String>::new());
        assert!(shop.reserve(1, &[("A-2", 1)]).await.unwrap_err().is("catalog.variant_not_for_sale"));
        // What was retired comes back with the stock it had.
        shop.import(vec![product("a", &[("A-2", 200, 77)])]).await;
        assert_eq!(shop.available("a", "A-2").await, 1);
    }

    async fn a_dry_run_tells_and_keeps_nothing(db: TestDatabase) {
        let shop = Shop::with(db, vec![product("a", &[("A-1", 100, 5)])]).await;
        let (_, position) = shop.events(0).await;
        let mut bad = product("c", &[("C-1", 1, 1)]);
        bad.title = " ".to_owned();
        let file = vec![product("a", &[("A-1", 101, 5)]), product("b", &[("B-1", 1, 1)]), bad, product("b", &[("B-1", 1, 1)])];
        let verdicts = shop.service.import_products(file.clone(), Mode::DryRun).await.unwrap();
        assert_eq!(verdicts[..2], [Verdict::Updated, Verdict::Created]);
        assert_eq!(refused(&verdicts[2]), ("import.invalid", "title"));
        assert_eq!(verdicts[3], Verdict::Unchanged);
        assert_eq!(shop.events(position).await.0, []);
        assert_eq!(shop.get("/v1/products").await.handles(), ["a"]);
        assert_eq!(shop.import(file).await, verdicts, "what a dry run says is what happens");
    }

    async fn names_of_others_and_nonsense_are_refused_alone(db: TestDatabase) {
        let shop = Shop::with(db, vec![product("a", &[("A-1", 100, 5)]), product("b", &[("B-1", 100, 5)])]).await;
        let mut of_a = product("b", &[("B-1", 100, 5)]);
        of_a.product_id = product_id("a");
        let stolen_sku = product("c", &[("A-1", 1, 1)]);
        let mut renamed_seller = product("d", &[("D-1", 1, 1)]);
        renamed_seller.seller.name = "Somebody Else".to_owned();
        let mut two_currencies = product("e", &[("E-1", 1, 1), ("E-2", 1, 1)]);
        two_currencies.variants[1].price.currency = kernel::Currency::USD;
        let mut script = product("f", &[("F-1", 1, 1)]);
        script.images = vec!["javascript:alert(1)".to_owned()];
        let mut status = product("g", &[("G-1", 1, 1)]);
        status.status = "published".to_owned();
        let no_variants = product("h", &[]);
        let negative = product("i", &[("I-1", 1, -1)]);
        let fine = product("z", &[("Z-1", 1, 1)]);
        let file =
            vec![of_a, stolen_sku, renamed_seller, two_currencies, script, status, no_variants, negative, fine];
        let verdicts = shop.import(file).await;
        assert_eq!(
            verdicts[..8].iter().map(refused).collect::<Vec<_>>(),
            [
                ("import.taken", "handle"),
                ("import.taken", "variants/0/sku"),
                ("import.taken", "seller/name"),
                ("import.invalid", "variants/1/price/currency"),
                ("import.invalid", "images/0/url"),
                ("import.invalid", "status"),
                ("import.invalid", "variants"),
                ("import.invalid", "variants/0/stock"),
            ]
        );
        assert_eq!(verdicts[8], Verdict::Created);
        assert_eq!(shop.get("/v1/products?sort=title").await.handles(), ["a", "b", "z"]);
        shop.assert_sound().await;
    }

    async fn what_staff_has_archived_stays_archived(db: TestDatabase) {
        let file = || vec![product("a", &[("A-1", 100, 5)])];
        let shop = Shop::with(db, file()).await;
        let tag = shop.get("/v1/products/a").await.header("etag").to_owned();
        let path = format!("/v1/admin/products/{}", product_id("a"));
        let body = serde_json::json!({"status": "archived"});
        shop.staff((http::Method::PATCH, &path), &[("if-match", &tag)], &body).await.ok();
        assert_eq!(shop.import(file()).await, [Verdict::Unchanged]);
        assert_eq!(shop.get("/v1/products/a").await.status, 404);
    }
}

#[tokio::test]
async fn the_demo_fits() {
    let shop = Shop::open(TestDatabase::on(testkit::database::Engine::Sqlite).await).await;
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../fixtures/demo/catalog.json");
    let records: Vec<serde_json::Value> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let products: Vec<_> = records
        .into_iter()
        .map(|mut record| {
            let handle = record["handle"].as_str().unwrap().to_owned();
            let seller = record["seller"].as_str().unwrap().to_owned();
            record["product_id"] = serde_json::json!(product_id(&handle));
            record["seller"] = serde_json::json!({"seller_id": seller_id(&seller), "name": seller});
            for variant in record["variants"].as_array_mut().unwrap() {
                variant["variant_id"] = serde_json::json!(variant_id(variant["sku"].as_str().unwrap()));
            }
            serde_json::from_value(record).unwrap()
        })
        .collect();
    let count = products.len();
    assert!(count >= 150);
    let verdicts = shop.import(products).await;
    assert_eq!(verdicts, vec![Verdict::Created; count]);
    assert_eq!(shop.get("/v1/products?query=soiree").await.handles(), ["soiree-satin-lipstick"]);
    assert!(shop.get("/v1/categories").await.ok()["data"].as_array().unwrap().len() > 5);
}
