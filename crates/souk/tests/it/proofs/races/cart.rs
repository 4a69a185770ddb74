//! A cart that is changed while it is being paid for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use kernel::Rng;
use reqwest::Method;
use serde_json::json;
use tokio::sync::watch;

use super::{PATIENCE, Race, patiently, scale};
use crate::api::{Answer, Api};
use crate::proofs::buyers::{Ask, Outcome, quantities};

/// How many change the cart at once.
const HANDS: u64 = 8;

type Lines = BTreeMap<String, i64>;

/// Pays for carts in ways that take different lengths of time, while others put things in and take things out.
pub(super) async fn changes_under_payment(race: &mut Race<'_>) {
    for variant in race.variants.clone() {
        race.stock(&variant, 10_000).await;
    }
    for token in ["tok_visa", "tok_timeout_after_success", "tok_capture_timeout", "tok_duplicate_webhook"] {
        for _ in 0..scale(1, 4) {
            one_cart(race, token).await;
        }
    }
}

async fn one_cart(race: &mut Race<'_>, token: &'static str) {
    let first = race.variants[0].clone();
    let mut purchase = race.purchases(1, token, |_| vec![(first.clone(), 1)]).await.remove(0);
    let (stop, stopped) = watch::channel(false);
    let hands: Vec<_> = (0..HANDS)
        .map(|_| {
            let rng = Rng::seeded(race.rng.below(u64::MAX));
            let (variants, stopped) = (race.variants.clone(), stopped.clone());
            tokio::spawn(change(race.api.clone(), purchase.cart.clone(), variants, rng, stopped))
        })
        .collect();
    let asked = Arc::clone(&race.asked);
    let bought = patiently_unless_emptied(&race.api, &asked, &purchase.ask()).await;
    let order = bought.str("/order/id").to_owned();
    let guest = bought.str("/guest_token").to_owned();
    // The changes go on until the order is certain, because it is then that the cart is emptied of it.
    let look = Ask::new(Method::GET, format!("/v1/orders/{order}")).with("souk-order-token", guest);
    let deadline = Instant::now() + PATIENCE;
    while patiently(&race.api, &asked, &look).await.body["status"] == "pending" {
        assert!(Instant::now() < deadline, "{order} stays pending");
    }
    stop.send_replace(true);
    let mut states: BTreeMap<i64, Lines> = BTreeMap::new();
    for seen in join_all(hands).await.into_iter().flat_map(Result::unwrap) {
        let before = states.insert(seen.0, seen.1.clone());
        assert!(before.is_none_or(|before| before == seen.1), "two carts with the version {}", seen.0);
    }
    let cart = race.api.get("/v1/carts/me").header("souk-cart", &purchase.cart).expect(200).await;
    states.insert(cart.body["version"].as_i64().unwrap(), quantities(&cart.body["items"]));
    states.insert(1, purchase.lines.clone());
    let order = &bought.body["order"];
    let lines = quantities(&order["lines"]);
    assert!(states.values().any(|state| *state == lines), "the cart was never what was bought: {order}");
    assert_priced(order, &bought.body["payment"]["amount"]);
    assert_rest(&states, &lines);
    purchase.lines = lines;
    race.memory.attempts.push(purchase.attempt(Outcome::Ordered(order.clone())));
}

/// Somebody may have just emptied the cart, which is no reason to give up.
async fn patiently_unless_emptied(api: &Api, asked: &AtomicU64, ask: &Ask) -> Answer {
    loop {
        let answer = patiently(api, asked, ask).await;
        if answer.status == 201 {
            return answer;
        }
        assert_eq!(answer.code(), "orders.cart_empty", "{}", answer.text);
    }
}

/// Puts things in and takes things out; answers with every state of the cart that was told.
async fn change(
    api: Api,
    cart: String,
    variants: Vec<String>,
    rng: Rng,
    stopped: watch::Receiver<bool>,
) -> Vec<(i64, Lines)> {
    let (mut seen, asked) = (Vec::new(), AtomicU64::new(0));
    while !*stopped.borrow() {
        // Nobody's checkout catches a cart that never holds still.
        tokio::time::sleep(Duration::from_millis(rng.below(100))).await;
        let variant = &variants[rng.below(variants.len() as u64) as usize];
        let quantity = rng.below(4);
        let ask = Ask::new(Method::PUT, format!("/v1/carts/me/items/{variant}")).with("souk-cart", &cart);
        let ask = Ask { body: Some(json!({"quantity": quantity})), ..ask };
        let answer = patiently(&api, &asked, &ask).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        seen.push((answer.body["version"].as_i64().unwrap(), quantities(&answer.body["items"])));
    }
    seen
}

/// The total is what the lines cost, and it is what was charged.
fn assert_priced(order: &serde_json::Value, charged: &serde_json::Value) {
    let amount = |value: &serde_json::Value| value["amount"].as_i64().unwrap();
    let lines = order["lines"].as_array().unwrap();
    for line in lines {
        assert_eq!(amount(&line["total"]), amount(&line["unit_price"]) * line["quantity"].as_i64().unwrap());
    }
    let goods: i64 = lines.iter().map(|line| amount(&line["total"])).sum();
    assert_eq!(goods, amount(&order["totals"]["subtotal"]), "{order}");
    assert_eq!(goods + amount(&order["totals"]["shipping"]), amount(&order["totals"]["total"]), "{order}");
    assert_eq!(order["totals"]["total"], *charged, "{order}");
}

/// Each state of the cart follows from the one before by one change, and once by taking out what was bought.
fn assert_rest(states: &BTreeMap<i64, Lines>, bought: &Lines) {
    let mut emptied = 0;
    for ((before, then), (after, now)) in states.iter().zip(states.iter().skip(1)) {
        match after - before {
            1 if differ(then, now) <= 1 => {}
            // The change in between is the shop's own, whose state nobody was told.
            step @ (1 | 2) => {
                let mut rest = then.clone();
                for (variant, quantity) in bought {
                    let left = rest.remove(variant).unwrap_or(0) - quantity;
                    if left > 0 {
                        rest.insert(variant.clone(), left);
                    }
                }
                let most = usize::from(step == 2);
                assert!(differ(&rest, now) <= most, "{then:?} less {bought:?} became {now:?}");
                emptied += 1;
            }
            step => panic!("{step} changes between {then:?} and {now:?}"),
        }
    }
    assert!(emptied <= 1, "what was bought was taken out {emptied} times");
}

/// In how many variants two carts differ.
fn differ(one: &Lines, other: &Lines) -> usize {
    let variants: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
    variants.into_iter().filter(|variant| one.get(*variant) != other.get(*variant)).count()
}
