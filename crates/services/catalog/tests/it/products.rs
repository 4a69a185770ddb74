use testkit::TestDatabase;

use crate::support::*;

testkit::on_both_engines! {
    async fn a_product_is_shown_by_id_and_by_handle(db: TestDatabase) {
        let shop = Shop::with(db, vec![product("skin-tint", &[("ST-1", 3_400, 12), ("ST-2", 3_500, 0)])]).await;
        let by_handle = shop.get("/v1/products/skin-tint").await;
        let json = by_handle.ok();
        assert_eq!(json["id"], product_id("skin-tint").to_string());
        assert_eq!(json["seller_id"], seller_id("Maren Vale").to_string());
        assert_eq!(json["seller"]["name"], "Maren Vale");
        assert_eq!(json["categories"], serde_json::json!(["face/foundation", "face"]));
        assert_eq!(json["images"], serde_json::json!([{"url": "/media/products/skin-tint.svg", "alt": "skin-tint"}]));
        assert_eq!(json["version"], 1);
        assert_eq!(json["status"], "active");
        assert_eq!(
            json["variants"][0],
            serde_json::json!({
                "id": variant_id("ST-1").to_string(),
                "sku": "ST-1",
                "title": "Shade ST-1",
                "options": [{"name": "Shade", "value": "ST-1"}],
                "price": {"amount": 3_400, "currency": "EUR"},
                "available": 12,
            })
        );
        assert_eq!(json["variants"][1]["available"], 0);
        let by_id = shop.get(&format!("/v1/products/{}", product_id("skin-tint"))).await;
        assert_eq!(by_id.ok(), json);
    }

    async fn who_has_it_already_gets_304_until_it_or_its_stock_changes(db: TestDatabase) {
        let shop = Shop::with(db, vec![product("skin-tint", &[("ST-1", 3_400, 12)])]).await;
        let tag = shop.get("/v1/products/skin-tint").await.header("etag").to_owned();
        assert!(tag.starts_with("\"1."), "{tag}");
        let again = shop.get_with("/v1/products/skin-tint", &[("if-none-match", &tag)]).await;
        assert_eq!(again.status, 304);
        assert!(again.body.is_empty());

        shop.reserve(1, &[("ST-1", 1)]).await.unwrap();
        let sold = shop.get_with("/v1/products/skin-tint", &[("if-none-match", &tag)]).await;
        assert_eq!(sold.ok()["variants"][0]["available"], 11);
        let tag = sold.header("etag").to_owned();
        assert_eq!(shop.get_with("/v1/products/skin-tint", &[("if-none-match", &tag)]).await.status, 304);
    }

    async fn what_is_not_for_sale_is_not_shown(db: TestDatabase) {
        let mut draft = product("draft", &[("D", 100, 1)]);
        draft.status = "draft".to_owned();
        let shop = Shop::with(db, vec![draft]).await;
        let unknown = format!("/v1/products/{}", product_id("unknown"));
        for path in ["/v1/products/draft", "/v1/products/nothing", "/v1/products/prd_x", unknown.as_str()] {
            assert_eq!(shop.get(path).await.refusal(), refusal(404, "catalog.product_not_found"), "{path}");
        }
        assert_eq!(shop.get("/v1/products").await.handles(), Vec::<String>::new());
        assert_eq!(shop.get("/v1/categories").await.ok()["data"], serde_json::json!([]));
    }
}
