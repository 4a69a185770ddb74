//! What is good once is spent once.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Purchase, Race};
use crate::api::Answer;
use crate::proofs::buyers::{self, Ask, Outcome, quantities};

/// One `Idempotency-Key`, sent by everybody: one order, told to all.
pub(super) async fn a_key(race: &mut Race<'_>) {
    let purchase = plenty(race).await;
    let answers = race.at_once((0..race.buyers).map(|_| purchase.ask())).await;
    assert!(answers.iter().all(|answer| answer.status == 201), "{:?}", codes(&answers));
    remember(race, &purchase, &answers);
}

/// One cart, checked out by many requests that know nothing of each other: one order.
pub(super) async fn a_cart(race: &mut Race<'_>) {
    let purchase = plenty(race).await;
    let calls =
        (0..race.buyers).map(|nth| Ask { key: Some(format!("{}-{nth}", purchase.key)), ..purchase.ask() });
    let answers = race.at_once(calls).await;
    let fair = |answer: &Answer| answer.status == 201 || answer.code() == "orders.cart_empty";
    assert!(answers.iter().all(fair), "{:?}", codes(&answers));
    remember(race, &purchase, &answers);
}

/// One cart, paid for in many ways at once: one order, and only its payment is taken.
pub(super) async fn a_cart_in_different_ways(race: &mut Race<'_>) {
    let first = plenty(race).await;
    let purchases: Vec<Purchase> = (0..race.buyers)
        .map(|nth| {
            let key = format!("{}-{nth}", first.key);
            Purchase { note: key.clone(), key, ..first.clone() }
        })
        .collect();
    let answers = race.buy(&purchases).await;
    let fair = |answer: &Answer| matches!(answer.code(), "" | "orders.cart_empty" | "orders.checkout_failed");
    assert!(answers.iter().all(fair), "{:?}", codes(&answers));
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "{:?}", codes(&answers));
}

/// A code from a mail signs one in; of a refresh token's successors one goes on.
pub(super) async fn codes_and_tokens(race: &Race<'_>, email: &str) {
    let (api, password) = (&race.api, "a long enough passphrase");
    api.post("/v1/auth/signup", json!({"email": email, "password": password})).expect(202).await;
    let code = race.shop.mailbox.wait(email, "", 0).await.code();
    let proof = Some(json!({"email": email, "code": code}));
    let ask = Ask { body: proof, ..Ask::new(Method::POST, "/v1/auth/verify") };
    let answers = race.at_once((0..race.buyers).map(|_| ask.clone())).await;
    let verified = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(verified, 1, "a code works once: {:?}", codes(&answers));
    let person = answers.iter().find(|answer| answer.status == 200).unwrap();

    let token = Some(json!({"refresh_token": person.str("/refresh_token")}));
    let ask = Ask { body: token, ..Ask::new(Method::POST, "/v1/auth/refresh") };
    let answers = race.at_once((0..race.buyers).map(|_| ask.clone())).await;
    let given: BTreeSet<&str> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .map(|answer| answer.str("/refresh_token"))
        .collect();
    assert!(!given.is_empty(), "{:?}", codes(&answers));
    let mut went_on = 0;
    for token in given {
        let answer = api.post("/v1/auth/refresh", json!({"refresh_token": token})).send().await;
        went_on += usize::from(answer.status == 200);
    }
    assert!(went_on <= 1, "{went_on} successors of one refresh token went on");
}

/// One answer to a poll, one cancellation, and one refund of most of what was paid.
pub(super) async fn polls_cancellations_and_refunds(race: &mut Race<'_>, email: &str) {
    buyers::sign_up(race.shop, email).await;
    let access = buyers::access(&race.api, email).await;
    race.memory.customers.push(email.to_owned());
    let order = buy_one(race, &access).await;
    answer_poll(race, &access, order["id"].as_str().unwrap()).await;

    let total = order["totals"]["total"].clone();
    let part = total["amount"].as_i64().unwrap() * 3 / 5;
    let path = format!("/v1/payments/{}/refunds", order["payment_id"].as_str().unwrap());
    let body = json!({"amount": {"amount": part, "currency": total["currency"]}, "reason": "a broken cap"});
    let staff = race.staff.clone();
    let refunds = (0..race.buyers).map(|nth| keyed(&path, &body, &staff, nth));
    let answers = race.at_once(refunds).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 1, "three fifths can be given back once: {:?}", codes(&answers));
    race.memory.returned.insert(order["id"].as_str().unwrap().to_owned(), part);

    let order = buy_one(race, &access).await;
    let path = format!("/v1/orders/{}/cancel", order["id"].as_str().unwrap());
    let calls = (0..race.buyers).map(|nth| keyed(&path, &json!({}), &access, nth));
    let answers = race.at_once(calls).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{:?}", codes(&answers));
    race.memory.attempts.last_mut().unwrap().cancelled = true;
}

/// An order of a customer, paid for.
async fn buy_one(race: &mut Race<'_>, access: &str) -> Value {
    let mut purchase = Purchase { cart: String::new(), ..plenty_of(race).await };
    purchase.lines = [(race.variants[0].clone(), 1)].into();
    let variant = &race.variants[0];
    let path = format!("/v1/carts/me/items/{variant}");
    race.api.put(&path, json!({"quantity": 1})).bearer(access).expect(200).await;
    let mut body = purchase.body();
    body.as_object_mut().unwrap().remove("cart_id");
    let bought = race.api.post("/v1/checkouts", body).bearer(access).key(&purchase.key).expect(201).await;
    let order = bought.body["order"].clone();
    race.memory.attempts.push(purchase.attempt(Outcome::Ordered(order.clone())));
    let path = format!("/v1/orders/{}", order["id"].as_str().unwrap());
    race.api.until(&path, access, |order| order["payment_status"] == "captured").await;
    order
}

async fn answer_poll(race: &Race<'_>, access: &str, order: &str) {
    let asked = format!("/v1/polls?placement=post_purchase&order_id={order}");
    let asks = |polls: &Value| !polls["data"].as_array().unwrap().is_empty();
    let polls = race.api.until(&asked, access, asks).await;
    let poll = &polls.body["data"][0];
    let required = poll["questions"].as_array().unwrap().iter();
    let answers: Vec<Value> = required
        .filter_map(|question| {
            let value = match question["kind"].as_str().unwrap() {
                "rating" => json!(5),
                "nps" => json!(9),
                "single_choice" => question["choices"][0]["id"].clone(),
                _ => return None,
            };
            Some(json!({"question_id": question["id"], "value": value}))
        })
        .collect();
    let path = format!("/v1/polls/{}/answers", poll["id"].as_str().unwrap());
    let body = json!({"order_id": order, "answers": answers});
    let calls = (0..race.buyers).map(|nth| keyed(&path, &body, access, nth));
    let answers = race.at_once(calls).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "{:?}", codes(&answers));
    let late = |answer: &Answer| answer.status == 201 || answer.code() == "feedback.already_answered";
    assert!(answers.iter().all(late), "{:?}", codes(&answers));
}

/// A guest with something of which there is plenty.
async fn plenty(race: &mut Race<'_>) -> Purchase {
    let first = plenty_of(race).await;
    let variant = race.variants[0].clone();
    let (cart, lines) = super::fill(&race.api, vec![(variant, 2)]).await;
    Purchase { cart, lines, ..first }
}

async fn plenty_of(race: &mut Race<'_>) -> Purchase {
    let variant = race.variants[0].clone();
    race.stock(&variant, 1_000).await;
    let key = race.key();
    Purchase { cart: String::new(), lines: [].into(), token: "tok_visa", note: key.clone(), key }
}

/// Remembers that all of `answers` tell of the one order that `purchase` became.
fn remember(race: &mut Race<'_>, purchase: &Purchase, answers: &[Answer]) {
    let told: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
    let ids: BTreeSet<&str> = told.iter().map(|answer| answer.str("/order/id")).collect();
    assert_eq!(ids.len(), 1, "one cart became {ids:?}");
    let order = told[0].body["order"].clone();
    assert_eq!(quantities(&order["lines"]), purchase.lines);
    race.memory.attempts.push(purchase.attempt(Outcome::Ordered(order)));
}

/// The `nth` request of somebody, under a key of its own.
fn keyed(path: &str, body: &Value, access: &str, nth: usize) -> Ask {
    Ask::post(path, body.clone(), format!("{path}-{nth}")).with("authorization", format!("Bearer {access}"))
}

/// How many answered what.
fn codes(answers: &[Answer]) -> std::collections::BTreeMap<(u16, String), usize> {
    let mut counted = std::collections::BTreeMap::new();
    for answer in answers {
        *counted.entry((answer.status, answer.code().to_owned())).or_default() += 1;
    }
    counted
}
