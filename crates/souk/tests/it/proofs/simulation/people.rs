//! Who does what: customers and guests who buy, staff who send, cancel and give back.

use std::sync::{Arc, Mutex};

use kernel::{CartId, CustomerId, Timestamp, Uuid};
use serde_json::{Value, json};
use testkit::{Answer, Client};
use web::Role;

use super::process::URL;
use super::world::{Chance, GOODS, variant};

/// Every token of the sandbox; the plain ones more often.
const TOKENS: [(u64, &str); 14] = [
    (6, "tok_visa"),
    (6, "tok_challenge"),
    (2, "tok_declined"),
    (1, "tok_insufficient_funds"),
    (3, "tok_timeout_after_success"),
    (2, "tok_error_500"),
    (2, "tok_duplicate_webhook"),
    (2, "tok_late_webhook"),
    (2, "tok_reordered_webhooks"),
    (2, "tok_bad_signature"),
    (3, "tok_capture_timeout"),
    (3, "tok_capture_fails"),
    (3, "tok_refund_timeout"),
    (3, "tok_refund_fails"),
];

/// What one person does at one time.
#[derive(Clone, Debug)]
pub enum Action {
    /// Puts goods into the cart and checks out.
    Buy(Purchase),
    /// Sends an earlier checkout once more, under its key.
    BuyAgain,
    /// Changes the cart, maybe while it is being paid for.
    ChangeCart { who: u64, variant: u128, quantity: i64 },
    /// Answers the question of a payment.
    Answer { outcome: &'static str },
    /// Does not want an order after all.
    Cancel { staff: bool },
    /// Sends an order off.
    Ship,
    /// Gives money back: half of it or all.
    Refund { half: bool },
    /// Counts the shelf and finds one more or one less.
    Recount { variant: u128, delta: i64 },
}

/// One checkout as it is asked for.
#[derive(Clone, Debug)]
pub struct Purchase {
    who: u64,
    key: u64,
    token: &'static str,
    lines: Vec<(u128, i64)>,
}

/// What people have been told.
#[derive(Clone, Default)]
pub struct Told(Arc<Mutex<Vec<Receipt>>>);

/// A checkout that was answered with success.
#[derive(Clone, Debug)]
pub struct Receipt {
    pub key: u64,
    pub who: u64,
    pub order: String,
    pub payment: String,
    pub status: String,
    guest_token: Option<String>,
    challenge: Option<String>,
}

/// The script of a story.
pub fn script(chance: &Chance) -> Vec<Action> {
    let length = 4 + chance.below(6);
    (0..length)
        .map(|number| if number == 0 { Action::Buy(purchase(chance, 0)) } else { action(chance, number) })
        .collect()
}

fn action(chance: &Chance, number: u64) -> Action {
    let variant = chance.pick(&GOODS).0;
    let choices = [(9, 0), (3, 1), (2, 2), (5, 3), (4, 4), (2, 5), (4, 6), (1, 7)];
    match chance.weighted(&choices) {
        0 => Action::Buy(purchase(chance, number)),
        1 => Action::BuyAgain,
        2 => Action::ChangeCart { who: chance.below(3), variant, quantity: 1 + chance.below(2) as i64 },
        3 => Action::Answer { outcome: if chance.one_in(4) { "failure" } else { "success" } },
        4 => Action::Cancel { staff: chance.one_in(2) },
        5 => Action::Ship,
        6 => Action::Refund { half: chance.one_in(2) },
        _ => Action::Recount { variant, delta: if chance.one_in(2) { 1 } else { -1 } },
    }
}

fn purchase(chance: &Chance, key: u64) -> Purchase {
    let mut lines = vec![(chance.pick(&GOODS).0, 1 + chance.below(2) as i64)];
    if chance.one_in(3) {
        lines.push((chance.pick(&GOODS).0, 1));
    }
    Purchase { who: chance.below(3), key, token: chance.weighted(&TOKENS), lines }
}

/// The people of a story, as they reach the shop that runs at present.
#[derive(Clone)]
pub struct People {
    client: Client,
    told: Told,
    bought: Arc<Mutex<Vec<Purchase>>>,
    /// Draws whom an action is about, when it begins.
    chance: Chance,
}

impl People {
    pub fn new(told: Told, bought: Arc<Mutex<Vec<Purchase>>>, chance: Chance, router: axum::Router) -> Self {
        Self { client: Client::new(router), told, bought, chance }
    }

    /// Begins `action`; the future says in a line how it ended. None when there is nothing to do it to yet.
    pub fn begin(&self, action: &Action) -> Option<impl Future<Output = (String, u16)> + Send + use<>> {
        let person = self.clone();
        let action = match action.clone() {
            Action::Buy(purchase) => {
                self.bought.lock().unwrap().push(purchase.clone());
                Doing::Buy(purchase, true)
            }
            Action::BuyAgain => Doing::Buy(self.one_of(&self.bought.lock().unwrap())?, false),
            Action::ChangeCart { who, variant, quantity } => Doing::Put(who, variant, quantity),
            Action::Answer { outcome } => {
                let asked: Vec<Receipt> = self.receipts(|receipt| receipt.challenge.is_some());
                Doing::Answer(self.one_of(&asked)?.challenge?, outcome)
            }
            Action::Cancel { staff } => Doing::Cancel(self.one_of(&self.receipts(|_| true))?, staff),
            Action::Ship => Doing::Ship(self.one_of(&self.receipts(|_| true))?.order),
            Action::Refund { half } => Doing::Refund(self.one_of(&self.receipts(|_| true))?.payment, half),
            Action::Recount { variant, delta } => Doing::Recount(variant, delta),
        };
        Some(async move { person.act(action).await })
    }

    fn one_of<T: Clone>(&self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| self.chance.pick(from).clone())
    }

    fn receipts(&self, which: impl Fn(&Receipt) -> bool) -> Vec<Receipt> {
        self.told.0.lock().unwrap().iter().filter(|receipt| which(receipt)).cloned().collect()
    }

    async fn act(&self, doing: Doing) -> (String, u16) {
        let (what, answer) = match doing {
            Doing::Buy(purchase, first) => {
                let what = format!("{purchase:?}");
                if first {
                    for (variant, quantity) in &purchase.lines {
                        self.put(purchase.who, *variant, *quantity).await;
                    }
                }
                (what, self.check_out(&purchase).await)
            }
            Doing::Put(who, number, quantity) => {
                (format!("person {who} puts {quantity} of {number}"), self.put(who, number, quantity).await)
            }
            Doing::Answer(path, outcome) => (
                format!("answers {path} with {outcome}"),
                self.client.post(&path, json!({"outcome": outcome})).await,
            ),
            Doing::Cancel(receipt, staff) => {
                let client =
                    if staff { self.client.staff(&[Role::Orders]) } else { self.person(receipt.who) };
                let token = receipt.guest_token.map_or_else(String::new, |token| format!("?token={token}"));
                let path = format!("/v1/orders/{}/cancel{token}", receipt.order);
                (format!("cancels {} (staff: {staff})", receipt.order), client.post(&path, json!({})).await)
            }
            Doing::Ship(order) => {
                let client = self.client.staff(&[Role::Orders]);
                (
                    format!("ships {order}"),
                    client.post(&format!("/v1/orders/{order}/shipments"), json!({})).await,
                )
            }
            Doing::Refund(payment, half) => {
                let mut body = json!({"reason": "goodwill"});
                if half {
                    body["amount"] = json!({"amount": 600, "currency": "EUR"});
                }
                let client = self.client.staff(&[Role::Payments]);
                let path = format!("/v1/payments/{payment}/refunds");
                (format!("refunds {payment} (part: {half})"), client.post(&path, body).await)
            }
            Doing::Recount(number, delta) => {
                let path = format!("/v1/admin/variants/{}/stock-adjustments", variant(number));
                let body = json!({"delta": delta, "reason": "counted"});
                (
                    format!("counts {delta} of {number}"),
                    self.client.staff(&[Role::Catalog]).post(&path, body).await,
                )
            }
        };
        (format!("{what}: {} {}", answer.status, answer.code()), answer.status)
    }

    async fn put(&self, who: u64, number: u128, quantity: i64) -> Answer {
        let (path, cart) = (format!("/v1/carts/me/items/{}", variant(number)), cart(who).to_string());
        let headers: &[(&str, &str)] = if is_guest(who) { &[("souk-cart", &cart)] } else { &[] };
        self.person(who).send("PUT", &path, headers, Some(json!({"quantity": quantity}))).await
    }

    async fn check_out(&self, purchase: &Purchase) -> Answer {
        let mut body = json!({
            "shipping_address": {
                "name": "Ada", "line1": "1 Quay", "city": "Marseille", "postal_code": "13002", "country": "FR",
            },
            "payment": {"method": "card", "token": purchase.token},
        });
        if is_guest(purchase.who) {
            body["cart_id"] = json!(cart(purchase.who));
            body["email"] = json!("guest@people.example");
        }
        let key = format!("buy-{}", purchase.key);
        let headers = [("idempotency-key", key.as_str())];
        let answer = self.person(purchase.who).send("POST", "/v1/checkouts", &headers, Some(body)).await;
        if answer.status == 201 {
            self.told.0.lock().unwrap().push(Receipt::new(purchase, &answer.body));
        }
        answer
    }

    fn person(&self, who: u64) -> Client {
        if is_guest(who) {
            return self.client.clone();
        }
        self.client
            .customer(CustomerId::from_uuid(Uuid::from_u128(0xC000 + u128::from(who))), Timestamp::EPOCH)
    }
}

enum Doing {
    Buy(Purchase, bool),
    Put(u64, u128, i64),
    Answer(String, &'static str),
    Cancel(Receipt, bool),
    Ship(String),
    Refund(String, bool),
    Recount(u128, i64),
}

impl Told {
    /// Every success that was told.
    pub fn receipts(&self) -> Vec<Receipt> {
        self.0.lock().unwrap().clone()
    }
}

impl Receipt {
    fn new(purchase: &Purchase, body: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let url = body["next_action"]["url"].as_str();
        Self {
            key: purchase.key,
            who: purchase.who,
            order: text(&body["order"]["id"]),
            payment: text(&body["payment"]["id"]),
            status: text(&body["order"]["status"]),
            guest_token: body["guest_token"].as_str().map(str::to_owned),
            challenge: url.and_then(|url| url.strip_prefix(URL)).map(str::to_owned),
        }
    }
}

/// The last of the three people does not sign in.
const fn is_guest(who: u64) -> bool {
    who == 2
}

fn cart(who: u64) -> CartId {
    CartId::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_CA00 + u128::from(who)))
}
