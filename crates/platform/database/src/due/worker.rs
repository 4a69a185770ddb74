use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::task::JoinSet;

use super::{BoxError, DueItem, FIRST_PAUSE, Next};
use crate::database::Database;
use crate::error::Error;
use crate::retry::jittered;

/// The most characters that are kept of an error.
const ERROR_LEN: usize = 1_000;

/// The most items that [`Database::work_once`] does, which ends a handler that puts its item back for now.
const MOST_AT_ONCE: usize = 10_000;

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
    /// of one key never run at the same time.
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
        let mut running = JoinSet::new();
        loop {
            let free = options.concurrency.max(1).saturating_sub(running.len());
            let pause = match self.start_due(queue, &options, free, &handler, &mut running).await {
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
            let has_room = running.len() < options.concurrency.max(1);
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = running.join_next() => while running.try_join_next().is_some() {},
                () = changes.changed(), if has_room => {}
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
        running: &mut JoinSet<()>,
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
    ) {
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
                        return;
                    }
                }
            }
        };
        if let Err(error) = self.settle(item, options, result).await {
            // The claim runs out and the item is done again.
            tracing::warn!(
                queue = item.queue,
                key = item.key,
                error = &error as &dyn std::error::Error,
                "cannot record how due work ended"
            );
        }
    }

    async fn settle(
        &self,
        item: &DueItem,
        options: &WorkOptions,
        result: Result<Next, BoxError>,
    ) -> Result<(), Error> {
        match result {
            Ok(Next::Done) => self.done(item).await,
            Ok(Next::At(at)) => self.put_back(item, at, None).await,
            Err(error) => {
                let text = chain(error.as_ref());
                tracing::warn!(
                    queue = item.queue,
                    key = item.key,
                    attempts = item.attempts,
                    error = text,
                    "due work failed and will be tried again"
                );
                metrics::counter!("database_due_failures_total", "queue" => item.queue).increment(1);
                let pause =
                    jittered(self.rng(), FIRST_PAUSE, options.max_backoff, item.attempts.saturating_sub(1));
                self.put_back(item, self.clock().now().plus(pause), Some(&text)).await
            }
        }
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
            self.settle(&item, &options, result).await?;
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
