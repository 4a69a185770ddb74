//! Two hundred people want the same thing at the same moment: the invariants that ACIDRain (SIGMOD 2017)
//! found broken in shops. Stock is never negative, what is good once is spent once, and a cart cannot
//! change under its payment.

mod cart;
mod last_units;
mod once;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use kernel::Rng;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use super::audit::audit;
use super::buyers::{Ask, Attempt, Memory, Outcome, is_to_be_repeated};
use super::record::{record, scale, seed};
use crate::api::{Answer, Api};
use crate::journey::sign_in;
use crate::shop::{STAFF, Shop};

/// How many want the very last one.
const BUYERS: usize = 200;

/// For how long somebody asks again who was told to.
const PATIENCE: Duration = Duration::from_secs(90);

const CLAIM: &str = "Two hundred buyers at once. Of the last N units exactly N are sold, whatever the order of the \
    lines in the carts; stock was not negative at any moment that was looked at; who loses is told \
    orders.out_of_stock and is not charged. One Idempotency-Key, one cart, one code, one poll, one refund of what is \
    left: each is spent once. An order's lines are those of one state of its cart, its total is theirs, and what \
    changed meanwhile is in the next cart. The shop has no vouchers yet.";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite() {
    races("races-sqlite", &Shop::embedded().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres() {
    races("races-postgres", &Shop::full().await).await;
}

async fn races(proof: &str, shop: &Shop) {
    let seed = seed(proof);
    let mut race = Race::new(shop, seed).await;
    let rounds = scale(1, 10);
    for round in 0..rounds {
        let email = format!("race-{round}@example.com");
        last_units::the_very_last(&mut race).await;
        race.lap("the very last");
        last_units::several_lines(&mut race).await;
        race.lap("several lines");
        last_units::some_cannot_pay(&mut race).await;
        race.lap("some cannot pay");
        once::a_key(&mut race).await;
        race.lap("a key");
        once::a_cart(&mut race).await;
        race.lap("a cart");
        once::a_cart_in_different_ways(&mut race).await;
        race.lap("a cart in different ways");
        once::codes_and_tokens(&race, &email).await;
        race.lap("codes and tokens");
        once::polls_cancellations_and_refunds(&mut race, &format!("poll-{round}@example.com")).await;
        race.lap("polls, cancellations and refunds");
        cart::changes_under_payment(&mut race).await;
        race.lap("a cart under payment");
    }
    let found = audit(shop, &race.memory).await;
    let facts = [
        ("seed", json!(seed)),
        ("rounds", json!(rounds)),
        ("buyers at once", json!(BUYERS)),
        ("requests", json!(race.asked())),
        ("looks at the stock", json!(race.looks)),
        ("orders", json!(found.orders)),
        ("payments", json!(found.payments)),
    ];
    println!("{proof}: {facts:?}");
    record(proof, CLAIM, &facts);
}

/// The course: a shop, and what happened in it so far.
struct Race<'a> {
    shop: &'a Shop,
    api: Api,
    staff: String,
    /// Variants of the catalogue.
    variants: Vec<String>,
    rng: Rng,
    memory: Memory,
    /// How many take part in the races that the gate runs smaller.
    buyers: usize,
    asked: Arc<AtomicU64>,
    looks: u64,
    keys: u64,
    began: Instant,
}

/// A guest who is about to check out.
#[derive(Clone)]
struct Purchase {
    cart: String,
    lines: BTreeMap<String, i64>,
    token: &'static str,
    key: String,
    note: String,
}

impl<'a> Race<'a> {
    async fn new(shop: &'a Shop, seed: u64) -> Self {
        let api = shop.api.clone();
        let staff = sign_in(&api, STAFF.0, STAFF.1).await.access;
        let products = api.get("/v1/products?limit=50").expect(200).await;
        let products = products.body["data"].as_array().unwrap().iter();
        let variants = products.flat_map(|product| product["variants"].as_array().unwrap());
        let initial: BTreeMap<String, i64> = variants
            .map(|variant| {
                (variant["id"].as_str().unwrap().to_owned(), variant["available"].as_i64().unwrap())
            })
            .collect();
        Self {
            shop,
            api,
            staff,
            variants: initial.keys().cloned().collect(),
            rng: Rng::seeded(seed),
            memory: Memory {
                attempts: Vec::new(),
                wrong: Vec::new(),
                initial,
                customers: Vec::new(),
                returned: BTreeMap::new(),
            },
            buyers: usize::try_from(scale(50, 200)).unwrap(),
            asked: Arc::default(),
            looks: 0,
            keys: 0,
            began: Instant::now(),
        }
    }

    /// Says how far it has come.
    fn lap(&self, what: &str) {
        println!("{what}: {} requests after {:?}", self.asked(), self.began.elapsed());
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    fn key(&mut self) -> String {
        self.keys += 1;
        format!("race-{}", self.keys)
    }

    async fn available(&self, variant: &str) -> i64 {
        available(&self.api, variant).await
    }

    /// Puts so many of `variant` on the shelf, on which nothing is held.
    async fn stock(&mut self, variant: &str, on_hand: i64) {
        let before = self.available(variant).await;
        let path = format!("/v1/admin/variants/{variant}/stock");
        self.staff = sign_in(&self.api, STAFF.0, STAFF.1).await.access;
        self.api.put(&path, json!({"on_hand": on_hand})).bearer(&self.staff).expect(200).await;
        *self.memory.initial.get_mut(variant).unwrap() += on_hand - before;
    }

    /// A guest each with a cart of these lines, put in in this order.
    async fn purchases(
        &mut self,
        count: usize,
        token: &'static str,
        lines: impl Fn(usize) -> Vec<(String, i64)>,
    ) -> Vec<Purchase> {
        let api = &self.api;
        let carts: Vec<_> = futures_util::stream::iter((0..count).map(|nth| fill(api, lines(nth))))
            .buffered(16)
            .collect()
            .await;
        let purchase = |(cart, lines)| {
            let key = self.key();
            Purchase { cart, lines, token, note: key.clone(), key }
        };
        carts.into_iter().map(purchase).collect()
    }

    /// Checks all of them out at once, each until there is an answer, and remembers what came of it.
    async fn buy(&mut self, purchases: &[Purchase]) -> Vec<Answer> {
        let answers = self.at_once(purchases.iter().map(Purchase::ask)).await;
        for (purchase, answer) in purchases.iter().zip(&answers) {
            let outcome = match answer.status {
                201 => Outcome::Ordered(answer.body["order"].clone()),
                _ => Outcome::Refused(answer.code().to_owned()),
            };
            self.memory.attempts.push(purchase.attempt(outcome));
        }
        answers
    }

    /// Sends all of these at the same moment, each again as long as it is told to.
    async fn at_once(&self, asks: impl IntoIterator<Item = Ask>) -> Vec<Answer> {
        let asks: Vec<Ask> = asks.into_iter().collect();
        let start = Arc::new(Barrier::new(asks.len()));
        let tasks: Vec<_> = asks
            .into_iter()
            .map(|ask| {
                let (api, start, asked) = (self.api.clone(), Arc::clone(&start), Arc::clone(&self.asked));
                tokio::spawn(async move {
                    start.wait().await;
                    patiently(&api, &asked, &ask).await
                })
            })
            .collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        answers
    }
}

impl Purchase {
    fn body(&self) -> Value {
        json!({
            "cart_id": self.cart, "email": "guest@example.com", "note": self.note,
            "shipping_address": {"name": "Bo Buyer", "line1": "Lindenstr. 1", "city": "Berlin",
                "postal_code": "10969", "country": "DE"},
            "payment": {"method": "card", "token": self.token},
        })
    }

    fn ask(&self) -> Ask {
        Ask::post("/v1/checkouts", self.body(), &self.key)
    }

    fn attempt(&self, outcome: Outcome) -> Attempt {
        Attempt {
            key: self.note.clone(),
            token: self.token,
            lines: self.lines.clone(),
            outcome,
            cancelled: false,
        }
    }
}

/// Asks until the answer is neither "busy" nor "not yet".
async fn patiently(api: &Api, asked: &AtomicU64, ask: &Ask) -> Answer {
    let deadline = Instant::now() + PATIENCE;
    loop {
        asked.fetch_add(1, Ordering::Relaxed);
        let answer = ask.call(api).send().await;
        assert!(answer.status < 500 || matches!(answer.status, 503 | 504), "{}", answer.text);
        // Of these proofs only those meet a limit that try one code or token too often.
        if answer.status == 429 || !is_to_be_repeated(&answer) {
            return answer;
        }
        assert!(Instant::now() < deadline, "still after {PATIENCE:?}: {}", answer.text);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn available(api: &Api, variant: &str) -> i64 {
    let products = api.get("/v1/products?limit=50").expect(200).await;
    let products = products.body["data"].as_array().unwrap().clone();
    let mut variants = products.iter().flat_map(|product| product["variants"].as_array().unwrap());
    variants.find(|known| known["id"] == *variant).unwrap()["available"].as_i64().unwrap()
}

/// A new guest's cart with these lines: its id, and what is in it.
async fn fill(api: &Api, lines: Vec<(String, i64)>) -> (String, BTreeMap<String, i64>) {
    let mut cart: Option<String> = None;
    for (variant, quantity) in &lines {
        let mut call = api.put(&format!("/v1/carts/me/items/{variant}"), json!({"quantity": quantity}));
        if let Some(cart) = &cart {
            call = call.header("souk-cart", cart);
        }
        cart = Some(call.expect(200).await.str("/id").to_owned());
    }
    (cart.unwrap(), lines.into_iter().collect())
}
