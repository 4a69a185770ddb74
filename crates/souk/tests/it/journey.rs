//! One purchase through every service, line by line as the API's page tells it.

use serde_json::{Value, json};

use crate::api::{Answer, Api};
use crate::shop::{STAFF, Shop, WRITE_KEY};
use crate::stream::Stream;

const PASSWORD: &str = "a long enough passphrase";

/// Somebody who is signed in.
pub struct Person {
    pub access: String,
    pub refresh: String,
    pub session: String,
}

impl Person {
    fn from(answer: &Answer) -> Self {
        assert_eq!(answer.body["token_type"], "Bearer");
        assert!(answer.body["expires_in"].as_i64().unwrap() > 0);
        Self {
            access: answer.str("/access_token").to_owned(),
            refresh: answer.str("/refresh_token").to_owned(),
            session: answer.str("/session_id").to_owned(),
        }
    }
}

pub async fn sign_in(api: &Api, email: &str, password: &str) -> Person {
    let body = json!({"email": email, "password": password});
    Person::from(&api.post("/v1/auth/signin", body).expect(200).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_embedded_stack() {
    journey(&Shop::embedded().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_full_stack() {
    journey(&Shop::full().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_each_service_in_a_process_of_its_own() {
    journey(&Shop::fleet().await).await;
}

async fn journey(shop: &Shop) {
    let person = sign_up(shop).await;
    profile(shop, &person).await;
    let (rosewood, fig, serum) = browse(shop).await;
    let order = buy(shop, &person, &rosewood).await;
    refund(shop, &person, &order).await;
    challenge(shop, &person, &serum).await;
    refusals(shop, &person, &rosewood, &fig).await;
    guest(shop, &serum).await;
    answer_poll(shop, &person, &order).await;
    analytics(shop, &order).await;
    sessions(shop, person).await;
    erase(shop).await;
}

async fn sign_up(shop: &Shop) -> Person {
    let api = &shop.api;
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let first = api.post("/v1/auth/signup", body.clone()).expect(202).await;
    let mail = shop.mailbox.wait("ada@example.com", "", 0).await;
    let wrong = json!({"email": "ada@example.com", "code": "00000000"[..mail.code().len()].to_owned()});
    let refused = api.post("/v1/auth/verify", wrong).send().await;
    assert!(refused.status == 400 || refused.status == 401, "{}", refused.text);
    let code = json!({"email": "ada@example.com", "code": mail.code()});
    let person = Person::from(&api.post("/v1/auth/verify", code.clone()).expect(200).await);
    assert_ne!(api.post("/v1/auth/verify", code).send().await.status, 200, "a code works once");

    // Signing up again tells nothing: the answer is the same, the person gets another mail.
    let again = api.post("/v1/auth/signup", body).expect(202).await;
    assert_eq!(first.body, again.body);
    shop.mailbox.wait("ada@example.com", "", 1).await;

    let wrong = json!({"email": "ada@example.com", "password": "not it at all, no"});
    assert_eq!(api.post("/v1/auth/signin", wrong).expect(401).await.code(), "identity.bad_credentials");
    let unknown = json!({"email": "nobody@example.com", "password": PASSWORD});
    assert_eq!(api.post("/v1/auth/signin", unknown).expect(401).await.code(), "identity.bad_credentials");
    person
}

async fn profile(shop: &Shop, person: &Person) {
    let api = &shop.api;
    let me = api.until("/v1/customers/me", &person.access, |me| me["email"] == "ada@example.com").await;
    let tag = me.header("etag").to_owned();
    let change = || api.patch("/v1/customers/me", json!({"name": "Ada Winter"})).bearer(&person.access);
    change().expect(428).await;
    let changed = change().header("if-match", &tag).expect(200).await;
    assert_eq!(changed.body["name"], "Ada Winter");
    let stale = change().header("if-match", &tag).expect(412).await;
    assert_eq!(stale.code(), "precondition.failed");
    let address = api.post("/v1/customers/me/addresses", address()).bearer(&person.access).expect(201).await;
    assert_eq!(address.body["city"], "Berlin");
    let consent = json!({"granted": true, "text_version": "2026-01", "source": "checkout"});
    api.put("/v1/customers/me/consents/marketing_email", consent).bearer(&person.access).expect(200).await;
    api.get("/v1/customers/me").expect(401).await;
}

async fn browse(shop: &Shop) -> (String, String, String) {
    let api = &shop.api;
    let all = api.get("/v1/products?limit=1").expect(200).await;
    assert_eq!(all.body["data"].as_array().unwrap().len(), 1);
    let next = format!("/v1/products?limit=1&cursor={}", all.str("/next_cursor"));
    let next = api.get(&next).expect(200).await;
    assert_ne!(next.body["data"][0]["id"], all.body["data"][0]["id"]);
    assert_eq!(next.body["next_cursor"], Value::Null);

    let found = api.get("/v1/products?query=velvet&category=lips").expect(200).await;
    let id = found.str("/data/0/id").to_owned();
    let product = api.get(&format!("/v1/products/{id}")).expect(200).await;
    assert_eq!(product.body["variants"][0]["available"], 50);
    let unchanged = api.get(&format!("/v1/products/{id}")).header("if-none-match", product.header("etag"));
    assert_eq!(unchanged.send().await.status, 304);
    let serum = api.get("/v1/products?brand=Fjord%20Botanika").expect(200).await;
    let variant = |answer: &Answer, pointer: &str| answer.str(pointer).to_owned();
    (
        variant(&product, "/variants/0/id"),
        variant(&product, "/variants/1/id"),
        variant(&serum, "/data/0/variants/0/id"),
    )
}

/// Puts so many of `variant` into the cart.
async fn put(api: &Api, person: &Person, variant: &str, quantity: i64) -> Answer {
    let path = format!("/v1/carts/me/items/{variant}");
    api.put(&path, json!({"quantity": quantity})).bearer(&person.access).expect(200).await
}

fn address() -> Value {
    json!({"name": "Ada Winter", "line1": "Lindenstr. 1", "city": "Berlin", "postal_code": "10969", "country": "DE"})
}

fn checkout(token: &str) -> Value {
    json!({"shipping_address": address(), "payment": {"method": "card", "token": token}})
}

async fn buy(shop: &Shop, person: &Person, variant: &str) -> String {
    let api = &shop.api;
    let mut stream = Stream::open(api, &person.access, "orders,inventory", None).await;
    let cart = put(api, person, variant, 2).await;
    assert_eq!(cart.body["subtotal"], json!({"amount": 4800, "currency": "EUR"}));

    let buy = || api.post("/v1/checkouts", checkout("tok_visa")).bearer(&person.access).key("purchase-1");
    let bought = buy().expect(201).await;
    let order = bought.str("/order/id").to_owned();
    let replayed = buy().expect(201).await;
    assert_eq!(replayed.header("idempotency-replayed"), "true");
    assert_eq!(replayed.body["order"]["id"], bought.body["order"]["id"]);
    let other = api.post("/v1/checkouts", checkout("tok_declined")).bearer(&person.access).key("purchase-1");
    assert_eq!(other.expect(422).await.code(), "idempotency.key_reused");

    let path = format!("/v1/orders/{order}");
    let paid = api.until(&path, &person.access, |order| order["payment_status"] == "captured").await;
    assert_eq!(paid.body["lines"][0]["quantity"], 2);
    assert_eq!(paid.body["totals"]["subtotal"]["amount"], 4800);
    assert!(paid.body["version"].as_i64().unwrap() > 0);
    let history = api
        .get("/v1/orders?payment_status=captured&query=velvet&placed_from=2020-01-01T00:00:00Z")
        .bearer(&person.access)
        .expect(200)
        .await;
    assert_eq!(history.str("/data/0/id"), order);
    let events = api.get(&format!("{path}/events")).bearer(&person.access).expect(200).await;
    let sequence: Vec<i64> = events.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["sequence"].as_i64().unwrap())
        .collect();
    assert_eq!(sequence, (1..=i64::try_from(sequence.len()).unwrap()).collect::<Vec<_>>());
    let cart = api.get("/v1/carts/me").bearer(&person.access).expect(200).await;
    assert_eq!(cart.body["items"], json!([]));

    let told = stream.next(|event| event.data.contains(&order)).await;
    drop(stream);
    // Somebody who was away hears the rest, and nothing twice.
    let mut resumed = Stream::open(api, &person.access, "orders,inventory", Some(&told.id)).await;
    let later = resumed.next(|event| event.id != told.id).await;
    assert!(!later.id.is_empty() && later.kind != "reset", "{later:?}");
    shop.mailbox.wait("ada@example.com", bought.str("/order/number"), 0).await;
    order
}

async fn refund(shop: &Shop, person: &Person, order: &str) {
    let api = &shop.api;
    let staff = sign_in(api, STAFF.0, STAFF.1).await;
    let path = format!("/v1/orders/{order}");
    let found = api.get(&path).bearer(&person.access).expect(200).await;
    let payment = found.str("/payment_id").to_owned();
    let refunds = format!("/v1/payments/{payment}/refunds");
    let part = json!({"amount": {"amount": 1000, "currency": "EUR"}, "reason": "a broken cap"});
    api.post(&refunds, part.clone()).bearer(&person.access).key("r-0").expect(403).await;
    api.post(&refunds, part.clone()).bearer(&staff.access).key("r-1").expect(201).await;
    api.post(&refunds, part).bearer(&staff.access).key("r-1").expect(201).await;
    let too_much = json!({"amount": {"amount": 100_000, "currency": "EUR"}, "reason": "everything"});
    let refused = api.post(&refunds, too_much).bearer(&staff.access).key("r-2").send().await;
    assert_eq!(refused.code(), "payments.refund_exceeds_captured", "{}", refused.text);
    api.until(&path, &person.access, |order| order["payment_status"] == "partially_refunded").await;
    let shipment = json!({"tracking": {"carrier": "DHL", "number": "JD0001"}});
    let shipments = format!("{path}/shipments");
    api.post(&shipments, shipment).bearer(&staff.access).key("s-1").expect(201).await;
    api.until(&path, &person.access, |order| order["fulfilment_status"] == "fulfilled").await;
}

async fn challenge(shop: &Shop, person: &Person, variant: &str) {
    let api = &shop.api;
    for (nth, outcome) in ["failure", "success"].into_iter().enumerate() {
        put(api, person, variant, 1).await;
        let waiting = api
            .post("/v1/checkouts", checkout("tok_challenge"))
            .bearer(&person.access)
            .key(&format!("challenge-{nth}"))
            .expect(201)
            .await;
        assert_eq!(waiting.body["next_action"]["type"], "redirect");
        let url = waiting.str("/next_action/url").to_owned();
        let page = api.get(&url).expect(200).await;
        assert!(page.header("content-type").starts_with("text/html"));
        assert!(api.post(&url, json!({"outcome": outcome})).send().await.status < 400);
        let order = waiting.str("/order/id").to_owned();
        let path = format!("/v1/orders/{order}");
        if outcome == "success" {
            api.until(&path, &person.access, |order| order["payment_status"] == "captured").await;
            let cancel = api.post(&format!("{path}/cancel"), json!({"reason": "changed my mind"}));
            cancel.bearer(&person.access).key("cancel-1").expect(200).await;
            api.until(&path, &person.access, |order| order["status"] == "cancelled").await;
            api.until(&path, &person.access, |order| order["payment_status"] == "refunded").await;
        } else {
            // What was not paid is on the shelf again, and the cart still holds it.
            let cart =
                api.until("/v1/carts/me", &person.access, |cart| cart["items"][0]["available"] == 40).await;
            assert_eq!(cart.body["items"][0]["quantity"], 1);
        }
    }
}

async fn refusals(shop: &Shop, person: &Person, plenty: &str, last: &str) {
    let api = &shop.api;
    put(api, person, plenty, 1).await;
    for token in ["tok_declined", "tok_insufficient_funds"] {
        let declined =
            api.post("/v1/checkouts", checkout(token)).bearer(&person.access).key(token).expect(402).await;
        assert_eq!(declined.code(), "payments.declined");
    }
    put(api, person, last, 5).await;
    let short =
        api.post("/v1/checkouts", checkout("tok_visa")).bearer(&person.access).key("short").expect(409).await;
    assert_eq!(short.code(), "orders.out_of_stock");
    assert_eq!(short.body["lines"][0]["variant_id"], last);
    put(api, person, last, 0).await;
    put(api, person, plenty, 0).await;
    let unknown =
        json!({"shipping_address": address(), "payment": {"method": "card", "token": "t"}, "colour": 1});
    let refused = api.post("/v1/checkouts", unknown).bearer(&person.access).expect(400).await;
    assert_eq!(refused.body["errors"][0]["pointer"], "/colour");
    let empty =
        api.post("/v1/checkouts", checkout("tok_visa")).bearer(&person.access).key("empty").expect(409).await;
    assert_eq!(empty.code(), "orders.cart_empty");
    // The faults of the provider end well.
    for token in ["tok_timeout_after_success", "tok_duplicate_webhook", "tok_reordered_webhooks"] {
        put(api, person, plenty, 1).await;
        let bought = api
            .post("/v1/checkouts", checkout(token))
            .bearer(&person.access)
            .key(&format!("fault-{token}"))
            .send()
            .await;
        assert!(bought.status == 201 || bought.status >= 500, "{token}: {}", bought.text);
        let done = |page: &Value| {
            page["data"]
                .as_array()
                .is_some_and(|orders| orders.iter().all(|order| order["payment_status"] != "pending"))
        };
        api.until("/v1/orders?limit=5", &person.access, done).await;
    }
}

async fn guest(shop: &Shop, variant: &str) {
    let api = &shop.api;
    let cart = api.put(&format!("/v1/carts/me/items/{variant}"), json!({"quantity": 1})).expect(200).await;
    let mut body = checkout("tok_visa");
    body["cart_id"] = cart.body["id"].clone();
    body["email"] = json!("guest@example.com");
    let bought = api.post("/v1/checkouts", body).key("guest-1").expect(201).await;
    let order = bought.str("/order/id").to_owned();
    assert_eq!(api.get(&format!("/v1/orders/{order}")).send().await.status / 100, 4);
    shop.mailbox.wait("guest@example.com", bought.str("/order/number"), 0).await;
}

/// An answer to each question of a poll; `words` where there is room for them.
pub fn answers_to(poll: &Value, words: &str) -> Vec<Value> {
    poll["questions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|question| {
            let value = match question["kind"].as_str().unwrap() {
                "rating" => json!(5),
                "nps" => json!(9),
                "single_choice" => question["choices"][0]["id"].clone(),
                "multiple_choice" => json!([question["choices"][0]["id"]]),
                _ => json!(words),
            };
            json!({"question_id": question["id"], "value": value})
        })
        .collect()
}

async fn answer_poll(shop: &Shop, person: &Person, order: &str) {
    let api = &shop.api;
    let asked = format!("/v1/polls?placement=post_purchase&order_id={order}");
    let polls =
        api.until(&asked, &person.access, |polls| !polls["data"].as_array().unwrap().is_empty()).await;
    let poll = &polls.body["data"][0];
    let answers = answers_to(poll, "The colour is right.");
    let path = format!("/v1/polls/{}/answers", poll["id"].as_str().unwrap());
    let body = json!({"order_id": order, "answers": answers});
    let answer = api.post(&path, body.clone()).bearer(&person.access).key("poll-1").expect(201).await;
    assert_eq!(answer.body["order_id"], order);
    let again = api.post(&path, body).bearer(&person.access).key("poll-2").expect(409).await;
    assert_eq!(again.code(), "feedback.already_answered");
}

async fn analytics(shop: &Shop, order: &str) {
    let api = &shop.api;
    let batch = json!({"writeKey": WRITE_KEY, "batch": [
        {"type": "track", "event": "Product Viewed", "messageId": "m-1", "anonymousId": "anon-1"},
        {"type": "page", "name": "Home", "messageId": "m-2", "anonymousId": "anon-1"},
        {"type": "track", "messageId": "m-3", "anonymousId": "anon-1"}]});
    let taken = api.post("/v1/batch", batch.clone()).expect(200).await;
    assert_eq!(taken.body["success"], true);
    api.post("/v1/batch", batch).expect(200).await;
    let staff = sign_in(api, STAFF.0, STAFF.1).await;
    let counted = |days: &Value| {
        let text = days.to_string();
        text.contains("Product Viewed") && text.contains("Order Completed") && text.contains("Order Refunded")
    };
    api.until("/v1/admin/analytics/events/daily", &staff.access, counted).await;
    let revenue = |days: &Value| {
        days["data"][0]["revenue"]["currency"] == "EUR" && days["data"][0]["orders"].as_i64() >= Some(2)
    };
    api.until("/v1/admin/analytics/revenue/daily", &staff.access, revenue).await;
    assert!(!order.is_empty());
}

async fn sessions(shop: &Shop, person: Person) {
    let api = &shop.api;
    let second = sign_in(api, "ada@example.com", PASSWORD).await;
    let listed = api.get("/v1/auth/sessions").bearer(&second.access).expect(200).await;
    assert!(listed.body["data"].as_array().unwrap().len() >= 2);

    let rotate =
        async |token: &str| api.post("/v1/auth/refresh", json!({"refresh_token": token})).send().await;
    let rotated = Person::from(&rotate(&person.refresh).await);
    // An answer that was lost is asked for again; a successor that was used makes it theft.
    let retried = Person::from(&rotate(&person.refresh).await);
    assert_eq!(rotate(&rotated.refresh).await.status, 401, "the lost answer's token is worth nothing now");
    let _ = retried;

    let end = format!("/v1/auth/sessions/{}", second.session);
    let third = sign_in(api, "ada@example.com", PASSWORD).await;
    api.delete(&end).bearer(&third.access).expect(204).await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(2);
    while api.get("/v1/customers/me").bearer(&second.access).send().await.status != 401 {
        assert!(std::time::Instant::now() < deadline, "an ended session is refused within a second");
    }
    api.post("/v1/auth/signout", json!({})).bearer(&third.access).expect(204).await;
}

async fn erase(shop: &Shop) {
    let api = &shop.api;
    let person = sign_in(api, "ada@example.com", PASSWORD).await;
    let export = api.post("/v1/customers/me/export", json!({})).bearer(&person.access).send().await;
    assert!(export.status < 300, "{}", export.text);
    assert!(export.text.contains("Ada Winter") && export.text.contains("ord_"), "{}", export.text);
    let erased = api.delete("/v1/customers/me").bearer(&person.access).send().await;
    assert!(erased.status < 300, "{}", erased.text);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let credentials = json!({"email": "ada@example.com", "password": PASSWORD});
    while api.post("/v1/auth/signin", credentials.clone()).send().await.status != 401 {
        assert!(std::time::Instant::now() < deadline, "an erased person cannot sign in");
    }
}
