//! Every refusal that the first journey's operations are documented to give is given, and changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use database::{Database, params};
use reqwest::Method;
use serde_json::{Value, json};

use super::buyers::{Ask, access, sign_up};
use super::record::record;
use crate::api::Api;
use crate::journey::sign_in;
use crate::shop::{STAFF, Shop};

/// The operations of the journey in the API's page.
const JOURNEY: [(&str, &str); 33] = [
    ("POST", "/v1/auth/signup"),
    ("POST", "/v1/auth/verify"),
    ("POST", "/v1/auth/signin"),
    ("POST", "/v1/auth/refresh"),
    ("POST", "/v1/auth/signout"),
    ("GET", "/v1/auth/sessions"),
    ("DELETE", "/v1/auth/sessions/{id}"),
    ("GET", "/v1/customers/me"),
    ("PATCH", "/v1/customers/me"),
    ("GET", "/v1/customers/me/addresses"),
    ("POST", "/v1/customers/me/addresses"),
    ("PUT", "/v1/customers/me/addresses/{id}"),
    ("DELETE", "/v1/customers/me/addresses/{id}"),
    ("PUT", "/v1/customers/me/consents/{purpose}"),
    ("POST", "/v1/customers/me/export"),
    ("DELETE", "/v1/customers/me"),
    ("GET", "/v1/products"),
    ("GET", "/v1/products/{id}"),
    ("GET", "/v1/carts/me"),
    ("PUT", "/v1/carts/me/items/{variant_id}"),
    ("DELETE", "/v1/carts/me/items/{variant_id}"),
    ("POST", "/v1/carts/me/merge"),
    ("POST", "/v1/checkouts"),
    ("GET", "/v1/orders"),
    ("GET", "/v1/orders/{id}"),
    ("GET", "/v1/orders/{id}/events"),
    ("POST", "/v1/orders/{id}/cancel"),
    ("POST", "/v1/orders/{id}/shipments"),
    ("POST", "/v1/payments/{id}/refunds"),
    ("POST", "/webhooks/{provider}"),
    ("GET", "/v1/stream"),
    ("GET", "/v1/polls"),
    ("POST", "/v1/polls/{id}/answers"),
];

/// Codes that take something broken, another time or a limit of its own, and where they are given.
const ELSEWHERE: [(&str, &str); 18] = [
    ("internal", "web: a handler that fails and one that panics"),
    ("database.conflict", "database: serialisation failures without end"),
    ("database.overloaded", "proofs::engines, and database: more writers than the queue takes"),
    ("database.unavailable", "proofs::engines"),
    ("service.unavailable", "orders: a service that is away at each step"),
    ("request.timeout", "orders: a service that does not answer"),
    ("request.overloaded", "web: more requests than are taken at once"),
    ("identity.overloaded", "identity: more passwords than are hashed at once"),
    ("rate_limited", "gateway and identity: each limit"),
    ("auth.token_expired", "web: a token of yesterday"),
    ("idempotency.in_flight", "proofs::races: one key sent by everybody at once, and web"),
    ("orders.checkout_in_progress", "proofs::races: one cart checked out by everybody at once, and orders"),
    ("orders.checkout_failed", "orders: a checkout that was not paid for in time"),
    ("feedback.poll_closed", "feedback: a poll that was closed"),
    ("payments.webhook_unreadable", "payments: a notification that is signed and says nothing"),
    ("vault.erased", "orders and feedback: a person who was erased meanwhile"),
    ("customers.recent_authentication_required", "customers: a session of yesterday"),
    ("customers.not_found", "customers: a token that outlives its customer"),
];

const CLAIM: &str = "Every problem code that the document lists for an operation of the first journey is given by that \
    operation over HTTP, with the status that is documented, and nothing in any service's tables is different \
    afterwards. Codes that take a broken engine, a limit or another time are given by the tests that are named \
    beside them.";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_documented_refusal_is_given_and_changes_nothing() {
    let mut shop = Shop::embedded().await;
    let api = &shop.api.clone();
    let people = People::new(&shop).await;
    let document = api.get("/openapi.json").send().await.body;
    let promised = promised(&document);
    let watch = Watch::open(&shop).await;
    let mut given: BTreeSet<(String, String, String)> = BTreeSet::new();
    let cases = cases(api, &people, &document).await;
    let (before, mut wrong) = (watch.state().await, Vec::new());
    for case in &cases {
        let answer = case.ask.call(api).send().await;
        let (method, template) = case.operation;
        if answer.code() != case.code {
            let asked = format!("{:?}", case.ask).chars().take(300).collect::<String>();
            wrong.push(format!("{method} {template}: {} and not {}: {asked}", answer.text, case.code));
            continue;
        }
        given.insert((method.to_owned(), template.to_owned(), case.code.clone()));
        let after = watch.state().await;
        assert_eq!(after, before, "{} of {method} {template} changed something", case.code);
    }
    without_provider(&mut shop, &people).await;
    given.insert(("POST".into(), "/v1/payments/{id}/refunds".into(), "payments.no_provider".into()));
    assert_eq!(watch.state().await, before);
    assert!(wrong.is_empty(), "{} answers are not what was expected: {wrong:#?}", wrong.len());
    let elsewhere: BTreeSet<&str> = ELSEWHERE.iter().map(|(code, _)| *code).collect();
    let missing: Vec<_> = promised
        .iter()
        .filter(|promise| !given.contains(*promise) && !elsewhere.contains(promise.2.as_str()))
        .filter(|(method, template, code)| {
            !(code == "auth.forbidden" && is_open(&document, method, template))
        })
        .collect();
    assert!(missing.is_empty(), "{} refusals are documented and not given: {missing:#?}", missing.len());
    let facts = [
        ("operations", json!(JOURNEY.len())),
        ("refusals documented", json!(promised.len())),
        ("refusals given here", json!(given.len())),
        ("codes given by other tests", json!(ELSEWHERE.len())),
    ];
    println!("refusals: {facts:?}");
    record("refusals", CLAIM, &facts);
}

/// One request that is refused.
struct Case {
    operation: (&'static str, &'static str),
    code: String,
    ask: Ask,
}

/// Who asks, and what they have.
struct People {
    customer: String,
    staff: String,
    /// A member of the staff who looks after the catalogue alone.
    clerk: String,
    ended: String,
    order: String,
    sent: String,
    payment: String,
    address: String,
    cancelled: String,
    sent_payment: String,
    poll: String,
    /// An answer to every question of the poll that needs one.
    rating: Value,
    variant: String,
    scarce: String,
    stranger: String,
    full_cart: String,
}

impl People {
    async fn new(shop: &Shop) -> Self {
        let api = &shop.api;
        for email in ["ada@example.com", "eve@example.com"] {
            sign_up(shop, email).await;
        }
        let customer = access(api, "ada@example.com").await;
        let stranger = access(api, "eve@example.com").await;
        let staff = sign_in(api, STAFF.0, STAFF.1).await.access;
        let password = "another long enough passphrase";
        shop.command(&["staff", "add", "clerk@example.com", "--role", "catalog"], password).await;
        let clerk = sign_in(api, "clerk@example.com", password).await.access;
        let ended = access(api, "ada@example.com").await;
        api.post("/v1/auth/signout", json!({})).bearer(&ended).expect(204).await;
        let products = api.get("/v1/products?limit=50").expect(200).await;
        let variant = |sku: &str| {
            let products = products.body["data"].as_array().unwrap().iter();
            let mut all = products.flat_map(|product| product["variants"].as_array().unwrap());
            all.find(|variant| variant["sku"] == sku).unwrap()["id"].as_str().unwrap().to_owned()
        };
        let (plenty, scarce) = (variant("NS-30"), variant("VL-FIG"));
        let address = json!({"name": "Ada", "line1": "1 Way", "city": "Berlin", "country": "DE"});
        api.until("/v1/customers/me", &customer, |_| true).await;
        api.until("/v1/customers/me", &stranger, |_| true).await;
        let address = api.post("/v1/customers/me/addresses", address).bearer(&customer).key("used");
        let address = address.expect(201).await;
        // The stranger's book is full.
        let more = json!({"name": "Eve", "line1": "1 Way", "city": "Berlin", "country": "DE"});
        let more = || api.post("/v1/customers/me/addresses", more.clone()).bearer(&stranger).send();
        while more().await.status == 201 {}
        let preferences: BTreeMap<String, i32> = (0..50).map(|nth| (format!("p{nth}"), nth)).collect();
        let me = api.get("/v1/customers/me").bearer(&customer).expect(200).await;
        let me = api
            .patch("/v1/customers/me", json!({"preferences": preferences}))
            .header("if-match", me.header("etag"));
        me.bearer(&customer).expect(200).await;
        let order = buy(api, &customer, &plenty, "used").await;
        let sent = buy(api, &customer, &plenty, "sent").await;
        let of_sent = |what: &str| format!("/v1/orders/{}/{what}", sent["id"].as_str().unwrap());
        api.post(&of_sent("shipments"), json!({})).bearer(&staff).key("used").expect(201).await;
        let refunds = format!("/v1/payments/{}/refunds", sent["payment_id"].as_str().unwrap());
        let part = json!({"amount": {"amount": 100, "currency": "EUR"}, "reason": "a scratch"});
        api.post(&refunds, part).bearer(&staff).key("used").expect(201).await;
        api.until(&of_sent("events"), &customer, |events| events.to_string().contains("refund")).await;
        let cancelled = buy(api, &customer, &plenty, "cancelled").await;
        let path = format!("/v1/orders/{}", cancelled["id"].as_str().unwrap());
        api.post(&format!("{path}/cancel"), json!({})).bearer(&customer).key("cancel").expect(200).await;
        api.until(&path, &customer, |order| order["payment_status"] == "refunded").await;
        let cart = api.put(&format!("/v1/carts/me/items/{plenty}"), json!({"quantity": 1})).expect(200).await;
        let cart = json!({"cart_id": cart.str("/id")});
        api.post("/v1/carts/me/merge", cart).bearer(&stranger).key("used").expect(200).await;
        let asked = format!("/v1/polls?placement=post_purchase&order_id={}", order["id"].as_str().unwrap());
        let polls = api.until(&asked, &customer, |polls| !polls["data"].as_array().unwrap().is_empty()).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let poll = text(&polls.body["data"][0]["id"]);
        let said = json!({"order_id": sent["id"], "answers": rating(&polls.body["data"][0])});
        let path = format!("/v1/polls/{poll}/answers");
        api.post(&path, said).bearer(&customer).key("used").expect(201).await;
        Self {
            cancelled: text(&cancelled["id"]),
            sent_payment: text(&sent["payment_id"]),
            rating: rating(&polls.body["data"][0]),
            poll,
            order: text(&order["id"]),
            sent: text(&sent["id"]),
            payment: text(&order["payment_id"]),
            address: address.str("/id").to_owned(),
            full_cart: fill_cart(shop).await,
            variant: plenty,
            scarce,
            customer,
            staff,
            clerk,
            ended,
            stranger,
        }
    }

    /// The path of an operation, about what these people have.
    fn path(&self, template: &str) -> String {
        let id = match template {
            path if path.contains("/orders/") => &self.order,
            path if path.contains("/payments/") => &self.payment,
            path if path.contains("/addresses/") => &self.address,
            path if path.contains("/polls/") => &self.poll,
            _ => &self.variant,
        };
        let path = template.replace("{id}", id).replace("{variant_id}", &self.variant);
        path.replace("{purpose}", "marketing_email").replace("{provider}", "sandbox")
    }
}

async fn buy(api: &Api, customer: &str, variant: &str, key: &str) -> Value {
    api.put(&format!("/v1/carts/me/items/{variant}"), json!({"quantity": 1}))
        .bearer(customer)
        .expect(200)
        .await;
    let bought = api.post("/v1/checkouts", checkout("tok_visa")).bearer(customer).key(key).expect(201).await;
    let path = format!("/v1/orders/{}", bought.str("/order/id"));
    api.until(&path, customer, |order| order["payment_status"] == "captured").await.body
}

fn checkout(token: &str) -> Value {
    json!({"shipping_address": {"name": "Ada", "line1": "1 Way", "city": "Berlin", "country": "DE"},
        "payment": {"method": "card", "token": token}})
}

/// A guest's cart with as many lines as it may have, of a product with as many variants as that takes.
async fn fill_cart(shop: &Shop) -> String {
    let variants: Vec<Value> = (0..100)
        .map(|nth| {
            json!({"sku": format!("T-{nth}"), "title": format!("Tester {nth}"), "options": [["Nr", nth.to_string()]],
                "price": {"amount": 100, "currency": "EUR"}, "stock": 1})
        })
        .collect();
    let product = json!([{"handle": "testers", "title": "Testers", "description": "Small.", "brand": "Maren Vale",
        "categories": ["lips"], "seller": "Maren Vale", "created_at": "2026-01-03T09:00:00Z", "variants": variants}]);
    let file = shop.folder().join("testers.json");
    std::fs::write(&file, product.to_string()).unwrap();
    shop.command(&["import", "catalog", file.to_str().unwrap(), "--json"], "").await;
    let found = shop.api.get("/v1/products?query=testers").expect(200).await;
    let mut cart: Option<String> = None;
    for variant in found.body["data"][0]["variants"].as_array().unwrap() {
        let path = format!("/v1/carts/me/items/{}", variant["id"].as_str().unwrap());
        let mut call = shop.api.put(&path, json!({"quantity": 1}));
        if let Some(cart) = &cart {
            call = call.header("souk-cart", cart);
        }
        cart = Some(call.expect(200).await.str("/id").to_owned());
    }
    cart.unwrap()
}

/// Every request that is to be refused.
async fn cases(api: &Api, people: &People, document: &Value) -> Vec<Case> {
    let mut cases = Vec::new();
    for (method, template) in JOURNEY {
        for code in codes(document, &document["paths"][template][method.to_lowercase()]["responses"]) {
            if let Some(ask) = general(people, document, (method, template), &code) {
                cases.push(Case { operation: (method, template), code, ask });
            }
        }
    }
    cases.extend(special(api, people).await);
    cases
}

/// What every operation refuses in the same way.
fn general(people: &People, document: &Value, (method, template): (&str, &str), code: &str) -> Option<Ask> {
    let operation = &document["paths"][template][method.to_lowercase()];
    let security = operation["security"].to_string();
    let staff_only = security.contains("staff") && !security.contains("customer");
    let token = if staff_only { &people.staff } else { &people.customer };
    let query = if template == "/v1/stream" { "?topics=orders" } else { "" };
    let plain = || Ask::new(method.parse().unwrap(), people.path(template) + query);
    let asked = || plain().bearer(Some(token)).with("if-match", "\"999\"");
    let body = |ask: Ask, body: Value| Ask { body: Some(body), ..ask };
    let has_body = !operation["requestBody"].is_null();
    Some(match code {
        "auth.missing" => body_if(plain(), has_body),
        "auth.token_invalid" => body_if(plain().bearer(Some("nonsense")), has_body),
        "auth.session_ended" => body_if(plain().bearer(Some(&people.ended)), has_body),
        // Whom it is open to whatever they are, only a service of the shop is refused.
        "auth.forbidden" if is_open(document, method, template) => return None,
        "auth.forbidden" if staff_only => body_if(plain().bearer(Some(&people.customer)), has_body),
        "auth.forbidden" => body_if(plain().bearer(Some(&people.clerk)), has_body),
        "request.bad_id" => {
            let end = template.find('{')?;
            let rest = template[end..].split_once('}')?.1;
            // Where any text is a name, one with a NUL still is none.
            let path = format!("{}nonsense%00{rest}", &template[..end]);
            body_if(Ask { path, ..asked() }, has_body)
        }
        "request.bad_cursor" => Ask { path: format!("{template}?cursor=nonsense"), ..asked() },
        "request.card_number" => body(asked(), json!({"anything": "4242 4242 4242 4242"})),
        "request.validation" if has_body => body(asked(), json!({"unheard_of": 1})),
        "request.validation" if template.contains("/carts/") => {
            Ask { path: format!("{}?cart_id=nonsense", people.path(template)), ..plain() }
        }
        "request.validation" if template == "/v1/stream" => {
            Ask { path: "/v1/stream?topics=".to_owned(), ..plain() }.bearer(Some(token))
        }
        "request.validation" => Ask { path: format!("{template}?limit=nonsense"), ..asked() },
        "request.malformed_json" => asked().text("application/json", "{"),
        "request.unsupported_media_type" => asked().text("text/plain", "{}"),
        "request.too_large" => too_large(asked()),
        "idempotency.key_invalid" => {
            let long = "k".repeat(256);
            body(Ask { key: Some(long), ..asked() }, json!({}))
        }
        _ => return None,
    })
}

/// The rest of such a body is not waited for, so nobody else's request may follow on its connection.
fn too_large(ask: Ask) -> Ask {
    ask.text("application/json", &"x".repeat(2 * 1024 * 1024)).with("connection", "close")
}

fn body_if(ask: Ask, wanted: bool) -> Ask {
    Ask { body: wanted.then(|| json!({})), ..ask }
}

/// What each operation refuses in its own way.
async fn special(api: &Api, people: &People) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |method: &'static str, template: &'static str, code: &str, ask: Ask| {
        cases.push(Case { operation: (method, template), code: code.to_owned(), ask });
    };
    let anyone = |path: &str, body: Value| Ask { body: Some(body), ..Ask::new(Method::POST, path) };
    let theirs = |path: &str, body: Value| anyone(path, body).bearer(Some(&people.customer));
    let staff = |path: &str, body: Value| anyone(path, body).bearer(Some(&people.staff));
    let nothing = "01h455vb4pex5vsknk084sn02q";
    let password = "a long enough passphrase";

    let weak = json!({"email": "new@example.com", "password": "password1234"});
    add("POST", "/v1/auth/signup", "identity.password_too_weak", anyone("/v1/auth/signup", weak));
    let code = json!({"email": "nobody@example.com", "code": "000000"});
    add("POST", "/v1/auth/verify", "identity.code_invalid", anyone("/v1/auth/verify", code));
    let wrong = json!({"email": "nobody@example.com", "password": password});
    add("POST", "/v1/auth/signin", "identity.bad_credentials", anyone("/v1/auth/signin", wrong));
    let stale = json!({"refresh_token": "nonsense"});
    add("POST", "/v1/auth/refresh", "identity.refresh_token_invalid", anyone("/v1/auth/refresh", stale));
    let session = Ask::new(Method::DELETE, format!("/v1/auth/sessions/ses_{nothing}"));
    let session = session.bearer(Some(&people.customer));
    add("DELETE", "/v1/auth/sessions/{id}", "identity.session_not_found", session);

    let me = Ask { method: Method::PATCH, ..theirs("/v1/customers/me", json!({"name": "Eve"})) };
    add("PATCH", "/v1/customers/me", "precondition.required", me.clone());
    add("PATCH", "/v1/customers/me", "precondition.failed", me.with("if-match", "\"999\""));
    let many = json!({"one_more": 1});
    let version = api.get("/v1/customers/me").bearer(&people.customer).expect(200).await;
    let many = Ask { method: Method::PATCH, ..theirs("/v1/customers/me", json!({"preferences": many})) };
    let many = many.with("if-match", version.header("etag"));
    add("PATCH", "/v1/customers/me", "customers.too_many_preferences", many);
    let address = json!({"name": "Ada", "line1": "2 Way", "city": "Berlin", "country": "DE"});
    let own = format!("/v1/customers/me/addresses/{}", people.address);
    let change = Ask { method: Method::PUT, ..theirs(&own, address.clone()) };
    add("PUT", "/v1/customers/me/addresses/{id}", "precondition.required", change.clone());
    add(
        "PUT",
        "/v1/customers/me/addresses/{id}",
        "precondition.failed",
        change.clone().with("if-match", "\"999\""),
    );
    let strange = Ask { method: Method::PUT, ..anyone(&own, address.clone()) }.bearer(Some(&people.stranger));
    let strange = strange.with("if-match", "\"1\"");
    add("PUT", "/v1/customers/me/addresses/{id}", "customers.address_not_found", strange.clone());
    let gone = Ask { method: Method::DELETE, body: None, ..strange };
    add("DELETE", "/v1/customers/me/addresses/{id}", "customers.address_not_found", gone);
    let stale = Ask { body: None, ..Ask::new(Method::DELETE, &own) }.bearer(Some(&people.customer));
    add(
        "DELETE",
        "/v1/customers/me/addresses/{id}",
        "precondition.failed",
        stale.with("if-match", "\"999\""),
    );
    let consent = json!({"granted": true, "text_version": "1", "source": "checkout"});
    let unknown = Ask { method: Method::PUT, ..theirs("/v1/customers/me/consents/nonsense", consent) };
    add("PUT", "/v1/customers/me/consents/{purpose}", "customers.unknown_purpose", unknown);

    let product = Ask::new(Method::GET, format!("/v1/products/prd_{nothing}"));
    add("GET", "/v1/products/{id}", "catalog.product_not_found", product);

    let item = |variant: &str| {
        let path = format!("/v1/carts/me/items/{variant}");
        Ask { method: Method::PUT, ..anyone(&path, json!({"quantity": 1})) }
    };
    let put = ("PUT", "/v1/carts/me/items/{variant_id}");
    add(put.0, put.1, "orders.unknown_variant", item(&format!("var_{nothing}")));
    let full = || item(&people.variant).with("souk-cart", &people.full_cart);
    add(put.0, put.1, "orders.cart_full", full());
    add(put.0, put.1, "precondition.failed", full().with("if-match", "\"999\""));
    let take = Ask { method: Method::DELETE, body: None, ..full() }.with("if-match", "\"999\"");
    add("DELETE", "/v1/carts/me/items/{variant_id}", "precondition.failed", take);

    cases.extend(buying(api, people).await);
    let mut add = |method: &'static str, template: &'static str, code: &str, ask: Ask| {
        cases.push(Case { operation: (method, template), code: code.to_owned(), ask });
    };
    let unknown = format!("/v1/orders/ord_{nothing}");
    let get = |path: &str| Ask::new(Method::GET, path).bearer(Some(&people.customer));
    let foreign = format!("/v1/orders/{}", people.order);
    let foreign = Ask::new(Method::GET, foreign).bearer(Some(&people.stranger));
    add("GET", "/v1/orders/{id}", "orders.not_found", get(&unknown));
    add("GET", "/v1/orders/{id}", "orders.not_found", foreign);
    add("GET", "/v1/orders/{id}/events", "orders.not_found", get(&format!("{unknown}/events")));
    add(
        "POST",
        "/v1/orders/{id}/cancel",
        "orders.not_found",
        theirs(&format!("{unknown}/cancel"), json!({})),
    );
    let cancel = |order: &str| theirs(&format!("/v1/orders/{order}/cancel"), json!({}));
    add("POST", "/v1/orders/{id}/cancel", "orders.not_cancellable", cancel(&people.sent));
    let stale = cancel(&people.order).with("if-match", "\"999\"");
    add("POST", "/v1/orders/{id}/cancel", "precondition.failed", stale);
    let ship = |order: &str, body: Value| staff(&format!("/v1/orders/{order}/shipments"), body);
    let shipments = "/v1/orders/{id}/shipments";
    add("POST", shipments, "orders.not_found", ship(&format!("ord_{nothing}"), json!({})));
    add("POST", shipments, "orders.not_shippable", ship(&people.sent, json!({})));
    add("POST", shipments, "precondition.failed", ship(&people.order, json!({})).with("if-match", "\"999\""));
    let too_much = json!({"lines": [{"variant_id": people.variant, "quantity": 9}]});
    add("POST", shipments, "orders.ships_too_much", ship(&people.order, too_much));

    let refunds = "/v1/payments/{id}/refunds";
    let refund = |payment: &str, amount: i64, currency: &str| {
        let body = json!({"amount": {"amount": amount, "currency": currency}, "reason": "why not"});
        staff(&format!("/v1/payments/{payment}/refunds"), body)
    };
    add("POST", refunds, "payments.not_found", refund(&format!("pay_{nothing}"), 1, "EUR"));
    add("POST", refunds, "payments.refund_exceeds_captured", refund(&people.payment, 1_000_000, "EUR"));
    add("POST", refunds, "payments.currency_mismatch", refund(&people.payment, 1, "USD"));

    let hook = "/webhooks/{provider}";
    add("POST", hook, "payments.provider_unknown", anyone("/webhooks/nobody", json!({})));
    add("POST", hook, "payments.webhook_signature_invalid", anyone("/webhooks/sandbox", json!({})));
    add("GET", "/v1/stream", "sync.unknown_topic", get("/v1/stream?topics=nonsense"));

    let answers = "/v1/polls/{id}/answers";
    let answer = |poll: &str, order: &str| {
        theirs(&format!("/v1/polls/{poll}/answers"), json!({"order_id": order, "answers": people.rating}))
    };
    add("POST", answers, "feedback.poll_not_found", answer(&format!("pol_{nothing}"), &people.order));
    add("POST", answers, "feedback.order_not_found", answer(&people.poll, &format!("ord_{nothing}")));
    add("POST", answers, "feedback.already_answered", answer(&people.poll, &people.sent));

    let reused = |ask: Ask| Ask { key: Some("used".to_owned()), ..ask };
    add("POST", answers, "idempotency.key_reused", reused(answer(&people.poll, &people.order)));
    add("POST", shipments, "idempotency.key_reused", reused(ship(&people.order, json!({}))));
    add("POST", refunds, "idempotency.key_reused", reused(refund(&people.sent_payment, 99, "EUR")));
    let cancelled = theirs(&format!("/v1/orders/{}/cancel", people.cancelled), json!({"reason": "another"}));
    let cancelled = Ask { key: Some("cancel".to_owned()), ..cancelled };
    add("POST", "/v1/orders/{id}/cancel", "idempotency.key_reused", cancelled);
    let more = anyone("/v1/customers/me/addresses", address.clone()).bearer(Some(&people.stranger));
    add("POST", "/v1/customers/me/addresses", "customers.too_many_addresses", more);
    let another = theirs("/v1/customers/me/addresses", address);
    add("POST", "/v1/customers/me/addresses", "idempotency.key_reused", reused(another));
    let another = anyone("/v1/carts/me/merge", json!({"cart_id": format!("crt_{nothing}")}));
    let another = another.bearer(Some(&people.stranger));
    add("POST", "/v1/carts/me/merge", "idempotency.key_reused", reused(another));
    let another = theirs("/v1/checkouts", checkout("tok_declined"));
    add("POST", "/v1/checkouts", "idempotency.key_reused", reused(another));
    add("POST", hook, "request.too_large", too_large(Ask::new(Method::POST, "/webhooks/sandbox")));
    cases
}

/// The refusals of carts and checkouts, each with a cart of its own.
async fn buying(api: &Api, people: &People) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |code: &str, ask: Ask| {
        cases.push(Case { operation: ("POST", "/v1/checkouts"), code: code.to_owned(), ask });
    };
    let guest = async |variant: &str, quantity: i64| -> String {
        let path = format!("/v1/carts/me/items/{variant}");
        api.put(&path, json!({"quantity": quantity})).expect(200).await.str("/id").to_owned()
    };
    let pay = |cart: &str, token: &str| {
        let mut body = checkout(token);
        body["email"] = json!("guest@example.com");
        body["cart_id"] = json!(cart);
        Ask { body: Some(body), ..Ask::new(Method::POST, "/v1/checkouts") }
    };
    let cart = guest(&people.variant, 1).await;
    add("payments.declined", pay(&cart, "tok_declined"));
    let mut cheque = pay(&cart, "tok_visa");
    cheque.body.as_mut().unwrap()["payment"]["method"] = json!("cheque");
    add("orders.payment_refused", cheque);
    add("orders.out_of_stock", pay(&guest(&people.scarce, 900).await, "tok_visa"));
    add("orders.cart_empty", pay("crt_01h455vb4pex5vsknk084sn02q", "tok_visa"));
    let own = api.get("/v1/carts/me").bearer(&people.customer).expect(200).await;
    add("orders.cart_not_found", pay(own.str("/id"), "tok_visa"));
    let empty = Ask { body: Some(checkout("tok_visa")), ..Ask::new(Method::POST, "/v1/checkouts") };
    add("orders.cart_empty", empty.bearer(Some(&people.customer)));
    let own =
        json!({"cart_id": api.get("/v1/carts/me").bearer(&people.customer).expect(200).await.str("/id")});
    let merge = Ask { body: Some(own), ..Ask::new(Method::POST, "/v1/carts/me/merge") };
    cases.push(Case {
        operation: ("POST", "/v1/carts/me/merge"),
        code: "orders.cart_not_found".to_owned(),
        ask: merge.bearer(Some(&people.stranger)),
    });
    cases
}

/// Money cannot be given back through a provider that was turned off.
async fn without_provider(shop: &mut Shop, people: &People) {
    let file = shop.folder().join("souk.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let off = config.replace("[payments.sandbox]\n", "[payments.sandbox]\nenabled = false\n");
    assert_ne!(config, off);
    std::fs::write(&file, off).unwrap();
    shop.kill().await;
    shop.start_again();
    shop.ready().await;
    let body = json!({"amount": {"amount": 1, "currency": "EUR"}, "reason": "why not"});
    let path = format!("/v1/payments/{}/refunds", people.payment);
    let refused = shop.api.post(&path, body).bearer(&people.staff).key("no-provider").send().await;
    assert_eq!(refused.code(), "payments.no_provider", "{}", refused.text);
}

/// Answers to every question of a poll that can be answered with a number or a choice.
fn rating(poll: &Value) -> Value {
    let answers = poll["questions"].as_array().unwrap().iter().filter_map(|question| {
        let value = match question["kind"].as_str().unwrap() {
            "rating" => json!(5),
            "nps" => json!(9),
            "single_choice" => question["choices"][0]["id"].clone(),
            _ => return None,
        };
        Some(json!({"question_id": question["id"], "value": value}))
    });
    answers.collect()
}

/// Whether customers, sellers and staff may all call it, so that only a service of the shop is refused.
fn is_open(document: &Value, method: &str, template: &str) -> bool {
    document["paths"][template][method.to_lowercase()]["security"].to_string().contains("seller")
}

/// Which code each operation of the journey is documented to give.
fn promised(document: &Value) -> BTreeSet<(String, String, String)> {
    let mut promised = BTreeSet::new();
    for (method, template) in JOURNEY {
        let operation = &document["paths"][template][method.to_lowercase()];
        assert!(!operation.is_null(), "{method} {template} is not documented");
        for code in codes(document, &operation["responses"]) {
            promised.insert((method.to_owned(), template.to_owned(), code));
        }
    }
    assert!(promised.len() > 400, "{} refusals are documented", promised.len());
    promised
}

/// Every code that the schemas of `responses` list.
fn codes(document: &Value, responses: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut left: Vec<(&Value, usize)> = vec![(responses, 0)];
    while let Some((value, depth)) = left.pop() {
        if depth > 12 {
            continue;
        }
        if let Some(reference) = value["$ref"].as_str() {
            left.push((document.pointer(reference.trim_start_matches('#')).unwrap(), depth + 1));
        }
        let listed = value["code"]["enum"].as_array().into_iter().flatten();
        found.extend(listed.filter_map(Value::as_str).map(str::to_owned));
        match value {
            Value::Object(members) => left.extend(members.values().map(|member| (member, depth + 1))),
            Value::Array(items) => left.extend(items.iter().map(|item| (item, depth + 1))),
            _ => {}
        }
    }
    found
}

/// What would be different had something been done.
struct Watch(Vec<(Database, &'static [&'static str])>);

impl Watch {
    async fn open(shop: &Shop) -> Self {
        Self(vec![
            (
                shop.database("orders").await,
                &[
                    "SELECT COUNT(*), COALESCE(SUM(version), 0) FROM carts",
                    "SELECT COUNT(*), COALESCE(SUM(version), 0) FROM orders",
                    "SELECT COUNT(*), COALESCE(SUM(quantity), 0) FROM cart_lines",
                    "SELECT COUNT(*), 0 FROM order_events",
                ],
            ),
            (
                shop.database("catalog").await,
                &[
                    "SELECT COALESCE(SUM(debits_posted), 0), COALESCE(SUM(debits_pending), 0) FROM ledger_accounts",
                ],
            ),
            (
                shop.database("payments").await,
                &["SELECT COALESCE(SUM(captured), 0), COALESCE(SUM(refunded), 0) FROM payments"],
            ),
            (shop.database("feedback").await, &["SELECT COUNT(*), 0 FROM answers"]),
            (
                shop.database("customers").await,
                &["SELECT COUNT(*), COALESCE(MAX(position), 0) FROM platform_outbox"],
            ),
        ])
    }

    async fn state(&self) -> Vec<(i64, i64)> {
        let mut state = Vec::new();
        for (database, questions) in &self.0 {
            let mut reader = database.read_primary().await.unwrap();
            for question in *questions {
                state.push(reader.fetch_one(question, &params![]).await.unwrap());
            }
        }
        state
    }
}
