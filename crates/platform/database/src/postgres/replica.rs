use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::pool::Pool;
use super::session::Session;
use crate::error::Error;

/// For how long a replica that failed is left alone.
const REST: Duration = Duration::from_secs(1);

/// A streaming replica, and how far it is known to have come.
pub(super) struct Replica {
    pool: Arc<Pool>,
    /// It only grows while the replica runs, so an old answer is a safe one.
    replayed: AtomicU64,
    resting_until: Mutex<Option<Instant>>,
}

impl Replica {
    pub(super) fn new(pool: Arc<Pool>) -> Self {
        Self { pool, replayed: AtomicU64::new(0), resting_until: Mutex::new(None) }
    }

    /// A session on the replica, if it is there and shows everything up to `required`.
    pub(super) async fn session(&self, required: u64) -> Option<Session> {
        if self.resting_until.lock().is_some_and(|until| Instant::now() < until) {
            return None;
        }
        match self.try_session(required).await {
            Ok(session) => session,
            Err(error) => {
                self.rest(&error);
                None
            }
        }
    }

    async fn try_session(&self, required: u64) -> Result<Option<Session>, Error> {
        let mut session = Session::reading(&self.pool).await?;
        if required > self.replayed.load(Ordering::Relaxed) {
            let replayed = session.replayed().await?.unwrap_or(0);
            self.replayed.fetch_max(replayed, Ordering::Relaxed);
        }
        Ok((required <= self.replayed.load(Ordering::Relaxed)).then_some(session))
    }

    /// Leaves the replica alone for a while.
    pub(super) fn rest(&self, error: &Error) {
        tracing::warn!(
            schema = self.pool.schema,
            error = error as &dyn std::error::Error,
            "the replica is away; reads go to the primary"
        );
        // One that crashed may begin a little before where it was.
        self.replayed.store(0, Ordering::Relaxed);
        *self.resting_until.lock() = Some(Instant::now() + REST);
    }
}
