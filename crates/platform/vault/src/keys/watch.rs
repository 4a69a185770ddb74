use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use database::Database;
use kernel::{Clock, Timestamp};

use super::DataKeys;
use crate::crypto::MasterKeyId;
use crate::error::VaultError;
use crate::store::erasures;

/// How many erasures are read at once.
const PAGE: u32 = 1_000;

/// What this node knows of erasures elsewhere.
///
/// A key in memory is used only while this knowledge is younger than `max_age`. One small query renews it
/// for everything in memory, so a busy node asks twice a second and no call pays for a look-up of its own.
/// When the database does not answer, keys in memory are not used either.
pub(crate) struct Watch {
    max_age: Duration,
    checked_at: AtomicI64,
    erasures: AtomicI64,
    master: parking_lot::Mutex<MasterKeyId>,
    // One task asks, the others wait for its answer.
    asking: tokio::sync::Mutex<()>,
}

impl Watch {
    /// Knows nothing yet of erasures after number `erasures`.
    pub(crate) fn new(max_age: Duration, erasures: i64, master: MasterKeyId) -> Self {
        Self {
            max_age,
            checked_at: AtomicI64::new(i64::MIN),
            erasures: AtomicI64::new(erasures),
            master: parking_lot::Mutex::new(master),
            asking: tokio::sync::Mutex::new(()),
        }
    }

    /// The number of the last erasure that this node has taken note of.
    pub(crate) fn erasures(&self) -> i64 {
        self.erasures.load(Ordering::SeqCst)
    }

    /// The master key that new keys are wrapped by.
    pub(crate) fn master(&self) -> MasterKeyId {
        *self.master.lock()
    }

    /// Makes the next call of [`Self::renew`] ask.
    pub(crate) fn distrust(&self) {
        self.checked_at.store(i64::MIN, Ordering::SeqCst);
    }

    /// Asks what was erased meanwhile, unless that was asked less than `max_age` ago. True when it
    /// asked.
    pub(crate) async fn renew(
        &self,
        db: &Database,
        clock: &Clock,
        keys: &DataKeys,
    ) -> Result<bool, VaultError> {
        if self.is_fresh(clock.now()) {
            return Ok(false);
        }
        let _asking = self.asking.lock().await;
        // Taken before the question: what is erased while it travels counts as not yet known.
        let asked_at = clock.now();
        if self.is_fresh(asked_at) {
            return Ok(false);
        }
        let mut reader = db.read_primary().await?;
        let (latest, master) = erasures::watch(&mut reader).await?;
        while self.erasures() < latest {
            let page = erasures::since(&mut reader, self.erasures(), PAGE).await?;
            let Some((_, number)) = page.last() else { break };
            // First the number, then the forgetting: whoever put a key into memory in between sees the
            // new number and takes it out again. Nothing is awaited between the two.
            self.erasures.store(*number, Ordering::SeqCst);
            keys.forget(page.into_iter().map(|(person, _)| person));
        }
        if self.erasures() != latest {
            // The numbers do not lead there, as after a restored backup; then nothing in memory counts.
            self.erasures.store(latest, Ordering::SeqCst);
            keys.clear();
        }
        *self.master.lock() = master;
        self.checked_at.store(asked_at.as_micros(), Ordering::SeqCst);
        Ok(true)
    }

    /// A clock that was set back makes nothing fresh.
    fn is_fresh(&self, now: Timestamp) -> bool {
        let checked_at = Timestamp::from_micros(self.checked_at.load(Ordering::SeqCst));
        checked_at <= now && now < checked_at.plus(self.max_age)
    }
}
