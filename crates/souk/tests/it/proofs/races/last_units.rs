//! The last units of something.

use tokio::sync::watch;

use super::{BUYERS, Purchase, Race, available};
use crate::api::Answer;

/// One is left.
pub(super) async fn the_very_last(race: &mut Race<'_>) {
    let variant = race.variants[0].clone();
    race.stock(&variant, 1).await;
    let purchases = race.purchases(BUYERS, "tok_visa", |_| vec![(variant.clone(), 1)]).await;
    let answers = watched(race, &variant, 1, &purchases).await;
    assert_eq!(sold(&answers), 1, "one was left");
    assert_losers(&answers, &[&variant]);
    assert_eq!(race.available(&variant).await, 0);
}

/// Thirteen of one and nine of another, in carts with both, put in in either order.
pub(super) async fn several_lines(race: &mut Race<'_>) {
    let [a, b] = [race.variants[0].clone(), race.variants[1].clone()];
    race.stock(&a, 13).await;
    race.stock(&b, 9).await;
    let lines = |nth: usize| {
        let mut lines = vec![(a.clone(), 1), (b.clone(), 1)];
        if nth.is_multiple_of(2) {
            lines.reverse();
        }
        lines
    };
    let purchases = race.purchases(race.buyers, "tok_visa", lines).await;
    let answers = watched(race, &b, 9, &purchases).await;
    assert_eq!(sold(&answers), 9, "nine pairs were left");
    assert_losers(&answers, &[&a, &b]);
    assert_eq!(race.available(&a).await, 4);
    assert_eq!(race.available(&b).await, 0);
}

/// Ten are left, some want more than one, and a third cannot pay: what they held goes back.
pub(super) async fn some_cannot_pay(race: &mut Race<'_>) {
    let variant = race.variants[2].clone();
    race.stock(&variant, 10).await;
    let lines = |nth: usize| vec![(variant.clone(), 1 + (nth % 3) as i64)];
    let mut purchases = race.purchases(race.buyers, "tok_visa", lines).await;
    for purchase in &mut purchases {
        if race.rng.below(3) == 0 {
            purchase.token = "tok_declined";
        }
    }
    let answers = watched(race, &variant, 10, &purchases).await;
    let kept: i64 = purchases
        .iter()
        .zip(&answers)
        .filter(|(_, answer)| answer.status == 201)
        .map(|(purchase, _)| purchase.lines[&variant])
        .sum();
    for (purchase, answer) in purchases.iter().zip(&answers) {
        let fair = match answer.status {
            201 => purchase.token == "tok_visa",
            402 => purchase.token == "tok_declined",
            409 => answer.code() == "orders.out_of_stock",
            _ => false,
        };
        assert!(fair, "{}: {}", purchase.token, answer.text);
    }
    assert_eq!(race.available(&variant).await, 10 - kept);
}

/// Buys, and looks at what is left of `variant` all the time.
async fn watched(race: &mut Race<'_>, variant: &str, most: i64, purchases: &[Purchase]) -> Vec<Answer> {
    let (stop, stopped) = watch::channel(false);
    let (api, watched) = (race.api.clone(), variant.to_owned());
    let watcher = tokio::spawn(async move {
        let mut looks = 0;
        while !*stopped.borrow() {
            let left = available(&api, &watched).await;
            assert!((0..=most).contains(&left), "of {most}, {left} were left");
            looks += 1;
        }
        looks
    });
    let answers = race.buy(purchases).await;
    stop.send_replace(true);
    race.looks += watcher.await.unwrap();
    answers
}

fn sold(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.status == 201).count()
}

fn assert_losers(answers: &[Answer], wanted: &[&str]) {
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!((answer.status, answer.code()), (409, "orders.out_of_stock"), "{}", answer.text);
        let named = answer.body["lines"].as_array().unwrap();
        let known = |line: &serde_json::Value| wanted.iter().any(|variant| line["variant_id"] == **variant);
        assert!(!named.is_empty() && named.iter().all(known), "{}", answer.text);
    }
}
