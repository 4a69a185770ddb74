use axum::routing::get as on_get;
use axum::{Json, Router};
use kernel::{OrderId, Page, ProductId};
use serde::Deserialize;
use web::{Checks, Handled, Id, ListQuery, PageQuery, Paged, ValidQuery, Validate};

use crate::support::{code, get, refusal};

#[derive(Deserialize)]
struct Filter {
    brand: Option<String>,
    min_price: Option<i64>,
    in_stock: Option<bool>,
}

impl Validate for Filter {
    fn validate(&self, checks: &mut Checks) {
        checks.optional_text("brand", self.brand.as_deref(), 1..=10);
        if let Some(price) = self.min_price {
            checks.range("min_price", price, 0..=1_000);
        }
    }
}

async fn search(ValidQuery(filter): ValidQuery<Filter>) -> Json<(Option<String>, Option<i64>, Option<bool>)> {
    Json((filter.brand, filter.min_price, filter.in_stock))
}

fn numbers(after: Option<i64>, page: &PageQuery) -> Page<i64> {
    let first = after.map_or(0, |last| last + 1);
    let rows = (first..5).take(page.limit.get() + 1).collect();
    Page::from_overfetched(rows, page.limit, |number| *number)
}

async fn plain(page: PageQuery) -> Handled<Paged<i64>> {
    Ok(page.page(numbers(page.after()?, &page)))
}

async fn filtered(ListQuery { page, filter }: ListQuery<Filter>) -> Handled<Paged<i64>> {
    assert!(filter.in_stock.is_none());
    Ok(page.page(numbers(page.after()?, &page)))
}

fn app() -> Router {
    Router::new()
        .route("/search", on_get(search))
        .route("/plain", on_get(plain))
        .nest("/shop", Router::new().route("/filtered", on_get(filtered)))
        .route("/named/{name}", on_get(async |Id(name): Id<String>| name))
        .route("/orders/{id}", on_get(async |Id(id): Id<OrderId>| id.to_string()))
        .route("/{product}/{order}", on_get(async |Id((a, b)): Id<(ProductId, OrderId)>| format!("{a} {b}")))
}

#[tokio::test]
async fn parameters_are_read_and_empty_ones_are_none() {
    let answer = get(&app(), "/search?brand=caf%C3%A9+noir&min_price=5&in_stock=true").await;
    assert_eq!(answer.json(), serde_json::json!(["café noir", 5, true]));
    assert_eq!(
        get(&app(), "/search?brand=&min_price=&in_stock").await.json(),
        serde_json::json!([null, null, null])
    );
    assert_eq!(get(&app(), "/search").await.json(), serde_json::json!([null, null, null]));
}

#[tokio::test]
async fn what_is_wrong_is_said_by_name() {
    for (query, errors) in [
        ("colour=red&brand=x&size=9", &["?colour unknown_field", "?size unknown_field"][..]),
        ("min_price=cheap", &["?min_price invalid_value"]),
        ("in_stock=1", &["?in_stock invalid_value"]),
        ("brand=a&brand=b", &["?brand duplicate_field"]),
        ("min_price=1001&brand=elevenchars", &["?brand too_long", "?min_price out_of_range"]),
    ] {
        let answer = get(&app(), &format!("/search?{query}")).await;
        assert_eq!(answer.refusal(), refusal(400, "request.validation", errors), "{query}");
    }
    let long = format!("/search?brand={}", "a".repeat(9_000));
    assert_eq!(get(&app(), &long).await.refusal(), refusal(400, "request.validation", &["? too_long"]));
}

#[tokio::test]
async fn the_link_leads_to_the_next_page_until_the_last() {
    for (start, filters) in
        [("/plain?limit=2", ""), ("/shop/filtered?limit=2&brand=caf%C3%A9", "brand=caf%C3%A9&")]
    {
        let mut seen = Vec::new();
        let mut next = Some(start.to_owned());
        while let Some(path) = next {
            let answer = get(&app(), &path).await;
            let json = answer.json();
            seen.extend(json["data"].as_array().unwrap().iter().map(|n| n.as_i64().unwrap()));
            next = answer.header("link").map(|link| {
                let (path, relation) = link.strip_prefix('<').unwrap().split_once('>').unwrap();
                assert_eq!(relation, "; rel=\"next\"");
                let (place, query) = path.split_once('?').unwrap();
                assert!(start.starts_with(place), "{path}");
                assert_eq!(
                    query,
                    format!("{filters}limit=2&cursor={}", json["next_cursor"].as_str().unwrap())
                );
                path.to_owned()
            });
            assert_eq!(next.is_none(), json["next_cursor"].is_null());
        }
        assert_eq!(seen, [0, 1, 2, 3, 4]);
    }
}

#[tokio::test]
async fn pages_have_limits() {
    assert_eq!(get(&app(), "/plain?limit=100").await.status, 200);
    for query in ["limit=0", "limit=101", "limit=x", "limit=-1"] {
        let answer = get(&app(), &format!("/plain?{query}")).await;
        assert_eq!(answer.refusal(), refusal(400, "request.validation", &["?limit out_of_range"]), "{query}");
    }
    let twice = get(&app(), "/plain?cursor=MQ&cursor=Mg").await;
    assert_eq!(twice.refusal(), refusal(400, "request.validation", &["?cursor duplicate_field"]));
    let unknown = get(&app(), "/plain?page=2").await;
    assert_eq!(unknown.refusal(), refusal(400, "request.validation", &["?page unknown_field"]));
    for cursor in ["x", "!!", "InRleHQi"] {
        let answer = get(&app(), &format!("/plain?cursor={cursor}")).await;
        assert_eq!(answer.code(), code(400, "request.bad_cursor"), "{cursor}");
    }
}

#[tokio::test]
async fn an_id_of_another_kind_stands_nowhere() {
    let id = "ord_01h455vb4pex5vsknk084sn02q";
    assert_eq!(get(&app(), &format!("/orders/{id}")).await.text(), id);
    let product = "prd_01h455vb4pex5vsknk084sn02q";
    assert_eq!(get(&app(), &format!("/{product}/{id}")).await.text(), format!("{product} {id}"));
    for bad in ["/orders/1", "/orders/pay_01h455vb4pex5vsknk084sn02q", "/orders/%00"] {
        assert_eq!(get(&app(), bad).await.code(), code(404, "request.bad_id"), "{bad}");
    }
    let swapped = get(&app(), &format!("/{id}/{product}")).await;
    assert_eq!(swapped.code(), code(404, "request.bad_id"));
}

#[tokio::test]
async fn a_name_in_a_path_is_text_without_nul() {
    assert_eq!(get(&app(), "/named/serum%20ten").await.text(), "serum ten");
    for odd in ["/named/%00", "/named/a%00b", "/named/%FF", "/named/%ED%A0%80"] {
        assert_eq!(get(&app(), odd).await.code(), code(404, "request.bad_id"), "{odd}");
    }
}
