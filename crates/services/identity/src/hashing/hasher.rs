use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;

use kernel::{Rng, Secret};

use super::argon::{Memory, Recipe, Stored};
use super::foreign::{Cost, Foreign, Form, Uncomputable};
use super::pool::Pool;
use super::room::Room;
use crate::config::HashingConfig;
use crate::model::password::Password;

/// Hashes and checks passwords within fixed bounds of threads, memory and time. Clones share them.
#[derive(Clone)]
pub(crate) struct Hasher(Arc<Inner>);

struct Inner {
    pool: Pool<Memory>,
    recipe: Recipe,
    /// What hashes may take beyond the memory that each thread keeps.
    room: Room,
    /// What each thread keeps, in KiB.
    kept_kib: u64,
    /// The longest that a hash from elsewhere may take, as its parameters tell.
    imported_micros: u64,
    rng: Rng,
    computed: AtomicU64,
    retry_after: Duration,
}

/// What checking a password came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verified {
    /// Whether it is the right one.
    pub(crate) matches: bool,
    /// The password's hash with the present parameters, when it was checked against another one.
    pub(crate) renewed: Option<String>,
}

/// What a password is checked against.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Against<'a> {
    /// The hash of the account.
    Stored(&'a str),
    /// Nothing, but it must not be told by the time: the hash of somebody else, of which only the
    /// work is wanted. Nothing matches it.
    Decoy(Option<&'a str>),
}

/// Why a hash from elsewhere is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It is in no form that is known.
    Unsupported,
    /// Checking a password against it would take more time or memory than the configuration allows.
    TooCostly,
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

/// A stored hash, read.
enum Known {
    /// Made here.
    Ours(Stored),
    /// Made elsewhere.
    Foreign(Foreign),
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
            // One core is left for everything else, so that a flood of sign-ins does not slow the shop. Of two
            // it would be half of all sign-ins; there the system's scheduler shares them out.
            0 => match available_parallelism().map_or(1, usize::from) {
                cores @ ..=2 => cores,
                cores => cores - 1,
            },
            threads => threads,
        };
        let threads = wanted.min(affordable);
        let wait = Duration::from_millis(config.wait_ms);
        let pool = Pool::start(threads, config.queue, wait).map_err(HasherError::Threads)?;
        let kept_kib = u64::from(config.memory_kib);
        let room = Room::new(u64::from(budget_kib).saturating_sub(kept_kib * threads as u64));
        Ok(Self(Arc::new(Inner {
            pool,
            recipe,
            room,
            kept_kib,
            imported_micros: config.imported_limit_ms.saturating_mul(1_000),
            rng,
            computed: AtomicU64::new(0),
            retry_after: wait,
        })))
    }

    /// Hashes a password; the answer is a PHC string.
    ///
    /// # Errors
    /// When there is too much to do.
    pub(crate) async fn hash(&self, password: Password) -> Result<String, Overloaded> {
        let (inner, salt) = (Arc::clone(&self.0), self.0.rng.bytes());
        self.run(1, move |memory| Ok(inner.recipe.hash(memory, password.expose(), salt)?)).await
    }

    /// Checks a password, and does `beside` on the same thread. A hash that cannot be computed matches
    /// nothing, and is not found out any faster.
    ///
    /// A hash that is not as we would make it now costs itself and one of ours, whatever comes of it:
    /// whoever has such a hash is not told from others by how long a wrong password takes, and the right
    /// one is hashed anew at once.
    ///
    /// # Errors
    /// When there is too much to do.
    pub(crate) async fn verify<T: Send + 'static>(
        &self,
        password: Password,
        against: Against<'_>,
        beside: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(Verified, T), Overloaded> {
        let (stored, is_decoy) = match against {
            Against::Stored(stored) => (self.0.read(stored), false),
            Against::Decoy(stored) => (stored.and_then(|stored| self.0.read(stored)), true),
        };
        if stored.is_none() && !is_decoy {
            tracing::warn!("a stored password hash cannot be computed; its owner has to recover the account");
        }
        let (inner, salt) = (Arc::clone(&self.0), self.0.rng.bytes());
        // A decoy that is as we would make it is worth one hash: the one that is made for the note.
        let stored = stored.filter(|stored| !is_decoy || inner.outdated(stored));
        let renew = is_decoy || stored.as_ref().is_none_or(|stored| inner.outdated(stored));
        let count = u64::from(stored.is_some()) + u64::from(renew);
        self.run(count, move |memory| {
            let told = beside();
            let matches = match stored {
                Some(stored) => inner.matches(memory, &password, &stored)? && !is_decoy,
                None => false,
            };
            let renewed = match renew {
                true => Some(inner.recipe.hash(memory, password.expose(), salt)?),
                false => None,
            };
            Ok((Verified { matches, renewed }, told))
        })
        .await
    }

    /// Does something else that takes long on the same threads, within the same bounds.
    ///
    /// # Errors
    /// When there is too much to do.
    pub(crate) async fn beside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Overloaded> {
        self.run(0, move |_| Ok(work())).await
    }

    /// The text under which a hash from elsewhere is stored.
    ///
    /// # Errors
    /// See [`Unusable`]. Nothing is computed to find out.
    pub(crate) fn adopt(&self, text: &str) -> Result<String, Unusable> {
        let form = Form::read(text.trim()).ok_or(Unusable::Unsupported)?;
        let foreign = Foreign::adopt(form, self.0.recipe.pepper());
        if self.0.affords(foreign.cost()) { Ok(foreign.to_text()) } else { Err(Unusable::TooCostly) }
    }

    /// How many hashes were computed since the start.
    pub(crate) fn computed(&self) -> u64 {
        self.0.computed.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(
        &self,
        hashes: u64,
        work: impl FnOnce(&mut Memory) -> Result<T, Uncomputable> + Send + 'static,
    ) -> Result<T, Overloaded> {
        let refused = || {
            metrics::counter!("identity_hashing_refused_total").increment(1);
            Overloaded { retry_after: self.0.retry_after }
        };
        let result = self.0.pool.run(work).await.map_err(|_| refused())?;
        self.0.computed.fetch_add(hashes, Ordering::Relaxed);
        metrics::counter!("identity_hashes_total").increment(hashes);
        // Only memory can be short here: lengths and parameters were checked before.
        result.map_err(|error| {
            tracing::error!(%error, "a password could not be hashed");
            refused()
        })
    }
}

impl Inner {
    /// Reads a stored hash that can be computed within the bounds.
    fn read(&self, stored: &str) -> Option<Known> {
        if let Some(ours) = Stored::parse(stored) {
            return (self.beyond(&ours) <= self.room.whole()).then_some(Known::Ours(ours));
        }
        // What was taken over before there was a pepper for it lies as it came.
        let foreign = Foreign::parse(stored)
            .or_else(|| Form::read(stored).map(|form| Foreign::adopt(form, self.recipe.pepper())))?;
        self.affords(foreign.cost()).then_some(Known::Foreign(foreign))
    }

    /// The memory that a hash of ours takes beyond what the thread keeps.
    fn beyond(&self, stored: &Stored) -> u64 {
        stored.memory_kib().saturating_sub(self.kept_kib)
    }

    fn affords(&self, cost: Cost) -> bool {
        cost.memory_kib <= self.room.whole() && cost.micros <= self.imported_micros
    }

    fn outdated(&self, known: &Known) -> bool {
        match known {
            Known::Ours(stored) => self.recipe.outdated(stored),
            Known::Foreign(_) => true,
        }
    }

    fn matches(&self, memory: &mut Memory, password: &Password, known: &Known) -> Result<bool, Uncomputable> {
        let matches = match known {
            Known::Ours(stored) => {
                let _room = self.room.take(self.beyond(stored)).ok_or(Uncomputable)?;
                self.recipe.verify(memory, password.expose(), stored)?
            }
            Known::Foreign(foreign) => {
                let _room = self.room.take(foreign.cost().memory_kib).ok_or(Uncomputable)?;
                foreign.verify(memory, password.typed(), self.recipe.pepper())?
            }
        };
        memory.shrink(self.recipe.block_count());
        Ok(matches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `password`, by the reference implementation of Argon2 and by bcrypt.
    const ARGON2: &str =
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    const BCRYPT: &str = "$2b$05$NRI4lGOi3Ea1Xx2jVqQrZeTLo58kl983dxn9udrBSI2StlWrdosgy";
    const BCRYPT_PASSWORD: &str = "rosewood & f\u{fc}nf Kirschen";

    fn hasher(config: HashingConfig) -> Hasher {
        Hasher::start(&config, Secret::new([7; 32]), Rng::seeded(1)).unwrap()
    }

    fn small() -> HashingConfig {
        HashingConfig { memory_kib: 64, memory_budget_mib: 1, ..HashingConfig::default() }
    }

    fn password(text: &str) -> Password {
        Password::attempt(&Secret::new(text.to_owned()))
    }

    async fn check(hasher: &Hasher, text: &str, against: Against<'_>) -> (Verified, u64) {
        let before = hasher.computed();
        let (verified, ()) = hasher.verify(password(text), against, || ()).await.unwrap();
        (verified, hasher.computed() - before)
    }

    #[tokio::test]
    async fn work_is_counted_whatever_comes_of_it() {
        let hasher = hasher(small());
        let stored = hasher.hash(password("correct horse")).await.unwrap();
        let right = check(&hasher, "correct horse", Against::Stored(&stored)).await;
        assert_eq!(right, (Verified { matches: true, renewed: None }, 1));
        let (broken, cost) = check(&hasher, "correct horse", Against::Stored("$2b$12$something")).await;
        assert_eq!((broken.matches, cost), (false, 1));
        assert_eq!(hasher.computed(), 3);
    }

    /// Nobody learns from the work whether there is an account behind an address.
    #[tokio::test]
    async fn a_decoy_costs_what_the_account_it_stands_for_would() {
        let hasher = hasher(small());
        let ours = hasher.hash(password("correct horse")).await.unwrap();
        let theirs = hasher.adopt(BCRYPT).unwrap();
        let earlier = self::hasher(HashingConfig { passes: 3, ..small() });
        let earlier = earlier.hash(password("correct horse")).await.unwrap();
        for (stored, hashes) in [(&ours, 1), (&theirs, 2), (&earlier, 2)] {
            let wrong = check(&hasher, "wrong", Against::Stored(stored)).await;
            let decoy = check(&hasher, "wrong", Against::Decoy(Some(stored))).await;
            assert_eq!((wrong.0.matches, wrong.1), (false, hashes), "{stored}");
            assert_eq!((decoy.0.matches, decoy.1), (false, hashes), "{stored}");
            assert!(decoy.0.renewed.is_some(), "somebody who is not known yet may have just this password");
        }
        let decoy = check(&hasher, BCRYPT_PASSWORD, Against::Decoy(Some(&theirs))).await;
        assert!(!decoy.0.matches, "somebody else's password opens nothing");
        assert_eq!(check(&hasher, "wrong", Against::Decoy(None)).await.1, 1);
    }

    #[tokio::test]
    async fn hashes_from_elsewhere_are_renewed_and_need_the_text_as_it_was_typed() {
        let hasher = hasher(small());
        let theirs = hasher.adopt(BCRYPT).unwrap();
        assert!(theirs.starts_with("$imported-bcrypt$c=5,keyid=djE$"), "{theirs}");
        let (verified, _) = check(&hasher, BCRYPT_PASSWORD, Against::Stored(&theirs)).await;
        assert!(verified.matches);
        let renewed = verified.renewed.unwrap();
        assert!(renewed.starts_with("$argon2id$v=19$m=64,t=2,p=1,keyid="), "{renewed}");
        let again = check(&hasher, BCRYPT_PASSWORD, Against::Stored(&renewed)).await;
        assert_eq!(again, (Verified { matches: true, renewed: None }, 1));
        // As it lay there before there was a pepper for it.
        assert!(check(&hasher, BCRYPT_PASSWORD, Against::Stored(BCRYPT)).await.0.matches);
        let decomposed = BCRYPT_PASSWORD.replace('\u{fc}', "u\u{308}");
        let (verified, _) = check(&hasher, &decomposed, Against::Stored(&theirs)).await;
        assert!(!verified.matches, "the other system did not know that they are the same");
    }

    #[test]
    fn what_costs_too_much_is_refused_and_never_computed() {
        let hasher = hasher(small());
        let dear = BCRYPT.replace("$05$", "$31$");
        let large = ARGON2.replace("m=256", "m=2048");
        let long = ARGON2.replace("t=2", "t=4000000000");
        let scrypt = "$scrypt$ln=30,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI";
        for text in [dear.as_str(), large.as_str(), long.as_str(), scrypt] {
            assert_eq!(hasher.adopt(text), Err(Unusable::TooCostly), "{text}");
        }
        assert_eq!(hasher.adopt("$2b$12$something"), Err(Unusable::Unsupported));
        assert!(hasher.adopt(ARGON2).is_ok());
        assert_eq!(hasher.computed(), 0);
    }

    #[tokio::test]
    async fn what_became_too_dear_is_not_computed_either() {
        let generous = hasher(small());
        let stored = generous.adopt(&BCRYPT.replace("$05$", "$12$")).unwrap();
        let strict = hasher(HashingConfig { imported_limit_ms: 10, ..small() });
        let (verified, hashes) = check(&strict, BCRYPT_PASSWORD, Against::Stored(&stored)).await;
        assert_eq!((verified.matches, hashes), (false, 1), "refused for the price of one of ours");
    }
}
