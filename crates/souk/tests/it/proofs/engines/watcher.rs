//! Somebody who asks for one thing again and again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::watch::{Notes, Sample};
use crate::api::{Answer, Api};
use crate::proofs::buyers;
use crate::shop::WRITE_KEY;
use crate::stream::Stream;

/// No answer may take longer: what is away is known to be away by then.
const PATIENCE: Duration = Duration::from_secs(9);

/// Somebody who asks.
#[derive(Clone)]
pub struct Watcher {
    pub api: Api,
    pub notes: Arc<Mutex<Notes>>,
    pub stopped: watch::Receiver<bool>,
}

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\
    \0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\xa7o\xd8\x9f\0\0\0\0IEND\xaeB`\x82";

impl Watcher {
    /// Asks for one thing again and again.
    pub async fn ask(
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

    pub async fn send_events(&self, nth: u64) -> reqwest::Result<Answer> {
        let ids: Vec<String> = (0..5).map(|place| format!("watch-{nth}-{place}")).collect();
        let event = |id| json!({"type": "track", "event": "Looked", "messageId": id, "anonymousId": "watch"});
        let batch: Vec<Value> = ids.iter().map(event).collect();
        let answer =
            self.api.post("/v1/batch", json!({"writeKey": WRITE_KEY, "batch": batch})).try_send().await?;
        if answer.status == 200 {
            self.notes.lock().events.extend(ids);
        }
        Ok(answer)
    }

    pub async fn sign_up(&self, nth: u64) -> reqwest::Result<Answer> {
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
    pub async fn listen(mut self, access: String) {
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
                    self.notes
                        .lock()
                        .wrong
                        .push(format!("the stream: {:?}", other.map(|refused| refused.err())));
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
    pub async fn count(self, acknowledged: impl Fn() -> u64) {
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
pub fn address(nth: u64) -> String {
    format!("10.{}.{}.{}", nth >> 16 & 255, nth >> 8 & 255, nth & 255)
}

pub async fn upload(api: &Api, staff: &str, nth: u64) -> reqwest::Result<Answer> {
    // Another picture each time: the same one would stand already.
    let mut picture = PICTURE.to_vec();
    picture.extend_from_slice(&nth.to_be_bytes());
    let request =
        api.http().post(api.url("/v1/admin/media")).bearer_auth(staff).header("content-type", "image/png");
    raw(request.body(picture).send().await?).await
}

/// An answer that is not JSON both ways.
pub async fn raw(response: reqwest::Response) -> reqwest::Result<Answer> {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Ok(Answer { status, headers, body, text })
}
