use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::rest::Rest;
use super::{Away, BoxError, DueItem, FIRST_PAUSE, Next};
use crate::database::Database;
use crate::error::Error;
use crate::retry::jittered;
use crate::signals::DueChanges;

/// The most characters that are kept of an error.
const ERROR_LEN: usize = 1_000;

/// The most items that [`Database::work_once`] does, which ends a handler that puts its item back for now.
const MOST_AT_ONCE: usize = 10_000;

/// How often to try to record how an item ended.
const SETTLE_AGAIN: Duration = Duration::from_millis(500);

/// How an item ended, as far as the rest of its queue is concerned.
enum Ended {
    Well,
    Away,
    Otherwise,
}

/// Learns from an item that ended whether the queue is to rest.
fn note(queue: &str, rest: &mut Rest, ended: Result<Ended, JoinError>) {
    match ended {
        Ok(Ended::Well) if rest.is_trying() => {
            tracing::info!(queue, "what the queue needs is back");
            rest.end();
        }
        Ok(Ended::Away) => rest.begin(Instant::now()),
        Ok(Ended::Well | Ended::Otherwise) | Err(_) => {}
    }
}

/// How long those who ended are waited for, so that one claim makes up for several of them.
const GATHER: Duration = Duration::from_millis(20);

/// When to look for due work again.
#[derive(Clone, Copy)]
struct Look {
    at: Instant,
    /// There is more, and it is waited for room for some of it at once.
    is_gathering: bool,
}

impl Look {
    const fn at(at: Instant) -> Self {
        Self { at, is_gathering: false }
    }

    fn now() -> Self {
        Self::at(Instant::now())
    }

    fn gathering() -> Self {
        Self { at: Instant::now() + GATHER, is_gathering: true }
    }

    /// Whether to look now, while `running` of at most `most` items are being done.
    fn is_worthwhile(self, running: usize, most: usize) -> bool {
        running < most && (self.at <= Instant::now() || (self.is_gathering && running <= most / 2))
    }
}

/// How a queue is worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkOptions {
    /// How many items this process does at once.
    pub concurrency: usize,
    /// For how long a claim holds. It is renewed while the handler runs; after a crash others wait that long.
    pub lease: Duration,
    /// The longest pause between two attempts. The first is a second, then they double.
    pub max_backoff: Duration,
    /// How often to look for work that another process scheduled. What this process schedules is noticed at once.
    pub poll: Duration,
}

impl Default for WorkOptions {
    fn default() -> Self {
        Self {
            concurrency: 8,
            lease: Duration::from_secs(30),
            max_backoff: Duration::from_secs(600),
            poll: Duration::from_secs(1),
        }
    }
}

impl Database {
    /// Does the work of `queue` as it becomes due, until `shutdown` ends; then waits for what is running.
    /// A handler that fails or panics is called again later, so what it does must bear repetition. Two items
    /// of one key never run at the same time. A handler that fails with [`Away`] makes the whole queue rest.
    pub async fn work<H, Fut>(
        &self,
        queue: &'static str,
        options: WorkOptions,
        shutdown: impl Future<Output = ()> + Send,
        handler: H,
    ) where
        H: Fn(DueItem) -> Fut + Send + Sync,
        Fut: Future<Output = Result<Next, BoxError>> + Send + 'static,
    {
        let mut shutdown = pin!(shutdown);
        let mut changes = self.due_changed(queue);
        let (mut running, mut rest, mut look) = (JoinSet::new(), Rest::default(), Look::now());
        loop {
            let most = if rest.is_trying() { 1 } else { options.concurrency.max(1) };
            if let Some(left) = rest.left(Instant::now()) {
                look = Look::at(Instant::now() + left);
            } else if look.is_worthwhile(running.len(), most) {
                let found = self.take_due(queue, &options, most - running.len(), &mut changes).await;
                let items;
                (items, look) = found.unwrap_or_else(|error| {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(queue, error, "cannot look for due work");
                    (Vec::new(), Look::at(Instant::now() + options.poll))
                });
                for item in items {
                    let (database, work) = (self.clone(), handler(item.clone()));
                    running.spawn(async move { database.see_through(&item, &options, work).await });
                }
            }
            let has_room = running.len() < most;
            let can_change = has_room && !look.is_gathering && rest.left(Instant::now()).is_none();
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(first) = running.join_next() => {
                    note(queue, &mut rest, first);
                    while let Some(another) = running.try_join_next() {
                        note(queue, &mut rest, another);
                    }
                }
                () = changes.changed(), if can_change => look = Look::now(),
                () = tokio::time::sleep_until(look.at), if has_room => {}
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Claims up to `free` items that are due, and says when to look again.
    async fn take_due(
        &self,
        queue: &'static str,
        options: &WorkOptions,
        free: usize,
        changes: &mut DueChanges,
    ) -> Result<(Vec<DueItem>, Look), Error> {
        let poll = Instant::now() + options.poll;
        changes.plan(None);
        changes.mark_seen();
        // A look costs a read; only when something is due does a claim cost a write.
        let Some(next) = self.next_due(queue).await? else { return Ok((Vec::new(), Look::at(poll))) };
        let now = self.clock().now();
        if next > now {
            changes.plan(Some(next));
            return Ok((Vec::new(), Look::at(poll.min(Instant::now() + next.since(now)))));
        }
        let items = self.claim(queue, free, options.lease).await?;
        let look = match items.len() {
            0 => Look::at(poll),
            // As many as were wanted: the next claim is to be worth its cost too.
            claimed if claimed == free => Look::gathering(),
            _ => Look::now(),
        };
        Ok((items, look))
    }

    /// Keeps the claim alive while the handler runs, then records how it ended.
    async fn see_through(
        &self,
        item: &DueItem,
        options: &WorkOptions,
        work: impl Future<Output = Result<Next, BoxError>> + Send,
    ) -> Ended {
        // What a panicking handler leaves behind is its transaction, which is rolled back.
        let mut work = pin!(AssertUnwindSafe(work).catch_unwind());
        let result = loop {
            let renewal = async {
                tokio::time::sleep(options.lease / 2).await;
                self.renew(item, self.clock().now().plus(options.lease)).await
            };
            // The handler goes on meanwhile: it may hold the very transaction that the renewal waits for.
            tokio::select! {
                biased;
                result = &mut work => break result.unwrap_or_else(|_| Err("the handler panicked".into())),
                renewed = renewal => if let Ok(false) = renewed {
                    tracing::warn!(
                        queue = item.queue,
                        key = item.key,
                        "the claim was lost; the handler is stopped"
                    );
                    return Ended::Otherwise;
                }
            }
        };
        let ended = match &result {
            Ok(_) => Ended::Well,
            Err(error) if error.is::<Away>() => Ended::Away,
            Err(_) => Ended::Otherwise,
        };
        // A database that is away is waited for: otherwise the item would be left until its claim runs out.
        let deadline = Instant::now() + options.lease;
        while let Err(error) = self.settle(item, options, &result).await {
            if Instant::now() >= deadline {
                tracing::warn!(
                    queue = item.queue,
                    key = item.key,
                    error = &error as &dyn std::error::Error,
                    "cannot record how due work ended; it is done again"
                );
                break;
            }
            tokio::time::sleep(SETTLE_AGAIN).await;
        }
        ended
    }

    async fn settle(
        &self,
        item: &DueItem,
        options: &WorkOptions,
        result: &Result<Next, BoxError>,
    ) -> Result<(), Error> {
        let error = match result {
            Ok(Next::Done) => return self.done(item).await,
            Ok(Next::At(at)) => return self.put_back(item, *at, None, 0).await,
            Err(error) => error,
        };
        let text = chain(error.as_ref());
        let (pause, attempts) = if error.is::<Away>() {
            // It is not the item's fault, and the queue rests as a whole.
            (Duration::ZERO, item.attempts.saturating_sub(1))
        } else {
            let doublings = item.attempts.saturating_sub(1);
            (jittered(self.rng(), FIRST_PAUSE, options.max_backoff, doublings), item.attempts)
        };
        self.put_back(item, self.clock().now().plus(pause), Some(&text), attempts).await?;
        tracing::warn!(
            queue = item.queue,
            key = item.key,
            attempts,
            error = text,
            "due work failed and will be tried again"
        );
        metrics::counter!("database_due_failures_total", "queue" => item.queue).increment(1);
        Ok(())
    }

    /// Does everything of `queue` that is due now, one after the other. Returns how many items that were.
    /// For tests and the command line.
    ///
    /// # Errors
    /// As [`Database::write`]. A failing handler is not an error here: its item is put back.
    pub async fn work_once<H, Fut>(&self, queue: &'static str, handler: H) -> Result<usize, Error>
    where
        H: Fn(DueItem) -> Fut,
        Fut: Future<Output = Result<Next, BoxError>>,
    {
        let options = WorkOptions::default();
        let mut count = 0;
        while count < MOST_AT_ONCE {
            let mut items = self.claim(queue, 1, options.lease).await?;
            let Some(item) = items.pop() else { break };
            let result = handler(item.clone()).await;
            self.settle(&item, &options, &result).await?;
            if matches!(&result, Err(error) if error.is::<Away>()) {
                break;
            }
            count += 1;
        }
        Ok(count)
    }
}

/// An error and what caused it, in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    if let Some((end, _)) = text.char_indices().nth(ERROR_LEN) {
        text.truncate(end);
    }
    text
}
