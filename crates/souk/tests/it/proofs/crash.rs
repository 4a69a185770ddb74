//! The program is killed, again and again, while people buy.

use std::time::Duration;

use kernel::Rng;
use serde_json::json;

use super::audit::audit;
use super::buyers::{Crowd, Load};
use super::record::{record, scale, seed};
use crate::shop::Shop;

const CLAIM: &str = "The program is ended with SIGKILL at random moments under load, also while it starts and \
    recovers, and started again on the same data. No acknowledged order is lost, nobody is charged twice or for \
    nothing, stock and money balance, and every event arrives once. This shows that the end of the process does no \
    harm. It does not show the end of the machine: what was written survives in the operating system's memory, so \
    nothing here would notice a missing fsync.";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_embedded_stack() {
    killed("crash-embedded", Shop::embedded().await, scale(4, 50)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_full_stack() {
    killed("crash-full", Shop::full().await, scale(1, 20)).await;
}

/// Kills `shop` so many times, each time somewhere between the first moment of its start and a few seconds of work.
async fn killed(proof: &str, mut shop: Shop, times: u64) {
    let seed = seed(proof);
    let rng = Rng::seeded(seed);
    let load = Load::start(&shop, Crowd { customers: 3, guests: 5, seed }).await;
    load.bought(3, Duration::from_secs(60)).await;
    let mut at_start = 0;
    for _ in 0..times {
        shop.kill().await;
        shop.start_again();
        // A third of the times it does not live to be ready.
        if rng.below(3) == 0 {
            at_start += 1;
        } else {
            shop.ready().await;
        }
        tokio::time::sleep(Duration::from_millis(rng.below(3_000))).await;
    }
    shop.kill().await;
    shop.start_again();
    shop.ready().await;
    load.bought(1, Duration::from_secs(90)).await;
    let memory = load.stop().await;
    let [ordered, refused, unknown] = memory.counts();
    println!("{proof}: {at_start} of {times} before it was ready; {ordered} orders, {refused} refusals");
    let found = audit(&shop, &memory).await;
    assert!(unknown == 0, "{unknown} attempts were never answered");
    let facts = [
        ("seed", json!(seed)),
        ("kills", json!(times + 1)),
        ("kills before it was ready", json!(at_start)),
        ("orders acknowledged", json!(ordered)),
        ("attempts refused", json!(refused)),
        ("orders in the books", json!(found.orders)),
        ("orders cancelled", json!(found.cancelled)),
        ("payments", json!(found.payments)),
        ("minor units taken", json!(found.taken)),
        ("seconds until nothing was half done", json!(found.settled_after.as_secs())),
    ];
    println!("{proof}: {facts:?}");
    record(proof, CLAIM, &facts);
}
