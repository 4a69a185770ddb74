//! People who have everything in the shop that it keeps about anybody, marked so that it is known whose it is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::api::{Answer, Api};
use crate::journey::{answers_to, sign_in};
use crate::shop::{STAFF, Shop};

/// The password of everybody here.
pub const PASSWORD: &str = "a long enough passphrase";

/// What ids of things begin with that belong to the shop and not to a person.
const OF_THE_SHOP: [&str; 5] = ["prd", "var", "sel", "pol", "loc"];

/// A customer, or a guest when `token` is empty.
#[derive(Clone, Default)]
pub struct Somebody {
    pub email: String,
    /// What they sign their calls with.
    pub token: String,
    /// Stands in everything they wrote, and nowhere else.
    pub mark: String,
    /// The ids of what is theirs.
    pub ids: BTreeSet<String>,
    /// What nobody is shown again once it was given out.
    pub secrets: Vec<String>,
}

impl Somebody {
    /// Whatever must not be seen by others.
    pub fn marks(&self) -> impl Iterator<Item = &str> {
        [self.mark.as_str()].into_iter().chain(self.ids.iter().map(String::as_str))
    }

    /// Everything that the shop keeps about them, as they may ask for it.
    pub async fn everything(&self, api: &Api) -> Value {
        let answer = api.post("/v1/customers/me/export", json!({})).bearer(&self.token).expect(200).await;
        let mut export = answer.body;
        // The time of asking is no part of it.
        export.as_object_mut().unwrap().remove("exported_at").unwrap();
        export
    }

    fn keep(&mut self, answer: &Answer) {
        collect_ids(&answer.body, &mut self.ids);
        self.ids.retain(|id| !OF_THE_SHOP.contains(&&id[..3]));
    }
}

/// Every id in an answer.
fn collect_ids(value: &Value, ids: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => members.values().for_each(|member| collect_ids(member, ids)),
        Value::Array(items) => items.iter().for_each(|item| collect_ids(item, ids)),
        Value::String(text) if is_id(text) => {
            ids.insert(text.clone());
        }
        _ => {}
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 30
        && text.as_bytes()[3] == b'_'
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| at == 3 || byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// Two customers, a guest, and what there is of the shop's own.
pub struct Crowd {
    pub customers: [Somebody; 2],
    pub guest: Somebody,
    /// The shop's own ids by what they begin with.
    pub of_the_shop: BTreeSet<String>,
    pub staff: String,
}

impl Crowd {
    /// Fills the shop.
    pub async fn come(shop: &Shop) -> Self {
        let api = &shop.api;
        let staff = sign_in(api, STAFF.0, STAFF.1).await.access;
        let products = api.get("/v1/products").expect(200).await;
        let variant = |pointer: &str| products.str(pointer).to_owned();
        let variants = (variant("/data/0/variants/0/id"), variant("/data/1/variants/0/id"));
        let mut of_the_shop = BTreeSet::new();
        for path in ["/v1/products", "/v1/sellers", "/v1/admin/polls"] {
            collect_ids(&api.get(path).bearer(&staff).expect(200).await.body, &mut of_the_shop);
        }
        let customers =
            [customer(shop, "bea", &variants, &staff).await, customer(shop, "cyd", &variants, &staff).await];
        let guest = guest(shop, "guy", &variants.0).await;
        Self { customers, guest, of_the_shop, staff }
    }

    /// Everybody's and the shop's ids, by what they begin with.
    pub fn ids(&self) -> BTreeMap<String, Vec<String>> {
        let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let people = self.customers.iter().chain([&self.guest]).flat_map(|somebody| &somebody.ids);
        for id in people.chain(&self.of_the_shop) {
            ids.entry(id[..3].to_owned()).or_default().push(id.clone());
        }
        ids
    }

    pub fn secrets(&self) -> Vec<String> {
        let people = self.customers.iter().chain([&self.guest]);
        people.flat_map(|somebody| somebody.secrets.clone()).chain([PASSWORD.to_owned()]).collect()
    }
}

/// Signs somebody up and proves their address.
pub async fn sign_up(shop: &Shop, name: &str) -> Somebody {
    let api = &shop.api;
    let email = format!("{name}@example.com");
    api.post("/v1/auth/signup", json!({"email": email, "password": PASSWORD})).expect(202).await;
    let mail = shop.mailbox.wait(&email, "", 0).await;
    let tokens = api.post("/v1/auth/verify", json!({"email": email, "code": mail.code()})).expect(200).await;
    let mut somebody = Somebody {
        token: tokens.str("/access_token").to_owned(),
        mark: format!("mark_of_{name}"),
        secrets: vec![tokens.str("/refresh_token").to_owned()],
        email,
        ..Somebody::default()
    };
    somebody.keep(&tokens);
    somebody
}

async fn customer(shop: &Shop, name: &str, variants: &(String, String), staff: &str) -> Somebody {
    let api = &shop.api;
    let mut somebody = sign_up(shop, &format!("{name}.mark_of_{name}")).await;
    somebody.mark = format!("mark_of_{name}");
    let (token, mark) = (somebody.token.clone(), somebody.mark.clone());
    let me = api.until("/v1/customers/me", &token, |me| me["email"].is_string()).await;
    somebody.keep(&me);
    let named = json!({"name": format!("Name {mark}"), "preferences": {"shade": mark}});
    api.patch("/v1/customers/me", named)
        .bearer(&token)
        .header("if-match", me.header("etag"))
        .expect(200)
        .await;
    let book = api.post("/v1/customers/me/addresses", address(&mark)).bearer(&token).expect(201).await;
    somebody.keep(&book);
    let consent = json!({"granted": true, "text_version": "2026-01", "source": mark});
    api.put("/v1/customers/me/consents/marketing_email", consent).bearer(&token).expect(200).await;
    // A second session, whose device is named in the list of them.
    let again = json!({"email": somebody.email, "password": PASSWORD});
    api.post("/v1/auth/signin", again).header("user-agent", &format!("Device {mark}")).expect(200).await;
    somebody.keep(&api.get("/v1/auth/sessions").bearer(&token).expect(200).await);

    put(api, &token, &variants.0).await;
    let bought = api.post("/v1/checkouts", checkout(&mark)).bearer(&token).key("buy").expect(201).await;
    somebody.keep(&bought);
    let order = bought.str("/order/id").to_owned();
    let path = format!("/v1/orders/{order}");
    let paid = api.until(&path, &token, |order| order["payment_status"] == "captured").await;
    somebody.keep(&paid);
    fulfil(api, staff, &path, paid.str("/payment_id"), &mark).await;
    somebody.keep(&api.until(&path, &token, |order| order["fulfilment_status"] == "fulfilled").await);
    for path in [format!("{path}/events"), format!("/v1/payments/{}/refunds", paid.str("/payment_id"))] {
        somebody.keep(&api.get(&path).bearer(&token).expect(200).await);
    }
    let answer = answer_poll(api, &token, &order, &mark).await;
    somebody.keep(&answer);
    put(api, &token, &variants.1).await;
    somebody.keep(&api.get("/v1/carts/me").bearer(&token).expect(200).await);
    somebody
}

async fn put(api: &Api, token: &str, variant: &str) -> Answer {
    let path = format!("/v1/carts/me/items/{variant}");
    api.put(&path, json!({"quantity": 1})).bearer(token).expect(200).await
}

fn address(mark: &str) -> Value {
    json!({"name": format!("Name {mark}"), "line1": format!("{mark} Street 1"), "line2": mark,
           "city": format!("City {mark}"), "region": mark, "postal_code": "10969", "country": "DE"})
}

fn checkout(mark: &str) -> Value {
    json!({"shipping_address": address(mark), "billing_address": address(mark), "note": format!("Note {mark}"),
           "payment": {"method": "card", "token": "tok_visa"}})
}

async fn fulfil(api: &Api, staff: &str, order: &str, payment: &str, mark: &str) {
    let shipment = json!({"tracking": {"carrier": "DHL", "number": mark}});
    api.post(&format!("{order}/shipments"), shipment)
        .bearer(staff)
        .key(&format!("s-{mark}"))
        .expect(201)
        .await;
    let refund = json!({"amount": {"amount": 100, "currency": "EUR"}, "reason": format!("Reason {mark}")});
    let refunds = format!("/v1/payments/{payment}/refunds");
    api.post(&refunds, refund).bearer(staff).key(&format!("r-{mark}")).expect(201).await;
}

async fn answer_poll(api: &Api, token: &str, order: &str, mark: &str) -> Answer {
    let asked = format!("/v1/polls?placement=post_purchase&order_id={order}");
    let polls =
        api.until(&asked, token, |polls| polls["data"].as_array().is_some_and(|data| !data.is_empty())).await;
    let poll = &polls.body["data"][0];
    let answers = answers_to(poll, &format!("Words {mark}"));
    let path = format!("/v1/polls/{}/answers", poll["id"].as_str().unwrap());
    let body = json!({"order_id": order, "answers": answers});
    api.post(&path, body).bearer(token).key("poll").expect(201).await
}

async fn guest(shop: &Shop, name: &str, variant: &str) -> Somebody {
    let api = &shop.api;
    let mark = format!("mark_of_{name}");
    let mut somebody =
        Somebody { email: format!("{mark}@example.com"), mark: mark.clone(), ..Somebody::default() };
    let path = format!("/v1/carts/me/items/{variant}");
    let cart = api.put(&path, json!({"quantity": 1})).expect(200).await;
    somebody.keep(&cart);
    let mut body = checkout(&mark);
    body["cart_id"] = cart.body["id"].clone();
    body["email"] = json!(somebody.email);
    let bought = api.post("/v1/checkouts", body).key(&mark).expect(201).await;
    somebody.keep(&bought);
    let token = bought.str("/guest_token").to_owned();
    let order = format!("/v1/orders/{}", bought.str("/order/id"));
    let seen = api.get(&order).header("souk-order-token", &token).expect(200).await;
    somebody.keep(&seen);
    somebody.secrets.push(token);
    somebody
}
