use axum::{Json, Router};
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::openapi::{self, Description};
use web::{Code, PageQuery, code};

use crate::support::{code as refused, get, get_with};

const OUT_OF_STOCK: Code = Code::new("orders.out_of_stock", 409, "Some lines cannot be had.");
const CART_EMPTY: Code = Code::new("orders.cart_empty", 409, "There is nothing in the cart.");

web::errors!(CheckoutErrors: code::BODY, code::CALLER, code::IDEMPOTENCY, OUT_OF_STOCK, CART_EMPTY);
web::errors!(pub(crate) ListErrors: code::PAGE);
web::errors!(NoErrors);

/// Turns the cart into an order.
#[utoipa::path(
    post,
    path = "/v1/checkouts",
    responses((status = 201, body = String), CheckoutErrors),
    security(("bearer" = ["customer"]))
)]
async fn check_out() -> Json<String> {
    Json(String::new())
}

/// Lists the orders.
#[utoipa::path(get, path = "/v1/orders", params(PageQuery), responses((status = 200, body = kernel::Page<String>), ListErrors), security(()))]
async fn list() -> Json<String> {
    Json(String::new())
}

/// Says that all is well.
#[utoipa::path(get, path = "/v1/ping", responses((status = 200), NoErrors), security(()))]
async fn ping() {}

#[derive(utoipa::OpenApi)]
struct Empty;

fn document() -> utoipa::openapi::OpenApi {
    let first: OpenApiRouter = OpenApiRouter::with_openapi(Empty::openapi()).routes(routes!(check_out));
    let second: OpenApiRouter = OpenApiRouter::default().routes(routes!(list)).routes(routes!(ping));
    let description = Description {
        title: "Souk".into(),
        version: "0.1.0".into(),
        text: "The back end of a shop.".into(),
        server: "/".into(),
    };
    openapi::assemble(&description, [first.into_openapi(), second.into_openapi()]).unwrap()
}

fn app() -> Router {
    let page = |code: &str| (code == "internal").then_some("# internal\n");
    openapi::routes(&document(), page).unwrap()
}

#[test]
fn an_endpoint_lists_exactly_its_codes_by_status() {
    insta::assert_snapshot!(openapi::to_json(&document()).unwrap());
}

mod other {
    /// Another thing than the one beside it.
    #[derive(utoipa::ToSchema)]
    #[allow(dead_code)] // Only its shape is read.
    pub(super) struct Thing {
        name: u8,
    }
}

/// A thing.
#[derive(utoipa::ToSchema)]
#[allow(dead_code)] // Only its shape is read.
struct Thing {
    name: String,
}

#[test]
fn one_name_cannot_mean_two_things() {
    #[derive(utoipa::OpenApi)]
    #[openapi(components(schemas(Thing)))]
    struct First;
    #[derive(utoipa::OpenApi)]
    #[openapi(components(schemas(other::Thing)))]
    struct Second;
    let description =
        Description { title: String::new(), version: String::new(), text: String::new(), server: "/".into() };
    assert!(openapi::assemble(&description, [First::openapi(), First::openapi()]).is_ok());
    let refused = openapi::assemble(&description, [First::openapi(), Second::openapi()]);
    assert_eq!(refused.err().map(|contradiction| contradiction.name).as_deref(), Some("Thing"));
}

#[test]
fn the_document_is_the_same_byte_for_byte() {
    assert_eq!(openapi::to_json(&document()).unwrap(), openapi::to_json(&document()).unwrap());
}

#[tokio::test]
async fn the_document_is_served_with_its_tag() {
    let answer = get(&app(), "/openapi.json").await;
    assert_eq!(answer.json()["openapi"], "3.1.0");
    let tag = answer.header("etag").unwrap();
    let app = app().layer(axum::middleware::from_fn(web::middleware::conditional));
    assert_eq!(get_with(&app, "/openapi.json", &[("if-none-match", tag)]).await.status, 304);
}

/// Whatever the page loads comes from the same place, and the browser is told to load nothing else.
#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let page = get(&app(), "/docs").await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
    assert!(!policy.contains("http"), "{policy}");
    assert!(!page.text().contains("//"), "no address with a host: {}", page.text());
    assert!(!page.text().contains("<style"), "no style within the page");

    let files: Vec<&str> = page
        .text()
        .split(['"', '\''])
        .filter(|text| text.starts_with("/docs/") || *text == "/openapi.json")
        .collect();
    assert_eq!(files.len(), 5, "{files:?}");
    for file in files {
        let answer = get(&app(), file).await;
        assert_eq!(answer.status, 200, "{file}");
        assert!(!answer.body.is_empty(), "{file}");
        let of_ours = file.ends_with("docs.js") || file.ends_with("docs.css");
        assert!(!of_ours || !answer.text().contains("//fonts") && !answer.text().contains("http"), "{file}");
    }
    let style = get(&app(), "/docs/swagger-ui.css").await;
    let outside = style
        .text()
        .split("url(")
        .skip(1)
        .filter(|url| !url.trim_start_matches(['"', '\'']).starts_with("data:"));
    assert_eq!(outside.count(), 0, "the style sheet fetches nothing");
    let script = get(&app(), "/docs/docs.js").await;
    assert!(script.text().contains("validatorUrl: null"), "the default is somebody else's host");
}

#[tokio::test]
async fn the_type_of_a_problem_leads_to_its_page() {
    assert_eq!(get(&app(), "/docs/errors/internal").await.text(), "# internal\n");
    assert_eq!(get(&app(), "/docs/errors/unheard.of").await.code(), refused(404, "request.not_found"));
    assert_eq!(get(&app(), "/docs/passwd").await.code(), refused(404, "request.not_found"));
}
