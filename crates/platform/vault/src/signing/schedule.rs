use kernel::Timestamp;

use crate::config::SigningConfig;

/// Something that is used from a moment on, until the next one is.
pub(crate) trait Scheduled {
    /// The moment.
    fn active_from(&self) -> Timestamp;
}

/// The key that signs at `now`, of keys that are sorted by the moment they begin.
pub(crate) fn current<K: Scheduled>(keys: &[K], now: Timestamp) -> Option<&K> {
    keys.iter().rev().find(|key| key.active_from() <= now)
}

/// The keys that verifiers must know at `now`: the one that signs, those that will, and those whose tokens
/// may still be about.
pub(crate) fn published<'k, K: Scheduled>(
    keys: &'k [K],
    now: Timestamp,
    config: &SigningConfig,
) -> impl Iterator<Item = &'k K> {
    let keep = config.publish_after();
    keys.iter().enumerate().filter_map(move |(index, key)| {
        let replaced_at = keys.get(index + 1).map(Scheduled::active_from);
        replaced_at.is_none_or(|at| now < at.plus(keep)).then_some(key)
    })
}

/// Whether the next key is to be made at `now`, early enough to be published before the current one has
/// been used for its time.
pub(crate) fn is_due<K: Scheduled>(keys: &[K], now: Timestamp, config: &SigningConfig) -> bool {
    keys.last()
        .is_none_or(|newest| newest.active_from().plus(config.use_for()) <= now.plus(config.publish_before()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct From(i64);

    impl Scheduled for From {
        fn active_from(&self) -> Timestamp {
            at(self.0)
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    const CONFIG: SigningConfig =
        SigningConfig { publish_before_s: 10, publish_after_s: 100, use_for_s: 1_000, recheck_s: 1 };

    fn times(keys: impl IntoIterator<Item = impl std::borrow::Borrow<From>>) -> Vec<i64> {
        keys.into_iter().map(|key| key.borrow().0).collect()
    }

    #[test]
    fn a_key_is_published_before_it_signs_and_after_it_has() {
        let keys = [From(0), From(1_000)];
        assert_eq!(times(current(&keys, at(999))), [0]);
        assert_eq!(times(current(&keys, at(1_000))), [1_000]);
        assert_eq!(times(published(&keys, at(990), &CONFIG)), [0, 1_000]);
        assert_eq!(times(published(&keys, at(1_099), &CONFIG)), [0, 1_000]);
        assert_eq!(times(published(&keys, at(1_100), &CONFIG)), [1_000]);
        assert!(current(&keys, at(-1)).is_none());
    }

    #[test]
    fn the_next_key_is_due_early_enough_to_be_published() {
        assert!(is_due::<From>(&[], at(0), &CONFIG));
        assert!(!is_due(&[From(0)], at(989), &CONFIG));
        assert!(is_due(&[From(0)], at(990), &CONFIG));
        assert!(!is_due(&[From(0), From(1_000)], at(990), &CONFIG));
    }

    proptest! {
        /// Whatever signed a token is published for as long as the token may be about.
        #[test]
        fn no_token_outlives_its_key(
            mut starts in proptest::collection::vec(0_i64..5_000, 1..6),
            signed_at in 0_i64..6_000,
            age in 0_i64..100,
        ) {
            starts.sort_unstable();
            let keys: Vec<From> = starts.into_iter().map(From).collect();
            if let Some(signer) = current(&keys, at(signed_at)) {
                let later = at(signed_at + age);
                prop_assert!(published(&keys, later, &CONFIG).any(|key| std::ptr::eq(key, signer)));
            }
        }
    }
}
