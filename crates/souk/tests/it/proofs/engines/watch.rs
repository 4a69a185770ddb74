//! People who ask for one thing again and again, and what they were told when.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::outage::Outage;
use super::watcher::{Watcher, address, raw, upload};
use crate::journey::sign_in;
use crate::proofs::buyers::{self, Load};
use crate::shop::{STAFF, Shop};
use crate::stream::Event;

/// What somebody was told.
#[derive(Clone, Debug)]
pub struct Sample {
    pub kind: &'static str,
    pub begun: Instant,
    pub ended: Instant,
    /// The code of the problem when it was 503.
    pub refused: Option<String>,
}

impl Sample {
    pub fn is_refused(&self) -> bool {
        self.refused.is_some()
    }
}

/// What the shop acknowledged to those who watched.
pub struct Acknowledged {
    /// Addresses of sign-ups.
    pub signups: Vec<String>,
    /// Message ids of analytics.
    pub events: Vec<String>,
    /// What a listener heard.
    pub heard: Vec<Event>,
    pub requests: usize,
    pub refused: usize,
}

/// What was told and heard so far.
#[derive(Default)]
pub struct Notes {
    pub samples: Vec<Sample>,
    pub signups: Vec<String>,
    pub events: Vec<String>,
    pub heard: Vec<(Instant, Event)>,
    /// When an order was acknowledged.
    pub bought: Vec<Instant>,
    /// Answers that no shop should give.
    pub wrong: Vec<String>,
}

/// Watchers at work.
pub struct Watch {
    /// Ends those who ask.
    stop: watch::Sender<bool>,
    /// Ends the listener.
    end: watch::Sender<bool>,
    tasks: JoinSet<()>,
    notes: Arc<Mutex<Notes>>,
    listener: String,
    listening_since: String,
}

impl Watch {
    pub async fn start(shop: &Shop, load: &Load) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (end, ended) = watch::channel(false);
        let notes = Arc::new(Mutex::new(Notes::default()));
        let watcher = Watcher { api: shop.api.clone(), notes: Arc::clone(&notes), stopped };
        let mut tasks = JoinSet::new();
        for email in ["reader@example.com", "writer@example.com"] {
            buyers::sign_up(shop, email).await;
        }
        let reader = buyers::access(&shop.api, "reader@example.com").await;
        let writer = buyers::access(&shop.api, "writer@example.com").await;
        let staff = sign_in(&shop.api, STAFF.0, STAFF.1).await.access;
        let products = shop.api.get("/v1/products").expect(200).await;
        let product = format!("/v1/products/{}", products.str("/data/0/id"));
        let variant = products.str("/data/0/variants/0/id").to_owned();
        let picture = upload(&shop.api, &staff, 0).await.unwrap();
        let picture = picture.str("/url").to_owned();

        let quick = Duration::from_millis(150);
        let slow = Duration::from_millis(400);
        tasks.spawn(
            watcher
                .clone()
                .ask("products", quick, async |w, _| w.api.get("/v1/products?query=velvet").try_send().await),
        );
        tasks.spawn(
            watcher.clone().ask("product", quick, async move |w, _| w.api.get(&product).try_send().await),
        );
        tasks.spawn(watcher.clone().ask("picture", quick, async move |w, _| {
            let response = w.api.http().get(w.api.url(&picture)).send().await?;
            raw(response).await
        }));
        tasks.spawn(watcher.clone().ask("history", quick, async move |w, _| {
            w.api.get("/v1/orders").bearer(&reader).try_send().await
        }));
        tasks.spawn(watcher.clone().ask("cart", quick, async move |w, nth| {
            let path = format!("/v1/carts/me/items/{variant}");
            w.api.put(&path, json!({"quantity": 1 + nth % 3})).bearer(&writer).try_send().await
        }));
        tasks.spawn(watcher.clone().ask("analytics", quick, async |w, nth| w.send_events(nth).await));
        tasks.spawn(
            watcher.clone().ask("upload", slow, async move |w, nth| upload(&w.api, &staff, nth).await),
        );
        tasks.spawn(watcher.clone().ask("sign-up", slow, async |w, nth| w.sign_up(nth).await));
        tasks.spawn(watcher.clone().ask("sign-in", slow, async |w, nth| {
            let body = json!({"email": "reader@example.com", "password": buyers::PASSWORD});
            w.api.post("/v1/auth/signin", body).header("x-forwarded-for", &address(nth)).try_send().await
        }));
        let listener = load.customers()[0].clone();
        let access = buyers::access(&shop.api, &listener).await;
        tasks.spawn(Watcher { stopped: ended, ..watcher.clone() }.listen(access));
        let count = load.counter();
        tasks.spawn(watcher.clone().count(move || count.load(std::sync::atomic::Ordering::Relaxed)));
        let deadline = Instant::now() + Duration::from_secs(20);
        while notes.lock().heard.is_empty() {
            assert!(Instant::now() < deadline, "the listener hears nothing");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let listening_since = kernel::Clock::system().now().to_string();
        Self { stop, end, tasks, notes, listener, listening_since }
    }

    /// What was asked between two moments and answered by `end`, or later.
    pub fn between(&self, start: Instant, end: Instant) -> Vec<Sample> {
        let notes = self.notes.lock();
        notes.samples.iter().filter(|sample| sample.begun >= start && sample.begun < end).cloned().collect()
    }

    /// Waits until readiness names what is away, and liveness does not mind.
    pub async fn until_named(&self, shop: &Shop, check: &str, deadline: Instant) {
        let deadline = deadline.max(Instant::now() + Duration::from_secs(20));
        loop {
            let health = reqwest::get(format!("{}/healthz", shop.ops())).await.unwrap();
            assert_eq!(health.status(), 200);
            let ready: Value =
                reqwest::get(format!("{}/readyz", shop.ops())).await.unwrap().json().await.unwrap();
            let state = ready["checks"][check].as_str().unwrap_or_default().to_owned();
            // It can answer some requests, so it is ready all the same.
            if state != "ok" && ready["ready"] == true {
                return;
            }
            assert!(Instant::now() < deadline, "readiness should say that {check} is away: {ready}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until everything works again and says how long after `back` each kind of request and each flow did.
    pub async fn recovered(
        &self,
        shop: &Shop,
        outage: Outage,
        back: Instant,
        within: Duration,
    ) -> Vec<(&'static str, Duration)> {
        let deadline = back + within;
        let mail = self.mail_flows(shop, back, deadline);
        let rest = async {
            let mut ready = None;
            loop {
                if ready.is_none() && is_well(shop).await {
                    ready = Some(back.elapsed());
                }
                let found = self.since(back);
                if let (Some(ready), Some(mut found)) = (ready, found) {
                    found.push(("readiness", ready));
                    return found;
                }
                assert!(
                    Instant::now() < deadline,
                    "{}: {within:?} after its return not everything works again: {:?}, ready: {ready:?}\n{}",
                    outage.name(),
                    self.missing(back),
                    shop.logs()
                );
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let (mail, mut found) = tokio::join!(mail, rest);
        found.push(("mail", mail));
        found
    }

    /// For each kind, when it worked again after `back`; none while one does not.
    fn since(&self, back: Instant) -> Option<Vec<(&'static str, Duration)>> {
        let notes = self.notes.lock();
        let mut found = Vec::new();
        for kind in KINDS {
            let of_kind =
                || notes.samples.iter().filter(|sample| sample.kind == kind && sample.begun >= back);
            let last_refused =
                of_kind().filter(|sample| sample.is_refused()).map(|sample| sample.begun).max();
            let first = of_kind()
                .filter(|sample| !sample.is_refused() && last_refused.is_none_or(|last| sample.begun > last))
                .map(|sample| sample.ended)
                .min()?;
            found.push((kind, if last_refused.is_none() { Duration::ZERO } else { first - back }));
        }
        let bought = notes.bought.iter().find(|at| **at > back)?;
        found.push(("checkout", *bought - back));
        let (heard, _) = notes.heard.iter().find(|(at, _)| *at > back)?;
        found.push(("live events", *heard - back));
        Some(found)
    }

    /// In words, what does not work since `back`.
    fn missing(&self, back: Instant) -> Vec<String> {
        let notes = self.notes.lock();
        let mut missing: Vec<String> = KINDS
            .iter()
            .filter_map(|kind| {
                let last = notes.samples.iter().rev().find(|sample| sample.kind == *kind)?;
                (last.begun < back || last.is_refused()).then(|| format!("{last:?}"))
            })
            .collect();
        if !notes.bought.iter().any(|at| *at > back) {
            missing.push("nothing was bought".to_owned());
        }
        if !notes.heard.iter().any(|(at, _)| *at > back) {
            missing.push("nothing was heard".to_owned());
        }
        missing
    }

    /// How long after `back` a new sign-up, and those acknowledged before, have their mails.
    async fn mail_flows(&self, shop: &Shop, back: Instant, deadline: Instant) -> Duration {
        loop {
            let waiting: Vec<String> = self.notes.lock().signups.clone();
            let arrived: std::collections::BTreeSet<String> =
                shop.mailbox.all().into_iter().map(|mail| mail.to).collect();
            let after = {
                let notes = self.notes.lock();
                notes
                    .samples
                    .iter()
                    .any(|sample| sample.kind == "sign-up" && sample.begun > back && !sample.is_refused())
            };
            let missing = waiting.iter().filter(|address| !arrived.contains(*address)).count();
            // The very last one may still be on its way.
            if after && missing <= 1 {
                return back.elapsed();
            }
            assert!(Instant::now() < deadline, "{missing} mails have not arrived\n{}", shop.logs());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Nobody asks any more; the listener goes on listening.
    pub fn quiet(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until the listener has heard that each of their orders was placed.
    pub async fn has_heard_all(&self, shop: &Shop, deadline: Instant) {
        let access = buyers::access(&shop.api, &self.listener).await;
        let orders = shop.api.get("/v1/orders?limit=100").bearer(&access).expect(200).await;
        let mut missing: Vec<Value> = orders.body["data"].as_array().unwrap().clone();
        missing.retain(|order| order["placed_at"].as_str().unwrap() >= self.listening_since.as_str());
        loop {
            missing.retain(|order| {
                let id = order["id"].as_str().unwrap();
                let notes = self.notes.lock();
                !notes.heard.iter().any(|(_, event)| event.kind == "order.placed" && event.data.contains(id))
            });
            if missing.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "the listener never heard of {missing:#?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn stop(self) -> Acknowledged {
        self.stop.send_replace(true);
        self.end.send_replace(true);
        self.tasks.join_all().await;
        let notes = std::mem::take(&mut *self.notes.lock());
        let shown = notes.wrong.iter().take(20).cloned().collect::<Vec<_>>().join("\n  ");
        assert!(notes.wrong.is_empty(), "{} answers were wrong:\n  {shown}", notes.wrong.len());
        Acknowledged {
            signups: notes.signups,
            events: notes.events,
            heard: notes.heard.into_iter().map(|(_, event)| event).collect(),
            requests: notes.samples.len(),
            refused: notes.samples.iter().filter(|sample| sample.is_refused()).count(),
        }
    }
}

const KINDS: [&str; 9] =
    ["products", "product", "picture", "history", "cart", "analytics", "upload", "sign-up", "sign-in"];

async fn is_well(shop: &Shop) -> bool {
    let ready: Value = reqwest::get(format!("{}/readyz", shop.ops())).await.unwrap().json().await.unwrap();
    ready["checks"].as_object().unwrap().values().all(|state| state == "ok")
}
