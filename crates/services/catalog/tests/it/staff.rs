use http::Method;
use serde_json::{Value, json};
use testkit::TestDatabase;
use testkit::database::Engine;
use web::{Caller, Role};

use crate::support::*;

async fn seller(shop: &Shop, name: &str) -> Value {
    let answer = shop.staff((Method::POST, "/v1/admin/sellers"), &[], &json!({"name": name})).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.ok()["id"].clone()
}

async fn create(shop: &Shop, body: &Value) -> Answer {
    shop.staff((Method::POST, "/v1/admin/products"), &[], body).await
}

async fn patch(shop: &Shop, id: &Value, tag: &str, body: &Value) -> Answer {
    let path = format!("/v1/admin/products/{}", id.as_str().unwrap());
    shop.staff((Method::PATCH, &path), &[("if-match", tag)], body).await
}

testkit::on_both_engines! {
    async fn staff_adds_a_product_and_everybody_sees_it(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let seller = seller(&shop, "Maren Vale").await;
        let (_, position) = shop.events(0).await;
        let answer = create(&shop, &new_product(&seller)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let made = answer.ok();
        assert_eq!(made["handle"], "soiree-satin-lipstick");
        assert_eq!(made["categories"], json!(["lips/lipstick"]));
        assert_eq!(made["variants"][0]["available"], 12);
        assert_eq!(made["variants"][1]["available"], 0);
        assert_eq!(answer.header("location"), format!("/v1/admin/products/{}", made["id"].as_str().unwrap()));

        let shown = shop.get("/v1/products/soiree-satin-lipstick").await;
        assert_eq!(shown.ok(), made);
        assert_eq!(shown.header("etag"), answer.header("etag"));
        let kinds: Vec<_> = shop.events(position).await.0.into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, ["catalog.product_changed.v1", "catalog.stock_changed.v1"]);
        shop.assert_sound().await;
    }

    async fn the_same_key_adds_once(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let seller = seller(&shop, "Maren Vale").await;
        let post = (Method::POST, "/v1/admin/products");
        let key = [("idempotency-key", "k-1")];
        let first = shop.staff(post.clone(), &key, &new_product(&seller)).await;
        let again = shop.staff(post.clone(), &key, &new_product(&seller)).await;
        assert_eq!((again.status, again.ok()), (first.status, first.ok()));
        assert_eq!(again.header("idempotency-replayed"), "true");
        let mut other = new_product(&seller);
        other["title"] = "Other".into();
        assert_eq!(shop.staff(post, &key, &other).await.refusal(), refusal(422, "idempotency.key_reused"));
        assert_eq!(shop.get("/v1/products").await.handles().len(), 1);
    }

    async fn a_change_is_for_the_version_that_was_read(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let seller = seller(&shop, "Maren Vale").await;
        let made = create(&shop, &new_product(&seller)).await;
        let (id, tag) = (made.ok()["id"].clone(), made.header("etag").to_owned());
        let (_, position) = shop.events(0).await;

        let path = format!("/v1/admin/products/{}", id.as_str().unwrap());
        let blind = shop.staff((Method::PATCH, &path), &[], &json!({"title": "X"})).await;
        assert_eq!(blind.refusal(), refusal(428, "precondition.required"));
        let changed = patch(&shop, &id, &tag, &json!({"title": "Soirée Velvet", "ingredients": "Cera Alba"})).await;
        assert_eq!((&changed.ok()["version"], &changed.ok()["title"]), (&json!(2), &json!("Soirée Velvet")));
        let stale = patch(&shop, &id, &tag, &json!({"title": "Y"})).await;
        assert_eq!(stale.refusal(), refusal(412, "precondition.failed"));
        assert_eq!(stale.json()["current_version"], 2);

        // Sales do not stand in the way of a change: the tag names the version.
        let tag = changed.header("etag").to_owned();
        let sku = json!({"delta": -1, "reason": "sample"});
        let variant = made.ok()["variants"][0]["id"].as_str().unwrap().to_owned();
        let adjust = format!("/v1/admin/variants/{variant}/stock-adjustments");
        shop.staff((Method::POST, &adjust), &[], &sku).await.ok();
        let again = patch(&shop, &id, &tag, &json!({"title": "Soirée Velvet"})).await;
        assert_eq!(again.ok()["version"], 2, "what changes nothing is no new version");
        let cleared = patch(&shop, &id, &tag, &json!({"ingredients": null})).await;
        assert_eq!((&cleared.ok()["version"], &cleared.ok()["ingredients"]), (&json!(3), &Value::Null));
        let events = shop.events(position).await.0;
        let versions: Vec<_> = events.iter().filter_map(|(_, data)| data["version"].as_i64()).collect();
        assert_eq!(versions, [2, 3]);
        assert_eq!(shop.get("/v1/products?query=velvet").await.handles(), ["soiree-satin-lipstick"]);
    }

    async fn variants_come_go_and_come_back(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let seller = seller(&shop, "Maren Vale").await;
        let made = create(&shop, &new_product(&seller)).await;
        let id = made.ok()["id"].clone();
        let first = made.ok()["variants"][0]["id"].clone();
        let price = json!({"amount": 3000, "currency": "EUR"});
        let fresh = json!([
            {"sku": "MV-SOIREE-03", "price": price, "stock": 3},
            {"id": first, "sku": "MV-SOIREE-01B", "price": price, "stock": 99},
        ]);
        let changed = patch(&shop, &id, made.header("etag"), &json!({"variants": fresh})).await;
        let variants = changed.ok()["variants"].clone();
        assert_eq!(variants[1]["id"], first, "a variant may get another stock keeping unit");
        let shown: Vec<_> = (0..2).map(|at| json!([variants[at]["sku"], variants[at]["available"]])).collect();
        assert_eq!(shown, [json!(["MV-SOIREE-03", 3]), json!(["MV-SOIREE-01B", 12])]);

        let retired = made.ok()["variants"][1]["id"].clone();
        let back = json!([{"sku": "MV-SOIREE-02", "price": price}]);
        let changed = patch(&shop, &id, changed.header("etag"), &json!({"variants": back})).await;
        assert_eq!(changed.ok()["variants"][0]["id"], retired);

        let strangers = json!([{"id": variant_id("X").to_string(), "sku": "X", "price": price}]);
        let answer = patch(&shop, &id, changed.header("etag"), &json!({"variants": strangers})).await;
        assert_eq!(answer.errors(), ["/variants/0/id unknown"]);
        shop.assert_sound().await;
    }

    async fn names_are_unique_in_the_shop(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let seller_id = seller(&shop, "Maren Vale").await;
        let made = create(&shop, &new_product(&seller_id)).await;
        made.ok();
        assert_eq!(create(&shop, &new_product(&seller_id)).await.refusal(), refusal(409, "catalog.handle_taken"));
        let mut other = new_product(&seller_id);
        other["handle"] = "other".into();
        assert_eq!(create(&shop, &other).await.refusal(), refusal(409, "catalog.sku_taken"));
        other["variants"] = json!([{"sku": "OTHER", "price": {"amount": 1, "currency": "EUR"}}]);
        let other = create(&shop, &other).await;
        let (id, tag) = (other.ok()["id"].clone(), other.header("etag").to_owned());
        let handle = json!({"handle": "soiree-satin-lipstick"});
        assert_eq!(patch(&shop, &id, &tag, &handle).await.refusal(), refusal(409, "catalog.handle_taken"));
        let sku = json!({"variants": [{"sku": "MV-SOIREE-01", "price": {"amount": 1, "currency": "EUR"}}]});
        assert_eq!(patch(&shop, &id, &tag, &sku).await.refusal(), refusal(409, "catalog.sku_taken"));
        let again = shop.staff((Method::POST, "/v1/admin/sellers"), &[], &json!({"name": "MAREN VALE"})).await;
        assert_eq!(again.refusal(), refusal(409, "catalog.handle_taken"));
    }

    async fn staff_sees_drafts_and_takes_products_out_of_the_shop(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let seller = seller(&shop, "Maren Vale").await;
        let mut draft = new_product(&seller);
        draft["status"] = "draft".into();
        let made = create(&shop, &draft).await;
        let id = made.ok()["id"].clone();
        let path = "/v1/products/soiree-satin-lipstick";
        assert_eq!(shop.get(path).await.status, 404);
        let read = async |path: &str| shop.staff((Method::GET, path), &[], &json!({})).await;
        assert_eq!(read("/v1/admin/products/soiree-satin-lipstick").await.ok(), made.ok());
        assert_eq!(read("/v1/admin/products?status=draft").await.handles().len(), 1);
        assert_eq!(read("/v1/admin/products?query=soiree").await.handles().len(), 1);
        assert_eq!(read("/v1/admin/products?status=active").await.handles().len(), 0);
        assert_eq!(read("/v1/admin/products?seller=maren-vale").await.handles().len(), 1);

        let shown = patch(&shop, &id, made.header("etag"), &json!({"status": "active"})).await;
        assert_eq!(shop.get(path).await.status, 200);
        assert_eq!(shop.get("/v1/categories").await.ok()["data"][0]["path"], "lips");
        patch(&shop, &id, shown.header("etag"), &json!({"status": "archived"})).await.ok();
        assert_eq!(shop.get(path).await.status, 404);
        assert_eq!(shop.get("/v1/products?query=soiree").await.handles().len(), 0);
        assert_eq!(shop.get("/v1/categories").await.ok()["data"], json!([]));
        assert_eq!(read("/v1/admin/products").await.handles().len(), 1);
    }
}

#[tokio::test]
async fn what_cannot_be_stored_is_refused_by_pointer() {
    let shop = Shop::open(TestDatabase::on(Engine::Sqlite).await).await;
    let seller = seller(&shop, "Maren Vale").await;
    let refused = async |change: fn(&mut Value)| {
        let mut body = new_product(&seller);
        change(&mut body);
        let answer = create(&shop, &body).await;
        assert_eq!(answer.refusal(), refusal(400, "request.validation"), "{body}");
        answer.errors().join(", ")
    };
    for (change, errors) in [
        ((|it| it["colour"] = "red".into()) as fn(&mut Value), "/colour unknown_field"),
        (|it| it["variants"][0]["colour"] = "red".into(), "/variants/0/colour unknown_field"),
        (|it| it["title"] = " ".into(), "/handle invalid_value, /title required"),
        (|it| it["title"] = "x".repeat(201).into(), "/title too_long"),
        (|it| it["handle"] = "Not A Handle".into(), "/handle invalid_value"),
        (|it| it["categories"] = json!(["a/b/c/d/e/f/g"]), "/categories/0 invalid_value"),
        (|it| it["images"] = json!([{"url": "javascript:alert(1)"}]), "/images/0/url invalid_value"),
        (|it| it["images"] = json!([{"url": "//evil.example/x"}]), "/images/0/url invalid_value"),
        (|it| it["variants"] = json!([]), "/variants too_few"),
        (|it| it["variants"][1]["sku"] = "MV-SOIREE-01".into(), "/variants/1/sku duplicate"),
        (|it| it["variants"][0]["price"]["amount"] = (-1).into(), "/variants/0/price/amount out_of_range"),
        (
            |it| it["variants"][1]["price"]["currency"] = "USD".into(),
            "/variants/1/price/currency currency_differs",
        ),
        (
            |it| it["variants"][0]["price"]["currency"] = "XXX".into(),
            "/variants/0/price/currency invalid_value",
        ),
        (|it| it["variants"][0]["stock"] = (-1).into(), "/variants/0/stock out_of_range"),
        (|it| it["variants"][0]["id"] = variant_id("x").to_string().into(), "/variants/0/id unknown"),
        (|it| it["seller_id"] = seller_id("x").to_string().into(), "/seller_id unknown"),
        (|it| it["description"] = "bell\u{7}".into(), "/description invalid_characters"),
    ] {
        assert_eq!(refused(change).await, errors);
    }
    assert_eq!(shop.get("/v1/products").await.handles().len(), 0);
}

#[tokio::test]
async fn only_staff_that_looks_after_the_catalogue_may_change_it() {
    let shop = Shop::open(TestDatabase::on(Engine::Sqlite).await).await;
    let seller_id = seller(&shop, "Maren Vale").await;
    let made = create(&shop, &new_product(&seller_id)).await;
    let product = format!("/v1/admin/products/{}", made.ok()["id"].as_str().unwrap());
    let variant = format!("/v1/admin/variants/{}", made.ok()["variants"][0]["id"].as_str().unwrap());
    let (stock, adjustments) = (format!("{variant}/stock"), format!("{variant}/stock-adjustments"));
    let before = shop.get("/v1/products/soiree-satin-lipstick").await.body;
    let operations: [(Method, &str, Value); 8] = [
        (Method::GET, "/v1/admin/products", json!({})),
        (Method::GET, &product, json!({})),
        (Method::POST, "/v1/admin/products", new_product(&seller_id)),
        (Method::PATCH, &product, json!({"title": "Mine"})),
        (Method::POST, "/v1/admin/sellers", json!({"name": "Mine"})),
        (Method::PUT, &stock, json!({"on_hand": 0})),
        (Method::POST, &adjustments, json!({"delta": -1, "reason": "mine"})),
        (Method::POST, "/v1/admin/media", json!({})),
    ];
    for (method, path, body) in &operations {
        for (caller, status, code) in [
            (Caller::Anonymous, 401, "auth.missing"),
            (customer(), 403, "auth.forbidden"),
            (staff(&[]), 403, "auth.forbidden"),
            (staff(&[Role::Orders, Role::Support, Role::Payments, Role::Analyst]), 403, "auth.forbidden"),
        ] {
            let headers = [("if-match", "\"1\"")];
            let answer = shop.json((method.clone(), path), caller, &headers, body).await;
            assert_eq!(answer.refusal(), refusal(status, code), "{method} {path}");
        }
    }
    assert_eq!(shop.get("/v1/products/soiree-satin-lipstick").await.body, before);
    let administrator =
        shop.json((Method::GET, &product), staff(&[Role::Administrator]), &[], &json!({})).await;
    assert_eq!(administrator.status, 200);
}

#[tokio::test]
async fn what_is_not_there_cannot_be_changed() {
    let shop = Shop::open(TestDatabase::on(Engine::Sqlite).await).await;
    let unknown = product_id("unknown").to_string();
    let answer = patch(&shop, &json!(unknown), "\"1\"", &json!({})).await;
    assert_eq!(answer.refusal(), refusal(404, "catalog.product_not_found"));
    let answer = patch(&shop, &json!("not-an-id"), "\"1\"", &json!({})).await;
    assert_eq!(answer.refusal(), refusal(404, "request.bad_id"));
    let path = format!("/v1/admin/variants/{}/stock", variant_id("unknown"));
    let answer = shop.staff((Method::PUT, &path), &[], &json!({"on_hand": 1})).await;
    assert_eq!(answer.refusal(), refusal(404, "catalog.variant_not_found"));
}
