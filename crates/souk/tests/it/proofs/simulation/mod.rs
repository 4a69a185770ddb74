//! A shop of few people and few goods, driven through a checkout's every fault by a number.
//!
//! The real services of orders, catalog and payments run in one thread over SQLite files, with their own
//! workers and the bus. Everything that decides what happens next is drawn from the seed: who does what,
//! which call between services is delivered, lost, delayed, doubled or answered in vain, which transaction
//! is made durable first, when the process dies, how time passes and by how much clocks differ. Time is
//! [tokio's paused clock](tokio::time::pause) and a manual clock per service, and the one thread that makes
//! commits durable is held until the seed lets it go on ([`pool`]). So one seed is one story, and a story
//! that ends badly can be told again. After a leap of time the order in which everything wakes is sometimes
//! another one, so such a story may take a few tries.
//!
//! When the script is over the network heals and everything is given time to settle. Then the books are
//! read ([`books`]).

mod books;
mod driver;
mod log;
mod network;
mod people;
mod pool;
mod process;
mod trace;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::json;

use super::record;
use driver::{Story, tell, tell_without_leaps};

const CLAIM: &str = "Whatever is lost, late, doubled or interrupted during a checkout: it ends as a paid order or \
     with everything given back, nobody is charged twice, and stock, money and logs add up.";

/// More than a debug build's nested futures need.
const STACK: usize = 32 << 20;

#[test]
fn checkouts_survive_what_a_network_a_provider_and_a_crash_do_to_them() {
    let first = record::seed("simulation");
    let seeds = record::scale(100, 2_500);
    let began = std::time::Instant::now();
    let (next, failed) = (AtomicU64::new(0), AtomicBool::new(false));
    let (sum, failure) = (Mutex::new(trace::Counts::default()), Mutex::new(None::<Story>));
    let work = || {
        while !failed.load(Ordering::SeqCst) {
            let index = next.fetch_add(1, Ordering::SeqCst);
            if index >= seeds {
                return;
            }
            let story = tell(first.wrapping_add(index));
            sum.lock().unwrap().add(&story.trace.counts);
            if !story.wrong.is_empty() && !failed.swap(true, Ordering::SeqCst) {
                *failure.lock().unwrap() = Some(story);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, |cores| cores.get().min(8)) {
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).unwrap();
        }
    });
    if let Some(story) = failure.into_inner().unwrap() {
        panic!("{story}");
    }
    let counts = sum.into_inner().unwrap();
    let pace = seeds as u128 * 1_000 / began.elapsed().as_millis().max(1);
    println!("simulation: {seeds} seeds, {pace} a second: {counts}");
    let mut facts = vec![("seeds", json!(seeds)), ("first seed", json!(first))];
    facts.extend(counts.facts());
    record::record("simulation", CLAIM, &facts);
}

#[test]
fn a_seed_tells_the_same_story_twice() {
    let work = || {
        for seed in 1..=record::scale(5, 50) {
            let (once, again) = (tell_without_leaps(seed), tell_without_leaps(seed));
            assert_eq!(once.trace.hash(), again.trace.hash(), "{}", once.trace.difference(&again.trace));
        }
    };
    std::thread::Builder::new().stack_size(STACK).spawn(work).unwrap().join().unwrap();
}
