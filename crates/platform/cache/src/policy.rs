//! The token bucket, in integers. A bucket of `quota` tokens that refills over `window` holds `quota * window_ms`
//! units: one token is `window_ms` units and one millisecond brings `quota` units, so nothing is ever rounded.

use std::borrow::Cow;
use std::time::Duration;

use crate::CacheError;

/// The largest quota. With [`MAX_WINDOW`] it keeps a bucket's units below 2^53, which is as far as the numbers of
/// a Redis script are exact.
pub const MAX_QUOTA: u32 = 1_000_000;

/// The longest window.
pub const MAX_WINDOW: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// How much a caller may do: `quota` at once, and `quota` more for each `window` that passes, evenly spread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Names the policy in the `RateLimit-Policy` field and keeps its buckets apart from those of others.
    pub name: Cow<'static, str>,
    /// Tokens in a full bucket; 1 to [`MAX_QUOTA`].
    pub quota: u32,
    /// The time in which an empty bucket fills; 1 ms to [`MAX_WINDOW`], whole milliseconds.
    pub window: Duration,
}

impl Policy {
    /// A policy of `quota` tokens per `window`.
    pub fn new(name: impl Into<Cow<'static, str>>, quota: u32, window: Duration) -> Self {
        Self { name: name.into(), quota, window }
    }

    /// The policy in units, with the price of `cost` tokens.
    pub(crate) fn terms(&self, cost: u32) -> Result<Terms, CacheError> {
        let refuse = |reason| CacheError::BadPolicy { policy: self.name.clone().into_owned(), reason };
        if self.quota == 0 || self.quota > MAX_QUOTA {
            return Err(refuse("the quota must lie between 1 and 1,000,000"));
        }
        let window_ms = u64::try_from(self.window.as_millis()).unwrap_or(u64::MAX);
        if window_ms == 0 || self.window > MAX_WINDOW {
            return Err(refuse("the window must lie between 1 millisecond and 31 days"));
        }
        if cost > self.quota {
            return Err(refuse("the cost is larger than the quota, so no wait would be long enough"));
        }
        Ok(Terms { quota: u64::from(self.quota), window_ms, need: u64::from(cost) * window_ms })
    }
}

/// What a bucket said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the tokens were there; if not, none were taken.
    pub allowed: bool,
    /// Whole tokens left.
    pub remaining: u32,
    /// Until the bucket is full, if nothing more is taken.
    pub reset_after: Duration,
    /// Until the tokens asked for will be there; `None` when they were.
    pub retry_after: Option<Duration>,
}

/// A policy and a cost in units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) quota: u64,
    pub(crate) window_ms: u64,
    pub(crate) need: u64,
}

/// A bucket as it was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) level: u64,
    pub(crate) at_ms: i64,
}

impl Terms {
    /// The units of a full bucket.
    pub(crate) const fn capacity(&self) -> u64 {
        self.quota * self.window_ms
    }

    /// Fills the bucket for the time that passed and takes the price out of it if it is there. `take.lua` says the
    /// same for Redis. A clock that steps back brings nothing and takes nothing away.
    pub(crate) fn take(&self, bucket: Option<Bucket>, now_ms: i64) -> (Bucket, bool) {
        let before = bucket.unwrap_or(Bucket { level: self.capacity(), at_ms: now_ms });
        let now_ms = now_ms.max(before.at_ms);
        let elapsed_ms = u64::try_from(now_ms.saturating_sub(before.at_ms)).unwrap_or(0).min(self.window_ms);
        let level = before.level.saturating_add(elapsed_ms * self.quota).min(self.capacity());
        match level.checked_sub(self.need) {
            Some(level) => (Bucket { level, at_ms: now_ms }, true),
            None => (Bucket { level, at_ms: now_ms }, false),
        }
    }

    /// What to tell the caller about a bucket left at `level`.
    pub(crate) fn verdict(&self, level: u64, allowed: bool) -> Verdict {
        let wait_for = |units: u64| Duration::from_millis(units.saturating_sub(level).div_ceil(self.quota));
        Verdict {
            allowed,
            remaining: u32::try_from(level / self.window_ms).unwrap_or(u32::MAX),
            reset_after: wait_for(self.capacity()),
            retry_after: (!allowed).then(|| wait_for(self.need)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(quota: u32, window_ms: u64, cost: u32) -> Terms {
        Policy::new("test", quota, Duration::from_millis(window_ms)).terms(cost).unwrap()
    }

    #[test]
    fn a_full_bucket_gives_its_quota_and_then_says_how_long_to_wait() {
        let terms = terms(3, 1_000, 1);
        let mut bucket = None;
        for remaining in [2, 1, 0] {
            let (next, allowed) = terms.take(bucket, 0);
            assert_eq!(terms.verdict(next.level, allowed).remaining, remaining);
            assert!(allowed);
            bucket = Some(next);
        }
        let (empty, allowed) = terms.take(bucket, 0);
        let verdict = terms.verdict(empty.level, allowed);
        assert!(!verdict.allowed);
        // A third of a second, rounded up to the millisecond at which the token is really there.
        assert_eq!(verdict.retry_after, Some(Duration::from_millis(334)));
        assert_eq!(verdict.reset_after, Duration::from_secs(1));
        assert!(!terms.take(Some(empty), 333).1);
        assert!(terms.take(Some(empty), 334).1);
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing() {
        let terms = terms(1, 1_000, 1);
        let (empty, _) = terms.take(None, 10_000);
        let (still_empty, allowed) = terms.take(Some(empty), 0);
        assert!(!allowed);
        assert_eq!(still_empty, empty);
    }

    #[test]
    fn senseless_policies_are_refused() {
        let second = Duration::from_secs(1);
        for (policy, cost) in [
            (Policy::new("none", 0, second), 0),
            (Policy::new("huge", MAX_QUOTA + 1, second), 1),
            (Policy::new("instant", 1, Duration::ZERO), 1),
            (Policy::new("endless", 1, MAX_WINDOW + second), 1),
            (Policy::new("dear", 1, second), 2),
        ] {
            assert!(matches!(policy.terms(cost), Err(CacheError::BadPolicy { .. })), "{policy:?}");
        }
        let largest = Policy::new("largest", MAX_QUOTA, MAX_WINDOW).terms(MAX_QUOTA).unwrap();
        assert!(largest.capacity() < 1 << 53, "a script's numbers must stay exact");
    }

    proptest::proptest! {
        /// Whatever the pattern, no span lets more through than its bucket and the refill of the span.
        #[test]
        fn never_more_than_the_quota_and_the_refill(
            quota in 1_u32..50,
            window_ms in 1_u64..5_000,
            calls in proptest::collection::vec((0_u64..400, 0_u32..5), 1..200),
        ) {
            let policy = Policy::new("test", quota, Duration::from_millis(window_ms));
            let (mut bucket, mut now_ms, mut granted) = (None, 0_u64, 0_u64);
            for (pause_ms, cost) in calls {
                now_ms += pause_ms;
                let cost = cost.min(quota);
                let terms = policy.terms(cost).unwrap();
                let (next, allowed) = terms.take(bucket, i64::try_from(now_ms).unwrap());
                if allowed {
                    granted += u64::from(cost);
                } else {
                    let wait = terms.verdict(next.level, false).retry_after.unwrap();
                    let then = now_ms + u64::try_from(wait.as_millis()).unwrap();
                    proptest::prop_assert!(terms.take(Some(next), i64::try_from(then).unwrap()).1);
                }
                bucket = Some(next);
                proptest::prop_assert!(granted * window_ms <= u64::from(quota) * (window_ms + now_ms));
            }
        }
    }
}
