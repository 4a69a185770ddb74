use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;

use kernel::{Rng, Secret};

use super::argon::{Memory, Recipe, Stored};
use super::pool::Pool;
use crate::config::HashingConfig;
use crate::model::password::Password;

/// Hashes and checks passwords within fixed bounds of threads, memory and time. Clones share them.
#[derive(Clone)]
pub(crate) struct Hasher(Arc<Inner>);

struct Inner {
    pool: Pool<Memory>,
    recipe: Recipe,
    /// The most memory that one stored hash may ask for.
    memory_kib: u32,
    rng: Rng,
    computed: AtomicU64,
    retry_after: Duration,
}

/// What checking a password came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verified {
    /// Whether it is the right one.
    pub(crate) matches: bool,
    /// Whether its hash should be made anew with the present parameters.
    pub(crate) outdated: bool,
}

/// More passwords are being checked than there is time or memory for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Too many people are signing in at the moment. Try again in a few seconds.")]
pub(crate) struct Overloaded {
    /// When it is worth trying again.
    pub(crate) retry_after: Duration,
}

/// Why hashing cannot begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HasherError {
    /// The parameters are none that Argon2 can work with.
    #[error("the Argon2 parameters cannot be used: {0}")]
    Parameters(argon2::Error),
    /// The operating system gives no threads.
    #[error("no threads for hashing")]
    Threads(#[source] std::io::Error),
}

impl Hasher {
    /// Starts the threads.
    ///
    /// # Errors
    /// See [`HasherError`].
    pub(crate) fn start(
        config: &HashingConfig,
        pepper: Secret<[u8; 32]>,
        rng: Rng,
    ) -> Result<Self, HasherError> {
        let recipe = Recipe::new(config.memory_kib, config.passes, config.lanes, pepper)
            .map_err(HasherError::Parameters)?;
        let budget_kib = config.memory_budget_mib.saturating_mul(1_024);
        let affordable = (budget_kib / config.memory_kib.max(1)).max(1) as usize;
        let wanted = match config.threads {
            // One core is left for everything else, so that a flood of sign-ins does not stop the shop.
            0 => available_parallelism().map_or(1, usize::from).saturating_sub(1).max(1),
            threads => threads,
        };
        let threads = wanted.min(affordable);
        let wait = Duration::from_millis(config.wait_ms);
        let pool = Pool::start(threads, config.queue, wait).map_err(HasherError::Threads)?;
        let memory_kib = budget_kib / u32::try_from(threads).unwrap_or(u32::MAX);
        let computed = AtomicU64::new(0);
        Ok(Self(Arc::new(Inner { pool, recipe, memory_kib, rng, computed, retry_after: wait })))
    }

    /// Hashes a password; the answer is a PHC string.
    ///
    /// # Errors
    /// When there is too much to do.
    pub(crate) async fn hash(&self, password: Password) -> Result<String, Overloaded> {
        let recipe = self.0.recipe.clone();
        let salt = self.0.rng.bytes();
        self.run(move |memory| recipe.hash(memory, password.expose(), salt)).await
    }

    /// Checks a password against a stored hash. A hash that cannot be computed matches nothing,
    /// and is not found out any faster.
    ///
    /// # Errors
    /// When there is too much to do.
    pub(crate) async fn verify(&self, password: Password, stored: &str) -> Result<Verified, Overloaded> {
        let Some(stored) = Stored::parse(stored, self.0.memory_kib) else {
            tracing::warn!("a stored password hash cannot be computed; its owner has to recover the account");
            return self.hash(password).await.map(|_| Verified { matches: false, outdated: false });
        };
        let recipe = self.0.recipe.clone();
        self.run(move |memory| {
            let matches = recipe.verify(memory, password.expose(), &stored)?;
            Ok(Verified { matches, outdated: recipe.outdated(&stored) })
        })
        .await
    }

    /// Whether a hash from elsewhere can be checked here.
    pub(crate) fn accepts(&self, phc: &str) -> bool {
        Stored::parse(phc, self.0.memory_kib).is_some()
    }

    /// How many hashes were computed since the start.
    pub(crate) fn computed(&self) -> u64 {
        self.0.computed.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> Result<T, argon2::Error> + Send + 'static,
    ) -> Result<T, Overloaded> {
        let refused = || {
            metrics::counter!("identity_hashing_refused_total").increment(1);
            Overloaded { retry_after: self.0.retry_after }
        };
        let result = self.0.pool.run(work).await.map_err(|_| refused())?;
        self.0.computed.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("identity_hashes_total").increment(1);
        // Only memory can be short here: lengths and parameters were checked before.
        result.map_err(|error| {
            tracing::error!(%error, "a password could not be hashed");
            refused()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_counted_whatever_comes_of_it() {
        let config = HashingConfig { memory_kib: 64, memory_budget_mib: 1, ..HashingConfig::default() };
        let hasher = Hasher::start(&config, Secret::new([7; 32]), Rng::seeded(1)).unwrap();
        let password = || Password::attempt(&Secret::new("correct horse".to_owned()));
        let stored = hasher.hash(password()).await.unwrap();
        let right = hasher.verify(password(), &stored).await.unwrap();
        assert_eq!(right, Verified { matches: true, outdated: false });
        let broken = hasher.verify(password(), "$2b$12$something").await.unwrap();
        assert!(!broken.matches);
        assert_eq!(hasher.computed(), 3);
        assert!(hasher.accepts(&stored) && !hasher.accepts("$2b$12$something"));
    }
}
