//! People who ask for one thing again and again, and what they were told when.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::outage::Outage;
use crate::api::{Answer, Api};
use crate::journey::sign_in;
use crate::proofs::buyers::{self, Load};
use crate::shop::{STAFF, Shop, WRITE_KEY};
use crate::stream::{Event, Stream};

/// No answer may take longer: what is away is known to be away by then.
const PATIENCE: Duration = Duration::from_secs(9);

/// What somebody was told.
#[derive(Clone, Debug)]
pub struct Sample {
    pub kind: &'static str,
    pub begun: Instant,
    pub ended: Instant,
    /// The code of the problem when it was 503.
    refused: Option<String>,
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
    /// Whose orders they listened to, and since when.
    pub listener: String,
    pub listening_since: String,
    pub requests: usize,
    pub refused: usize,
}

#[derive(Default)]
struct Notes {
    samples: Vec<Sample>,
    signups: Vec<String>,
    events: Vec<String>,
    heard: Vec<(Instant, Event)>,
    /// When an order was acknowledged.
    bought: Vec<Instant>,
    /// Answers that no shop should give.
    wrong: Vec<String>,
}

/// Watchers at work.
pub struct Watch {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    notes: Arc<Mutex<Notes>>,
    listener: String,
    listening_since: String,
}

/// One of them.
#[derive(Clone)]
struct Watcher {
    api: Api,
    notes: Arc<Mutex<Notes>>,
    stopped: watch::Receiver<bool>,
}

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\
    \0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\xa7o\xd8\x9f\0\0\0\0IEND\xaeB`\x82";

impl Watch {
    pub async fn start(shop: &Shop, load: &Load) -> Self {
        let (stop, stopped) = watch::channel(false);
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
        tasks.spawn(watcher.clone().ask("products", quick, async |w, _| {
            w.api.get("/v1/products?query=velvet").try_send().await
        }));
        tasks.spawn(watcher.clone().ask("product", quick, async move |w, _| w.api.get(&product).try_send().await));
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
        tasks.spawn(watcher.clone().ask("upload", slow, async move |w, nth| upload(&w.api, &staff, nth).await));
        tasks.spawn(watcher.clone().ask("sign-up", slow, async |w, nth| w.sign_up(nth).await));
        tasks.spawn(watcher.clone().ask("sign-in", slow, async |w, nth| {
            let body = json!({"email": "reader@example.com", "password": buyers::PASSWORD});
            w.api.post("/v1/auth/signin", body).header("x-forwarded-for", &address(nth)).try_send().await
        }));
        let listener = load.customers()[0].clone();
        let access = buyers::access(&shop.api, &listener).await;
        tasks.spawn(watcher.clone().listen(access));
        let count = load.counter();
        tasks.spawn(watcher.clone().count(move || count.load(std::sync::atomic::Ordering::Relaxed)));
        let deadline = Instant::now() + Duration::from_secs(20);
        while notes.lock().heard.is_empty() {
            assert!(Instant::now() < deadline, "the listener hears nothing");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let listening_since = kernel::Clock::system().now().to_string();
        Self { stop, tasks, notes, listener, listening_since }
    }

    /// What was asked between two moments and answered by `end`, or later.
    pub fn between(&self, start: Instant, end: Instant) -> Vec<Sample> {
        let notes = self.notes.lock();
        notes.samples.iter().filter(|sample| sample.begun >= start && sample.begun < end).cloned().collect()
    }

    /// Waits until readiness names what is away, and liveness does not mind.
    pub async fn until_named(&self, shop: &Shop, check: &str, deadline: Instant) {
        let deadline = deadline.max(Instant::now() + Duration::from_secs(5));
        loop {
            let health = reqwest::get(format!("{}/healthz", shop.ops())).await.unwrap();
            assert_eq!(health.status(), 200);
            let ready: Value = reqwest::get(format!("{}/readyz", shop.ops())).await.unwrap().json().await.unwrap();
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
            let of_kind = || notes.samples.iter().filter(|sample| sample.kind == kind && sample.begun >= back);
            let last_refused = of_kind().filter(|sample| sample.is_refused()).map(|sample| sample.begun).max();
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
                notes.samples.iter().any(|sample| {
                    sample.kind == "sign-up" && sample.begun > back && !sample.is_refused()
                })
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

    pub async fn stop(self) -> Acknowledged {
        self.stop.send_replace(true);
        self.tasks.join_all().await;
        let notes = std::mem::take(&mut *self.notes.lock());
        let shown = notes.wrong.iter().take(20).cloned().collect::<Vec<_>>().join("\n  ");
        assert!(notes.wrong.is_empty(), "{} answers were wrong:\n  {shown}", notes.wrong.len());
        Acknowledged {
            signups: notes.signups,
            events: notes.events,
            heard: notes.heard.into_iter().map(|(_, event)| event).collect(),
            listener: self.listener,
            listening_since: self.listening_since,
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

impl Watcher {
    /// Asks for one thing again and again.
    async fn ask(
        self,
        kind: &'static str,
        every: Duration,
        what: impl AsyncFn(&Self, u64) -> reqwest::Result<Answer>,
    ) {
        let mut nth = 0;
        while !*self.stopped.borrow() {
            nth += 1;
            let begun = Instant::now();
            let answer = what(&self, nth).await;
            let ended = Instant::now();
            let refused = self.judge(kind, ended - begun, answer);
            self.notes.lock().samples.push(Sample { kind, begun, ended, refused });
            tokio::time::sleep(every.saturating_sub(begun.elapsed())).await;
        }
    }

    /// The code of a refusal, if it is one; notes what no shop should say.
    fn judge(&self, kind: &str, took: Duration, answer: reqwest::Result<Answer>) -> Option<String> {
        let wrong = |what: String| self.notes.lock().wrong.push(format!("{kind} after {took:?}: {what}"));
        if took > PATIENCE {
            wrong("no answer in time".to_owned());
        }
        match answer {
            Ok(answer) if answer.status == 503 => {
                if !answer.headers.contains_key("retry-after") {
                    wrong(format!("503 without Retry-After: {}", answer.text));
                }
                Some(answer.code().to_owned())
            }
            Ok(answer) if answer.status < 400 => None,
            Ok(answer) => {
                wrong(format!("{} {}", answer.status, answer.text));
                Some(answer.status.to_string())
            }
            Err(error) => {
                wrong(format!("{error:?}"));
                Some("broken".to_owned())
            }
        }
    }

    async fn send_events(&self, nth: u64) -> reqwest::Result<Answer> {
        let ids: Vec<String> = (0..5).map(|place| format!("watch-{nth}-{place}")).collect();
        let event = |id| json!({"type": "track", "event": "Looked", "messageId": id, "anonymousId": "watch"});
        let batch: Vec<Value> = ids.iter().map(event).collect();
        let answer = self.api.post("/v1/batch", json!({"writeKey": WRITE_KEY, "batch": batch})).try_send().await?;
        if answer.status == 200 {
            self.notes.lock().events.extend(ids);
        }
        Ok(answer)
    }

    async fn sign_up(&self, nth: u64) -> reqwest::Result<Answer> {
        let email = format!("watched-{nth}@example.com");
        let body = json!({"email": email, "password": buyers::PASSWORD});
        let call = self.api.post("/v1/auth/signup", body).header("x-forwarded-for", &address(nth));
        let answer = call.try_send().await?;
        if answer.status == 202 {
            self.notes.lock().signups.push(email);
        }
        Ok(answer)
    }

    /// Listens as a browser does: comes back with the last id when the stream ends.
    async fn listen(mut self, access: String) {
        let mut last: Option<String> = None;
        while !*self.stopped.borrow() {
            let opened = Stream::try_open(&self.api, &access, "orders,inventory", last.as_deref()).await;
            let mut stream = match opened {
                Ok(Ok(stream)) => stream,
                Ok(Err(503)) => {
                    tokio::time::sleep(Duration::from_millis(250)).await;
                    continue;
                }
                other => {
                    self.notes.lock().wrong.push(format!("the stream: {:?}", other.map(|refused| refused.err())));
                    tokio::time::sleep(Duration::from_millis(250)).await;
                    continue;
                }
            };
            loop {
                let event = tokio::select! {
                    event = stream.try_next() => event,
                    _ = self.stopped.changed() => return,
                };
                let Some(event) = event else { break };
                if event.kind == "reset" {
                    self.notes.lock().wrong.push(format!("the stream was reset after {last:?}"));
                }
                last = Some(event.id.clone());
                self.notes.lock().heard.push((Instant::now(), event));
            }
        }
    }

    /// Notes when orders are acknowledged.
    async fn count(self, acknowledged: impl Fn() -> u64) {
        let mut known = acknowledged();
        while !*self.stopped.borrow() {
            let now = acknowledged();
            if now > known {
                known = now;
                self.notes.lock().bought.push(Instant::now());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Another address each time: nobody signs up as often as this from one.
fn address(nth: u64) -> String {
    format!("10.{}.{}.{}", nth >> 16 & 255, nth >> 8 & 255, nth & 255)
}

async fn upload(api: &Api, staff: &str, nth: u64) -> reqwest::Result<Answer> {
    // Another picture each time: the same one would stand already.
    let mut picture = PICTURE.to_vec();
    picture.extend_from_slice(&nth.to_be_bytes());
    let request = api.http().post(api.url("/v1/admin/media")).bearer_auth(staff).header("content-type", "image/png");
    raw(request.body(picture).send().await?).await
}

/// An answer that is not JSON both ways.
async fn raw(response: reqwest::Response) -> reqwest::Result<Answer> {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Ok(Answer { status, headers, body, text })
}
