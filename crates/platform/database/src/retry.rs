use std::time::Duration;

use kernel::Rng;

/// The pauses between the attempts of one transaction: they double, up to a cap, and half of each is chance,
/// so that those who got in each other's way do not meet again.
pub(crate) struct Backoff<'a> {
    rng: &'a Rng,
    attempt: u32,
    most: u32,
}

const FIRST: Duration = Duration::from_millis(2);
const LONGEST: Duration = Duration::from_millis(200);

impl<'a> Backoff<'a> {
    pub(crate) fn new(rng: &'a Rng, most: u32) -> Self {
        Self { rng, attempt: 0, most }
    }

    /// Pauses before the next attempt; `false` when there shall be none.
    pub(crate) async fn wait(&mut self) -> bool {
        if self.attempt >= self.most {
            return false;
        }
        tokio::time::sleep(jittered(self.rng, FIRST, LONGEST, self.attempt)).await;
        self.attempt += 1;
        true
    }
}

/// `first` doubled `doublings` times, at most `longest`; between half and all of that.
pub(crate) fn jittered(rng: &Rng, first: Duration, longest: Duration, doublings: u32) -> Duration {
    let whole = first.saturating_mul(2_u32.saturating_pow(doublings)).min(longest);
    let half = whole / 2;
    let chance = rng.below(u64::try_from(half.as_micros()).unwrap_or(u64::MAX).saturating_add(1));
    half + Duration::from_micros(chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap_and_vary() {
        let rng = Rng::seeded(3);
        for (doublings, whole) in [(0, 2), (1, 4), (3, 16), (10, 200), (60, 200)] {
            let whole = Duration::from_millis(whole);
            let pause = jittered(&rng, FIRST, LONGEST, doublings);
            assert!(pause >= whole / 2 && pause <= whole, "{doublings}: {pause:?}");
        }
    }
}
