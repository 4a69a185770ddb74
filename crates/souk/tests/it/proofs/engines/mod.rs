//! Every engine of the full stack fails under load and comes back.

mod outage;
mod watch;
mod watcher;

use std::time::{Duration, Instant};

use kernel::Rng;
use serde_json::{Value, json};

use self::outage::Outage;
use self::watch::{Acknowledged, Watch};
use super::audit::audit;
use super::buyers::{Crowd, Load};
use super::record::{record, scale, seed};
use crate::shop::{Shop, WRITE_KEY};

const CLAIM: &str = "PostgreSQL's primary is killed and its synchronous replica promoted, NATS, Redis, the S3 server \
    and the mail server are killed and started again, all under load. Nothing acknowledged is lost and nothing is done \
    twice; every request that can be answered is; the rest get 503 with Retry-After, never another 5xx, a broken \
    connection or silence; and everything works again by itself within 10 seconds of the engine's return. The engines \
    are processes on one machine: power cuts and partitions between machines are not shown.";

/// Within so long of an engine's return, everything works again.
const RECOVERS_WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fail_under_load_and_come_back() {
    let seed = seed("engines");
    let rng = Rng::seeded(seed);
    let shop = Shop::on_engines_that_may_fail().await;
    let load = Load::start(&shop, Crowd { customers: 2, guests: 2, seed }).await;
    load.bought(2, Duration::from_secs(60)).await;
    let watch = Watch::start(&shop, &load).await;

    let mut facts = vec![("seed".to_owned(), json!(seed))];
    let mut slowest = Duration::ZERO;
    for round in 0..scale(1, 5) {
        let mut outages = Outage::ALL.to_vec();
        // The short form promotes last, and does not wait for another replica.
        if scale(0, 1) == 1 {
            shuffle(&mut outages, &rng);
        } else {
            outages.retain(|outage| outage.is_essential());
        }
        for outage in outages {
            let length = Duration::from_millis(1_500 + rng.below(scale(1, 15_000)));
            let told = suffer(&shop, &load, &watch, outage, length).await;
            slowest = slowest.max(told.recovered);
            println!("{}", told.line);
            facts.push((format!("round {}: {}", round + 1, outage.name()), json!(told.line)));
            if scale(0, 1) == 1 {
                outage.mend(shop.engines()).await;
            }
        }
    }
    watch.quiet();
    let memory = load.stop().await;
    let [ordered, refused, unknown] = memory.counts();
    let found = audit(&shop, &memory).await;
    watch.has_heard_all(&shop, Instant::now() + RECOVERS_WITHIN).await;
    let acknowledged = watch.stop().await;
    assert!(unknown == 0, "{unknown} attempts were never answered");
    facts.extend(
        [
            ("slowest recovery in seconds", json!(slowest.as_secs_f64())),
            ("orders acknowledged", json!(ordered)),
            ("attempts at buying that were refused", json!(refused)),
            ("orders in the books", json!(found.orders)),
            ("minor units taken", json!(found.taken)),
            ("seconds until nothing was half done", json!(found.settled_after.as_secs())),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    facts.extend(arrived(&shop, acknowledged).await);
    let facts: Vec<(&str, Value)> =
        facts.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    println!("engines: {facts:?}");
    record("engines", CLAIM, &facts);
}

fn shuffle(outages: &mut [Outage], rng: &Rng) {
    for last in (1..outages.len()).rev() {
        outages.swap(last, rng.below(last as u64 + 1) as usize);
    }
}

struct Told {
    recovered: Duration,
    line: String,
}

/// One engine fails for `length` and comes back. Fails when something is refused that need not be, or does not work
/// again in time.
async fn suffer(shop: &Shop, load: &Load, watch: &Watch, outage: Outage, length: Duration) -> Told {
    let (began, bought) = (Instant::now(), load.acknowledged());
    outage.begin(shop.engines()).await;
    watch.until_named(shop, outage.check(), began + length.max(Duration::from_secs(3))).await;
    if !outage.may_refuse("checkout") {
        load.bought(1, Duration::from_secs(30)).await;
    }
    tokio::time::sleep(length.saturating_sub(began.elapsed())).await;
    let bought = load.acknowledged() - bought;
    outage.end(shop.engines()).await;
    let back = Instant::now();
    let recovered = watch.recovered(shop, outage, back, RECOVERS_WITHIN).await;
    let during = watch.between(began, back);
    let unexpected: Vec<_> = during
        .iter()
        .filter(|sample| sample.is_refused() && !outage.may_refuse(sample.kind))
        .map(|sample| format!("{sample:?}"))
        .collect();
    assert!(
        unexpected.is_empty(),
        "{}: refused without need: {unexpected:#?}\n{}",
        outage.name(),
        shop.logs()
    );
    let refused = during.iter().filter(|sample| sample.is_refused()).count();
    let mut slowest: Vec<_> = recovered.iter().filter(|(_, took)| !took.is_zero()).collect();
    slowest.sort_by_key(|(_, took)| std::cmp::Reverse(*took));
    let kinds: Vec<String> =
        slowest.iter().map(|(kind, took)| format!("{kind} {:.1} s", took.as_secs_f64())).collect();
    let longest = slowest.first().map_or(Duration::ZERO, |(_, took)| *took);
    let line = format!(
        "away for {:.1} s; {} requests answered and {bought} orders acknowledged meanwhile, {refused} refused with 503; \
         works again after: {}",
        (back - began).as_secs_f64(),
        during.len() - refused,
        if kinds.is_empty() { "0 s".to_owned() } else { kinds.join(", ") },
    );
    assert!(longest < RECOVERS_WITHIN, "{}: {line}\n{}", outage.name(), shop.logs());
    Told { recovered: longest, line: format!("{}: {line}", outage.name()) }
}

/// Whatever was acknowledged has arrived where it was to arrive, once.
async fn arrived(shop: &Shop, acknowledged: Acknowledged) -> Vec<(String, Value)> {
    let analytics = shop.database("analytics").await;
    let mut reader = analytics.read_primary().await.unwrap();
    let mut lost = 0;
    for message in &acknowledged.events {
        let sql = "SELECT COUNT(*) FROM events WHERE message_id = $1";
        let (stored,): (i64,) = reader.fetch_one(sql, &database::params![message.as_str()]).await.unwrap();
        lost += i64::from(stored != 1);
    }
    assert_eq!(lost, 0, "events that were acknowledged and are not stored once, of {WRITE_KEY}");

    let deadline = Instant::now() + RECOVERS_WITHIN;
    let mut copies = 0;
    for address in &acknowledged.signups {
        loop {
            let mails: Vec<_> = shop.mailbox.all().into_iter().filter(|mail| mail.to == *address).collect();
            if let Some(first) = mails.first() {
                // A server that is killed between taking a mail and saying so gets it again, as the same mail.
                assert!(mails.iter().all(|mail| mail.id == first.id), "{address} got several mails");
                copies += mails.len() - 1;
                break;
            }
            assert!(Instant::now() < deadline, "the mail to {address} never came");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    let heard = &acknowledged.heard;
    let mut ids: Vec<&str> = heard.iter().map(|event| event.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), heard.len(), "the listener heard something twice");
    vec![
        ("analytics events acknowledged".to_owned(), json!(acknowledged.events.len())),
        ("sign-ups acknowledged, each with its mail".to_owned(), json!(acknowledged.signups.len())),
        ("mails that the server got twice under one Message-ID".to_owned(), json!(copies)),
        ("live events heard".to_owned(), json!(heard.len())),
        ("requests watched".to_owned(), json!(acknowledged.requests)),
        ("of these refused with 503".to_owned(), json!(acknowledged.refused)),
    ]
}
