use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use contracts::Envelope;
use database::Tx;
use futures_util::FutureExt as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config::DeliveryConfig;
use crate::error::BusError;
use crate::hold::Hold;
use crate::log::{Entry, Log};
use crate::store::{self, Parked};
use crate::{ReactError, Subscription};

/// The longest pause after a failure of the database or the log: what is away is looked for that often.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
const PARKED_BATCH: i64 = 32;

/// One reaction reading on through one log.
pub(crate) struct Consumer {
    subscription: Subscription,
    log: Log,
    config: DeliveryConfig,
    known: Option<Known>,
}

/// What the tables say, remembered between two steps: while this copy holds the lease nobody else moves the
/// position. What an operator replays is seen when this is read anew, which is every poll.
struct Known {
    position: i64,
    /// The keys behind which events wait.
    blocked: HashSet<String>,
    read_at: Instant,
}

/// Why a delivery of several events had no effect.
enum Undelivered {
    /// The reaction to the event at this index failed.
    Reaction { index: usize, error: String },
    /// The database did.
    Database(database::Error),
}

impl From<database::Error> for Undelivered {
    fn from(error: database::Error) -> Self {
        Self::Database(error)
    }
}

impl Consumer {
    pub(crate) const fn new(subscription: Subscription, log: Log, config: DeliveryConfig) -> Self {
        Self { subscription, log, config, known: None }
    }

    fn name(&self) -> &'static str {
        self.subscription.reaction.consumer()
    }

    /// Reads on until `shutdown`, for as long as this copy holds the lease. A failure of the database or the
    /// log is waited out.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let lease = format!("bus:{}:{}", self.name(), self.log.source());
        let mut hold = Hold::new(self.subscription.database.clone(), lease);
        let mut failures = 0;
        while !shutdown.is_cancelled() {
            let pause = match self.hold_and_step(&mut hold, &shutdown).await {
                Ok(pause) => {
                    failures = 0;
                    pause
                }
                Err(error) => {
                    failures += 1;
                    tracing::warn!(consumer = self.name(), error = %error, "consumer interrupted");
                    if !matches!(error, BusError::Database(_)) {
                        hold.release().await;
                    }
                    self.config.backoff(failures).min(LONGEST_PAUSE)
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        hold.release().await;
    }

    /// Takes what is there, or waits for news. Answers with how long to pause.
    async fn hold_and_step(
        &mut self,
        hold: &mut Hold,
        shutdown: &CancellationToken,
    ) -> Result<Duration, BusError> {
        if !hold.take().await? {
            self.known = None;
            return Ok(Duration::from_millis(self.config.poll_ms));
        }
        if !self.step().await? {
            let wait = self.wait().await?;
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.log.changed(wait) => {}
            }
        }
        Ok(Duration::ZERO)
    }

    /// How long to wait for news: until a parked event is due, and never longer than the poll.
    async fn wait(&self) -> Result<Duration, BusError> {
        let poll = self.poll();
        if self.known.as_ref().is_some_and(|known| known.blocked.is_empty()) {
            return Ok(poll);
        }
        let mut reader = self.subscription.database.read_primary().await?;
        let next = store::next_due(&mut reader, self.name()).await?;
        let now = self.subscription.database.clock().now();
        // A parked event that is due but stands behind another of its key must not spin.
        Ok(next.map_or(poll, |at| at.since(now).clamp(Duration::from_millis(10), poll)))
    }

    const fn poll(&self) -> Duration {
        Duration::from_millis(self.config.poll_ms)
    }

    /// Takes one batch of parked events and one of the log; `false` when there is nothing more for now.
    async fn step(&mut self) -> Result<bool, BusError> {
        let poll = self.poll();
        let fresh = |known: &Known| known.blocked.is_empty() && known.read_at.elapsed() < poll;
        // Taken, so that after any failure the tables are read again.
        let (mut known, retried) = match self.known.take().filter(fresh) {
            Some(known) => (known, false),
            None => self.look().await?,
        };
        let entries = self.log.read_after(known.position, self.config.batch).await?;
        let mut rest = entries.as_slice();
        while let Some(head) = rest.first() {
            let taken = match self.deliver(rest, &known.blocked).await? {
                None => rest.len(),
                Some((0, error)) => {
                    self.park(head, &error).await?;
                    known.blocked.insert(head.envelope.subject.clone());
                    1
                }
                // What stood before it is good: do that first, then come back to it.
                Some((index, _)) => {
                    let before = rest.get(..index).unwrap_or_default();
                    if self.deliver(before, &known.blocked).await?.is_none() { index } else { 0 }
                }
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        if let Some(last) = entries.last() {
            known.position = last.position;
            metrics::gauge!("souk_bus_position", "consumer" => self.name(), "source" => self.log.source().to_owned())
                .set(u32::try_from(last.position).unwrap_or(u32::MAX));
        }
        self.known = Some(known);
        Ok(retried || self.log.may_have_more(entries.len(), self.config.batch))
    }

    /// Retries what is parked and due, then reads the position and what still waits; and whether there was
    /// anything to retry.
    async fn look(&self) -> Result<(Known, bool), BusError> {
        let read_at = Instant::now();
        let retried = self.retry_parked().await?;
        let mut reader = self.subscription.database.read_primary().await?;
        let (source, epoch) = (self.log.source(), self.log.epoch());
        let position = store::position(&mut reader, self.name(), source, epoch).await?;
        let blocked = store::blocked_keys(&mut reader, self.name()).await?.into_iter().collect();
        Ok((Known { position, blocked, read_at }, retried))
    }

    /// Runs the reaction for `entries` in one transaction with their inbox notes and the position.
    /// Answers with the index of the event whose reaction failed, and why; nothing took effect then.
    async fn deliver(
        &self,
        entries: &[Entry],
        blocked: &HashSet<String>,
    ) -> Result<Option<(usize, String)>, BusError> {
        let outcome = self
            .subscription
            .database
            .write(|mut tx| async move {
                self.react_to_all(&mut tx, entries, blocked).await?;
                Ok(tx.commit(()).await?)
            })
            .await;
        match outcome {
            Ok(()) => Ok(None),
            Err(Undelivered::Reaction { index, error }) => Ok(Some((index, error))),
            Err(Undelivered::Database(error)) => Err(error.into()),
        }
    }

    async fn react_to_all(
        &self,
        tx: &mut Tx,
        entries: &[Entry],
        blocked: &HashSet<String>,
    ) -> Result<(), Undelivered> {
        let reaction = self.subscription.reaction.as_ref();
        for (index, Entry { envelope, .. }) in entries.iter().enumerate() {
            if !reaction.types().contains(&envelope.kind.as_str()) {
                continue;
            }
            if blocked.contains(&envelope.subject) {
                let now = tx.database().clock().now();
                store::park(tx, self.name(), envelope, 0, now, "waits behind its key").await?;
                continue;
            }
            let done = react(reaction, tx, envelope, self.reaction_timeout()).await;
            done.map_err(|error| Undelivered::Reaction { index, error: error.to_string() })?;
        }
        if let Some(last) = entries.last() {
            store::set_position(tx, self.name(), self.log.source(), self.log.epoch(), last.position).await?;
        }
        Ok(())
    }

    const fn reaction_timeout(&self) -> Duration {
        Duration::from_millis(self.config.reaction_timeout_ms)
    }

    async fn park(&self, entry: &Entry, error: &str) -> Result<(), BusError> {
        let name = self.name();
        let (source, epoch) = (self.log.source(), self.log.epoch());
        let backoff = self.config.backoff(1);
        tracing::warn!(consumer = name, event = %entry.envelope.id, error, "reaction failed, event parked");
        metrics::counter!("souk_bus_failures_total", "consumer" => name).increment(1);
        self.subscription
            .database
            .write::<(), database::Error, _, _>(|mut tx| async move {
                let next_at = tx.database().clock().now().plus(backoff);
                store::park(&mut tx, name, &entry.envelope, 1, next_at, error).await?;
                store::set_position(&mut tx, name, source, epoch, entry.position).await?;
                tx.commit(()).await
            })
            .await?;
        Ok(())
    }

    /// Tries the parked events that are due; `false` when there were none.
    async fn retry_parked(&self) -> Result<bool, BusError> {
        let now = self.subscription.database.clock().now();
        let due = {
            let mut reader = self.subscription.database.read_primary().await?;
            store::due(&mut reader, self.name(), now, PARKED_BATCH).await?
        };
        for parked in &due {
            self.retry(parked).await?;
        }
        Ok(!due.is_empty())
    }

    async fn retry(&self, parked: &Parked) -> Result<(), BusError> {
        let name = self.name();
        let reaction = self.subscription.reaction.as_ref();
        let event = &parked.envelope;
        let outcome = self
            .subscription
            .database
            .write(|mut tx| async move {
                let done = react(reaction, &mut tx, event, self.reaction_timeout()).await;
                done.map_err(|error| Undelivered::Reaction { index: 0, error: error.to_string() })?;
                store::unpark(&mut tx, name, event.id).await?;
                Ok(tx.commit(()).await?)
            })
            .await;
        let error = match outcome {
            Ok(()) => return Ok(()),
            Err(Undelivered::Database(error)) => return Err(error.into()),
            Err(Undelivered::Reaction { error, .. }) => error,
        };
        let attempts = parked.attempts + 1;
        let dead = attempts >= self.config.max_attempts;
        if dead {
            tracing::error!(consumer = name, event = %event.id, error, "event is a dead letter");
            metrics::counter!("souk_bus_dead_letters_total", "consumer" => name).increment(1);
        }
        let (backoff, error) = (self.config.backoff(attempts), error.as_str());
        self.subscription
            .database
            .write::<(), database::Error, _, _>(|mut tx| async move {
                let next_at = tx.database().clock().now().plus(backoff);
                store::failed_again(&mut tx, name, event.id, dead, next_at, error).await?;
                tx.commit(()).await
            })
            .await?;
        Ok(())
    }
}

/// Runs the reaction unless the inbox says that it was done. A panic is a failure like any other.
async fn react(
    reaction: &dyn crate::React,
    tx: &mut Tx,
    event: &Envelope,
    limit: Duration,
) -> Result<(), ReactError> {
    if !tx.first_time(reaction.consumer(), event.id).await? {
        return Ok(());
    }
    let work = AssertUnwindSafe(reaction.react(tx, event)).catch_unwind();
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err("the reaction panicked".into()),
        Err(_) => Err("the reaction took too long".into()),
    }
}
