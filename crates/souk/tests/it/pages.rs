//! What the shop shows beside the API, and what it does not show.

use serde_json::json;

use crate::browser::Browser;
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
    let link = link(&mail.text);
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
async fn a_person_who_follows_them_gets_on() {
    let shop = Shop::embedded().await;
    let person = Browser::on_a_phone(&shop.api.url("")).await;
    let (email, password) = ("linus@example.com", "a long enough passphrase");
    shop.api.post("/v1/auth/signup", json!({"email": email, "password": password})).expect(202).await;
    let mail = shop.mailbox.wait(email, "", 0).await;
    person.open_page(link(&mail.text)).await;
    person.reads("Welcome").await;
    assert_eq!(person.run("return location.hash").await, "", "the token does not stay in the address");

    // Some mails lead to this page without a token.
    person.open_page("/account/recover").await;
    person.fill("#address", email).await;
    person.press("Send the link").await;
    person.reads("Look into your mail").await;
    let mail = shop.mailbox.wait(email, "/account/recover#token=", 0).await;
    person.open_page(link(&mail.text)).await;
    let password = "another long enough passphrase";
    person.fill("#new", password).await;
    person.press("Save it").await;
    person.reads("Sign in with your new password.").await;

    let products = shop.api.get("/v1/products?query=velvet").expect(200).await;
    let item = format!("/v1/carts/me/items/{}", products.str("/data/0/variants/0/id"));
    let cart = shop.api.put(&item, json!({"quantity": 2})).expect(200).await;
    let address = json!({"name": "Guest", "line1": "1 Main Street", "city": "Berlin", "country": "DE"});
    let body = json!({"cart_id": cart.body["id"], "email": "guest@example.com", "shipping_address": address,
                      "payment": {"method": "card", "token": "tok_visa"}});
    let bought = shop.api.post("/v1/checkouts", body).key("guest-1").expect(201).await;
    let number = bought.str("/order/number");
    let mail = shop.mailbox.wait("guest@example.com", number, 0).await;
    person.open_page(link(&mail.text)).await;
    person.reads(&format!("Order {number}")).await;
    person.reads("Total").await;

    // Without its token it asks who is there, and says so when it is nobody's business.
    person.open_page(&format!("/orders/{}?again", bought.str("/order/id"))).await;
    person.fill("#email", email).await;
    person.fill("#current", password).await;
    person.press("Sign in").await;
    person.until("document.getElementById('failure').innerText.length > 20").await;
    let wide = person.run("return document.documentElement.scrollWidth > innerWidth").await;
    assert_eq!(wide, false, "it fits on a phone");
    person.is_content(&["404 (Not Found)"]).await;
    person.close().await;
}

/// The first link of a mail.
fn link(text: &str) -> &str {
    text.split_whitespace().find(|word| word.contains("#token=")).unwrap()
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
