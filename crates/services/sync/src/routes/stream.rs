//! `GET /v1/stream`

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt as _, stream};
use http::HeaderMap;
use kernel::{SessionId, Timestamp};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::broadcast;
use tokio::time::Instant;
use web::{Caller, Handled, ValidQuery, Validate, code};

use crate::error::{self, Error};
use crate::jobs::Listening;
use crate::model::{Change, Channel, Epoch, Resume, Topic, resume};
use crate::service;
use crate::store;

/// What to listen to.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Request {
    /// `orders` (one's own; sign in first), `inventory`, or both with a comma.
    #[param(example = "orders,inventory")]
    topics: String,
    /// The last id that was received, for clients that cannot send `Last-Event-ID`.
    last_event_id: Option<String>,
}

impl Validate for Request {}

web::errors!(pub(crate) Errors: code::QUERY, code::CALLER, error::UNKNOWN_TOPIC);

/// The stream of one listener.
type Events = Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>>;

/// How long a client waits before it comes back, in milliseconds.
const RETRY: Duration = Duration::from_millis(2_000);

/// How long when there is no room for it.
const RETRY_WHEN_FULL: Duration = Duration::from_millis(15_000);

/// Live changes as server-sent events (WHATWG HTML, section 9.2).
///
/// Ids are `epoch:offset`. A client that comes back with its last id gets what it missed; when that
/// is gone it gets one event `reset`, whose data say where to read the present state. The stream
/// ends after some minutes, and when the session ends: come back with a fresh token and the last id.
/// `EventSource` gives up on any other answer, so when there is no room the stream ends at once.
#[utoipa::path(
    get,
    path = "/v1/stream",
    operation_id = "stream",
    tag = "sync",
    params(Request, ("Last-Event-ID" = Option<String>, Header, description = "The last id that was received.")),
    responses((status = 200, description = "The events, for as long as the client stays.", body = String, content_type = "text/event-stream"), Errors),
    security((), ("bearer" = ["customer"])),
)]
pub(crate) async fn handler(
    State(state): State<service::State>,
    caller: Caller,
    headers: HeaderMap,
    ValidQuery(request): ValidQuery<Request>,
) -> Handled<Sse<axum::response::sse::KeepAliveStream<Events>>> {
    let channels = channels(&request.topics, &caller)?;
    let header = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let last = header.map(str::to_owned).or(request.last_event_id);
    let heartbeat = KeepAlive::new().interval(Duration::from_secs(state.config.heartbeat_s));
    let Some(listening) = state.hub.listen(channels) else {
        let full: Events = Box::pin(stream::iter([Ok(Event::default().retry(RETRY_WHEN_FULL))]));
        return Ok(Sse::new(full).keep_alive(heartbeat));
    };
    // The place is taken before the log is read, so that nothing falls between the two.
    let epoch = epoch(&state).await?;
    let listener = Listener {
        ends_at: Instant::now() + Duration::from_secs(state.config.stream_s),
        session: caller.session(),
        ended_sessions: state.hub.ended_sessions(),
        listening,
        reached: 0,
        epoch,
        state,
    };
    Ok(Sse::new(listener.begin(last.as_deref()).await?).keep_alive(heartbeat))
}

fn channels(topics: &str, caller: &Caller) -> Handled<Vec<Channel>> {
    let mut channels = Vec::new();
    for topic in topics.split(',').map(str::trim) {
        let channel =
            match topic.parse().map_err(|()| Error::UnknownTopic(topic.chars().take(40).collect()))? {
                Topic::Inventory => Channel::Inventory,
                Topic::Orders => match caller {
                    Caller::Customer(customer) => Channel::Orders(customer.id),
                    Caller::Anonymous => {
                        return Err(code::AUTH_MISSING.problem("Sign in to hear of your orders."));
                    }
                    _ => return Err(code::FORBIDDEN.problem("Only customers have orders of their own.")),
                },
            };
        if !channels.contains(&channel) {
            channels.push(channel);
        }
    }
    Ok(channels)
}

async fn epoch(state: &service::State) -> Result<Epoch, database::Error> {
    // Made from the time and chance, so that a log that was lost and made anew has another.
    let name = state.database.rng().uuid_v7(state.database.clock().now()).simple().to_string();
    let name = name.as_str();
    state
        .database
        .write(|mut tx| async move {
            let epoch = store::epoch(&mut tx, name).await?;
            tx.commit(epoch).await
        })
        .await
}

/// One stream: what it may hear, and how far it has heard.
struct Listener {
    state: service::State,
    listening: Listening,
    session: Option<SessionId>,
    ended_sessions: broadcast::Receiver<SessionId>,
    epoch: Epoch,
    reached: i64,
    ends_at: Instant,
}

impl Listener {
    async fn begin(mut self, last: Option<&str>) -> Result<Events, database::Error> {
        let from = match resume(&self.epoch, last) {
            Resume::After(offset) => self.replay(offset, self.epoch.newest).await?,
            begin => Err(begin),
        };
        let first = match from {
            Ok(missed) => missed.iter().map(|change| Ok(self.event(change))).collect(),
            Err(begin) => vec![Ok(self.greeting(begin))],
        };
        self.reached = self.epoch.newest;
        let first = [Ok(Event::default().retry(RETRY))].into_iter().chain(first);
        let live = stream::unfold(self, |mut listener| async {
            let events = listener.next().await?;
            Some((stream::iter(events.into_iter().map(Ok)), listener))
        });
        Ok(Box::pin(stream::iter(first).chain(live.flatten())))
    }

    /// The changes between two positions, or that there are too many of them or some are gone.
    async fn replay(&self, after: i64, until: i64) -> Result<Result<Vec<Change>, Resume>, database::Error> {
        let limit = self.state.config.max_replay;
        let mut reader = self.state.database.read_primary().await?;
        let missed = store::between(&mut reader, &self.listening.channels, after, until, limit).await?;
        // What was trimmed since the listener began would be missing without a word. A trim notes how
        // far it went in the transaction that deletes, so asking after reading is soon enough.
        let whole = store::trimmed(&mut reader).await? <= after;
        Ok(if whole && missed.len() < limit as usize { Ok(missed) } else { Err(Resume::Reset) })
    }

    /// What comes next; `None` when the stream ends.
    async fn next(&mut self) -> Option<Vec<Event>> {
        loop {
            let heard = tokio::select! {
                heard = self.listening.next() => heard,
                ended = self.ended_sessions.recv() => {
                    // Too many ended to be told of: this one may be among them, so it comes back and shows its token.
                    let ours = ended.map_or(true, |ended| self.session == Some(ended));
                    if ours { return None }
                    continue;
                }
                () = tokio::time::sleep_until(self.ends_at) => return None,
            };
            let events = match heard {
                Ok(changes) => self.take(&changes),
                Err(_) => self.catch_up().await?,
            };
            if !events.is_empty() {
                return Some(events);
            }
        }
    }

    fn take(&mut self, changes: &[Arc<Change>]) -> Vec<Event> {
        let new = changes.iter().filter(|change| change.position > self.reached);
        let events = new.map(|change| self.event(change)).collect();
        self.reached = changes.last().map_or(self.reached, |last| last.position.max(self.reached));
        events
    }

    /// Reads what a slow listener could not be handed. When that fails, the stream ends and the
    /// client comes back with its last id.
    async fn catch_up(&mut self) -> Option<Vec<Event>> {
        self.listening.skip();
        let newest = async { store::newest(&mut *self.state.database.read_primary().await?).await };
        let newest = newest
            .await
            .inspect_err(|error: &database::Error| tracing::debug!(%error, "a stream ends"))
            .ok()?;
        let missed = self.replay(self.reached, newest).await.ok()?;
        self.epoch.newest = newest;
        self.reached = newest;
        Some(match missed {
            Ok(missed) => missed.iter().map(|change| self.event(change)).collect(),
            Err(begin) => vec![self.greeting(begin)],
        })
    }

    fn event(&self, change: &Change) -> Event {
        Event::default().id(self.epoch.id(change.position)).event(&change.kind).data(&change.data)
    }

    /// The first event of a stream that does not go on with an earlier one; it carries the id to
    /// come back with.
    fn greeting(&self, begin: Resume) -> Event {
        let now: Timestamp = self.state.database.clock().now();
        let event = Event::default().id(self.epoch.id(self.epoch.newest));
        if begin == Resume::Reset {
            let snapshots: serde_json::Map<String, serde_json::Value> = self
                .listening
                .channels
                .iter()
                .map(|channel| (channel.topic().as_str().to_owned(), channel.topic().snapshot().into()))
                .collect();
            return event.event("reset").data(json!({ "at": now, "snapshots": snapshots }).to_string());
        }
        event.event("ready").data(json!({ "at": now }).to_string())
    }
}
