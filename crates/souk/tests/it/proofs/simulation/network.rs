//! The ways between services, and between the shop and its provider, on which nothing moves by itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use contracts::{Channel, ChannelError};
use futures_util::future::BoxFuture;
use http::{Request, Response};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// For how long whoever calls waits for an answer, as a call to another process does. The connector to the
/// provider gives up before that by itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// What becomes of a request or an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    Delivered,
    /// It arrives twice.
    Doubled,
    /// It never arrives, and nobody is told.
    Lost,
    /// The connection is refused. Only requests meet with that.
    Refused,
}

/// Which way something is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg {
    /// To the one who is asked.
    Request,
    /// Back.
    Answer,
}

type Reply = Result<Response<Bytes>, ChannelError>;

/// All ways. Clones are the same.
#[derive(Clone, Default)]
pub struct Network(Arc<Mutex<Ways>>);

#[derive(Default)]
struct Ways {
    next: u64,
    parked: BTreeMap<u64, Parked>,
}

/// Something that is on its way.
pub struct Parked {
    pub leg: Leg,
    pub label: String,
    pub sent: Instant,
    /// Whether it goes to the provider, which forgets a connection that was given up: what is later
    /// than that never arrives.
    pub to_provider: bool,
    fate: oneshot::Sender<Fate>,
}

impl Network {
    /// A way from `from` to `to`, at whose end is `channel`.
    pub fn lay(&self, from: &'static str, to: &'static str, channel: Channel) -> Channel {
        let network = self.clone();
        Channel::new(tower::service_fn(move |request: Request<Bytes>| {
            let (network, channel) = (network.clone(), channel.clone());
            async move {
                let label = format!("{from} > {to} {} {}", request.method(), request.uri().path());
                let (reply, answer) = oneshot::channel();
                // Whoever asks may give up; what was sent goes on.
                tokio::spawn(network.carry((label, to), channel, request, Some(reply)));
                let answered = async {
                    match answer.await {
                        Ok(reply) => reply,
                        Err(_lost) => std::future::pending().await,
                    }
                };
                let timed_out = |_| Err(ChannelError::TimedOut { service: to.to_owned() });
                tokio::time::timeout(PATIENCE, answered).await.unwrap_or_else(timed_out)
            }
        }))
    }

    /// Brings `request` there and its answer back, as far as fate lets it.
    fn carry(
        self,
        (label, to): (String, &'static str),
        channel: Channel,
        request: Request<Bytes>,
        reply: Option<oneshot::Sender<Reply>>,
    ) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            match self.park(Leg::Request, label.clone(), to).await {
                Fate::Delivered => {}
                Fate::Lost => return,
                Fate::Refused => {
                    if let Some(reply) = reply {
                        let _ = reply.send(Err(ChannelError::Unreachable { service: to.to_owned() }));
                    }
                    return;
                }
                Fate::Doubled => {
                    let again = (format!("{label} (again)"), to);
                    tokio::spawn(self.clone().carry(again, channel.clone(), copy(&request), None));
                }
            }
            let answer = channel.send(request).await;
            let told = match &answer {
                Ok(response) => response.status().as_u16().to_string(),
                Err(error) => error.to_string(),
            };
            if let Some(reply) = reply
                && self.park(Leg::Answer, format!("{label}: {told}"), to).await != Fate::Lost
            {
                let _ = reply.send(answer);
            }
        })
    }

    async fn park(&self, leg: Leg, label: String, to: &str) -> Fate {
        let (fate, decided) = oneshot::channel();
        {
            let mut ways = self.0.lock().unwrap();
            let number = ways.next;
            ways.next += 1;
            let to_provider = to == "sandbox";
            ways.parked.insert(number, Parked { leg, label, sent: Instant::now(), to_provider, fate });
        }
        decided.await.unwrap_or(Fate::Lost)
    }

    /// How much is on its way.
    pub fn parked(&self) -> usize {
        self.0.lock().unwrap().parked.len()
    }

    /// Takes the one at `index`, counted by age.
    pub fn take(&self, index: usize) -> Option<Parked> {
        let mut ways = self.0.lock().unwrap();
        let number = *ways.parked.keys().nth(index)?;
        ways.parked.remove(&number)
    }
}

impl Parked {
    pub fn meet(self, fate: Fate) {
        let _ = self.fate.send(fate);
    }
}

fn copy(request: &Request<Bytes>) -> Request<Bytes> {
    let mut copy = Request::new(request.body().clone());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}
