//! What the shop shows beside the API, and what it does not show.

use serde_json::json;

use crate::shop::Shop;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_and_the_pages_of_errors_need_no_other_host() {
    let shop = Shop::embedded().await;
    let page = shop.api.get("/docs").expect(200).await;
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("http"), "{policy}");
    assert!(!page.text.contains("//cdn") && !page.text.contains("https://"), "{}", page.text);

    let document = shop.api.get("/openapi.json").expect(200).await;
    assert!(document.str("/openapi").starts_with("3.1"));

    let problem = shop.api.get("/v1/orders").expect(401).await;
    let explained = shop.api.get(problem.str("/type")).expect(200).await;
    assert!(explained.text.contains("auth.missing"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_in_mails_lead_to_pages() {
    let shop = Shop::embedded().await;
    let body = json!({"email": "linus@example.com", "password": "a long enough passphrase"});
    shop.api.post("/v1/auth/signup", body).expect(202).await;
    let mail = shop.mailbox.wait("linus@example.com", "", 0).await;
    let link = mail.text.split_whitespace().find(|word| word.contains("#token=")).unwrap();
    let page = shop.api.http().get(link).send().await.unwrap();
    assert_eq!(page.status(), 200, "{link}");
    assert_eq!(page.headers()["referrer-policy"], "no-referrer");
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("script-src 'self'"));
    let page = page.text().await.unwrap();
    for file in ["/account/account.js", "/account/account.css"] {
        assert!(page.contains(file));
        assert_eq!(shop.api.http().get(shop.api.url(file)).send().await.unwrap().status(), 200);
    }
    // The page's script sends just this.
    let token = link.split_once("#token=").unwrap().1;
    shop.api.post("/v1/auth/verify", json!({ "token": token })).expect(200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn internal_routes_do_not_exist_outside() {
    let shop = Shop::embedded().await;
    for path in ["/internal/identity/revocations", "/internal/identity/jwks", "/internal/catalog/quote"] {
        let response = shop.api.http().get(shop.api.url(path)).send().await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_have_a_port_of_their_own() {
    let shop = Shop::embedded().await;
    let get = async |path: &str| reqwest::get(format!("{}{path}", shop.ops())).await.unwrap();
    assert_eq!(get("/healthz").await.status(), 200);
    let ready: serde_json::Value = get("/readyz").await.json().await.unwrap();
    assert_eq!(ready["ready"], json!(true), "{ready}");
    shop.api.get("/v1/products").expect(200).await;
    let metrics = get("/metrics").await.text().await.unwrap();
    assert!(metrics.contains("http_server_request_duration_seconds"), "{metrics}");
    for path in ["/metrics", "/readyz"] {
        let response = shop.api.http().get(shop.api.url(path)).send().await.unwrap();
        assert_eq!(response.status(), 404, "{path} on the public port");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_number_is_refused_and_appears_in_no_log() {
    let shop = Shop::embedded().await;
    let number = "4242 4242 4242 4242";
    let body = json!({"email": "a@example.com", "password": number});
    let refused = shop.api.post("/v1/auth/signin", body).expect(400).await;
    assert_eq!(refused.code(), "request.card_number");
    let logs = shop.logs();
    assert!(!logs.contains(number) && !logs.contains("4242424242424242"), "{logs}");
}
