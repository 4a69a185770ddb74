use std::collections::BTreeSet;

use contracts::catalog::ImportProduct;
use testkit::TestDatabase;

use crate::support::*;

/// Twenty-five products whose dates, prices and titles are in three different orders, with ties.
fn many() -> Vec<ImportProduct> {
    (0..25_i64)
        .map(|n| {
            let sku = format!("N-{n}");
            let mut item = product(&format!("p-{n:02}"), &[(&sku, 100 + (n * 7 % 25) / 2, n % 3)]);
            item.title = format!("{} {}", ["Élan", "elan", "Zinc", "Ázure"][(n % 4) as usize], n % 5);
            item.created_at = kernel::Timestamp::from_seconds(1_700_000_000 + (n * 11 % 25) / 3);
            item
        })
        .collect()
}

/// Every page of a list, from the first to the last.
async fn walk(shop: &Shop, path: &str, limit: usize) -> Vec<serde_json::Value> {
    let separator = if path.contains('?') { '&' } else { '?' };
    let mut next = format!("{path}{separator}limit={limit}");
    let mut all = Vec::new();
    loop {
        let answer = shop.get(&next).await;
        let json = answer.ok();
        let data = json["data"].as_array().unwrap();
        assert!(data.len() <= limit);
        all.extend(data.iter().cloned());
        match json["next_cursor"].as_str() {
            None => return all,
            Some(cursor) => {
                assert_eq!(data.len(), limit, "only the last page is short");
                let link = answer.header("link").to_owned();
                assert!(link.contains(cursor) && link.ends_with("rel=\"next\""), "{link}");
                next = link[1..link.find('>').unwrap()].to_owned();
            }
        }
    }
}

testkit::on_both_engines! {
    async fn pages_hold_every_product_once_in_every_order(db: TestDatabase) {
        let shop = Shop::with(db, many()).await;
        for sort in ["newest", "price", "title"] {
            let whole = walk(&shop, &format!("/v1/products?sort={sort}"), 100).await;
            let handles: BTreeSet<_> = whole.iter().map(|it| it["handle"].as_str().unwrap()).collect();
            assert_eq!(handles.len(), 25, "{sort}");
            for limit in [1, 4, 24, 25] {
                assert_eq!(walk(&shop, &format!("/v1/products?sort={sort}"), limit).await, whole, "{sort} {limit}");
            }
            let key = |it: &serde_json::Value| match sort {
                "newest" => std::cmp::Reverse(it["created_at"].as_str().unwrap().to_owned()),
                "price" => std::cmp::Reverse(format!("{:08}", 9_999 - it["variants"][0]["price"]["amount"].as_i64().unwrap())),
                _ => std::cmp::Reverse(String::new()),
            };
            assert!(whole.is_sorted_by_key(key), "{sort}");
        }
        let titles = walk(&shop, "/v1/products?sort=title", 100).await;
        let titles: Vec<_> = titles.iter().map(|it| it["title"].as_str().unwrap().to_owned()).collect();
        let folded: Vec<_> = titles.iter().map(|it| it.replace(['É', 'e'], "E").replace('Á', "A").to_lowercase()).collect();
        assert!(folded.is_sorted(), "{titles:?}");
    }

    async fn filters_narrow_the_list(db: TestDatabase) {
        let mut rouge = product("rouge", &[("R-1", 1_000, 0), ("R-2", 4_000, 5)]);
        rouge.categories = vec!["Lips/Lipstick".to_owned()];
        rouge.brand = "Kumo Atelier".to_owned();
        rouge.seller.name = "Kumo Atelier".to_owned();
        rouge.seller.seller_id = seller_id("Kumo Atelier");
        let mut balm = product("balm", &[("B-1", 2_000, 0)]);
        balm.categories = vec!["lips/care".to_owned(), "sets".to_owned()];
        let tint = product("tint", &[("T-1", 3_000, 3)]);
        let shop = Shop::with(db, vec![rouge, balm, tint]).await;
        let seller = seller_id("Kumo Atelier").to_string();
        for (query, found) in [
            ("", "balm rouge tint"),
            ("category=lips", "balm rouge"),
            ("category=Lips/Lipstick", "rouge"),
            ("category=lip", ""),
            ("category=face", "tint"),
            ("category=sets", "balm"),
            ("brand=maren-vale", "balm tint"),
            ("brand=MAREN%20VALE", "balm tint"),
            ("brand=maren", ""),
            ("seller=kumo-atelier", "rouge"),
            (&format!("seller={seller}"), "rouge"),
            ("seller=nobody", ""),
            ("price_max=1500", "rouge"),
            ("price_min=2000&price_max=3000", "balm tint"),
            ("in_stock=true", "rouge tint"),
            ("in_stock=false", "balm"),
            // The cheap shade is sold out and the other is not cheap.
            ("in_stock=true&price_max=1500", ""),
            ("category=lips&brand=kumo-atelier&in_stock=true", "rouge"),
        ] {
            let mut handles = shop.get(&format!("/v1/products?{query}")).await.handles();
            handles.sort();
            assert_eq!(handles.join(" "), found, "{query}");
        }
    }

    async fn the_stock_filter_follows_the_stock(db: TestDatabase) {
        let shop = Shop::with(db, vec![product("tint", &[("T-1", 3_000, 1)])]).await;
        let in_stock = async || shop.get("/v1/products?in_stock=true").await.handles().len();
        assert_eq!(in_stock().await, 1);
        shop.reserve(1, &[("T-1", 1)]).await.unwrap();
        assert_eq!(in_stock().await, 0);
        shop.client.release(checkout(1)).await.unwrap();
        assert_eq!(in_stock().await, 1);
    }

    async fn words_find_products_wherever_they_stand(db: TestDatabase) {
        let mut soiree = product("soiree", &[("MV-77", 2_900, 1)]);
        soiree.title = "Soirée Satin Lipstick".to_owned();
        soiree.description = "Crème brûlée for the lips.".to_owned();
        let mut other = product("other", &[("XX-1", 2_900, 1)]);
        other.title = "Day Cream".to_owned();
        other.description = "Not for a soirée.".to_owned();
        other.ingredients = Some("Niacinamide, Squalane".to_owned());
        let mut hidden = product("hidden", &[("H-1", 1, 1)]);
        hidden.title = "Soirée Draft".to_owned();
        hidden.status = "draft".to_owned();
        let shop = Shop::with(db, vec![soiree, other, hidden]).await;
        for (query, found) in [
            ("soiree", "soiree other"),
            ("SOIR%C3%89E", "soiree other"),
            ("soir", "soiree other"),
            ("satin+lip", "soiree"),
            ("lips+satin", "soiree"),
            ("brule", "soiree"),
            ("niacin", "other"),
            ("mv-77", "soiree"),
            ("shade+mv", "soiree"),
            ("maren+vale+day", "other"),
            ("foundation", "soiree other"),
            ("soiree+nothing", ""),
            ("%22%20OR%20*", ""),
        ] {
            let handles = shop.get(&format!("/v1/products?query={query}")).await.handles();
            assert_eq!(handles.iter().collect::<BTreeSet<_>>().len(), handles.len());
            if found.contains(' ') && !query.starts_with("foundation") {
                assert_eq!(handles.join(" "), found, "{query}: the title counts more");
            } else {
                let (got, wanted): (BTreeSet<_>, BTreeSet<_>) =
                    (handles.iter().map(String::as_str).collect(), found.split_whitespace().collect());
                assert_eq!(got, wanted, "{query}");
            }
        }
        let handles = shop.get("/v1/products?query=soiree&sort=price&brand=maren-vale").await.handles();
        assert_eq!(handles.len(), 2);
    }

    async fn matches_come_page_by_page_best_first(db: TestDatabase) {
        let shop = Shop::with(db, many()).await;
        let whole = walk(&shop, "/v1/products?query=elan", 100).await;
        assert_eq!(whole.len(), 13);
        for limit in [1, 5, 13] {
            assert_eq!(walk(&shop, "/v1/products?query=elan", limit).await, whole, "{limit}");
            let by_price = walk(&shop, "/v1/products?query=elan&sort=price", limit).await;
            assert_eq!(by_price.len(), 13, "{limit}");
        }
    }

    async fn a_cursor_of_another_list_is_refused(db: TestDatabase) {
        let shop = Shop::with(db, many()).await;
        let cursor = shop.get("/v1/products?limit=2&sort=price").await.ok()["next_cursor"].as_str().unwrap().to_owned();
        for list in ["sort=price&category=face", "sort=title", "", "sort=price&price_min=0"] {
            let answer = shop.get(&format!("/v1/products?{list}&cursor={cursor}")).await;
            assert_eq!(answer.refusal(), refusal(400, "request.bad_cursor"), "{list}");
        }
        let garbage = shop.get("/v1/products?cursor=x").await;
        assert_eq!(garbage.refusal(), refusal(400, "request.bad_cursor"));
        assert_eq!(shop.get(&format!("/v1/products?limit=3&sort=price&cursor={cursor}")).await.handles().len(), 3);
    }

    async fn categories_brands_and_sellers_are_counted(db: TestDatabase) {
        let mut other = product("other", &[("O", 1, 1)]);
        other.categories = vec!["skin".to_owned()];
        other.brand = "Écume".to_owned();
        let shop = Shop::with(db, vec![product("a", &[("A", 1, 1)]), product("b", &[("B", 1, 1)]), other]).await;
        assert_eq!(
            shop.get("/v1/categories").await.ok(),
            serde_json::json!({"data": [
                {"path": "face", "name": "Face", "products": 2, "children": [
                    {"path": "face/foundation", "name": "Foundation", "products": 2, "children": []}]},
                {"path": "skin", "name": "Skin", "products": 1, "children": []},
            ]})
        );
        assert_eq!(
            shop.get("/v1/brands").await.ok(),
            serde_json::json!({"data": [
                {"key": "ecume", "name": "Écume", "products": 1},
                {"key": "maren-vale", "name": "Maren Vale", "products": 2},
            ]})
        );
        let sellers = shop.get("/v1/sellers").await;
        assert_eq!(sellers.header("cache-control"), "public, max-age=30");
        assert_eq!(
            sellers.ok(),
            serde_json::json!({"data": [
                {"id": seller_id("Maren Vale").to_string(), "handle": "maren-vale", "name": "Maren Vale", "products": 3},
            ]})
        );
        // A change of the catalogue is seen at once where it was made.
        shop.import(vec![product("c", &[("C", 1, 1)])]).await;
        assert_eq!(shop.get("/v1/categories").await.ok()["data"][0]["products"], 3);
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_by_name() {
    let shop = Shop::open(TestDatabase::on(testkit::database::Engine::Sqlite).await).await;
    for (query, error) in [
        ("sort=cheapest", "?sort invalid_value"),
        ("sort=relevance", "?sort invalid_value"),
        ("in_stock=maybe", "?in_stock invalid_value"),
        ("price_min=-1", "?price_min out_of_range"),
        ("price_max=x", "?price_max invalid_value"),
        ("category=///", "?category invalid_value"),
        ("colour=red", "?colour unknown_field"),
        ("status=draft", "?status unknown_field"),
        ("limit=0", "?limit out_of_range"),
        ("query=%00", "?query invalid_characters"),
        (&format!("query={}", "x".repeat(201)), "?query too_long"),
    ] {
        let answer = shop.get(&format!("/v1/products?{query}")).await;
        assert_eq!(answer.refusal(), refusal(400, "request.validation"), "{query}");
        assert_eq!(answer.errors(), [error], "{query}");
    }
}

/// What a filter should find among [`many`], said in another way.
fn expected(filter: &[(&str, String)]) -> BTreeSet<String> {
    let value = |name: &str| filter.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
    let number = |name: &str| value(name).map(|value| value.parse::<i64>().unwrap());
    let fits = |item: &&ImportProduct| {
        let variant = &item.variants[0];
        let (price, stocked) = (variant.price.amount, variant.stock != Some(0));
        number("price_min").is_none_or(|least| price >= least)
            && number("price_max").is_none_or(|most| price <= most)
            && value("in_stock").is_none_or(|wanted| stocked == (wanted == "true"))
            && value("query")
                .is_none_or(|word| item.title.to_lowercase().replace(['é', 'á'], "e").contains(word))
    };
    many().iter().filter(fits).map(|item| item.handle.clone()).collect()
}

#[test]
fn any_filter_finds_the_same_page_by_page_as_by_hand() {
    use proptest::prelude::*;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let shop = runtime.block_on(async {
        Shop::with(TestDatabase::on(testkit::database::Engine::Sqlite).await, many()).await
    });
    let price = || proptest::option::of(90_i64..120);
    let any = (price(), price(), proptest::option::of(any::<bool>()), any::<bool>(), 0..4_usize, 1..9_usize);
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |((least, most, in_stock, zinc, sort, limit) in any)| {
        let mut filter = Vec::new();
        filter.extend(least.map(|price| ("price_min", price.to_string())));
        filter.extend(most.map(|price| ("price_max", price.to_string())));
        filter.extend(in_stock.map(|wanted| ("in_stock", wanted.to_string())));
        filter.extend(zinc.then(|| ("query", "zinc".to_owned())));
        let wanted = expected(&filter);
        let sort = ["newest", "price", "title", if zinc { "relevance" } else { "newest" }][sort];
        let query: String = filter.iter().map(|(name, value)| format!("{name}={value}&")).collect();
        let found = runtime.block_on(walk(&shop, &format!("/v1/products?{query}sort={sort}"), limit));
        let handles: Vec<_> = found.iter().map(|it| it["handle"].as_str().unwrap().to_owned()).collect();
        prop_assert_eq!(handles.len(), wanted.len());
        prop_assert_eq!(handles.into_iter().collect::<BTreeSet<_>>(), wanted);
    });
}
