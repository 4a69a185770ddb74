//! Buyers who go on buying whatever is done to the shop, and remember what it acknowledged.
//!
//! ```text
//! let load = Load::start(&shop, Crowd { customers: 4, guests: 4, seed }).await;
//! load.bought(20).await;              // until so many orders were acknowledged
//! …                                   // do something to the shop
//! let memory = load.stop().await;     // each ends what they are at, however often they have to ask
//! let audit = audit(&shop, &memory).await;
//! ```
//!
//! A shop has one load in its life, because the audit knows only what these buyers did.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kernel::Rng;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::api::{Answer, Api, Call};
use crate::journey::sign_in;
use crate::shop::{STAFF, Shop};

pub const PASSWORD: &str = "a long enough passphrase";

/// For how long a buyer asks again for one answer.
const PATIENCE: Duration = Duration::from_secs(150);

/// What is paid with, out of 100 attempts.
const TOKENS: [(u64, &str); 14] = [
    (36, "tok_visa"),
    (12, "tok_challenge"),
    (7, "tok_declined"),
    (3, "tok_insufficient_funds"),
    (6, "tok_timeout_after_success"),
    (6, "tok_error_500"),
    (6, "tok_duplicate_webhook"),
    (4, "tok_late_webhook"),
    (5, "tok_reordered_webhooks"),
    (3, "tok_bad_signature"),
    (4, "tok_capture_timeout"),
    (3, "tok_capture_fails"),
    (3, "tok_refund_timeout"),
    (2, "tok_refund_fails"),
];

/// How many buy at once, and the seed of what they choose.
#[derive(Clone, Copy)]
pub struct Crowd {
    /// Customers, each with one account and one cart for as long as the load lasts.
    pub customers: u64,
    /// Guests, with a new cart for every purchase.
    pub guests: u64,
    pub seed: u64,
}

/// Buyers at work.
pub struct Load {
    stop: watch::Sender<bool>,
    buyers: JoinSet<(Vec<Attempt>, Vec<String>)>,
    bought: Arc<AtomicU64>,
    initial: BTreeMap<String, i64>,
    customers: Vec<String>,
}

/// What the buyers know when they have stopped.
pub struct Memory {
    /// Everything they tried to buy.
    pub attempts: Vec<Attempt>,
    /// Answers that no shop should give: 5xx other than 503 and 504, and 503 without `Retry-After`.
    pub wrong: Vec<String>,
    /// What there was of each variant when they began.
    pub initial: BTreeMap<String, i64>,
    /// The addresses of the customers.
    pub customers: Vec<String>,
    /// What staff gave back, by order, in minor units.
    pub returned: BTreeMap<String, i64>,
}

/// One attempt at buying something.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Its `Idempotency-Key`, which also stands on the order as its note.
    pub key: String,
    /// What was paid with.
    pub token: &'static str,
    /// What the cart held: variant and quantity.
    pub lines: BTreeMap<String, i64>,
    pub outcome: Outcome,
    /// Whether the shop acknowledged that the order was cancelled.
    pub cancelled: bool,
}

/// What the shop said to an attempt.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// 201 with this order.
    Ordered(Value),
    /// Refused with this code.
    Refused(String),
    /// Nothing that could be understood, for as long as a buyer asks.
    Unknown,
}

impl Load {
    /// Fills the shelves, signs the customers up and lets everybody begin.
    pub async fn start(shop: &Shop, crowd: Crowd) -> Self {
        let initial = fill_shelves(&shop.api).await;
        let customers: Vec<String> = (0..crowd.customers).map(|n| format!("buyer-{n}@example.com")).collect();
        futures_util::future::join_all(customers.iter().map(|email| sign_up(shop, email))).await;
        let (stop, stopped) = watch::channel(false);
        let (bought, mut buyers) = (Arc::new(AtomicU64::new(0)), JoinSet::new());
        let guests = (0..crowd.guests).map(|_| None);
        for (number, email) in customers.iter().cloned().map(Some).chain(guests).enumerate() {
            let buyer = Buyer {
                api: shop.api.clone(),
                rng: Rng::seeded(crowd.seed.wrapping_add(number as u64)),
                number,
                email,
                access: None,
                variants: initial.keys().cloned().collect(),
                bought: Arc::clone(&bought),
                attempts: Vec::new(),
                wrong: Vec::new(),
            };
            buyers.spawn(buyer.go_on(stopped.clone()));
        }
        Self { stop, buyers, bought, initial, customers }
    }

    /// How many orders were acknowledged so far.
    pub fn acknowledged(&self) -> u64 {
        self.bought.load(Ordering::Relaxed)
    }

    /// The number of orders that were acknowledged, as it grows.
    pub fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bought)
    }

    /// The addresses of the customers.
    pub fn customers(&self) -> &[String] {
        &self.customers
    }

    /// Waits until `more` orders were acknowledged from now on: the shop is at work. Fails when that takes longer than
    /// `within`.
    pub async fn bought(&self, more: u64, within: Duration) {
        let (goal, deadline) = (self.acknowledged() + more, Instant::now() + within);
        while self.acknowledged() < goal {
            assert!(Instant::now() < deadline, "fewer than {more} orders were acknowledged in {within:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Lets everybody end what they are at; the shop has to run for that.
    pub async fn stop(self) -> Memory {
        self.stop.send_replace(true);
        let (mut attempts, mut wrong) = (Vec::new(), Vec::new());
        for (tried, seen) in self.buyers.join_all().await {
            attempts.extend(tried);
            wrong.extend(seen);
        }
        let Self { initial, customers, .. } = self;
        Memory { attempts, wrong, initial, customers, returned: BTreeMap::new() }
    }
}

impl Memory {
    /// How many attempts ended with an order, with a refusal, and without an answer.
    pub fn counts(&self) -> [usize; 3] {
        let count = |wanted: fn(&Outcome) -> bool| {
            self.attempts.iter().filter(|attempt| wanted(&attempt.outcome)).count()
        };
        [
            count(|outcome| matches!(outcome, Outcome::Ordered(_))),
            count(|outcome| matches!(outcome, Outcome::Refused(_))),
            count(|outcome| matches!(outcome, Outcome::Unknown)),
        ]
    }
}

/// Plenty of everything but one variant, which runs out.
async fn fill_shelves(api: &Api) -> BTreeMap<String, i64> {
    let staff = sign_in(api, STAFF.0, STAFF.1).await;
    let products = api.get("/v1/products?limit=50").expect(200).await;
    let mut initial = BTreeMap::new();
    for product in products.body["data"].as_array().unwrap() {
        for variant in product["variants"].as_array().unwrap() {
            let id = variant["id"].as_str().unwrap().to_owned();
            let on_hand = if variant["sku"] == "VL-FIG" { 25 } else { 100_000 };
            let path = format!("/v1/admin/variants/{id}/stock");
            api.put(&path, json!({"on_hand": on_hand})).bearer(&staff.access).expect(200).await;
            initial.insert(id, on_hand);
        }
    }
    initial
}

/// An account with a proven address.
pub async fn sign_up(shop: &Shop, email: &str) {
    let api = &shop.api;
    api.post("/v1/auth/signup", json!({"email": email, "password": PASSWORD})).expect(202).await;
    let code = shop.mailbox.wait(email, "", 0).await.code();
    api.post("/v1/auth/verify", json!({"email": email, "code": code})).expect(200).await;
}

/// Signs a customer of [`sign_up`] in.
pub async fn access(api: &Api, email: &str) -> String {
    sign_in(api, email, PASSWORD).await.access
}

/// Somebody who buys one thing after another.
struct Buyer {
    api: Api,
    rng: Rng,
    number: usize,
    /// None for a guest.
    email: Option<String>,
    access: Option<String>,
    variants: Vec<String>,
    bought: Arc<AtomicU64>,
    attempts: Vec<Attempt>,
    wrong: Vec<String>,
}

/// A request that can be sent again.
#[derive(Clone, Debug)]
pub struct Ask {
    pub method: Method,
    pub path: String,
    pub body: Option<Value>,
    /// A body as it is, and its media type, instead.
    pub raw: Option<(&'static str, String)>,
    pub key: Option<String>,
    /// Who asks: a guest's cart, the token of a guest's order, an access token.
    pub headers: Vec<(&'static str, String)>,
}

impl Ask {
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), body: None, raw: None, key: None, headers: Vec::new() }
    }

    /// `POST` with a key.
    pub fn post(path: impl Into<String>, body: Value, key: impl Into<String>) -> Self {
        Self { body: Some(body), key: Some(key.into()), ..Self::new(Method::POST, path) }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn text(self, media_type: &'static str, text: &str) -> Self {
        Self { raw: Some((media_type, text.to_owned())), ..self }
    }

    pub fn bearer(self, token: Option<&str>) -> Self {
        match token {
            Some(token) => self.with("authorization", format!("Bearer {token}")),
            None => self,
        }
    }

    pub fn call<'a>(&self, api: &'a Api) -> Call<'a> {
        let mut call = api.call(self.method.clone(), &self.path);
        if let Some(body) = &self.body {
            call = call.body(body.clone());
        }
        if let Some((media_type, text)) = &self.raw {
            call = call.text(media_type, text);
        }
        if let Some(key) = &self.key {
            call = call.key(key);
        }
        for (name, value) in &self.headers {
            call = call.header(name, value);
        }
        call
    }
}

impl Buyer {
    async fn go_on(mut self, stopped: watch::Receiver<bool>) -> (Vec<Attempt>, Vec<String>) {
        let mut nth = 0;
        while !*stopped.borrow() {
            nth += 1;
            let Some(outcome) = self.buy(format!("k-{}-{nth}", self.number)).await else { continue };
            // A customer does not know what is in their cart as long as it is not known what was bought.
            if matches!(outcome, Outcome::Unknown) && self.email.is_some() {
                break;
            }
        }
        (self.attempts, self.wrong)
    }

    /// One attempt; `None` when not even the cart could be filled.
    async fn buy(&mut self, key: String) -> Option<Outcome> {
        let (cart, lines) = self.fill_cart().await?;
        let token = self.choose_token();
        let mut body = json!({
            "shipping_address": {"name": "Bo Buyer", "line1": "Lindenstr. 1", "city": "Berlin",
                "postal_code": "10969", "country": "DE"},
            "payment": {"method": "card", "token": token}, "note": key,
        });
        if self.email.is_none() {
            body["cart_id"] = json!(cart);
            body["email"] = json!(format!("{key}@example.com"));
        }
        let ask = Ask { body: Some(body), key: Some(key.clone()), ..Ask::new(Method::POST, "/v1/checkouts") };
        let mut attempt = Attempt { key, token, lines, outcome: Outcome::Unknown, cancelled: false };
        match self.send(&ask).await {
            Some(answer) if answer.status == 201 => {
                self.bought.fetch_add(1, Ordering::Relaxed);
                attempt.outcome = Outcome::Ordered(answer.body["order"].clone());
                attempt.cancelled = self.after(&attempt.key, &answer).await;
            }
            Some(answer) => attempt.outcome = Outcome::Refused(answer.code().to_owned()),
            None => {}
        }
        let outcome = attempt.outcome.clone();
        self.attempts.push(attempt);
        Some(outcome)
    }

    /// A cart with one to three lines and nothing else: its id and what is in it.
    async fn fill_cart(&mut self) -> Option<(String, BTreeMap<String, i64>)> {
        let mut wanted: BTreeMap<String, i64> = BTreeMap::new();
        for _ in 0..=self.rng.below(3) {
            let variant = self.variants[self.rng.below(self.variants.len() as u64) as usize].clone();
            wanted.insert(variant, 1 + self.rng.below(3) as i64);
        }
        let mut cart = None;
        let mut changes: Vec<(String, i64)> = wanted.into_iter().collect();
        if self.email.is_some() {
            let before = self.send(&Ask::new(Method::GET, "/v1/carts/me")).await?;
            let left = before.body["items"].as_array()?.iter();
            let left = left.map(|item| item["variant_id"].as_str().unwrap().to_owned());
            let left: Vec<_> = left.filter(|id| changes.iter().all(|(variant, _)| variant != id)).collect();
            changes.extend(left.into_iter().map(|variant| (variant, 0)));
        }
        let mut items = Value::Null;
        for (variant, quantity) in changes {
            let mut ask = Ask::new(Method::PUT, format!("/v1/carts/me/items/{variant}"));
            ask.body = Some(json!({"quantity": quantity}));
            ask.headers.extend(cart.clone().filter(|_| self.email.is_none()).map(|cart| ("souk-cart", cart)));
            let answer = self.send(&ask).await?;
            if answer.status != 200 {
                self.wrong.push(format!("a cart was refused: {}", answer.text));
                return None;
            }
            cart = Some(answer.str("/id").to_owned());
            items = answer.body["items"].clone();
        }
        Some((cart?, quantities(&items)))
    }

    fn choose_token(&self) -> &'static str {
        let mut drawn = self.rng.below(TOKENS.iter().map(|(weight, _)| weight).sum());
        for (weight, token) in TOKENS {
            if drawn < weight {
                return token;
            }
            drawn -= weight;
        }
        "tok_visa"
    }

    /// What a buyer does with an order: ends its challenge, waits for it to be certain, looks at it,
    /// and changes their mind now and then. Answers whether the shop acknowledged that.
    async fn after(&mut self, key: &str, bought: &Answer) -> bool {
        let order = bought.str("/order/id").to_owned();
        let guest = bought.body["guest_token"].as_str().map(|token| ("souk-order-token", token.to_owned()));
        let guest: Vec<_> = guest.into_iter().collect();
        if let Some(url) = bought.body["next_action"]["url"].as_str() {
            let outcome = if self.rng.below(4) == 0 { "failure" } else { "success" };
            let path = url.find("/sandbox/").map_or(url, |at| &url[at..]);
            let body = Some(json!({"outcome": outcome}));
            self.send(&Ask { body, ..Ask::new(Method::POST, path) }).await;
        }
        let look = Ask { headers: guest.clone(), ..Ask::new(Method::GET, format!("/v1/orders/{order}")) };
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.send(&look).await {
                Some(answer) if answer.body["status"] != "pending" => break,
                _ if Instant::now() > deadline => {
                    self.wrong.push(format!("{key}: the order {order} stays pending"));
                    break;
                }
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
        if self.email.is_some() && self.rng.below(3) == 0 {
            self.send(&Ask::new(Method::GET, "/v1/orders?limit=10")).await;
        }
        if self.rng.below(6) != 0 {
            return false;
        }
        let cancel = Ask {
            body: Some(json!({"reason": "changed my mind"})),
            key: Some(format!("{key}-cancel")),
            headers: guest,
            ..Ask::new(Method::POST, format!("/v1/orders/{order}/cancel"))
        };
        self.send(&cancel).await.is_some_and(|answer| answer.status == 200)
    }

    /// The answer to `ask`, asked again as long as the shop is away, busy or asks for patience.
    async fn send(&mut self, ask: &Ask) -> Option<Answer> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if self.access.is_none()
                && let Some(email) = self.email.clone()
                && !self.sign_in(&email).await
            {
                continue;
            }
            match self.once(ask).await {
                Some(answer) if answer.status == 401 && self.email.is_some() => self.access = None,
                Some(answer) if !is_to_be_repeated(&answer) => return Some(answer),
                _ => self.pause().await,
            }
        }
        None
    }

    async fn sign_in(&mut self, email: &str) -> bool {
        let credentials = json!({"email": email, "password": PASSWORD});
        match self.once(&Ask { body: Some(credentials), ..Ask::new(Method::POST, "/v1/auth/signin") }).await {
            Some(answer) if answer.status == 200 => {
                self.access = Some(answer.str("/access_token").to_owned());
                true
            }
            Some(answer) if !is_to_be_repeated(&answer) => {
                self.wrong.push(format!("{email} cannot sign in: {}", answer.text));
                self.pause().await;
                false
            }
            _ => {
                self.pause().await;
                false
            }
        }
    }

    async fn once(&mut self, ask: &Ask) -> Option<Answer> {
        let mut call = ask.call(&self.api);
        if let Some(access) = &self.access {
            call = call.bearer(access);
        }
        let answer = call.try_send().await.ok()?;
        let patient = matches!(answer.status, 429 | 503);
        if answer.status >= 500 && !matches!(answer.status, 503 | 504)
            || patient && !answer.headers.contains_key("retry-after")
        {
            self.wrong.push(format!("{} {}: {} {}", ask.method, ask.path, answer.status, answer.text));
        }
        Some(answer)
    }

    async fn pause(&self) {
        tokio::time::sleep(Duration::from_millis(50 + self.rng.below(150))).await;
    }
}

/// How much of what is in `items` or `lines`.
pub fn quantities(lines: &Value) -> BTreeMap<String, i64> {
    let lines = lines.as_array().into_iter().flatten();
    lines
        .map(|line| (line["variant_id"].as_str().unwrap().to_owned(), line["quantity"].as_i64().unwrap()))
        .collect()
}

/// Whether the shop asks for patience: it is away, busy, or still at it.
pub fn is_to_be_repeated(answer: &Answer) -> bool {
    answer.status >= 500
        || answer.status == 429
        || matches!(answer.code(), "idempotency.in_flight" | "orders.checkout_in_progress")
}
