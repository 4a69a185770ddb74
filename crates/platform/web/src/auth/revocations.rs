use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use cache::{Cache, Delivery, Subscription};
use contracts::identity::{Client, REVOCATIONS_CHANNEL, Revocation};
use kernel::{Clock, SessionId, Timestamp};
use parking_lot::RwLock;
use tokio::time::{MissedTickBehavior, interval};

/// The sessions that have ended and whose access tokens have not yet expired.
///
/// Every node holds the whole list: it hears of a new entry through the cache at once, and reads
/// the list again from identity at the start, whenever it may have missed something, and every
/// second. Entries leave when no token of theirs can be unexpired.
#[derive(Clone, Debug)]
pub struct Revocations(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    ended: HashMap<SessionId, Revocation>,
    synced_at: Option<Timestamp>,
    failing: bool,
}

/// How often the whole list is read.
const RESYNC_EVERY: Duration = Duration::from_secs(1);

impl Revocations {
    /// An empty list; [`follow`](Self::follow) fills it.
    pub fn new(clock: Clock) -> Self {
        Self(Arc::new(Inner { clock, state: RwLock::default() }))
    }

    /// Whether a token of `session` issued at `issued_at` must be refused.
    pub fn refuse(&self, session: SessionId, issued_at: Timestamp) -> bool {
        let state = self.0.state.read();
        state.ended.get(&session).is_some_and(|entry| issued_at < entry.not_issued_before)
    }

    /// Takes note of ended sessions. Told twice, the later moment counts.
    pub fn add(&self, revocations: impl IntoIterator<Item = Revocation>) {
        let now = self.0.clock.now();
        let mut state = self.0.state.write();
        for new in revocations.into_iter().filter(|new| new.until > now) {
            let entry = state.ended.entry(new.session_id).or_insert(new);
            entry.not_issued_before = entry.not_issued_before.max(new.not_issued_before);
            entry.until = entry.until.max(new.until);
        }
    }

    /// How many sessions are on the list.
    pub fn len(&self) -> usize {
        self.0.state.read().ended.len()
    }

    /// Whether no session is on the list.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How long ago the list was known to be whole; `None` before it was for the first time. A
    /// node whose list is old cannot promise to refuse ended sessions and is not ready.
    pub fn age(&self) -> Option<Duration> {
        self.0.state.read().synced_at.map(|at| self.0.clock.now().since(at))
    }

    /// Keeps the list up to date until `shutdown` comes.
    pub async fn follow(&self, identity: Client, cache: Cache, shutdown: impl Future<Output = ()>) {
        tokio::select! {
            () = shutdown => {}
            () = self.follow_for_ever(&identity, &cache) => {}
        }
    }

    async fn follow_for_ever(&self, identity: &Client, cache: &Cache) {
        let mut ticks = interval(RESYNC_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut subscription = None;
        loop {
            let heard = async {
                match subscription.as_mut() {
                    Some(subscription) => Subscription::next(subscription).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = ticks.tick() => {
                    // Listening first: what is announced while the list is read must not be missed.
                    if subscription.is_none() {
                        subscription = cache.subscribe(REVOCATIONS_CHANNEL).await.ok();
                    }
                    self.resync(identity).await;
                }
                delivery = heard => match delivery {
                    Some(Delivery::Message(bytes)) => self.hear(&bytes),
                    Some(Delivery::Lagged) => self.resync(identity).await,
                    None => subscription = None,
                },
            }
        }
    }

    fn hear(&self, announcement: &[u8]) {
        match serde_json::from_slice(announcement) {
            Ok(revocation) => self.add([revocation]),
            Err(error) => tracing::warn!(%error, "an announced revocation cannot be read"),
        }
    }

    /// Reads the whole list from identity and forgets what has expired.
    pub async fn resync(&self, identity: &Client) {
        let asked_at = self.0.clock.now();
        match identity.revocations().await {
            Ok(revocations) => {
                self.add(revocations);
                let mut state = self.0.state.write();
                state.ended.retain(|_, entry| entry.until > asked_at);
                state.synced_at = Some(asked_at);
                state.failing = false;
            }
            // Once, not every second.
            Err(error) => {
                if !std::mem::replace(&mut self.0.state.write().failing, true) {
                    tracing::warn!(%error, "the list of ended sessions cannot be read");
                }
            }
        }
    }
}
