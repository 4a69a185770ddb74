use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};
use uuid::Uuid;

use crate::Timestamp;

/// Where chance comes from. Cheap to clone; clones of a seeded one draw from the same stream.
#[derive(Clone, Default)]
pub struct Rng(Source);

#[derive(Clone, Default)]
enum Source {
    #[default]
    System,
    Seeded(Arc<Mutex<ChaCha20Rng>>),
}

impl Rng {
    /// The operating system's generator, fit for keys and tokens.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A stream that repeats for the same seed. For tests, simulations and demo data only.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(Mutex::new(ChaCha20Rng::seed_from_u64(seed)))))
    }

    /// Fills `buffer` with random bytes.
    ///
    /// # Panics
    /// When the operating system has no randomness to give: nothing safe can be done then.
    #[allow(clippy::disallowed_methods, clippy::panic)]
    pub fn fill(&self, buffer: &mut [u8]) {
        match &self.0 {
            Source::System => {
                if let Err(error) = getrandom::fill(buffer) {
                    panic!("the operating system gives no randomness: {error}");
                }
            }
            Source::Seeded(rng) => rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(buffer),
        }
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A number below `bound`, each equally likely; zero when `bound` is zero.
    pub fn below(&self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        // Drawing again above the last whole multiple keeps every residue equally likely.
        let zone = u64::MAX - u64::MAX % bound;
        loop {
            let drawn = u64::from_le_bytes(self.bytes());
            if drawn < zone {
                return drawn % bound;
            }
        }
    }

    /// A version 7 UUID (RFC 9562) for `now`: the key sorts by time, its other 74 bits are random.
    pub fn uuid_v7(&self, now: Timestamp) -> Uuid {
        let millis = u64::try_from(now.as_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes::<10>()).into_uuid()
    }
}

impl fmt::Debug for Rng {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Rng(system)",
            Source::Seeded(_) => "Rng(seeded)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_seeds_differ() {
        assert_eq!(Rng::seeded(1).bytes::<16>(), Rng::seeded(1).bytes::<16>());
        assert_ne!(Rng::seeded(1).bytes::<16>(), Rng::seeded(2).bytes::<16>());
    }

    #[test]
    fn below_stays_below() {
        let rng = Rng::seeded(7);
        assert!((0..1_000).all(|_| rng.below(6) < 6));
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.below(1), 0);
    }

    #[test]
    fn uuids_sort_by_time() {
        let rng = Rng::system();
        let early = rng.uuid_v7(Timestamp::from_seconds(1_000));
        let late = rng.uuid_v7(Timestamp::from_seconds(1_001));
        assert!(early < late);
        assert_eq!(early.get_version_num(), 7);
    }
}
