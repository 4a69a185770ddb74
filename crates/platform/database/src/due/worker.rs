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
        let mut changes = self.due_changed();
        let (mut running, mut rest) = (JoinSet::new(), Rest::default());
        loop {
            let most = if rest.is_trying() { 1 } else { options.concurrency.max(1) };
            let free = most.saturating_sub(running.len());
            let resting = rest.left(Instant::now());
            let started = match resting {
                Some(left) => Ok(left),
                None => self.start_due(queue, &options, free, &handler, &mut running).await,
            };
            let pause = match started {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::warn!(
                        queue,
                        error = &error as &dyn std::error::Error,
                        "cannot look for due work"
                    );
                    options.poll
                }
            };
            let has_room = running.len() < most;
            tokio::select! {
                () = &mut shutdown => break,
                Some(first) = running.join_next() => {
                    note(queue, &mut rest, first);
                    while let Some(another) = running.try_join_next() {
                        note(queue, &mut rest, another);
                    }
                }
                () = changes.changed(), if has_room && resting.is_none() => {}
                () = tokio::time::sleep(pause), if has_room => {}
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Starts what is due, and says how long to wait before looking again.
    async fn start_due<H, Fut>(
        &self,
        queue: &'static str,
        options: &WorkOptions,
        free: usize,
        handler: &H,
        running: &mut JoinSet<Ended>,
    ) -> Result<Duration, Error>
    where
        H: Fn(DueItem) -> Fut,
        Fut: Future<Output = Result<Next, BoxError>> + Send + 'static,
    {
        if free == 0 {
            return Ok(options.poll);
        }
        // A look costs a read; only when something is due does a claim cost a write.
        match self.next_due(queue).await? {
            None => return Ok(options.poll),
            Some(next) if next > self.clock().now() => {
                return Ok(next.since(self.clock().now()).min(options.poll));
            }
            Some(_) => {}
        }
        let items = self.claim(queue, free, options.lease).await?;
        let pause = if items.is_empty() { options.poll } else { Duration::ZERO };
        for item in items {
            let work = handler(item.clone());
            let (database, options) = (self.clone(), *options);
            running.spawn(async move { database.see_through(&item, &options, work).await });
        }
        Ok(pause)
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
            match tokio::time::timeout(options.lease / 2, &mut work).await {
                Ok(result) => break result.unwrap_or_else(|_| Err("the handler panicked".into())),
                Err(_) => {
                    let until = self.clock().now().plus(options.lease);
                    if let Ok(false) = self.renew(item, until).await {
                        tracing::warn!(
                            queue = item.queue,
                            key = item.key,
                            "the claim was lost; the handler is stopped"
                        );
                        return Ended::Otherwise;
                    }
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
